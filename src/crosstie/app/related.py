"""What else the other system knows of a coupled account: its open opportunities, quotes and cases (P13)."""

import asyncio
from decimal import Decimal

import msgspec

from crosstie.app.session import Session
from crosstie.model.errors import InvalidOption, SystemFailure, UnknownRecord, UnknownTable
from crosstie.model.records import Side
from crosstie.model.values import Scalar

ACCOUNT = "account"
MOST_ROWS = 50


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """Records that belong to an account: their table, which of them are open, and what a list shows of each."""

    name: str
    table: str
    open: str
    fields: tuple[str, ...]


KINDS = (
    Kind(
        name="opportunities",
        table="opportunity",
        open="statecode eq 0",
        fields=("name", "estimatedclosedate", "estimatedvalue", "closeprobability"),
    ),
    Kind(
        name="quotes",
        table="quote",
        open="statecode eq 1",
        fields=("name", "quotenumber", "effectiveto", "totalamount"),
    ),
    Kind(name="cases", table="incident", open="statecode eq 0", fields=("title", "ticketnumber", "createdon")),
)


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """How many there are of a kind; None where the system stops counting."""

    kind: str
    number: int | None


class RelatedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A record, its values in the order of the list's labels, and its page in the other system."""

    values: list[Scalar]
    address: str


class Related(msgspec.Struct, frozen=True, kw_only=True):
    """The open records of a kind; `more` if there are others."""

    kind: str
    labels: list[str]
    rows: list[RelatedRow]
    more: bool


async def related_figures(session: Session, mapping: str, side: Side, id: str) -> list[Figure]:
    """Return how many open records belong to the account of a coupling; a kind that the system lacks stays out.

    Nothing for a record that is not coupled, or not with an account. Raises UnknownMapping.
    """
    account = _account(session, mapping, side, id)
    found = await asyncio.gather(*(_figure(session, kind, account) for kind in KINDS)) if account else []
    return [each for each in found if each is not None]


async def _figure(session: Session, kind: Kind, account: str) -> Figure | None:
    """Return a figure; None where the table is not there or may not be read, which is no error of the card."""
    try:
        number = await session.systems[Side.REMOTE].count(kind.table, _filter(kind, account))
    except (UnknownTable, SystemFailure):
        return None
    return Figure(kind=kind.name, number=number)


async def related_records(session: Session, mapping: str, side: Side, id: str, kind: str) -> Related:
    """Return the open records of a kind that belong to the account of a coupling, the first `MOST_ROWS`.

    Raises UnknownMapping, UnknownRecord if there is no account, InvalidOption for a kind that is none, UnknownTable,
    SystemFailure.
    """
    wanted = next((each for each in KINDS if each.name == kind), None)
    if wanted is None:
        raise InvalidOption(f"There are no {kind!r}; there are: {', '.join(each.name for each in KINDS)}.", kind=kind)
    account = _account(session, mapping, side, id)
    if account is None:
        raise UnknownRecord("The record is not coupled with an account.", id=id)
    system = session.systems[Side.REMOTE]
    schema = await system.describe(wanted.table)
    fields = [name for name in wanted.fields if name in schema.fields]
    found = await system.browse(wanted.table, fields, filter=_filter(wanted, account), size=MOST_ROWS)
    return Related(
        kind=wanted.name,
        labels=[schema.fields[name].label or name for name in fields],
        rows=[
            RelatedRow(
                values=[_short(record.values.get(name)) for name in fields],
                address=system.link(wanted.table, record.id),
            )
            for record in found.records[:MOST_ROWS]
        ],
        more=found.following is not None,
    )


def _short(value: Scalar) -> Scalar:
    """Return an amount without the zeros that a system puts behind it."""
    return value.normalize() if isinstance(value, Decimal) else value


def _filter(kind: Kind, account: str) -> str:
    return f"customerid eq {account} and {kind.open}"


def _account(session: Session, mapping: str, side: Side, id: str) -> str | None:
    found = session.mapping(mapping)
    if found.remote_table != ACCOUNT:
        return None
    id = id.strip("{}").lower()
    with session.store.begin() as unit:
        coupling = unit.couplings.by_record(found.name, side, [id]).get(id)
    return coupling.remote_id if coupling is not None else None
