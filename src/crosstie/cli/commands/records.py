"""`records`: the records of one side of a mapping with the state of each."""

from typing import TYPE_CHECKING

import click

from crosstie.cli.invocation import Command, answered_in_json, in_session
from crosstie.cli.terminal import Column, print_table, say, words_of

if TYPE_CHECKING:
    from crosstie.app.session import Session
    from crosstie.model.lists import RecordCounts, RecordList, RecordRow

STATES = (
    "not_coupled",
    "never_synchronised",
    "in_step",
    "conflict",
    "waiting",
    "failed",
    "skipped",
    "local_deleted",
    "remote_deleted",
    "out_of_filter",
)
_PAGE = 200
_COLUMNS = (Column("Key", short=True), "Name", Column("State", short=True), "Partner", "Problem")


@click.command("records", cls=Command)
@click.argument("mapping")
@click.option("--remote", is_flag=True, help="The remote records of the mapping's filter; else the local ones.")
@click.option("--search", default="", metavar="TEXT", help="Only those with this text in key, name, e-mail or phone.")
@click.option("--state", "states", multiple=True, type=click.Choice(STATES), help="Only these; may be repeated.")
@click.option("--sort", default="", metavar="FIELD", help="In the order of a field; -FIELD downwards.")
@click.option("--field", "fields", multiple=True, metavar="FIELD", help="With --json: these values; may be repeated.")
@click.option("--limit", type=click.IntRange(1, 1000), default=_PAGE, show_default=True, metavar="N", help="Most rows.")
@click.option("--after", metavar="PLACE", help="Go on from the place with which the page before ended.")
@click.option("--count", "counted", is_flag=True, help="Only how many there are by state.")
def records_(
    mapping: str,
    remote: bool,
    search: str,
    states: tuple[str, ...],
    sort: str,
    fields: tuple[str, ...],
    limit: int,
    after: str | None,
    counted: bool,
) -> None:
    """List the records of one side of MAPPING, coupled or not, with state, partner and problem.

    \b
    crosstie records CUSTOMER --state not_coupled
    crosstie records CUSTOMER --state skipped --state conflict
    crosstie records CUSTOMER --remote --search Adatum
    """
    from crosstie.app.lists import count_records, list_records
    from crosstie.model.records import Side

    side = Side.REMOTE if remote else Side.LOCAL
    if counted:

        async def count(session: "Session") -> "RecordCounts":
            return await count_records(session, mapping, side)

        _print_counts(in_session(count))
        return

    async def work(session: "Session") -> "RecordList":
        return await list_records(
            session, mapping, side, search=search, states=states, sort=sort, fields=fields, size=limit, after=after
        )

    _print_list(in_session(work))


def _print_list(found: "RecordList") -> None:
    if answered_in_json(found):
        return
    if found.rows:
        print_table(_COLUMNS, [_row(row) for row in found.rows])
    number = len(found.rows)
    say(f"{number:,} record{'' if number == 1 else 's'} of {found.mapping}.")
    if found.following is not None:
        say(f"There may be more: --after {found.following}")


def _row(row: "RecordRow") -> tuple[object, ...]:
    partner = row.partner
    held = " ".join(part for part in (partner.key, partner.name) if part) or partner.id if partner is not None else ""
    remark = "" if row.exists else " (deleted)"
    outside = "" if row.in_filter or row.partner is not None else ", outside of the filter"
    return row.key or row.id, f"{row.name or ''}{remark}", words_of(row.state) + outside, held, row.problem or ""


def _print_counts(found: "RecordCounts") -> None:
    if answered_in_json(found):
        return
    total = f"{found.total:,}" if found.total is not None else "more than the system counts"
    say(f"{found.mapping}, {found.side} records: {total}")
    for state, number in found.by_state.items():
        say(f"  {number:>9,}  {words_of(state)}")
    if found.not_coupled is not None:
        say(f"  {found.not_coupled:>9,}  not coupled")
    for code, number in found.problems.items():
        say(f"  {number:>9,}  with problem {code}")
