"""Two systems whose records are made on the spot, and a store that has coupled them: for the engine alone.

A record is a function of its position, so that neither system holds anything and a table of a million costs no
memory. What making records takes is the systems' share and is taken out of the measurement.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any
from uuid import UUID

import msgspec

from benchmarks.measuring import Watch
from crosstie.engine.compiling import CompiledMapping, compile_mapping
from crosstie.engine.context import Context, Scope, Task
from crosstie.model.base import Base, encode_base
from crosstie.model.couplings import CouplingState, NewCoupling
from crosstie.model.filters import compile_filter
from crosstie.model.mappings import Direction, FieldMapping, Lookup, Mapping
from crosstie.model.records import Record, RecordPage, Side, Write, WriteKind, WriteResult, WriteStatus
from crosstie.model.schema import ChangeFeed, FieldSchema, FieldType, TableSchema
from crosstie.model.values import Scalar
from crosstie.store import Store, open_store
from crosstie.store.base import Cursor
from crosstie.systems.base import RequestCounts

PAGE = 5000
BEFORE = datetime(2026, 1, 1, 8, tzinfo=UTC)
EDITED = BEFORE + timedelta(days=1)
_TEXTS = {
    "displayName": ("name", 100, 160),
    "addressLine1": ("address1_line1", 100, 250),
    "addressLine2": ("address1_line2", 50, 250),
    "postalCode": ("address1_postalcode", 20, 20),
    "city": ("address1_city", 30, 80),
    "country": ("address1_country", 10, 80),
    "phoneNumber": ("telephone1", 30, 50),
    "email": ("emailaddress1", 80, 100),
    "website": ("websiteurl", 80, 200),
}
_CURRENCIES = {None: None, "EUR": str(UUID(int=1)), "USD": str(UUID(int=2)), "DKK": str(UUID(int=3))}
_CODES = tuple(_CURRENCIES)


def _field(name: str, kind: FieldType, **traits: Any) -> FieldSchema:
    return FieldSchema(name=name, type=kind, **traits)


def _table(name: str, key: str, fields: Sequence[FieldSchema], feed: ChangeFeed) -> TableSchema:
    known = (_field(key, FieldType.GUID), *fields)
    return TableSchema(
        name=name, key=key, fields={f.name: f for f in known}, feed=feed, client_ids=True, conditional_writes=True
    )


LOCAL = _table(
    "customers",
    "id",
    (
        _field("number", FieldType.CODE, max_length=20),
        *(_field(name, FieldType.TEXT, max_length=near) for name, (_, near, _) in _TEXTS.items()),
        _field("currencyCode", FieldType.CODE, max_length=10),
        _field("creditLimit", FieldType.DECIMAL, nullable=False),
        _field("taxLiable", FieldType.BOOLEAN, nullable=False),
        _field("blocked", FieldType.CHOICE, options={"All": "All", "Ship": "Ship"}),
    ),
    ChangeFeed.MODIFIED,
)
REMOTE = _table(
    "account",
    "accountid",
    (
        *(_field(name, FieldType.TEXT, max_length=far) for name, _, far in _TEXTS.values()),
        _field("transactioncurrencyid", FieldType.LOOKUP, targets=("transactioncurrency",)),
        _field("creditlimit", FieldType.DECIMAL, scale=4),
        _field("taxliable", FieldType.BOOLEAN),
        _field("statecode", FieldType.CHOICE, numeric_options=True, options={"0": "Active", "1": "Inactive"}),
    ),
    ChangeFeed.DELTA,
)


def _row(local: str, remote: str, **traits: Any) -> FieldMapping:
    return FieldMapping(
        local_field=local, remote_field=remote, direction=traits.pop("direction", Direction.BIDIRECTIONAL), **traits
    )


CUSTOMER = Mapping(
    name="CUSTOMER",
    label="Customer",
    local_table="customers",
    remote_table="account",
    direction=Direction.BIDIRECTIONAL,
    fields=(
        *(_row(local, remote) for local, (remote, _, _) in _TEXTS.items()),
        _row("currencyCode", "transactioncurrencyid", lookup=Lookup(mapping="CURRENCY")),
        _row("creditLimit", "creditlimit", direction=Direction.TO_REMOTE),
        _row("taxLiable", "taxliable"),
    ),
    local_key_field="number",
    local_name_field="displayName",
    remote_name_field="name",
    local_filter="blocked eq null",
    remote_filter="statecode eq 0",
)
"""Twelve mapped fields, of which one is a look-up and one flows one way only."""


def compiled() -> CompiledMapping:
    """Return the mapping, compiled."""
    return compile_mapping(CUSTOMER, LOCAL, REMOTE, [])


# --- records --------------------------------------------------------------------------------------------------


def id_of(side: Side, position: int) -> str:
    """Return the id of a record: scattered, as a system's are, with the position in its last eight digits."""
    scattered = blake2b(f"{side}{position}".encode(), digest_size=12).hexdigest()
    return f"{scattered[:8]}-{scattered[8:12]}-{scattered[12:16]}-{scattered[16:20]}-{scattered[20:]}{position:08x}"


