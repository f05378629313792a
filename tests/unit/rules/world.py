"""Two small systems in memory as rules know them, and what rules may ask for."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from crosstie.model.couplings import Coupling
from crosstie.model.mappings import Direction, FieldMapping
from crosstie.model.records import Record, Side
from crosstie.model.schema import ChangeFeed, FieldSchema, FieldType, TableSchema
from crosstie.model.values import Scalar
from crosstie.rules.base import FieldRule, RuleResult
from crosstie.systems.memory import MemorySystem

T = FieldType
COMPANY = "11111111-aaaa-4bbb-8ccc-222222222222"
CONTACTS = "crosstie/sync/v1.0/syncContacts"
RELATIONS = {"Customer": "Customer", "Vendor": "Vendor"}
CONTACT_TYPES = {"Company": "Company", "Person": "Person"}
CUSTOMER_TYPES = {"3": "Customer", "8": "Prospect", "11": "Vendor"}


def field(name: str, type: FieldType = T.TEXT, **traits: Any) -> FieldSchema:
    return FieldSchema(name=name, type=type, **traits)


def table(name: str, *fields: FieldSchema, key: str = "id") -> TableSchema:
    known = {found.name: found for found in (field(key, T.GUID), *fields)}
    return TableSchema(
        name=name, key=key, fields=known, feed=ChangeFeed.MODIFIED, client_ids=True, conditional_writes=True
    )


LOCAL_TABLES = (
    table("generalLedgerSetup", field("localCurrencyCode", T.CODE)),
    table("currencies", field("code", T.CODE), field("symbol")),
    table(
        "currencyExchangeRates",
        field("currencyCode", T.CODE),
        field("startingDate", T.DATE),
        field("exchangeRateAmount", T.DECIMAL, nullable=False),
        field("relationalCurrencyCode", T.CODE),
        field("relationalExchangeRateAmount", T.DECIMAL, nullable=False),
    ),
    table("salespeoplePurchasers", field("code", T.CODE), field("displayName")),
    table(
        CONTACTS,
        field("number", T.CODE),
        field("type", T.CHOICE, options=CONTACT_TYPES),
        field("companyNumber", T.CODE),
        field("businessRelationType", T.CHOICE, options=RELATIONS),
        field("businessRelationNumber", T.CODE),
    ),
)
REMOTE_TABLES = (
    table("transactioncurrency", field("isocurrencycode"), key="transactioncurrencyid"),
    table(
        "organization",
        field("basecurrencyid", T.LOOKUP, targets=("transactioncurrency",)),
        field("currencydecimalprecision", T.INTEGER),
        key="organizationid",
    ),
    table("account", field("name"), field("customertypecode", T.CHOICE, numeric_options=True, options=CUSTOMER_TYPES)),
    table("systemuser", field("fullname"), key="systemuserid"),
    table("team", field("name"), key="teamid"),
)
COMPANIES = table(
    "bcbi_company",
    field("bcbi_externalid"),
    field("bcbi_defaultowningteam", T.LOOKUP, targets=("team",)),
    key="bcbi_companyid",
)


class World:
    """Both systems, the couplings, and the access that a job gives to rules."""

    def __init__(self, *, with_solution: bool = True, mappings: Iterable[str] | None = None) -> None:
        self.local = MemorySystem("bc", LOCAL_TABLES)
        self.remote = MemorySystem("dv", (*REMOTE_TABLES, *((COMPANIES,) if with_solution else ())))
        self.couplings: list[Coupling] = []
        self.with_solution = with_solution
        self.mappings = {"CURRENCY", "SALESPEOPLE", "CUSTOMER", "VENDOR"} if mappings is None else set(mappings)
        self.settings: dict[str, str] = {"company_id": COMPANY}
        self.cache: dict[str, Any] = {}
        self.today = date(2026, 6, 1)
        self.queries = 0

    # --- what rules may ask for

    def system(self, side: Side) -> MemorySystem:
        return self.local if side is Side.LOCAL else self.remote

    def remember(self, name: str, value: str) -> None:
        self.settings[name] = value

    def mapping(self, name: str) -> None:
        """No other mapping is known here."""

    def maps(self, mapping: str) -> bool:
        return mapping in self.mappings

    def coupled(self, mapping: str, side: Side, values: Iterable[str], by_key: bool) -> dict[str, Coupling]:
        self.queries += 1
        wanted = set(values)
        known = [found for found in self.couplings if found.mapping == mapping]
        named = {(found.local_key if by_key else found.record_id(side)) or "": found for found in known}
        return {key: found for key, found in named.items() if key in wanted}

    # --- what tests say

    def couple(self, mapping: str, local_id: str, remote_id: str, local_key: str | None = None) -> Coupling:
        found = Coupling(
            id=len(self.couplings) + 1,
            revision=1,
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
            mapping=mapping,
            local_id=local_id,
            remote_id=remote_id,
            local_key=local_key,
        )
        self.couplings.append(found)
        return found

    @property
    def requests(self) -> int:
        return self.local.requests.reads + self.remote.requests.reads


async def answers(
    world: World,
    rule: FieldRule,
    field: FieldMapping,
    source: Side,
    page: Mapping[str, Mapping[str, Scalar]],
    *,
    creating: bool = False,
) -> dict[str, RuleResult]:
    """What the rule answers for a page of records, by their ids."""
    records = [Record(id, "1", dict(values)) for id, values in page.items()]
    facts = await rule.prepare(field, records, source, world)
    return {r.id: rule.transfer(field, r, source, facts, creating=creating) for r in records}


async def answer(
    world: World,
    rule: FieldRule,
    field: FieldMapping,
    source: Side,
    values: Mapping[str, Scalar],
    *,
    creating: bool = False,
) -> RuleResult:
    """What the rule answers for one record."""
    return (await answers(world, rule, field, source, {"one": values}, creating=creating))["one"]


def row(local: str | None, remote: str | None, label: str = "", **traits: Any) -> FieldMapping:
    """A field mapping in both directions."""
    return FieldMapping(
        local_field=local, remote_field=remote, direction=Direction.BIDIRECTIONAL, label=label, **traits
    )
