"""`candidates`: with which records one may be coupled, the best first, with reasons."""

from typing import TYPE_CHECKING

import click

from crosstie.cli.invocation import Command, answered_in_json, in_session
from crosstie.cli.terminal import Column, print_table, safe, say

if TYPE_CHECKING:
    from crosstie.app.candidates import Candidate
    from crosstie.app.session import Session

_COLUMNS = (Column("Score", right=True), Column("Key", short=True), "Name", "Reasons", "Remark", "Id")


@click.command("candidates", cls=Command)
@click.argument("mapping")
@click.argument("record")
@click.option("--search", default="", metavar="TEXT", help="All with this text in key or name, whatever their reasons.")
@click.option("--remote", is_flag=True, help="The record is a remote one; local candidates are looked for.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, metavar="N", help="Most rows.")
def candidates_(mapping: str, record: str, search: str, remote: bool, limit: int) -> None:
    """List records of the other side that may be the partner of RECORD, the best first, each with its reasons.

    Records that are coupled already say with whom; `crosstie couple MAPPING RECORD --to ID --dry-run` shows what
    coupling with one of them would change.

    \b
    crosstie candidates CUSTOMER 10000
    crosstie candidates CUSTOMER 10000 --search Adatum
    """
    from crosstie.app.candidates import candidates
    from crosstie.model.records import Side

    side = Side.REMOTE if remote else Side.LOCAL

    async def work(session: "Session") -> "list[Candidate]":
        return await candidates(session, mapping, record, search, side=side, limit=limit)

    found = in_session(work)
    if answered_in_json({"candidates": found}):
        return
    if found:
        print_table(_COLUMNS, [_row(each) for each in found])
    else:
        say("No record fits. Look for one by name with --search, or create the partner with `crosstie create`.")


def _row(found: "Candidate") -> tuple[object, ...]:
    reasons = ", ".join(f"{reason.words} ({reason.value})" for reason in found.reasons)
    return found.score, found.key, found.name, reasons, _remark(found), found.id


def _remark(found: "Candidate") -> str:
    if found.current:
        return "its partner now"
    if found.coupled_to is not None:
        holder = " ".join(part for part in (found.coupled_to.key, found.coupled_to.name) if part) or found.coupled_to.id
        return f"coupled to {safe(holder)}"
    return "" if found.in_filter else "outside of the filter"
