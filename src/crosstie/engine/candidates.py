"""Candidates: which record of one side is the only one that fits which record of the other. Pure.

Groups of criteria are tried one after the other, each on all records afresh. In a group two records fit if all its
criteria are filled and equal on both sides. They become a pair only if each is the only one that fits the other;
records that are coupled already, also by an earlier group, count among those that fit. So the result depends
neither on the order of the records nor on which side is called local.
"""

from collections.abc import Callable, Collection, Hashable, Sequence
from enum import StrEnum
from operator import itemgetter
from typing import TypeAlias

import msgspec

from crosstie.model.records import Side

MOST_NAMED = 5
"""So many candidates are named in a row; `MatchRow.found` has their number."""
Key: TypeAlias = Hashable | None
_Reader: TypeAlias = Callable[[Sequence[tuple[Key, ...]]], list[Key]]


class MatchReason(StrEnum):
    """What became of a record."""

    COUPLED = "coupled"
    ALREADY_COUPLED = "already_coupled"
    NO_MATCH = "no_match"
    SEVERAL_CANDIDATES = "several_candidates"
    CANDIDATE_TAKEN = "candidate_taken"
    """The only record that fits is coupled to another one."""
    CLAIMED_BY_SEVERAL = "claimed_by_several"
    """The only record that fits also fits others of this side."""
    BLANK_CRITERIA = "blank_criteria"
    """No group has all its fields filled."""
    OUT_OF_FILTER = "out_of_filter"
    """A chosen record that the mapping's filter leaves out."""
    REFUSED = "refused"
    """The pair was found, and could not be coupled; the row's words say why."""


class Named(msgspec.Struct, frozen=True, gc=False):
    """A record as people know it."""

    id: str
    key: str | None = None
    name: str | None = None

    def words(self) -> str:
        """Return number and name, else the id."""
        return " ".join(part for part in (self.key, self.name) if part) or self.id


class KeyRow(msgspec.Struct, frozen=True, gc=False):
    """A record as matching knows it: `values` are those of all criteria, ready for comparison, None where blank."""

    record: Named
    values: tuple[Key, ...]
    coupled_to: Named | None = None


class MatchRow(msgspec.Struct, frozen=True, gc=False):
    """What became of one record. `group` counts from one; 0 where no group tells more than another.

    `candidates` are records of the other side: the partner, or those that fit. `rivals` are records of this side:
    the one to whom the candidate is coupled, or those that it fits as well. Both name at most `MOST_NAMED` of `found`.
    """

    side: Side
    record: Named
    reason: MatchReason
    group: int = 0
    candidates: tuple[Named, ...] = ()
    rivals: tuple[Named, ...] = ()
    found: int = 0
    words: str = ""


class _Finding(msgspec.Struct, frozen=True, gc=False):
    """Why a record with candidates got no partner: the group, and by position who is concerned."""

    reason: MatchReason
    group: int
    candidates: Sequence[int]
    rivals: Sequence[int] = ()
    found: int = 1


class _Group:
    """Who fits whom in a group of criteria.

    Records with one key are known by the last local one of them; `partners` gives, for each that is one, a remote
    record with that key, -1 where there is none. Where several have it, `locals` or `remotes` lists them all.
    """

    def __init__(self, locals: list[Key], remotes: list[Key]) -> None:
        last: dict[Key, int] = dict(zip(locals, range(len(locals)), strict=True))
        last.pop(None, None)
        self.partners = [-1] * len(locals)
        self.locals: dict[int, list[int]] = {}
        self.remotes: dict[int, list[int]] = {}
        for remote, found in enumerate(map(last.get, remotes)):
            if found is None:
                continue
            if (earlier := self.partners[found]) < 0:
                self.partners[found] = remote
            else:
                self.remotes.setdefault(found, [earlier]).append(remote)
        if len(last) == len(locals) - locals.count(None):
            return
        for local, found in enumerate(map(last.get, locals)):
            if found is not None and found != local and self.partners[found] >= 0:
                self.locals.setdefault(found, []).append(local)
        for found, others in self.locals.items():
            others.append(found)


class _Table:
    """The records of one side, by position, with what is known of each."""

    def __init__(self, rows: Sequence[KeyRow], chosen: Collection[str] | None = None) -> None:
        self.rows = rows
        self.values: list[tuple[Key, ...]] = [row.values for row in rows]
        self.open = bytearray(row.coupled_to is None and (chosen is None or row.record.id in chosen) for row in rows)
        self.partners: dict[int, tuple[int, int]] = {}
        """Position of the partner, and the group that found it."""
        self.findings: dict[int, _Finding] = {}

    def is_coupled(self, at: int) -> bool:
        return at in self.partners or self.rows[at].coupled_to is not None

    def couple(self, at: int, partner: int, group: int) -> None:
        self.partners[at] = partner, group
        self.open[at] = 0


