"""Match-based coupling: couples records that are each other's only match, and says of every other one why not.

Both sides are read once, with only the fields that matching needs; `candidates` finds the pairs, `coupling` ties them.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from crosstie.engine.candidates import Key, KeyRow, MatchReason, MatchRow, Named, match_records
from crosstie.engine.context import MOST_FAILURES, PAGE, Context, Failure, Report
from crosstie.engine.coupling import Ids, couple_page, coupling_side
from crosstie.engine.criteria import Column, Criteria, Criterion, choose_criteria
from crosstie.engine.recovery import settle_open_intents
from crosstie.model.decisions import Preference
from crosstie.model.errors import InvalidOption, UnknownRecord
from crosstie.model.jobs import Counters, JournalEntry, Outcome
from crosstie.model.mappings import LocalReference
from crosstie.model.records import Record, Side
from crosstie.model.values import Scalar

__all__ = ["MatchReason", "MatchReport", "MatchRow", "explain", "match", "match_records"]

_WITHOUT_CANDIDATE = (MatchReason.NO_MATCH, MatchReason.BLANK_CRITERIA)
_SETTLED = (MatchReason.COUPLED, MatchReason.ALREADY_COUPLED)
_NEXT_STEPS = {
    MatchReason.NO_MATCH: "Couple it by hand, create its partner, or match on other fields.",
    MatchReason.BLANK_CRITERIA: "Fill in the fields, match on others, or create its partner.",
    MatchReason.SEVERAL_CANDIDATES: "Couple it with one of them by hand, or match on more fields.",
    MatchReason.CANDIDATE_TAKEN: "Uncouple the other one first if that is wrong, or create its partner.",
    MatchReason.CLAIMED_BY_SEVERAL: "Couple the right one of them by hand, or match on more fields.",
    MatchReason.OUT_OF_FILTER: "Change the record so that the filter admits it, or change the mapping's filter.",
    MatchReason.REFUSED: "Couple it by hand once the reason is gone.",
}


class MatchReport(msgspec.Struct, kw_only=True):
    """What matching found and did. A dry run has coupled nothing; its counters say what would have been.

    `rows` has every record of the mapping's filter, local ones first, each with its reason; with chosen records only
    those. `to_create` are the local records without any candidate, where their partners are to be created.
    """

    mapping: str
    dry_run: bool
    groups: list[list[str]]
    job_id: int | None = None
    local: dict[MatchReason, int] = {}
    """The number of local records by reason."""
    remote: dict[MatchReason, int] = {}
    rows: list[MatchRow] = []
    coupled_ids: list[str] = []
    """The local records that were coupled, to be synchronised now if that was asked for."""
    to_create: list[str] = []
    to_remote: Counters = msgspec.field(default_factory=Counters)
    from_remote: Counters = msgspec.field(default_factory=Counters)
    synchronised: Report | None = None
    """What synchronising the coupled and creating the missing came to; filled in by who does that."""

    def __repr__(self) -> str:
        # asyncio.run spells out what it returns; a hundred thousand rows would take it a second.
        return f"<MatchReport {self.mapping}: {len(self.rows)} rows>"

    @property
    def coupled(self) -> int:
        return self.local.get(MatchReason.COUPLED, 0)

    @property
    def unmatched(self) -> int:
        """Local records that stay without a partner, whether or not one is to be created."""
        return sum(number for reason, number in self.local.items() if reason not in _SETTLED)


@dataclass(slots=True)
class _Found:
    """What both sides hold, and the chosen records that the filter leaves out."""

    locals: list[KeyRow]
    remotes: list[KeyRow]
    chosen: frozenset[str] | None
    outside: list[MatchRow]


async def match(
    ctx: Context,
    groups: Sequence[Sequence[str]] = (),
    *,
    local_ids: Collection[str] | None = None,
    dry_run: bool = False,
    create: bool = False,
    synchronise: Preference | None = None,
) -> MatchReport:
    """Couple uncoupled records that match uniquely on both sides (engine section 5, W-15 to W-17).

    `groups` name fields, each group tried after the one before; none means the mapping's own. `local_ids` are the
    records to find partners for, None all of the mapping's filter. With `synchronise` what is coupled becomes due,
    with that side preferred; with None it stays as it is until somebody edits. With `create` the records without any
    candidate are returned instead of counted as failed.

    Raises UnknownField or InvalidOption for criteria that cannot be used, UnknownRecord for a chosen record that does
    not exist, and what the systems raise; then nothing has been coupled, or whole pages have.
    """
    criteria = choose_criteria(ctx.compiled, groups)
    if create and not ctx.compiled.mapping.reaches(Side.REMOTE):
        raise InvalidOption(
            f"{ctx.mapping_name} flows from the remote side only, so that no remote partners can be created.",
            next_step="Match without creating.",
            mapping=ctx.mapping_name,
        )
    if not dry_run:
        await settle_open_intents(ctx)
    found = await _read_both(ctx, criteria, local_ids)
    rows = match_records(criteria.groups, found.locals, found.remotes, found.chosen) + found.outside
    del found
    if not dry_run:
        earlier = _earlier(ctx)
        done = len(earlier.coupled[Side.LOCAL])
        rows = earlier.told(await _couple(ctx, criteria, rows, synchronise, done))
    return _report(ctx, criteria, rows, dry_run=dry_run, create=create)


# --- reading --------------------------------------------------------------------------------------------------


async def _read_both(ctx: Context, criteria: Criteria, local_ids: Collection[str] | None) -> _Found:
    coupled = _coupled(ctx)
    locals, remotes = await asyncio.gather(
        _read(ctx, Side.LOCAL, criteria, coupled[Side.LOCAL]), _read(ctx, Side.REMOTE, criteria, coupled[Side.REMOTE])
    )
    if local_ids is None:
        return _Found(locals, remotes, None, [])
    chosen = frozenset(local_ids)
    absent = sorted(chosen - {row.record.id for row in locals})
    return _Found(locals, remotes, chosen, await _outside(ctx, absent) if absent else [])


def _coupled(ctx: Context) -> dict[Side, dict[str, Named]]:
    """Return the partners of all coupled records, by side and id."""
    partners: dict[Side, dict[str, Named]] = {Side.LOCAL: {}, Side.REMOTE: {}}
    after_id = 0
    while True:
        with ctx.store.begin() as unit:
            page = unit.couplings.page(ctx.mapping_name, after_id=after_id, limit=PAGE)
        for each in page:
            partners[Side.LOCAL][each.local_id] = Named(each.remote_id, each.remote_key, each.remote_name)
            partners[Side.REMOTE][each.remote_id] = Named(each.local_id, each.local_key, each.local_name)
        if len(page) < PAGE:
            return partners
        after_id = page[-1].id


async def _read(ctx: Context, side: Side, criteria: Criteria, coupled: Mapping[str, Named]) -> list[KeyRow]:
    """Read the records that the filter admits, reduced to what matching needs, in the order of their keys."""
    mapping = ctx.compiled.mapping
    columns = [(each.field(side), _column(ctx, side, each)) for each in criteria.criteria]
    key, name = mapping.key_field(side), mapping.name_field(side)
    wanted = [*(field for field, _ in columns), *([key] if key else []), name, *ctx.filter_fields.get(side, ())]
    rows: dict[str, KeyRow] = {}
    async for page in ctx.systems[side].scan(mapping.table(side), tuple(dict.fromkeys(wanted)), mapping.filter(side)):
        records = [record for record in page.records if ctx.in_filter(side, record.values)]
        keys = zip(*(read([record.values.get(field) for record in records]) for field, read in columns), strict=True)
        for record, values in zip(records, keys, strict=True):
            rows[record.id] = KeyRow(_named(record, key, name), values, coupled.get(record.id))
    return sorted(rows.values(), key=lambda row: (row.record.key or "", row.record.name or ""))


def _named(record: Record, key: str | None, name: str) -> Named:
    number, words = record.values.get(key) if key else None, record.values.get(name)
    return Named(record.id, None if number is None else str(number), None if words is None else str(words))


def _column(ctx: Context, side: Side, criterion: Criterion) -> Column:
    if side is Side.REMOTE:
        return criterion.remote
    return criterion.local if criterion.lookup is None else _Translated(ctx, criterion)


class _Translated:
    """Turns references into the remote records that those referred to are coupled with; none fits nothing."""

    def __init__(self, ctx: Context, criterion: Criterion) -> None:
        self._ctx = ctx
        self._criterion = criterion
        self._known: dict[Key, Key] = {None: None}

    def __call__(self, values: Sequence[Scalar]) -> list[Key]:
        spelled = self._criterion.local(values)
        new = [str(value) for value in set(spelled) - self._known.keys()]
        lookup = self._criterion.lookup
        if new and lookup is not None:
            with self._ctx.store.begin() as unit:
                by_key = lookup.local_reference is LocalReference.KEY
                look_up = unit.couplings.by_key if by_key else unit.couplings.by_record
                found = look_up(lookup.mapping, Side.LOCAL, new)
            self._known.update({value: found[value].remote_id if value in found else None for value in new})
        return [self._known[value] for value in spelled]


async def _outside(ctx: Context, ids: Sequence[str]) -> list[MatchRow]:
    """Return rows of chosen records that the mapping's filter leaves out. Raises UnknownRecord for those not there."""
    mapping = ctx.compiled.mapping
    key, name = mapping.local_key_field, mapping.local_name_field
    there = await ctx.systems[Side.LOCAL].get(mapping.local_table, ids, (key, name))
    for id in ids:
        if id not in there:
            raise UnknownRecord(
                f"{ctx.systems[Side.LOCAL].name} has no {mapping.local_table} with the id {id}.",
                table=mapping.local_table,
                id=id,
            )
    return [MatchRow(Side.LOCAL, _named(there[id], key, name), MatchReason.OUT_OF_FILTER) for id in ids]


