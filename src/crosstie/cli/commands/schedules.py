"""`schedule`: when mappings are synchronised by themselves."""

from typing import TYPE_CHECKING

import click

from crosstie.cli.commands.jobs import NO_WORKER
from crosstie.cli.invocation import Group, answered_in_json, opened_home
from crosstie.cli.terminal import Column, moment, print_table, safe, say

if TYPE_CHECKING:
    from crosstie.app.jobs import ScheduleView

_COLUMNS = (
    Column("Mapping", short=True),
    Column("Every", right=True),
    Column("Next", short=True),
    Column("Now"),
    Column("Last", short=True),
    Column("Result"),
)


@click.group("schedule", cls=Group)
def schedule_() -> None:
    """Schedules: which mappings a worker synchronises by itself, and how often."""


@schedule_.command("list")
def list_() -> None:
    """List when each enabled mapping is synchronised by itself, in the order in which they depend on each other."""
    from crosstie.app.jobs import list_schedules

    with opened_home() as home:
        found = list_schedules(home)
    if answered_in_json(found):
        return
    if not found.schedules:
        say("There is no enabled mapping. Load the standard ones with `crosstie mapping reset`.")
        return
    print_table(_COLUMNS, [_row(view) for view in found.schedules])
    if found.hindrance:
        say(f"Nothing runs by itself at present: {safe(found.hindrance)}")
    elif not found.workers:
        say(f"Nothing runs by itself at present. {NO_WORKER}")


@schedule_.command()
@click.argument("mapping", required=False)
def pause(mapping: str | None) -> None:
    """Synchronise MAPPING, or without it every mapping, no longer by itself."""
    from crosstie.app.jobs import pause_schedule

    with opened_home() as home:
        _show_done(pause_schedule(home, mapping), "paused")


@schedule_.command()
@click.argument("mapping", required=False)
def resume(mapping: str | None) -> None:
    """Synchronise MAPPING, or without it every mapping, by itself again, beginning now."""
    from crosstie.app.jobs import resume_schedule

    with opened_home() as home:
        _show_done(resume_schedule(home, mapping), "resumed")


@schedule_.command("set")
@click.argument("mapping", required=False)
@click.option("--every", type=int, required=True, metavar="MINUTES", help="From 1 minute to a week.")
def set_(mapping: str | None, every: int) -> None:
    """Synchronise MAPPING, or without it every mapping, every so many minutes; 30 unless set."""
    from crosstie.app.jobs import set_pace

    with opened_home() as home:
        _show_done(set_pace(home, mapping, every), f"every {every} minutes")


def _show_done(names: list[str], done: str) -> None:
    if not answered_in_json({"mappings": names, "done": done}):
        for name in names:
            say(f"{safe(name)}: {done}.")


def _row(view: "ScheduleView") -> tuple[object, ...]:
    now = f"job {view.going_on.id} {view.going_on.state}" if view.going_on is not None else ""
    last = view.last
    result = "" if last is None else f"{last.state}: {last.message}" if last.message else str(last.state)
    return (
        view.mapping,
        f"{view.every_minutes} min",
        "paused" if view.paused_reason else moment(view.next_at),
        now,
        moment(last.started_at) if last is not None else "",
        result,
    )