def match_records(
    groups: Sequence[Sequence[int]],
    locals: Sequence[KeyRow],
    remotes: Sequence[KeyRow],
    chosen: Collection[str] | None = None,
) -> list[MatchRow]:
    """Return a row for every record, first the local ones, in the order given.

    `groups` are positions in `KeyRow.values`. With `chosen`, only local records with these ids are matched and only
    they get rows; all others still count among those that fit. Work grows with the number of records, not with that
    of their combinations (engine rules M-5, M-6, M-9; W-15 to W-17).
    """
    here, there = _Table(locals, chosen), _Table(remotes)
    readers = [_reader(positions) for positions in groups]
    for number, read in enumerate(readers, 1):
        if any(here.open) or (chosen is None and any(there.open)):
            _try_group(here, there, read, number)
    rows = [
        _row(Side.LOCAL, here, there, at, readers)
        for at, row in enumerate(locals)
        if chosen is None or row.record.id in chosen
    ]
    if chosen is None:
        rows += [_row(Side.REMOTE, there, here, at, readers) for at in range(len(remotes))]
    return rows


def _reader(positions: Sequence[int]) -> _Reader:
    """Return what makes a group's keys out of records' values: None where one of a record's values is blank."""
    pick = itemgetter(*positions)
    if len(positions) == 1:
        return lambda values: list(map(pick, values))
    return lambda values: [None if None in key else key for key in map(pick, values)]


def _try_group(here: _Table, there: _Table, read: _Reader, number: int) -> None:
    group = _Group(read(here.values), read(there.values))
    mine, theirs = group.locals, group.remotes
    for at, other in enumerate(group.partners):
        if other < 0 or at in mine or at in theirs:
            continue
        if here.open[at]:
            if there.open[other]:
                here.couple(at, other, number)
                there.couple(other, at, number)
            else:
                _note(here, there, at, (other,), (at,), number)
        elif there.open[other]:
            _note(there, here, other, (at,), (other,), number)
    for found in mine.keys() | theirs.keys():
        one, others = mine.get(found) or (found,), theirs.get(found) or (group.partners[found],)
        for at in one:
            _note(here, there, at, others, one, number)
        for other in others:
            _note(there, here, other, one, others, number)


def _note(side: _Table, other: _Table, at: int, fitting: Sequence[int], claimants: Sequence[int], group: int) -> None:
    """Note why a record with candidates got no partner in this group; what an earlier group found stands."""
    if not side.open[at] or at in side.findings:
        return
    if len(fitting) > 1:
        found = _Finding(MatchReason.SEVERAL_CANDIDATES, group, fitting[:MOST_NAMED], found=len(fitting))
    elif other.is_coupled(fitting[0]):
        found = _Finding(MatchReason.CANDIDATE_TAKEN, group, fitting)
    else:
        rivals = [rival for rival in claimants[: MOST_NAMED + 1] if rival != at][:MOST_NAMED]
        found = _Finding(MatchReason.CLAIMED_BY_SEVERAL, group, fitting, rivals, len(claimants) - 1)
    side.findings[at] = found


def _row(name: Side, side: _Table, other: _Table, at: int, readers: Sequence[_Reader]) -> MatchRow:
    row = side.rows[at]
    if paired := side.partners.get(at):
        partner, group = paired
        return MatchRow(name, row.record, MatchReason.COUPLED, group, (other.rows[partner].record,), (), 1)
    if row.coupled_to is not None:
        return MatchRow(name, row.record, MatchReason.ALREADY_COUPLED, 0, (row.coupled_to,), (), 1)
    if (found := side.findings.get(at)) is None:
        blank = all(read((row.values,))[0] is None for read in readers)
        return MatchRow(name, row.record, MatchReason.BLANK_CRITERIA if blank else MatchReason.NO_MATCH)
    candidates = tuple(other.rows[each].record for each in found.candidates)
    if found.reason is MatchReason.CANDIDATE_TAKEN:
        rivals: tuple[Named, ...] = (_partner(side, other, found.candidates[0]),)
    else:
        rivals = tuple(side.rows[each].record for each in found.rivals)
    return MatchRow(name, row.record, found.reason, found.group, candidates, rivals, found.found)


def _partner(side: _Table, other: _Table, candidate: int) -> Named:
    """Return whom a record of the other side is coupled to."""
    if paired := other.partners.get(candidate):
        return side.rows[paired[0]].record
    known = other.rows[candidate].coupled_to
    assert known is not None, "a candidate that is taken has a partner"
    return known
