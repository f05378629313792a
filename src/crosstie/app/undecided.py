"""Undecided: records that matching found more than one partner for, with their candidates, to choose from (F08, B2)."""

from collections.abc import Mapping, Sequence
from itertools import islice

import msgspec

from crosstie.app.matching import MatchReason, MatchReport, explained
from crosstie.app.session import Session
from crosstie.engine.candidates import MatchRow, Named
from crosstie.engine.context import Context, Task
from crosstie.engine.ranking import Compared, Evidence, Reason, compared_fields, reasons_for, score_of
from crosstie.model.records import Record, Side

_REASONS = (MatchReason.SEVERAL_CANDIDATES, MatchReason.CLAIMED_BY_SEVERAL)
_TELLING = (Evidence.ADDRESS, Evidence.POST_CODE, Evidence.CITY, Evidence.EMAIL, Evidence.PHONE)
_TOLD = 3


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """A record that may be the partner, with what else speaks for it; `score` is from 0 to 100.

    `about` are values by which people tell it from others of the same name.
    """

    record: Named
    about: list[str]
    score: int
    reasons: list[Reason]


class Undecided(msgspec.Struct, frozen=True, kw_only=True):
    """A local record with those that match it, the best first. `found` is how many there are, `words` why none won."""

    record: Named
    words: str
    found: int
    choices: list[Choice]


class UndecidedRecords(msgspec.Struct, frozen=True, kw_only=True):
    """The first local records that a person has to decide about, and how many there are."""

    rows: list[Undecided]
    total: int


async def undecided_records(session: Session, report: MatchReport, *, limit: int = 25) -> UndecidedRecords:
    """Return the local records of a report for which more than one pair is possible, at most `limit` of them.

    Reads those and their candidates, in a request or two for each side. Raises UnknownMapping, SystemFailure.
    """
    total = sum(report.local.get(reason, 0) for reason in _REASONS)
    told = ((row, words) for row, words in explained(report) if row.side is Side.LOCAL and row.reason in _REASONS)
    first = list(islice(told, limit))
    if not first:
        return UndecidedRecords(rows=[], total=total)
    ctx = await session.context(report.mapping, Task())
    compared = compared_fields(ctx.compiled.mapping, ctx.compiled.local_schema, ctx.compiled.remote_schema)
    ids = {
        Side.LOCAL: [row.record.id for row, _ in first],
        Side.REMOTE: [each.id for row, _ in first for each in row.candidates],
    }
    records = {side: await _read(ctx, side, ids[side], compared) for side in Side}
    rows = [
        Undecided(
            record=row.record,
            words=words,
            found=max(row.found, len(row.candidates)),
            choices=_choices(row, records, compared),
        )
        for row, words in first
    ]
    return UndecidedRecords(rows=rows, total=total)


async def _read(ctx: Context, side: Side, ids: Sequence[str], compared: Sequence[Compared]) -> dict[str, Record]:
    names = (ctx.compiled.schema(side).key, *(each.field(side) for each in compared))
    wanted = tuple(dict.fromkeys(names))
    return await ctx.systems[side].get(ctx.compiled.mapping.table(side), list(dict.fromkeys(ids)), wanted)


def _choices(row: MatchRow, records: Mapping[Side, Mapping[str, Record]], compared: Sequence[Compared]) -> list[Choice]:
    """Return the candidates of a row, the best first; one that is gone meanwhile has no reasons."""
    local = records[Side.LOCAL].get(row.record.id)
    found = []
    for each in row.candidates:
        reasons: list[Reason] = []
        about: list[str] = []
        if local is not None and (remote := records[Side.REMOTE].get(each.id)) is not None:
            reasons = reasons_for(compared, Side.LOCAL, local.values, remote.values)
            about = _about(remote, compared)
        found.append(Choice(record=each, about=about, score=score_of(reasons), reasons=reasons))
    return sorted(found, key=lambda choice: (-choice.score, choice.record.name or "", choice.record.id))


def _about(remote: Record, compared: Sequence[Compared]) -> list[str]:
    """Return the first values that tell a record from its namesakes: where it is, else how it is reached."""
    by_evidence = {each.evidence: remote.values.get(each.remote_field) for each in compared}
    return [str(by_evidence[each]) for each in _TELLING if by_evidence.get(each)][:_TOLD]