def position_of(id: str) -> int:
    """Return the position that an id was made from."""
    return int(id[-8:], 16)


def local_values(position: int, edit: int = 0) -> dict[str, Scalar]:
    """Return the values of a customer; an edit changes its phone number."""
    name = f"Customer {position}"
    return {
        "number": f"C{position:07d}",
        "displayName": name,
        "addressLine1": f"{position % 250 + 1} Station Road",
        "addressLine2": f"Unit {position % 32}" if position % 3 else None,
        "postalCode": f"N{position % 20} {position % 9 + 1}AB",
        "city": "London" if position % 2 else "Manchester",
        "country": "GB",
        "phoneNumber": f"+44 20 7946 {position + edit * 7:07d}",
        "email": f"info{position}@customers.example",
        "website": f"https://www.customer{position}.example",
        "currencyCode": _CODES[position % 4],
        "creditLimit": Decimal(position % 100 * 1000),
        "taxLiable": position % 5 == 0,
        "blocked": None,
    }


def remote_values(position: int, edit: int = 0) -> dict[str, Scalar]:
    """Return the values of the account of a customer; an edit changes its city."""
    values = local_values(position)
    found = {there: values[here] for here, (there, _, _) in _TEXTS.items()}
    found["address1_city"] = f"{found['address1_city']} {edit}" if edit else found["address1_city"]
    return {
        **found,
        "transactioncurrencyid": _CURRENCIES[_CODES[position % 4]],
        "creditlimit": Decimal(position % 100 * 1000).quantize(Decimal("0.0001")),
        "taxliable": position % 5 == 0,
        "statecode": 0,
    }


_VALUES: dict[Side, Callable[[int, int], dict[str, Scalar]]] = {
    Side.LOCAL: local_values,
    Side.REMOTE: remote_values,
}


class News(msgspec.Struct, frozen=True, kw_only=True):
    """What has changed: records at `edited` positions in a value (`edit` says to which), or all, `touched` only."""

    edited: dict[Side, range]
    edit: int = 1
    touched: bool = False


