// DynamicsWebApi, the most used JavaScript client of Dataverse. Usage: node dynamics_web_api.js BASE
const { randomUUID } = require("crypto");
const { DynamicsWebApi } = require("dynamics-web-api");

const api = new DynamicsWebApi({
  serverUrl: process.argv[2],
  dataApi: { version: "9.2" },
  onTokenRefresh: async () => ({ accessToken: "sandbox" }),
});
const accounts = "accounts";
const report = [];

// Run `call`; `expect` is the value it must give or a function that must be true of it; `status` is the one it must fail with.
const step = async (name, call, expect, status) => {
  let value;
  try {
    value = await call();
    const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
    const ok = typeof expect === "function" ? expect(value) : expect === undefined || same(value, expect);
    report.push({ step: name, ok: Boolean(ok) && status === undefined, saw: String(JSON.stringify(value)).slice(0, 400) });
  } catch (error) {
    report.push({ step: name, ok: error.status === status, saw: `${error.status} ${error.code} ${error.message}`.slice(0, 400) });
  }
  return value;
};
const isId = (value) => /^[0-9a-f-]{36}$/i.test(value);

(async () => {
  const who = await step("WhoAmI", () => api.callFunction("WhoAmI"), (w) => isId(w.UserId) && isId(w.OrganizationId));

  // One record
  const una = await step("create a contact", () => api.create({ collection: "contacts", data: { firstname: "Una", lastname: "Dahl" } }), isId);
  const bo = await step("create another", () => api.create({ collection: "contacts", data: { firstname: "Bo", lastname: "Ek" } }), isId);
  const data = { name: "Js & Søn", accountnumber: "JS-1", "primarycontactid@odata.bind": `/contacts(${una})` };
  const one = await step("create an account with a lookup", () => api.create({ collection: accounts, data }), isId);
  const key = randomUUID();
  const whole = await step(
    "create with an id of its own and an answer",
    () => api.create({ collection: accounts, data: { accountid: key, name: "Js whole" }, select: ["name"], returnRepresentation: true }),
    (row) => row.accountid === key && row.name === "Js whole",
  );
  await step("the same id again is refused", () => api.create({ collection: accounts, data: { accountid: key, name: "x" } }), undefined, 412);
  await step("the same key again is refused", () => api.create({ collection: accounts, data: { name: "x", accountnumber: "JS-1" } }), undefined, 412);
  const read = await step(
    "read it with its contact and annotations",
    () => api.retrieve({ collection: accounts, key: one, select: ["name", "statecode"], expand: [{ property: "primarycontactid", select: ["fullname"] }], includeAnnotations: "*" }),
    (row) => row.primarycontactid.fullname === "Una Dahl" && row["statecode@OData.Community.Display.V1.FormattedValue"] === "Active",
  );
  await step("read it by its alternate key", () => api.retrieve({ collection: accounts, key: "accountnumber='JS-1'", select: ["name"] }), (row) => row.name === "Js & Søn");
  await step("a missing record", () => api.retrieve({ collection: accounts, key: randomUUID() }), undefined, 404);
  await step("change it", () => api.update({ collection: accounts, key: one, data: { fax: "1" } }), true);
  await step("change a missing record", () => api.update({ collection: accounts, key: randomUUID(), data: { fax: "1" } }), undefined, 404);
  await step("change it with the stale tag", () => api.update({ collection: accounts, key: one, data: { fax: "2" }, ifmatch: read["@odata.etag"] }), (done) => done === false);
  const fresh = await step("read it afresh", () => api.retrieve({ collection: accounts, key: one, select: ["fax"] }), (row) => row.fax === "1");
  await step("change it with the right tag", () => api.update({ collection: accounts, key: one, data: { fax: "3" }, ifmatch: fresh["@odata.etag"], returnRepresentation: true, select: ["fax"] }), (row) => row.fax === "3");
  await step("set one value", () => api.updateSingleProperty({ collection: accounts, key: one, fieldValuePair: { telephone1: "555" } }));
  await step("clear one value", () => api.deleteRecord({ collection: accounts, key: one, fieldName: "telephone1" }));
  await step("both took effect", () => api.retrieve({ collection: accounts, key: one, select: ["telephone1"] }), (row) => row.telephone1 === null);
  await step("unchanged since", async () => {
    const now = await api.retrieve({ collection: accounts, key: one, select: ["name"] });
    return api.retrieve({ collection: accounts, key: one, select: ["name"], ifnonematch: now["@odata.etag"] });
  }, (row) => row === null || row === undefined);
  const upserted = randomUUID();
  await step("upsert makes a record", () => api.upsert({ collection: accounts, key: upserted, data: { name: "Js upserted" } }), (id) => id === upserted);
  await step("upsert changes it", () => api.upsert({ collection: accounts, key: upserted, data: { name: "Js upserted again" }, returnRepresentation: true, select: ["name"] }), (row) => row.name === "Js upserted again");
  await step("upsert that must not create", () => api.upsert({ collection: accounts, key: randomUUID(), data: { name: "x" }, ifmatch: "*" }), (done) => done === null || done === false);
  await step("upsert that must not change", () => api.upsert({ collection: accounts, key: upserted, data: { name: "x" }, ifnonematch: "*" }), (done) => done === null || done === false);

  // Many records
  const targets = [0, 1, 2, 3, 4].map((n) => ({ "@odata.type": "Microsoft.Dynamics.CRM.account", name: `Js bulk ${n}`, tickersymbol: "JS" }));
  await step("CreateMultiple", () => api.callAction({ collection: accounts, actionName: "Microsoft.Dynamics.CRM.CreateMultiple", action: { Targets: targets } }), (answer) => answer.Ids.length === 5);
  await step("filter, order and count", () => api.retrieveMultiple({ collection: accounts, select: ["name"], filter: "contains(name,'js BULK') and statecode eq 0", orderBy: ["name desc"], count: true }),
    (page) => page.oDataCount === 5 && page.value[0].name === "Js bulk 4");
  await step("a page and its link", () => api.retrieveMultiple({ collection: accounts, select: ["name"], filter: "tickersymbol eq 'JS'", maxPageSize: 2 }), (page) => page.value.length === 2 && Boolean(page.oDataNextLink));
  await step("all pages", async () => (await api.retrieveAll({ collection: accounts, select: ["name"], filter: "tickersymbol eq 'JS'", maxPageSize: 2 })).value.length, 5);
  await step("the first three", async () => (await api.retrieveMultiple({ collection: accounts, select: ["name"], top: 3 })).value.length, 3);
  await step("count", () => api.count({ collection: accounts, filter: "tickersymbol eq 'JS'" }), 5);
  const fetchXml = "<fetch mapping='logical'><entity name='account'><attribute name='name'/><filter><condition attribute='tickersymbol' operator='eq' value='JS'/></filter></entity></fetch>";
  await step("fetchXml in pages", () => api.fetch({ collection: accounts, fetchXml, maxPageSize: 2 }), (page) => page.value.length > 0);
  await step("fetchXml altogether", async () => (await api.fetchAll({ collection: accounts, fetchXml })).value.length, 5);

  // Changes
  const tracked = await step("track changes", () => api.retrieveMultiple({ collection: accounts, select: ["name"], trackChanges: true }), (page) => Boolean(page.oDataDeltaLink));
  await api.update({ collection: accounts, key: one, data: { name: "Js tracked" } });
  await api.deleteRecord({ collection: accounts, key: upserted });
  await step("one change and one deletion", () => api.retrieveMultiple({ collection: accounts, select: ["name"] }, tracked.oDataDeltaLink),
    (page) => page.value.length === 2 && page.value[0].name === "Js tracked" && page.value[1].reason === "deleted");

  // Links
  await step("add to a collection", () => api.associate({ collection: accounts, primaryKey: one, relationshipName: "contact_customer_accounts", relatedCollection: "contacts", relatedKey: bo }));
  await step("it is in the collection", async () => (await api.retrieve({ collection: accounts, key: one, select: ["name"], expand: [{ property: "contact_customer_accounts", select: ["lastname"] }] })).contact_customer_accounts.map((c) => c.lastname), ["Ek"]);
  await step("take it out", () => api.disassociate({ collection: accounts, primaryKey: one, relationshipName: "contact_customer_accounts", relatedKey: bo }));
  await step("point a lookup elsewhere", () => api.associateSingleValued({ collection: accounts, primaryKey: one, navigationProperty: "primarycontactid", relatedCollection: "contacts", relatedKey: bo }));
  await step("clear the lookup", () => api.disassociateSingleValued({ collection: accounts, primaryKey: one, navigationProperty: "primarycontactid" }));
  await step("it is clear", async () => (await api.retrieve({ collection: accounts, key: one, select: ["_primarycontactid_value"] }))._primarycontactid_value, null);

  // Metadata
  await step("a table", async () => (await api.retrieveEntities({ select: ["LogicalName", "EntitySetName"], filter: "LogicalName eq 'account'" })).value[0].EntitySetName, accounts);
  await step("its columns", async () => (await api.retrieveAttributes({ entityKey: "LogicalName='account'", select: ["LogicalName"] })).value.length, (n) => n > 100);
  await step("a choice column with its options", async () => (await api.retrieveAttribute({
    entityKey: "LogicalName='account'", attributeKey: "LogicalName='customertypecode'",
    castType: "Microsoft.Dynamics.CRM.PicklistAttributeMetadata", select: ["LogicalName"], expand: [{ property: "OptionSet" }],
  })).OptionSet.Options.find((o) => o.Value === 3).Label.UserLocalizedLabel.Label, "Customer");
  await step("its relationships", async () => (await api.retrieveRelationships({ castType: "Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata", select: ["SchemaName"] })).value.length, (n) => n > 10);
  await step("$metadata", () => api.retrieveCsdlMetadata({ addAnnotations: true }), (xml) => xml.includes('<EntityType Name="account"'));

  // Batch
  await step("a batch", async () => {
    api.startBatch();
    api.create({ collection: "contacts", data: { lastname: "Batched" }, contentId: "1" });
    api.create({ collection: accounts, data: { name: "Js batched", tickersymbol: "JSB", "primarycontactid@odata.bind": "$1" } });
    api.update({ collection: accounts, key: one, data: { name: "Js in batch" } });
    api.retrieve({ collection: accounts, key: one, select: ["name"] });
    const answers = await api.executeBatch();
    return [answers.length, isId(answers[0]), isId(answers[1]), answers[3].name];
  }, [4, true, true, "Js in batch"]);
  await step("the reference held", async () => (await api.retrieveMultiple({ collection: accounts, select: ["name"], filter: "tickersymbol eq 'JSB'", expand: [{ property: "primarycontactid", select: ["lastname"] }] })).value[0].primarycontactid.lastname, "Batched");

  // The end
  await step("impersonate", async () => (await api.retrieveMultiple({ collection: accounts, select: ["name"], top: 1, impersonate: who.UserId })).value.length, 1);
  await step("delete with the wrong tag", () => api.deleteRecord({ collection: accounts, key, ifmatch: 'W/"1"' }), (done) => done === false);
  await step("delete with the right tag", () => api.deleteRecord({ collection: accounts, key, ifmatch: whole["@odata.etag"] }), true);
  await step("delete", () => api.deleteRecord({ collection: accounts, key: one }), true);
  await step("it is gone", () => api.retrieve({ collection: accounts, key: one }), undefined, 404);
  console.log(JSON.stringify(report));
})();
