"""What the pages of one record have in common: addresses, the parts of a card, the result of what was done."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from litestar.params import PathParameter

from crosstie.app.cards import CardField
from crosstie.app.record_history import ToldEntry, job_entries
from crosstie.app.session import Session
from crosstie.engine.context import Report
from crosstie.model.records import Side

MappingInPath = Annotated[str, PathParameter(min_length=1, max_length=200)]
SideInPath = Annotated[Side, PathParameter(description="local or remote")]
RecordInPath = Annotated[str, PathParameter(min_length=1, max_length=200)]

_TABS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Payments", ("payment",)),
    ("Shipping", ("shipment", "shipping", "freight")),
    ("Invoicing", ("currency", "credit", "vat", "tax", "posting", "exchange", "factor")),
    (
        "Address & Contact",
        ("address", "post code", "city", "country", "county", "phone", "fax", "mail", "home page", "pager", "contact"),
    ),
)
_GENERAL = "General"
_ORDER = (_GENERAL, "Address & Contact", "Invoicing", "Payments", "Shipping")


class FastTab(msgspec.Struct, frozen=True):
    """A group of fields of a card."""

    name: str
    fields: list[CardField]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What was done to a record, as its dialog tells it in place."""

    job_id: int
    entries: list[ToldEntry]
    fields: int
    """Fields that were written."""
    failures: list[Any]


def address_of(mapping: str, side: Side | str, id: str) -> str:
    """Return the address of a record's card."""
    return f"/records/{quote(mapping)}/{Side(side).value}/{quote(id, safe='')}"


def fast_tabs(fields: Sequence[CardField]) -> list[FastTab]:
    """Return the fields of a card by subject, as their captions tell it; key and name come first."""
    groups: dict[str, list[CardField]] = {name: [] for name in _ORDER}
    for position, field in enumerate(fields):
        groups[_GENERAL if position < 2 else _tab(field.label)].append(field)
    return [FastTab(name, found) for name, found in groups.items() if found]


def _tab(label: str) -> str:
    folded = label.casefold()
    return next((name for name, words in _TABS if any(word in folded for word in words)), _GENERAL)


async def result_of(session: Session, mapping: str, job_id: int, reports: Iterable[Report | None]) -> Result:
    """Return what a job did, in words."""
    entries = await job_entries(session, mapping, job_id)
    return Result(
        job_id=job_id,
        entries=entries,
        fields=sum(len(entry.changes) for entry in entries if entry.outcome in ("modified", "inserted")),
        failures=[failure for report in reports if report is not None for failure in report.failures],
    )
