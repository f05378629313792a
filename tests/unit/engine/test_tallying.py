"""A job that is begun again meets records that it has dealt with before: each counts once."""

from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from crosstie.engine.context import Report
from crosstie.engine.tallying import SEEN, TAKEN_BACK, Tallied, failed_before, tally
from crosstie.model.records import Side

PAIR = ("coupling:1", "local:a", "remote:b")
REMOTE, LOCAL = Side.REMOTE, Side.LOCAL


class Kept:
    """What the store keeps of a job's records."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, Side], str] = {}

    def tallied(self, job_id: int, names: Iterable[str]) -> dict[tuple[str, Side], str]:
        wanted = set(names)
        return {key: outcome for key, outcome in self.rows.items() if key[0] in wanted}

    def put_tallied(self, job_id: int, changed: Mapping[tuple[str, Side], str]) -> None:
        self.rows.update(changed)


def _job() -> tuple[Any, Any]:
    report = Report(mapping="CUSTOMER", job_id=1, dry_run=False)
    counters = {REMOTE: report.to_remote, LOCAL: report.from_remote}
    return SimpleNamespace(tallied=True, job_id=1, counters=counters.__getitem__), SimpleNamespace(background=Kept())


@pytest.mark.parametrize(
    ("met", "to_remote", "from_remote"),
    [
        ([(REMOTE, "failed"), (REMOTE, "failed")], {"failed": 1}, {}),
        ([(REMOTE, "failed"), (LOCAL, "failed")], {"failed": 1}, {}),
        ([(REMOTE, "failed"), (LOCAL, "failed"), (REMOTE, TAKEN_BACK)], {"failed": 1}, {}),
        ([(REMOTE, "modified"), (LOCAL, "failed"), (REMOTE, TAKEN_BACK)], {}, {"failed": 1}),
        ([(REMOTE, "failed"), (REMOTE, "modified")], {"modified": 1}, {}),
        ([(REMOTE, "modified"), (LOCAL, "unchanged")], {"modified": 1}, {}),
        ([(REMOTE, "unchanged"), (REMOTE, SEEN)], {"unchanged": 1}, {}),
        ([(REMOTE, "inserted"), (REMOTE, "modified")], {"inserted": 1}, {}),
    ],
    ids=[
        "fails again",
        "fails again, met from the other side",
        "nothing of a failure is taken back",
        "what was written beside a conflict is",
        "failed and then written",
        "our own write comes back",
        "unchanged and seen",
        "created and completed",
    ],
)
def test_each_record_counts_once(
    met: list[tuple[Side, str]], to_remote: dict[str, int], from_remote: dict[str, int]
) -> None:
    ctx, unit = _job()
    for target, outcome in met:
        tally(ctx, unit, [Tallied(PAIR, target, outcome)])
    for target, expected in ((REMOTE, to_remote), (LOCAL, from_remote)):
        counters = ctx.counters(target)
        assert {name: n for name in counters.__struct_fields__ if (n := getattr(counters, name))} == expected


def test_a_failure_that_was_told_is_not_told_again_from_the_other_side() -> None:
    ctx, unit = _job()
    again = Tallied(PAIR, LOCAL, "failed")
    assert failed_before(ctx, unit, [again]) == set()
    tally(ctx, unit, [Tallied(PAIR, REMOTE, "failed")])
    assert failed_before(ctx, unit, [again]) == {again}
