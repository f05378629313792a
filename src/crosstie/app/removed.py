"""Couplings that were removed: which, when, by whom and why, and whether the records are coupled again."""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from crosstie.app.home import Home
from crosstie.app.record_history import ToldEntry, told_plainly
from crosstie.app.session import find_mapping
from crosstie.model.jobs import JournalEntry, Outcome
from crosstie.model.records import Side
from crosstie.store.base import Store


class Since(StrEnum):
    """What has become of the two records since."""

    APART = "apart"
    COUPLED_AGAIN = "coupled_again"
    COUPLED_ELSEWHERE = "coupled_elsewhere"
    """One of them at least has another partner now."""


class RemovedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A coupling that was removed, as its entry of the history tells it."""

    entry: ToldEntry
    since: Since


class RemovedPage(msgspec.Struct, frozen=True, kw_only=True):
    """Couplings that were removed, newest first. `before_id` is where the next page begins, None at the end."""

    rows: list[RemovedRow]
    before_id: int | None


def list_removed(
    home: Home, mapping: str | None = None, *, limit: int = 50, before_id: int | None = None
) -> RemovedPage:
    """Return couplings that were removed, of a mapping or of all, as far back as the history goes.

    Raises UnknownMapping.
    """
    with home.store.begin() as unit:
        name = find_mapping(unit.mappings(), mapping).name if mapping else None
        found = unit.journal(mapping=name, outcomes=(Outcome.UNCOUPLED,), limit=limit + 1, before_id=before_id)
    page = found[:limit]
    since = _since(home.store, page)
    rows = [RemovedRow(entry=entry, since=since[entry.id]) for entry in told_plainly(home.store, page)]
    return RemovedPage(rows=rows, before_id=page[-1].id if len(found) > limit else None)


def _since(store: Store, entries: Sequence[JournalEntry]) -> dict[int, Since]:
    """Return by entry what has become of its records, with two queries a mapping."""
    found = {}
    with store.begin() as unit:
        for mapping in {entry.mapping for entry in entries}:
            mine = [entry for entry in entries if entry.mapping == mapping]
            by_local = unit.couplings.by_record(mapping, Side.LOCAL, {each.local_id for each in mine if each.local_id})
            by_remote = unit.couplings.by_record(
                mapping, Side.REMOTE, {each.remote_id for each in mine if each.remote_id}
            )
            for entry in mine:
                one, other = by_local.get(entry.local_id or ""), by_remote.get(entry.remote_id or "")
                again = one is not None and other is not None and one.id == other.id
                elsewhere = Since.COUPLED_ELSEWHERE if one or other else Since.APART
                found[entry.id] = Since.COUPLED_AGAIN if again else elsewhere
    return found
