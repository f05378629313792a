"""Forgetting what is finished: jobs with their history, and closed problems, a month after their end (rule D-26).

What an open problem refers to stays for as long as the problem is open, so that its reason can be read (rule D-25).
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from crosstie.model.errors import InvalidOption
from crosstie.store.base import Store, Unit

KEPT_DAYS = 30
PLANS_KEPT = timedelta(days=2)
"""What a plan says of each record is of no use for long: the records move on."""
SETTING = "retention_days"
_LEAST_DAYS = 1


def kept_days(unit: Unit) -> int:
    """Return for how many days what is finished is kept: the setting `retention_days`, else 30."""
    text = unit.settings().get(SETTING, "")
    return int(text) if text.isdigit() and int(text) >= _LEAST_DAYS else KEPT_DAYS


def check_days(days: int) -> int:
    """Return `days` if what is finished can be kept for so long. Raises InvalidOption."""
    if days < _LEAST_DAYS:
        raise InvalidOption(f"What is finished is kept for at least {_LEAST_DAYS} day, not {days}.", days=days)
    return days


def forget_finished(store: Store, now: datetime, halted: Callable[[], bool] = lambda: False) -> dict[str, int]:
    """Remove what ended too long ago and return how many rows of each kind; work that can be broken off anywhere.

    Each transaction is short, so that nobody waits for it.
    """
    with store.begin() as unit:
        before = now - timedelta(days=kept_days(unit))
    return {
        "jobs": _all(store, lambda unit: unit.background.forget_jobs(before), halted),
        "journal": _all(store, lambda unit: unit.background.forget_journal(before), halted),
        "removed_couplings": _all(store, lambda unit: unit.background.forget_removed(before), halted),
        "problems": _all(store, lambda unit: unit.background.forget_problems(before), halted),
        "plan_rows": _all(store, lambda unit: unit.planned.forget_before(now - PLANS_KEPT), halted),
        "processes": _all(store, lambda unit: unit.background.forget_processes(now - timedelta(days=1)), halted),
    }


def _all(store: Store, forget: Callable[[Any], int], halted: Callable[[], bool]) -> int:
    total = 0
    while not halted():
        with store.begin() as unit:
            removed = forget(unit)
        if not removed:
            break
        total += removed
    return total