class CannedSystem:
    """One side with `records` records and the news about them."""

    batch_size = 100

    def __init__(self, side: Side, records: int, news: News, watch: Watch) -> None:
        self.side = side
        self.name = side.value
        self.requests = RequestCounts()
        self._records = records
        self._edited = news.edited[side]
        self._edit = news.edit
        self._unedited = "v1.1" if news.touched else "v1"
        self._watch = watch

    def _record(self, position: int, fields: Sequence[str]) -> Record:
        edit = self._edit if position in self._edited else 0
        values = _VALUES[self.side](position, edit)
        id = id_of(self.side, position)
        key = LOCAL.key if self.side is Side.LOCAL else REMOTE.key
        picked = {name: id if name == key else values[name] for name in fields}
        return Record(id, f"v{edit + 1}" if edit else self._unedited, picked, EDITED if edit else BEFORE)

    async def _pages(self, positions: Sequence[int], fields: Sequence[str]) -> AsyncIterator[RecordPage]:
        for start in range(0, len(positions), PAGE):
            with self._watch.excluded():
                page = RecordPage(tuple(self._record(at, fields) for at in positions[start : start + PAGE]))
            self.requests.reads += 1
            yield page

    async def changes(
        self, table: str, cursor: str | None, fields: Sequence[str], filter: str | None = None
    ) -> AsyncIterator[RecordPage]:
        """Yield the whole table without a cursor, else what was edited."""
        positions = range(self._records) if cursor is None else self._edited
        if not positions:
            self.requests.reads += 1
        async for page in self._pages(positions, fields):
            yield page
        yield RecordPage((), cursor="next")

    async def scan(self, table: str, fields: Sequence[str], filter: str | None = None) -> AsyncIterator[RecordPage]:
        """Yield the whole table."""
        async for page in self._pages(range(self._records), fields):
            yield page

    async def count(self, table: str, filter: str | None = None) -> int | None:
        """Return the number of records."""
        self.requests.reads += 1
        return self._records

    async def get(self, table: str, ids: Sequence[str], fields: Sequence[str]) -> dict[str, Record]:
        """Return the records of these ids."""
        self.requests.reads += 1
        with self._watch.excluded():
            return {id: self._record(position_of(id), fields) for id in ids}

    async def write(self, table: str, writes: Sequence[Write], fields: Sequence[str]) -> list[WriteResult]:
        """Take every update as it is."""
        self.requests.batches += -(-len(writes) // self.batch_size)
        with self._watch.excluded():
            return [self._written(write, fields) for write in writes]

    def _written(self, write: Write, fields: Sequence[str]) -> WriteResult:
        if write.kind is not WriteKind.UPDATE or write.id is None:
            raise RuntimeError(f"a {write.kind} was not expected")
        before = self._record(position_of(write.id), fields)
        record = Record(before.id, f"{before.version}+", {**before.values, **write.values}, EDITED)
        return WriteResult(status=WriteStatus.WRITTEN, record=record)


# --- the store and the job ------------------------------------------------------------------------------------


def prepare(watch: Watch, store: str, records: int) -> dict[str, Any]:
    """Make a store in which `records` customers are coupled and in step."""
    opened = open_store(store)
    with watch, opened.begin() as unit:
        unit.couplings.insert(list(_currencies()), BEFORE)
        page: list[NewCoupling] = []
        for position in range(records):
            page.append(_coupling(position))
            if len(page) == PAGE:
                unit.couplings.insert(page, BEFORE)
                page.clear()
        unit.couplings.insert(page, BEFORE)
        for side in Side:
            position_text = msgspec.json.encode({"cursor": "before", "newest": BEFORE}).decode()
            cursor = Cursor(cursor=position_text, known_count=records, mapping_digest=compiled().digest)
            unit.set_cursor(CUSTOMER.name, side, cursor)
    opened.close()
    return {}


def _currencies() -> Iterator[NewCoupling]:
    for code, id in _CURRENCIES.items():
        if code is not None and id is not None:
            yield NewCoupling(mapping="CURRENCY", local_id=id, remote_id=id, local_key=code)


def _coupling(position: int) -> NewCoupling:
    local, remote = local_values(position), remote_values(position)
    base = Base(
        {row.local_field: local[row.local_field] for row in CUSTOMER.fields if row.local_field},
        {row.remote_field: remote[row.remote_field] for row in CUSTOMER.fields if row.remote_field},
    )
    return NewCoupling(
        mapping=CUSTOMER.name,
        local_id=id_of(Side.LOCAL, position),
        remote_id=id_of(Side.REMOTE, position),
        local_key=str(local["number"]),
        local_name=str(local["displayName"]),
        remote_name=str(remote["name"]),
        local_version="v1",
        remote_version="v1",
        base=encode_base(base),
        state=CouplingState.IN_STEP,
        last_synchronised=BEFORE,
    )


class _Access:
    """What rules may ask for; the mapping has none."""

    def __init__(self) -> None:
        self.settings: dict[str, str] = {}
        self.cache: dict[str, Any] = {}
        self.today = EDITED.date()


def context(
    watch: Watch, store: Store, records: int, news: News, *, scope: Scope = Scope.CHANGES, dry_run: bool = False
) -> Context:
    """Return a job's context on the canned systems."""
    mapping = compiled()
    systems: dict[Side, Any] = {side: CannedSystem(side, records, news, watch) for side in Side}
    access: Any = _Access()
    ctx = Context(
        compiled=mapping,
        systems=systems,
        store=store,
        access=access,
        now=lambda: datetime.now(UTC),
        alive=lambda owner: True,
        task=Task(scope=scope, dry_run=dry_run),
    )
    for side, schema in ((Side.LOCAL, LOCAL), (Side.REMOTE, REMOTE)):
        found = compile_filter(mapping.mapping.filter(side) or "", schema)
        ctx.admits[side], ctx.filter_fields[side] = found.admits, found.fields
    return ctx
