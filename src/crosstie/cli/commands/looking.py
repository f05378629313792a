"""`problems`, `history`, `open`: looking at what is in the way, what was done, and at a record itself."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

import click

from crosstie.cli.invocation import Command, answered_in_json, current, in_session, opened_home
from crosstie.cli.terminal import is_terminal, moment, safe, say, value_text

if TYPE_CHECKING:
    from crosstie.app.home import Home
    from crosstie.app.opening import Opened
    from crosstie.app.record_history import ToldChange, ToldEntry
    from crosstie.app.session import Session
    from crosstie.app.views import ProblemFieldView, ProblemView

_PAGE = 1000
_SCREEN = 200


# --- problems ---------------------------------------------------------------------------------------------


@click.command("problems", cls=Command)
@click.argument("mapping", required=False)
@click.option("--code", metavar="CODE", help="Only those of this cause, such as conflict or too-long.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    metavar="N",
    help=f"Most problems; 0 for all. Else {_SCREEN} on a terminal and all otherwise.",
)
def problems_(mapping: str | None, code: str | None, limit: int | None) -> None:
    """List what keeps records from being in step, with the next step for each. Solved ones close by themselves."""
    people = is_terminal() and not current().json
    most = (_SCREEN if people else 0) if limit is None else limit
    with opened_home() as home:
        every = _problems(home, mapping, code)
        shown = islice(every, most or None)
        if current().json:
            _print_problems_as_document(shown, every)
        else:
            _print_problems_in_words(shown, every)


def _problems(home: "Home", mapping: str | None, code: str | None) -> "Iterator[ProblemView]":
    from crosstie.app.problems import list_problems

    after = 0
    while found := list_problems(home, mapping, code=code, limit=_PAGE, after_id=after):
        yield from found
        if len(found) < _PAGE:
            return
        after = found[-1].id


def _print_problems_as_document(shown: "Iterable[ProblemView]", rest: "Iterator[ProblemView]") -> None:
    from crosstie.cli.documents import StreamedDocument

    current().document = document = StreamedDocument("problems")
    for problem in shown:
        document.add(problem)
    document.close(more=next(rest, None) is not None)


def _print_problems_in_words(shown: "Iterable[ProblemView]", rest: "Iterator[ProblemView]") -> None:
    number = 0
    for problem in shown:
        _print_problem(problem)
        number += 1
    if next(rest, None) is not None:
        say(f"{number:,} problems shown; there are more: see them all with --limit 0.")
    else:
        say(f"{number:,} open problem{'' if number == 1 else 's'}." if number else "No open problems.")


def _print_problem(problem: "ProblemView") -> None:
    times = f", {problem.attempts} times" if problem.attempts > 1 else ""
    since = f"since {moment(problem.first_seen)}{times}"
    kind = problem.code if problem.code == problem.problem_class else f"{problem.problem_class}: {problem.code}"
    say(f"{problem.mapping}  {safe(problem.record.name)}  {kind}  ({since})")
    say(f"  {safe(problem.words)}")
    for field in problem.fields:
        words = f"  {safe(field.words)}" if field.words not in problem.words else ""
        say(f"  {_field_line(field)}{words}")
    if problem.next_step:
        say(f"  Next step: {safe(problem.next_step)}")


def _field_line(field: "ProblemFieldView") -> str:
    local, remote = field.base.get("local"), field.base.get("remote")
    base = value_text(local) if local == remote else f"{value_text(local)} local and {value_text(remote)} remote"
    return f"{safe(field.label)}: base {base}, local {value_text(field.local)}, remote {value_text(field.remote)}"


# --- history ----------------------------------------------------------------------------------------------


@click.command("history", cls=Command)
@click.argument("mapping")
@click.argument("record", required=False)
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, metavar="N", help="Most entries.")
def history_(mapping: str, record: str | None, limit: int) -> None:
    """Show what was done to the records of MAPPING, or to one RECORD, newest first: each field before and after."""
    from crosstie.app.history import list_history

    async def work(session: "Session") -> "list[ToldEntry]":
        return await list_history(session, mapping, record, limit=limit)

    found = in_session(work)
    if answered_in_json({"history": found}):
        return
    for entry in found:
        _print_entry(entry)
    if not found:
        say("No history yet.")


def _print_entry(entry: "ToldEntry") -> None:
    side = f" {entry.side}" if entry.side is not None else ""
    why = " ".join(part for part in (f"{entry.code}:" if entry.code else "", safe(entry.words)) if part)
    by = f" by {safe(entry.asked_by)}" if entry.asked_by else ""
    what = f"job {entry.job_id}{by}  {safe(entry.name)}  {entry.outcome}{side}  {why}".rstrip()
    say(f"{entry.id:>6}  {moment(entry.at)}  {what}")
    for change in entry.changes:
        say(f"  {_change_line(change)}")


def _change_line(change: "ToldChange") -> str:
    lost = f"  {_value(change.lost, change.lost_words)} was lost" if change.lost is not None else ""
    reason = f"  ({safe(change.reason)})" if change.reason else ""
    before, after = _value(change.before, change.before_words), _value(change.after, change.after_words)
    return f"{safe(change.label)}: {before} → {after}{reason}{lost}"


def _value(value: object, words: str) -> str:
    """Return a value as it is, or what it is called where it stands for something else: an option, another record."""
    if isinstance(value, str | int) and not isinstance(value, bool) and words not in ("", str(value)):
        return safe(words)
    return value_text(value)


# --- open -------------------------------------------------------------------------------------------------


@click.command("open", cls=Command)
@click.argument("connection")
@click.argument("table")
@click.argument("record", metavar="ID")
def open_(connection: str, table: str, record: str) -> None:
    """Print the address of the record that the record ID of TABLE in CONNECTION is coupled with.

    An uncoupled record is coupled first, its partner created, where the mapping allows.
    """
    from crosstie.app.opening import open_record

    async def work(session: "Session") -> "Opened":
        return await open_record(session, connection, table, record)

    opened = in_session(work)
    if answered_in_json(opened):
        return
    say(safe(opened.address))
    if opened.coupled_now:
        click.echo(f"Created and coupled just now under {opened.mapping}.", err=True)
