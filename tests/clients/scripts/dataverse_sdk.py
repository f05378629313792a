"""Microsoft's Dataverse SDK for Python: records, queries, paging, batches, tables. Usage: dataverse_sdk.py BASE"""

import sys
import time
import uuid

from azure.core.credentials import AccessToken
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.models.filters import col
from PowerPlatform.Dataverse.models.query_builder import ExpandOption
from PowerPlatform.Dataverse.models.upsert import UpsertItem
from steps import finish, step


class Credential:
    """The one method that the SDK asks of a credential."""

    def get_token(self, *scopes, **options):
        return AccessToken("sandbox", int(time.time()) + 3600)


def is_id(value):
    return bool(uuid.UUID(str(value)))


with DataverseClient(sys.argv[1], Credential()) as client:
    records, query, tables = client.records, client.query, client.tables

    # One record
    ann = step("create a contact", lambda: records.create("contact", {"firstname": "Ann", "lastname": "Ek"}), is_id)
    body = {"name": "Sdk & Söhne", "accountnumber": "SDK-1", "primarycontactid@odata.bind": f"/contacts({ann})"}
    one = step("create an account with a lookup", lambda: records.create("account", body), is_id)
    step(
        "read it back",
        lambda: records.retrieve("account", one, select=["name", "accountnumber"])["name"],
        "Sdk & Söhne",
    )
    step(
        "read it with its contact",
        lambda: records.retrieve("account", one, select=["name"], expand=["primarycontactid"])["primarycontactid"][
            "fullname"
        ],
        "Ann Ek",
    )
    step(
        "read it with annotations",
        lambda: records.retrieve("account", one, select=["statecode"], include_annotations="*"),
        lambda row: "Active" in str(dict(row.items())),
    )
    step("a missing record is none", lambda: records.retrieve("account", str(uuid.uuid4())) is None, True)
    step("changing one fails", lambda: records.update("account", str(uuid.uuid4()), {"fax": "1"}), raises="404")
    step("update it", lambda: records.update("account", one, {"telephone1": "+44 20 7946 0001"}))
    step(
        "the update is there",
        lambda: records.retrieve("account", one, select=["telephone1"])["telephone1"][-4:],
        "0001",
    )
    step(
        "a text that is too long is refused",
        lambda: records.update("account", one, {"telephone1": "9" * 51}),
        raises="exceeded the maximum allowed length of '50'",
    )
    step(
        "an unknown column is refused",
        lambda: records.update("account", one, {"shoesize": 5}),
        raises="shoesize",
    )

    # Many records
    rows = [{"name": f"Sdk bulk {n}", "numberofemployees": n} for n in range(7)]
    many = step("create seven at once", lambda: records.create("account", rows), lambda ids: len(set(ids)) == 7)
    step("update them to one value", lambda: records.update("account", many, {"tickersymbol": "SDK"}))
    step(
        "update two to values of their own",
        lambda: records.update("account", many[:2], [{"fax": "1"}, {"fax": "2"}]),
    )
    step(
        "all of it is there",
        lambda: sorted(
            (row["fax"] or "") for row in records.list("account", select=["fax"], filter="tickersymbol eq 'SDK'")
        ),
        ["", "", "", "", "", "1", "2"],
    )
    step(
        "a failing bulk request changes nothing",
        lambda: records.create("account", [{"name": "Sdk lost"}, {"name": "x" * 161}]),
        raises="160",
    )
    step(
        "nothing was left of it", lambda: len(records.list("account", select=["name"], filter="name eq 'Sdk lost'")), 0
    )

    # Upsert
    item = UpsertItem(alternate_key={"accountnumber": "SDK'2"}, record={"name": "Upserted"})
    step("upsert makes a record", lambda: records.upsert("account", [item]))
    changed = UpsertItem(alternate_key={"accountnumber": "SDK'2"}, record={"name": "Upserted twice"})
    other = UpsertItem(alternate_key={"accountnumber": "SDK-3"}, record={"name": "Another"})
    step("upsert changes one and makes another", lambda: records.upsert("account", [changed, other]))
    step(
        "there are two of them",
        lambda: sorted(
            row["name"]
            for row in records.list(
                "account", select=["name"], filter="accountnumber eq 'SDK''2' or accountnumber eq 'SDK-3'"
            )
        ),
        ["Another", "Upserted twice"],
    )

    # Queries
    step(
        "pages of three",
        lambda: [
            len(page)
            for page in records.list_pages("account", select=["name"], filter="tickersymbol eq 'SDK'", page_size=3)
        ],
        [3, 3, 1],
    )
    step(
        "the first two in descending order",
        lambda: [
            row["name"]
            for row in records.list(
                "account", select=["name"], filter="tickersymbol eq 'SDK'", orderby=["name desc"], top=2
            )
        ],
        ["Sdk bulk 6", "Sdk bulk 5"],
    )
    wanted = (col("name").like("Sdk bulk%")) & ~(col("name") == "SDK BULK 3") & col("numberofemployees").between(1, 5)
    step(
        "a built query",
        lambda: [
            row["name"][-1] for row in query.builder("account").select("name").where(wanted).order_by("name").execute()
        ],
        list("1245"),
    )
    step(
        "a value out of a list",
        lambda: len(
            query.builder("account").select("name").where(col("name").in_(["Sdk bulk 1", "sdk BULK 2", "no"])).execute()
        ),
        2,
    )
    step(
        "a query that expands",
        lambda: [
            row["primarycontactid"]["lastname"]
            for row in query.builder("account")
            .select("name")
            .where(col("accountnumber") == "SDK-1")
            .expand(ExpandOption("primarycontactid").select("lastname"))
            .execute()
        ],
        ["Ek"],
    )
    fetch = (
        "<fetch top='2'><entity name='account'><attribute name='name'/><order attribute='name'/>"
        "<filter><condition attribute='tickersymbol' operator='eq' value='SDK'/></filter></entity></fetch>"
    )
    step("fetchXml", lambda: [row["name"] for row in query.fetchxml(fetch).execute()], ["Sdk bulk 0", "Sdk bulk 1"])
    step(
        "SQL",
        lambda: [
            row["name"]
            for row in query.sql("SELECT TOP 2 name FROM account WHERE tickersymbol = 'SDK' ORDER BY name DESC")
        ],
        ["Sdk bulk 6", "Sdk bulk 5"],
    )

    # Metadata
    step("a table", lambda: tables.get("account").entity_set_name, "accounts")
    step("an unknown table is none", lambda: tables.get("nonsense") is None, True)
    step("the tables", lambda: {"account", "contact"} <= {t["LogicalName"] for t in tables.list()}, True)
    step(
        "the columns",
        lambda: {c["LogicalName"]: c["AttributeType"] for c in tables.list_columns("account")}["creditlimit"],
        "Money",
    )
    step(
        "the alternate keys",
        lambda: ["accountnumber"] in [list(key.key_attributes) for key in tables.get_alternate_keys("account")],
        True,
    )
    step("the relationships", lambda: len(tables.list_table_relationships("contact")) > 3, True)

    # Batches
    def batch():
        work = client.batch.new()
        work.records.create("account", {"name": "Sdk batched"})
        work.records.update("account", one, {"fax": "batched"})
        work.records.retrieve("account", one, select=["fax"])
        with work.changeset() as together:
            contact = together.records.create("contact", {"lastname": "Together"})
            together.records.create("account", {"name": "Sdk together", "primarycontactid@odata.bind": contact})
        return work.execute(continue_on_error=True)

    step(
        "a batch with a change set",
        batch,
        lambda result: [r.status_code for r in result.responses] == [204, 204, 200, 204, 204],
    )

    def failing():
        work = client.batch.new()
        with work.changeset() as together:
            together.records.create("account", {"name": "Sdk undone"})
            together.records.update("account", str(uuid.uuid4()), {"name": "missing"})
        work.records.create("account", {"name": "Sdk goes on"})
        return work.execute(continue_on_error=True)

    step("a failing change set is one answer", failing, lambda r: [x.status_code for x in r.responses] == [404, 204])
    step(
        "and leaves nothing",
        lambda: [
            row["name"] for row in records.list("account", select=["name"], filter="startswith(name,'Sdk undone')")
        ],
        [],
    )

    # Deleting
    step("delete one", lambda: records.delete("account", one))
    step("it is gone", lambda: records.retrieve("account", one) is None, True)
    step("delete in bulk", lambda: records.delete("account", many[:3]), is_id)
    step("delete one by one", lambda: records.delete("account", many[3:], use_bulk_delete=False))
finish()
