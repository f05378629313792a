"""Two systems in memory with customers, vendors and contacts, a store, and contexts for tests of coupling."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

from crosstie.engine.compiling import compile_mapping
from crosstie.engine.context import Context, Guards, Scope, Task
from crosstie.model.couplings import Coupling, NewCoupling
from crosstie.model.filters import compile_filter
from crosstie.model.jobs import JobKind, JournalEntry
from crosstie.model.mappings import Direction, FieldMapping, Lookup
from crosstie.model.mappings import Mapping as TableMapping
from crosstie.model.problems import NewProblem, Problem, ProblemClass
from crosstie.model.records import Side
from crosstie.model.schema import ChangeFeed, FieldSchema, FieldType, TableSchema
from crosstie.model.values import Scalar
from crosstie.rules import all_rules
from crosstie.store import Store, open_store
from crosstie.systems.memory import MemorySystem, Ticks

COMPANY = "c0000000-0000-0000-0000-000000000001"
OURS, THEIRS = "b0000000-0000-0000-0000-000000000001", "b0000000-0000-0000-0000-000000000002"
CONTACTS = "crosstie/sync/v1.0/syncContacts"
TEXT, CODE, GUID, LOOKUP, CHOICE = (
    FieldType.TEXT,
    FieldType.CODE,
    FieldType.GUID,
    FieldType.LOOKUP,
    FieldType.CHOICE,
)


def table(name: str, key: str, fields: Mapping[str, FieldType | FieldSchema], **traits: Any) -> TableSchema:
    known = {key: FieldSchema(name=key, type=GUID)}
    for field, kind in fields.items():
        known[field] = kind if isinstance(kind, FieldSchema) else FieldSchema(name=field, type=kind)
    traits = {"feed": ChangeFeed.MODIFIED, "client_ids": True, "conditional_writes": True, **traits}
    return TableSchema(name=name, key=key, fields=known, **traits)


BLOCKED = FieldSchema(name="blocked", type=CHOICE, options={"All": "All", "Ship": "Ship"})
PARTY = {"number": CODE, "displayName": TEXT, "phoneNumber": TEXT, "email": TEXT, "city": TEXT, "blocked": BLOCKED}
LOCAL_TABLES = (
    table("customers", "id", {**PARTY, "currencyCode": CODE, "currencyId": GUID, "creditLimit": FieldType.DECIMAL}),
    table("vendors", "id", PARTY),
    table(
        CONTACTS,
        "id",
        {
            "number": CODE,
            "displayName": TEXT,
            "type": TEXT,
            "companyNumber": CODE,
            "businessRelationType": TEXT,
            "businessRelationNumber": CODE,
        },
    ),
)
REMOTE_TABLES = (
    table(
        "account",
        "accountid",
        {
            "accountnumber": TEXT,
            "name": TEXT,
            "telephone1": TEXT,
            "emailaddress1": TEXT,
            "address1_city": TEXT,
            "statecode": FieldSchema(
                name="statecode", type=CHOICE, numeric_options=True, options={"0": "Active", "1": "Inactive"}
            ),
            "customertypecode": FieldSchema(
                name="customertypecode", type=CHOICE, numeric_options=True, options={"3": "Customer", "11": "Vendor"}
            ),
            "transactioncurrencyid": FieldSchema(name="transactioncurrencyid", type=LOOKUP),
            "creditlimit": FieldType.DECIMAL,
            "bcbi_companyid": FieldSchema(name="bcbi_companyid", type=LOOKUP, targets=("bcbi_company",)),
        },
    ),
    table(
        "contact",
        "contactid",
        {
            "fullname": TEXT,
            "parentcustomerid": FieldSchema(name="parentcustomerid", type=LOOKUP, targets=("account", "contact")),
            "bcbi_companyid": FieldSchema(name="bcbi_companyid", type=LOOKUP, targets=("bcbi_company",)),
        },
    ),
    table("bcbi_company", "bcbi_companyid", {"bcbi_externalid": TEXT, "bcbi_defaultowningteam": LOOKUP}),
)


def row(local: str | None, remote: str | None, **traits: Any) -> FieldMapping:
    return FieldMapping(
        local_field=local, remote_field=remote, direction=traits.pop("direction", Direction.BIDIRECTIONAL), **traits
    )


STAMP = row(None, "bcbi_companyid", direction=Direction.TO_REMOTE, rule="company_id", label="Company")
PARTY_ROWS = (
    row("displayName", "name", label="Name"),
    row("phoneNumber", "telephone1", label="Phone No."),
    row("email", "emailaddress1", label="E-Mail"),
    row("city", "address1_city", label="City"),
    row("number", "accountnumber", label="No.", enabled=False, direction=Direction.TO_REMOTE),
    STAMP,
)
CUSTOMER = TableMapping(
    name="CUSTOMER",
    label="Customer",
    local_table="customers",
    remote_table="account",
    direction=Direction.BIDIRECTIONAL,
    fields=(
        *PARTY_ROWS,
        row("currencyCode", "transactioncurrencyid", label="Currency", lookup=Lookup(mapping="CURRENCY")),
        row("creditLimit", "creditlimit", label="Credit Limit", direction=Direction.TO_REMOTE),
        row(None, "customertypecode", constant=3, create_only=True, direction=Direction.TO_REMOTE),
    ),
    local_key_field="number",
    local_name_field="displayName",
    remote_name_field="name",
    local_filter="blocked eq null",
    remote_filter=f"statecode eq 0 and customertypecode eq 3 and (bcbi_companyid eq {OURS} or bcbi_companyid eq null)",
    depends_on=("CURRENCY",),
)
VENDOR = TableMapping(
    name="VENDOR",
    label="Vendor",
    local_table="vendors",
    remote_table="account",
    direction=Direction.BIDIRECTIONAL,
    fields=PARTY_ROWS,
    local_key_field="number",
    local_name_field="displayName",
    remote_name_field="name",
)
CONTACT = TableMapping(
    name="CONTACT",
    label="Contact",
    local_table=CONTACTS,
    remote_table="contact",
    direction=Direction.BIDIRECTIONAL,
    fields=(
        row("displayName", "fullname", label="Name"),
        row("companyNumber", "parentcustomerid", rule="contact_company"),
        STAMP,
    ),
    local_key_field="number",
    local_name_field="displayName",
    remote_name_field="fullname",
    depends_on=("CUSTOMER", "VENDOR"),
)
SALESPEOPLE = TableMapping(
    name="SALESPEOPLE",
    label="Salesperson",
    local_table="vendors",
    remote_table="account",
    direction=Direction.FROM_REMOTE,
    fields=(row("displayName", "name", direction=Direction.FROM_REMOTE),),
    local_key_field="number",
    local_name_field="displayName",
    remote_name_field="name",
)


class Access:
    """What rules may ask for."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.settings = {"company_id": COMPANY}
        self.cache: dict[str, Any] = {}
        self.today = date(2026, 1, 1)

    def remember(self, name: str, value: str) -> None:
        self.settings[name] = value

    def system(self, side: Side) -> MemorySystem:
        return self._world.systems[side]

    def mapping(self, name: str) -> None:
        """No other mapping is known here."""

    def maps(self, mapping: str) -> bool:
        return mapping in self._world.mappings

    def coupled(self, mapping: str, side: Side, values: Iterable[str], by_key: bool) -> dict[str, Coupling]:
        with self._world.store.begin() as unit:
            look_up = unit.couplings.by_key if by_key else unit.couplings.by_record
            return look_up(mapping, side, values)


