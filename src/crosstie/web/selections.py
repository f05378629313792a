"""Selections of lists in requests: what a dialog is asked to deal with, carried in an address or a form."""

import asyncio
from typing import Annotated
from urllib.parse import quote

from litestar.params import PathParameter, QueryParameter

from crosstie.api.asking import StrictRequest
from crosstie.api.rooms import rooms_of
from crosstie.app.selecting import MOST_IDS, Selection, keep_selection
from crosstie.model.errors import InvalidOption
from crosstie.model.records import Side
from crosstie.web.forms import fields_of

SideInPath = Annotated[Side, PathParameter(description="local or remote")]
Ids = Annotated[str, QueryParameter(max_length=8000, description="Ids of records, with blanks between them.")]
All = Annotated[str, QueryParameter(name="all", max_length=1, description="1 for all that the list shows.")]
Search = Annotated[str, QueryParameter(max_length=250)]
States = Annotated[str, QueryParameter(max_length=500, description="States, with blanks between them.")]
Excluded = Annotated[str, QueryParameter(max_length=8000)]

_LONGEST = MOST_IDS * 40
CARRIED = {"ids": _LONGEST, "kept": 64, "all": 1, "search": 250, "states": 500, "excluded": _LONGEST}
"""The fields of a form that carry a selection, and how long each may be."""


def selection_of(side: Side, ids: str, all_: str, search: str, states: str, excluded: str, kept: str = "") -> Selection:
    """Return the selection that a request carries. Raises InvalidOption if it selects nothing."""
    found = Selection(
        side=side,
        ids=tuple(dict.fromkeys(ids.split())),
        kept=kept,
        all=all_ == "1",
        search=search.strip(),
        states=tuple(dict.fromkeys(states.split())),
        excluded=tuple(dict.fromkeys(excluded.split())),
    )
    found.check()
    return found


def selection_in(side: Side, fields: dict[str, str]) -> Selection:
    """Return the selection of a form's fields. Raises InvalidOption."""
    return selection_of(
        side,
        fields["ids"],
        fields["all"],
        fields["search"],
        fields["states"],
        fields["excluded"],
        kept=fields["kept"],
    )


def carried(selection: Selection) -> list[tuple[str, str]]:
    """Return the fields by which a form carries a selection on."""
    found = [
        ("ids", " ".join(selection.ids)),
        ("kept", selection.kept),
        ("all", "1" if selection.all else ""),
        ("search", selection.search),
        ("states", " ".join(selection.states)),
        ("excluded", " ".join(selection.excluded)),
    ]
    return [(name, value) for name, value in found if value]


async def read_selection(request: StrictRequest, side: Side, **more: int) -> tuple[Selection, dict[str, str]]:
    """Return the selection that a form carries, and its other fields. Raises InvalidRequest, InvalidOption.

    Many ids are kept in the store, so that what the request leads to need not carry them.
    """
    several = [name for name, most in more.items() if not most]
    known = {name: most for name, most in more.items() if most}
    fields = await fields_of(request, {**CARRIED, **known}, several=several)
    return await asyncio.to_thread(keep_selection, rooms_of(request).home, selection_in(side, fields)), fields


def few(ids: list[str], side: Side) -> Selection:
    """Return the selection of some records. Raises InvalidOption if there is none."""
    if not ids:
        raise InvalidOption("Nothing is left to be done.", next_step="Include a group of records, or close the dialog.")
    return Selection(side=side, ids=tuple(ids))


def dialog_path(mapping: str, side: Side, what: str) -> str:
    """Return the path of a dialog for a selection."""
    return f"/lists/{quote(mapping)}/{side.value}/{what}"
