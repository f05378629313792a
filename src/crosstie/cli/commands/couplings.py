"""`couplings`: the coupled records of a mapping and the state of each, and couplings that were removed."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from crosstie.cli.invocation import Command, answered_in_json, current, opened_home
from crosstie.cli.terminal import Column, is_terminal, moment, print_table, say, words_of
from crosstie.model.errors import InvalidOption

if TYPE_CHECKING:
    from crosstie.app.home import Home
    from crosstie.app.removed import RemovedRow
    from crosstie.app.views import CouplingPage, CouplingView

STATES = (
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
_PAGE = 1000
_SCREEN = 200
_COLUMNS = (
    Column("Local", short=True),
    "Local name",
    "Remote",
    "Remote name",
    Column("State", short=True),
    "Last synchronised",
)
_REMOVED = (
    Column("Entry", right=True),
    Column("Removed", short=True),
    Column("Mapping", short=True),
    "Records",
    "Why",
    "By",
    Column("Now", short=True),
)


@click.command("couplings", cls=Command)
@click.argument("mapping", required=False)
@click.option("--state", "states", multiple=True, type=click.Choice(STATES), help="Only these; may be repeated.")
@click.option("--search", default="", metavar="TEXT", help="Only those with this text in a key or name.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    metavar="N",
    help=f"Most rows; 0 for all. Else {_SCREEN} on a terminal and all otherwise.",
)
@click.option("--removed", is_flag=True, help="Couplings that were removed, newest first, of MAPPING or of all.")
def couplings_(mapping: str | None, states: tuple[str, ...], search: str, limit: int | None, removed: bool) -> None:
    """List the coupled records of MAPPING with their state, or the couplings that were removed.

    What removed one is taken back by its entry of the history.

    \b
    crosstie couplings CUSTOMER --state conflict
    crosstie couplings --removed
    crosstie undo --entry 1207
    """
    people = is_terminal() and not current().json
    most = (_SCREEN if people else 0) if limit is None else limit
    if removed:
        if states or search:
            raise InvalidOption(
                "Removed couplings have no state and are not searched.", next_step="Leave --state and --search away."
            )
        _list_removed(mapping, most)
        return
    if mapping is None:
        raise InvalidOption("Say of which mapping.", next_step="Name a mapping, or give --removed.")
    with opened_home() as home:
        pages = _pages(home, mapping, states, search, most)
        if current().json:
            _print_as_document(pages)
        else:
            _print_in_words(pages)


def _list_removed(mapping: str | None, most: int) -> None:
    with opened_home() as home:
        rows = list(_removed(home, mapping, most))
    if answered_in_json({"removed": rows}):
        return
    if not rows:
        say("No coupling was removed, as far back as the history goes.")
        return
    print_table(_REMOVED, [_removed_row(row) for row in rows])
    say("To couple two records again: `crosstie undo --entry ENTRY`.")


def _removed(home: "Home", mapping: str | None, most: int) -> "Iterator[RemovedRow]":
    from crosstie.app.removed import list_removed

    before, left = None, most
    while True:
        page = list_removed(home, mapping, limit=min(_PAGE, left) if most else _PAGE, before_id=before)
        yield from page.rows
        left -= len(page.rows)
        if page.before_id is None or (most and left <= 0):
            return
        before = page.before_id


def _removed_row(row: "RemovedRow") -> tuple[object, ...]:
    entry = row.entry
    return (
        entry.id,
        moment(entry.at),
        entry.mapping,
        entry.name,
        entry.words,
        entry.asked_by,
        words_of(row.since),
    )


def _pages(home: "Home", mapping: str, states: tuple[str, ...], search: str, most: int) -> "Iterator[CouplingPage]":
    """Yield pages until `most` couplings (0: all) have come; the first one always, so that an empty list is one too."""
    from crosstie.app.coupling import list_couplings
    from crosstie.model.couplings import CouplingState

    wanted = [CouplingState(state) for state in states]
    after, left = 0, most
    while True:
        limit = min(_PAGE, left) if most else _PAGE
        page = list_couplings(home, mapping, states=wanted, search=search, limit=limit, after_id=after)
        yield page
        left -= len(page.couplings)
        if len(page.couplings) < limit or (most and left <= 0):
            return
        after = page.couplings[-1].id


def _print_as_document(pages: "Iterator[CouplingPage]") -> None:
    from crosstie.cli.documents import StreamedDocument

    current().document = document = StreamedDocument("couplings")
    rest: dict[str, Any] = {}
    for page in pages:
        rest = {"mapping": page.mapping, "total": page.total, "by_state": page.by_state}
        for coupling in page.couplings:
            document.add(coupling)
    document.close(**rest)


def _print_in_words(pages: "Iterator[CouplingPage]") -> None:
    shown = 0
    for page in pages:
        if page.couplings:
            print_table(_COLUMNS, [_row(coupling) for coupling in page.couplings], headed=not shown)
        shown += len(page.couplings)
        last = page
    states = ", ".join(f"{number:,} {words_of(state)}" for state, number in last.by_state.items() if number)
    say(f"{shown:,} of {last.total:,} couplings of {last.mapping}" + (f" ({states})." if states else "."))


def _row(coupling: "CouplingView") -> tuple[object, ...]:
    return (
        coupling.local_key or coupling.local_id,
        coupling.local_name,
        coupling.remote_key,
        coupling.remote_name,
        words_of(coupling.state),
        moment(coupling.last_synchronised),
    )