class World:
    """Both systems, the store, and what tests ask of them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = Ticks(datetime(2026, 1, 1, tzinfo=UTC))
        self.local = MemorySystem("BC", LOCAL_TABLES, now=self.clock)
        self.remote = MemorySystem("DV", REMOTE_TABLES, now=self.clock)
        self.systems = {Side.LOCAL: self.local, Side.REMOTE: self.remote}
        self.mappings = {m.name: m for m in (CUSTOMER, VENDOR, CONTACT)}
        with store.begin() as unit:
            for mapping in self.mappings.values():
                unit.put_mapping(mapping)
        for id, company in ((OURS, COMPANY), (THEIRS, "c0000000-0000-0000-0000-000000000002")):
            self.remote.put("bcbi_company", {"bcbi_externalid": company}, id)

    # --- records ----------------------------------------------------------------------------------------------

    def customer(self, number: str, **values: Scalar) -> str:
        """A customer; its name is its number unless given."""
        return self.local.put("customers", {"number": number, "displayName": f"Customer {number}", **values}).id

    def account(self, name: str, **values: Scalar) -> str:
        """An active account of relationship type customer, without company id unless given."""
        return self.remote.put("account", {"name": name, "statecode": 0, "customertypecode": 3, **values}).id

    def pair(self, number: str, **remote: Scalar) -> Coupling:
        """A customer and an account that are coupled and in step; the account carries our company id."""
        local = self.customer(number)
        there = self.account(f"Customer {number}", **{"bcbi_companyid": OURS, **remote})
        return self.couple("CUSTOMER", local, there, local_key=number, local_name=f"Customer {number}")

    def couple(self, mapping: str, local_id: str, remote_id: str, **traits: Any) -> Coupling:
        """Store a coupling as it is, without any of the checks."""
        new = NewCoupling(mapping=mapping, local_id=local_id, remote_id=remote_id, **traits)
        with self.store.begin() as unit:
            return unit.couplings.insert([new], self.clock())[0]

    def company_id(self, account: str, table: str = "account") -> Scalar:
        found = self.remote.record(table, account)
        assert found is not None
        return found.values["bcbi_companyid"]

    # --- work -------------------------------------------------------------------------------------------------

    def context(self, mapping: TableMapping | str = CUSTOMER, *, job: JobKind | None = None, **traits: Any) -> Context:
        """A context as the use cases make it; with `job` its row stands in the log."""
        found = self.mappings[mapping] if isinstance(mapping, str) else mapping
        schemas = {
            side: next(s for s in tables if s.name == found.table(side))
            for side, tables in ((Side.LOCAL, LOCAL_TABLES), (Side.REMOTE, REMOTE_TABLES))
        }
        ctx = Context(
            compiled=compile_mapping(found, schemas[Side.LOCAL], schemas[Side.REMOTE], all_rules()),
            systems=self.systems,
            store=self.store,
            access=Access(self),
            now=self.clock,
            alive=lambda owner: True,
            task=Task(scope=Scope.RECORDS, dry_run=traits.pop("dry_run", False)),
            guards=traits.pop("guards", Guards()),
            **traits,
        )
        for side, schema in schemas.items():
            if text := found.filter(side):
                compiled = compile_filter(text, schema)
                ctx.admits[side], ctx.filter_fields[side] = compiled.admits, compiled.fields
        if job is not None:
            with self.store.begin() as unit:
                started = unit.start_job(
                    job, found.name, found.direction, exclusive=False, owner="test", now=self.clock()
                )
            ctx.job_id = ctx.report.job_id = started.id
        return ctx

    def coupling(self, local_id: str, mapping: str = "CUSTOMER") -> Coupling | None:
        with self.store.begin() as unit:
            return unit.couplings.by_record(mapping, Side.LOCAL, [local_id]).get(local_id)

    def couplings(self, mapping: str = "CUSTOMER") -> dict[str, str]:
        """Remote ids by local ids."""
        with self.store.begin() as unit:
            return {each.local_id: each.remote_id for each in unit.couplings.page(mapping, limit=10_000)}

    def journal(self, mapping: str = "CUSTOMER") -> list[JournalEntry]:
        """Entries, oldest first."""
        with self.store.begin() as unit:
            return unit.journal(mapping=mapping, limit=10_000)[::-1]

    def problems(self, mapping: str = "CUSTOMER") -> list[Problem]:
        with self.store.begin() as unit:
            return unit.problems(mapping)

    def due(self, mapping: str = "CUSTOMER") -> list[tuple[Side, str, str]]:
        with self.store.begin() as unit:
            return [(each.side, each.record_id, each.reason.value) for each in unit.due(mapping, self.clock())]


def problem(**traits: Any) -> NewProblem:
    """A problem of some customer."""
    known: dict[str, Any] = {
        "mapping": "CUSTOMER",
        "local_id": None,
        "remote_id": None,
        "coupling_id": None,
        "name": "somebody",
        "problem_class": ProblemClass.DATA,
        "code": "refused",
        "words": "no",
        "next_step": "",
    }
    return NewProblem(**{**known, **traits})


@contextmanager
def world() -> Iterator[World]:
    """A world of its own."""
    store = open_store(":memory:")
    try:
        yield World(store)
    finally:
        store.close()