# --- coupling and telling -------------------------------------------------------------------------------------


async def _couple(
    ctx: Context, criteria: Criteria, rows: list[MatchRow], synchronise: Preference | None, done_before: int
) -> list[MatchRow]:
    """Couple the pairs in pages; what is refused gets a row that says why."""
    told = [f"matched on {', '.join(names)}" for names in criteria.names()]
    pairs: list[tuple[Ids, str]] = [
        ((row.record.id, row.candidates[0].id), told[row.group - 1])
        for row in rows
        if row.side is Side.LOCAL and row.reason is MatchReason.COUPLED
    ]
    refused: dict[tuple[Side, str], str] = {}
    for start in range(0, len(pairs), PAGE):
        done = await couple_page(ctx, dict(pairs[start : start + PAGE]), synchronise=synchronise)
        for (local, remote), error in done.refused.items():
            refused[Side.LOCAL, local] = refused[Side.REMOTE, remote] = error.words
        ctx.observer.progress(done_before + start + len(done.couplings))
    if not refused:
        return rows
    return [
        msgspec.structs.replace(row, reason=MatchReason.REFUSED, words=why)
        if (why := refused.get((row.side, row.record.id)))
        else row
        for row in rows
    ]


@dataclass(slots=True)
class _Earlier:
    """What an earlier process of the same job has coupled, and created, before it died: ids by side."""

    coupled: dict[Side, set[str | None]] = field(default_factory=lambda: {side: set() for side in Side})
    created: dict[Side, set[str | None]] = field(default_factory=lambda: {side: set() for side in Side})

    def told(self, rows: Iterable[MatchRow]) -> list[MatchRow]:
        """Return rows of what is there now as they were when the job began."""
        return [
            msgspec.structs.replace(row, reason=reason) if reason else row
            for row in rows
            if (reason := self._reason(row)) or row.side is Side.LOCAL or row.record.id not in self.created[row.side]
        ]

    def _reason(self, row: MatchRow) -> MatchReason | None:
        if row.reason is not MatchReason.ALREADY_COUPLED:
            return None
        if row.record.id in self.coupled[row.side]:
            return MatchReason.COUPLED
        created = row.side is Side.LOCAL and row.record.id in self.created[row.side]
        return MatchReason.NO_MATCH if created else None


