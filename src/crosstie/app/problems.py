"""Problems: what keeps records from being in step, one by one and grouped by cause."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from crosstie.app.home import Home
from crosstie.app.rows import partner_of
from crosstie.app.session import find_mapping
from crosstie.app.views import ProblemView
from crosstie.model.couplings import CouplingState
from crosstie.model.lists import Partner
from crosstie.model.problems import Problem, ProblemFilter, ProblemGroup
from crosstie.model.records import Side

_NEW = timedelta(days=1)
_PAGE = 1000
MOST_AWAITED = 20
"""Records that are waited for that are told apart."""


class Inbox(msgspec.Struct, frozen=True, kw_only=True):
    """Open problems by cause, those that wait by what they wait for; the most frequent first.

    `classes` and `mappings` count all open problems, whatever the filter, `total` and `new` those that it admits.
    """

    groups: list[ProblemGroup]
    total: int
    new: int
    """Found since yesterday."""
    oldest: datetime | None
    classes: dict[str, int]
    mappings: dict[str, int]


class ProblemRow(msgspec.Struct, frozen=True, kw_only=True):
    """A problem with both records as far as they are known; `gone` are the sides whose record is deleted."""

    problem: ProblemView
    local: Partner | None
    remote: Partner | None
    gone: tuple[str, ...]
    paused: bool
    """Left alone by jobs until it is retried or changes."""


def list_problems(
    home: Home, mapping: str | None = None, *, code: str | None = None, limit: int = 1000, after_id: int = 0
) -> list[ProblemView]:
    """Return open problems in the order in which they were found. Raises UnknownMapping."""
    with home.store.begin() as unit:
        name = find_mapping(unit.mappings(), mapping).name if mapping else None
        return [ProblemView.of(p) for p in unit.problems(name, code=code, limit=limit, after_id=after_id)]


def problem_inbox(home: Home, filter: ProblemFilter | None = None, now: datetime | None = None) -> Inbox:
    """Return open problems grouped by cause. Raises UnknownMapping."""
    since = (now or datetime.now(UTC)) - _NEW
    wanted = filter or ProblemFilter()
    with home.store.begin() as unit:
        if wanted.mapping is not None:
            wanted = msgspec.structs.replace(wanted, mapping=find_mapping(unit.mappings(), wanted.mapping).name)
        found = unit.lists.problem_groups(wanted, since)
        waiting = unit.lists.waiting_groups(wanted, since, limit=MOST_AWAITED)
        every = found if wanted == ProblemFilter() else unit.lists.problem_groups(ProblemFilter(), since)
    return Inbox(
        groups=_told_apart(found, waiting),
        total=sum(each.count for each in found),
        new=sum(each.new for each in found),
        oldest=min((each.oldest for each in found), default=None),
        classes=_summed((each.problem_class.value, each.count) for each in every),
        mappings=_summed(pair for each in every for pair in each.mappings.items()),
    )


def _told_apart(groups: Sequence[ProblemGroup], waiting: Sequence[ProblemGroup]) -> list[ProblemGroup]:
    """Put in the place of those that wait what they wait for; of many records, the rest stay together."""
    codes = {each.code for each in waiting}
    kept = []
    for each in groups:
        told = sum(one.count for one in waiting if one.code == each.code)
        if each.code not in codes or told < each.count or len(waiting) == MOST_AWAITED:
            kept.append(each)
    return sorted([*kept, *waiting], key=lambda each: -each.count)


def _summed(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, number in pairs:
        found[name] = found.get(name, 0) + number
    return dict(sorted(found.items()))


def problem_rows(home: Home, filter: ProblemFilter, *, limit: int = 100, after_id: int = 0) -> list[ProblemRow]:
    """Return a page of the open problems that a filter admits, each with both of its records."""
    with home.store.begin() as unit:
        found = unit.lists.problems(filter, limit=limit, after_id=after_id)
        couplings = {
            (name, side, id): coupling
            for name in dict.fromkeys(each.mapping for each in found)
            for side in Side
            for id, coupling in unit.couplings.by_record(
                name, side, [each.record[1] for each in found if each.mapping == name and each.record[0] is side]
            ).items()
        }
    rows = []
    for each in found:
        coupling = couplings.get((each.mapping, *each.record))
        state = coupling.state if coupling is not None else None
        gone = {CouplingState.LOCAL_DELETED: ("local",), CouplingState.REMOTE_DELETED: ("remote",)}
        rows.append(
            ProblemRow(
                problem=ProblemView.of(each),
                local=partner_of(coupling, Side.LOCAL) if coupling else _alone(each, Side.LOCAL),
                remote=partner_of(coupling, Side.REMOTE) if coupling else _alone(each, Side.REMOTE),
                gone=gone.get(state, ()) if state is not None else (),
                paused=state is CouplingState.SKIPPED,
            )
        )
    return rows


def _alone(problem: Problem, side: Side) -> Partner | None:
    id = problem.local_id if side is Side.LOCAL else problem.remote_id
    return Partner(id=id, key=None, name=problem.name) if id is not None else None


def chosen_problems(home: Home, ids: Sequence[int] = (), filter: ProblemFilter | None = None) -> list[Problem]:
    """Return the open problems with these ids, or all that a filter admits; what was solved meanwhile is left out."""
    with home.store.begin() as unit:
        if filter is None:
            return unit.lists.problems(ProblemFilter(), ids=ids, limit=len(ids)) if ids else []
        found: list[Problem] = []
        while page := unit.lists.problems(filter, limit=_PAGE, after_id=found[-1].id if found else 0):
            found += page
            if len(page) < _PAGE:
                break
        return found
