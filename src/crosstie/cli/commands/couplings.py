"""`couplings`: the coupled records of a mapping and the state of each."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from crosstie.cli.invocation import Command, current, opened_home
from crosstie.cli.terminal import Column, is_terminal, moment, print_table, say, words_of

if TYPE_CHECKING:
    from crosstie.app.home import Home
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


@click.command("couplings", cls=Command)
@click.argument("mapping")
@click.option("--state", "states", multiple=True, type=click.Choice(STATES), help="Only these; may be repeated.")
@click.option("--search", default="", metavar="TEXT", help="Only those with this text in a key or name.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    metavar="N",
    help=f"Most rows; 0 for all. Else {_SCREEN} on a terminal and all otherwise.",
)
def couplings_(mapping: str, states: tuple[str, ...], search: str, limit: int | None) -> None:
    """List the coupled records of MAPPING with their state."""
    people = is_terminal() and not current().json
    most = (_SCREEN if people else 0) if limit is None else limit
    with opened_home() as home:
        pages = _pages(home, mapping, states, search, most)
        if current().json:
            _print_as_document(pages)
        else:
            _print_in_words(pages)


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