def _earlier(ctx: Context) -> _Earlier:
    """Read from the history what an earlier process has done."""
    found, assignment = _Earlier(), ctx.assignment
    if assignment is None or not (assignment.job.recoveries or assignment.job.attempt):
        return found
    kinds = {Outcome.COUPLED: found.coupled, Outcome.INSERTED: found.created}
    with ctx.store.begin() as unit:
        jobs = [ctx.job_id, *(part.id for part in unit.background.parts(ctx.job_id))]
    before: int | None = None
    while True:
        with ctx.store.begin() as unit:
            page = unit.journal(job_ids=jobs, outcomes=list(kinds), limit=PAGE, before_id=before)
        for entry in page:
            kinds[entry.outcome][Side.LOCAL].add(entry.local_id)
            kinds[entry.outcome][Side.REMOTE].add(entry.remote_id)
        if len(page) < PAGE:
            return found
        before = page[-1].id


def _report(ctx: Context, criteria: Criteria, rows: list[MatchRow], *, dry_run: bool, create: bool) -> MatchReport:
    counts: dict[Side, dict[MatchReason, int]] = {Side.LOCAL: {}, Side.REMOTE: {}}
    for row in rows:
        counted = counts[row.side]
        counted[row.reason] = counted.get(row.reason, 0) + 1
    locals = [row for row in rows if row.side is Side.LOCAL]
    coupled = [row.record.id for row in locals if row.reason is MatchReason.COUPLED]
    to_create = [row.record.id for row in locals if create and row.reason in _WITHOUT_CANDIDATE]
    failed = [row for row in locals if row.reason not in _SETTLED and not (create and row.reason in _WITHOUT_CANDIDATE)]
    counters = ctx.counters(coupling_side(ctx))
    counters.failed = len(failed)  # an earlier process of the job may have counted the same
    if dry_run:
        counters.coupled += len(coupled)
    _tell_failures(ctx, criteria, failed, dry_run=dry_run)
    return MatchReport(
        mapping=ctx.mapping_name,
        dry_run=dry_run,
        groups=criteria.names(),
        job_id=ctx.report.job_id,
        local=counts[Side.LOCAL],
        remote=counts[Side.REMOTE],
        rows=rows,
        coupled_ids=coupled,
        to_create=to_create,
        to_remote=ctx.report.to_remote,
        from_remote=ctx.report.from_remote,
    )


