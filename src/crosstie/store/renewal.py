"""How new problems meet those that are open already: a pure decision, for the query that stores them."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from crosstie.model.problems import NewProblem, Problem
from crosstie.model.records import Side

_Key = tuple[str, Side, str]


class Renewal(msgspec.Struct, frozen=True):
    """What to store: problems to insert, problems to overwrite, and ids of those that gave way to another."""

    opened: tuple[Problem, ...]
    renewed: tuple[Problem, ...]
    superseded: tuple[int, ...]
    results: tuple[Problem, ...]
    """For each new problem, in their order, the problem that it became."""


def renew(new: Sequence[NewProblem], known: Iterable[Problem], now: datetime, ids: Iterator[int]) -> Renewal:
    """Merge `new` into the open problems `known` of the same records; `ids` numbers those that are opened.

    The same code and words as before raise `attempts`, unless the same job has found them; other ones set it to 1 and
    begin a new `first_seen`. Where one record has two, from when its two halves were not coupled, the older one stays.
    """
    kept = {problem.id: problem for problem in known}
    before = frozenset(kept)
    place = {key: problem.id for problem in kept.values() for key in _keys(problem)}
    gave_way: dict[int, int] = {}
    results: list[int] = []
    for each in new:
        found = sorted({place[key] for key in _keys(each) if key in place})
        problem = _again(each, kept[found[0]], now) if found else _first(each, next(ids), now)
        for id_ in found:
            for key in _keys(kept.pop(id_)):
                place.pop(key, None)
        gave_way.update(dict.fromkeys(found[1:], problem.id))
        kept[problem.id] = problem
        place.update(dict.fromkeys(_keys(problem), problem.id))
        results.append(problem.id)
    touched = {_last(id_, gave_way) for id_ in results}
    return Renewal(
        opened=tuple(kept[id_] for id_ in sorted(touched - before)),
        renewed=tuple(kept[id_] for id_ in sorted(touched & before)),
        superseded=tuple(sorted(before & gave_way.keys())),
        results=tuple(kept[_last(id_, gave_way)] for id_ in results),
    )


def _keys(problem: NewProblem) -> list[_Key]:
    keys = []
    if problem.local_id is not None:
        keys.append((problem.mapping, Side.LOCAL, problem.local_id))
    if problem.remote_id is not None:
        keys.append((problem.mapping, Side.REMOTE, problem.remote_id))
    return keys


def _first(new: NewProblem, id_: int, now: datetime) -> Problem:
    return Problem(**_fields(new), id=id_, attempts=1, first_seen=now, last_seen=now)


def _again(new: NewProblem, old: Problem, now: datetime) -> Problem:
    same = (new.code, new.words) == (old.code, old.words)
    # A job that goes on after its process has died tries once more what it has tried already.
    once = new.job_id is not None and new.job_id == old.job_id
    return Problem(
        **_fields(new),
        id=old.id,
        attempts=old.attempts + (not once) if same else 1,
        first_seen=old.first_seen if same else now,
        last_seen=now,
    )


def _fields(new: NewProblem) -> dict[str, Any]:
    return {name: getattr(new, name) for name in NewProblem.__struct_fields__}


def _last(id_: int, gave_way: dict[int, int]) -> int:
    while id_ in gave_way:
        id_ = gave_way[id_]
    return id_