def _tell_failures(ctx: Context, criteria: Criteria, failed: Sequence[MatchRow], *, dry_run: bool) -> None:
    """Name the records that stay unmatched, in report and history (W-16); of very many, the first."""
    groups = criteria.names()
    entries = []
    for row in failed[: max(0, MOST_FAILURES - len(ctx.report.failures))]:
        name, code, words = row.record.words(), row.reason.value, explain(row, groups)
        step = _NEXT_STEPS[row.reason]
        ctx.report.failures.append(
            Failure(local_id=row.record.id, remote_id=None, name=name, code=code, words=words, next_step=step)
        )
        entries.append(
            JournalEntry(
                job_id=ctx.job_id,
                mapping=ctx.mapping_name,
                coupling_id=None,
                local_id=row.record.id,
                remote_id=None,
                name=name,
                side=None,
                outcome=Outcome.FAILED,
                code=code,
                words=words,
                at=ctx.now(),
            )
        )
    if not dry_run:
        with ctx.store.begin() as unit:
            if not unit.count_journal([ctx.job_id]).get(Outcome.FAILED):
                unit.add_journal(entries)
            if ctx.job_id:
                unit.update_job(ctx.job_id, to_remote=ctx.report.to_remote, from_remote=ctx.report.from_remote)


def explain(row: MatchRow, groups: Sequence[Sequence[str]]) -> str:
    """Return in words what became of a record; `groups` are those of the report."""
    on = f" on {', '.join(groups[row.group - 1])}" if row.group else ""
    first = row.candidates[0].words() if row.candidates else ""
    match row.reason:
        case MatchReason.COUPLED:
            return f"Coupled with {first} (matched{on})."
        case MatchReason.ALREADY_COUPLED:
            return f"Already coupled with {first}."
        case MatchReason.NO_MATCH:
            return "No record of the other side matches."
        case MatchReason.SEVERAL_CANDIDATES:
            return f"{row.found} records match{on}: {_listed(row.candidates, row.found)}."
        case MatchReason.CANDIDATE_TAKEN:
            return f"Its only match{on}, {first}, is coupled with {_listed(row.rivals, 1)}."
        case MatchReason.CLAIMED_BY_SEVERAL:
            return f"Its only match{on}, {first}, matches {_listed(row.rivals, row.found)} as well."
        case MatchReason.BLANK_CRITERIA:
            return "The fields to match on are blank."
        case MatchReason.OUT_OF_FILTER:
            return "The mapping's filter leaves it out."
        case MatchReason.REFUSED:
            return f"Matches {first}{on}, and could not be coupled: {row.words}"


def _listed(records: Sequence[Named], found: int) -> str:
    more = f" and {found - len(records)} more" if found > len(records) else ""
    return ", ".join(each.words() for each in records) + more
