"""One cause has one code and one wording: in problem details, on pages, on the command line and in `docs/errors`."""

import ast
import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from crosstie.api.refusing import codes, problem_of
from crosstie.cli.failing import describe, document, in_words
from crosstie.cli.places import COMMANDS, commands_of
from crosstie.cli.root import cli
from crosstie.model import errors
from crosstie.model.causes import CAUSES
from crosstie.model.errors import CrosstieError
from crosstie.model.places import Place
from crosstie.web.places import NOT_ON_PAGES, WAYS, way_of
from crosstie.web.rendering import environment
from crosstie.web.routes.help import help_of
from crosstie.web.routing import site

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "crosstie"
WORDS = "Litware <b>& sons</b> cannot be found."
DETAILS = {"mapping": "PAYMENT TERMS", "connection": "dv", "name": "ann", "job": 7, "side": "local", "id": "10/00"}
OWN_WORDS = {"invalid-mapping", "invalid-connection", "forbidden", "store-busy"}
"""Codes under which what is raised mostly has a next step of its own, as the example of the page has."""


def tree(root: type[CrosstieError] = CrosstieError) -> Iterator[type[CrosstieError]]:
    yield root
    for child in root.__subclasses__():
        yield from tree(child)


ERRORS = [each for each in tree() if each.__module__ == errors.__name__]
of_every_error = pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.code)
SURFACE_ONLY = re.compile(r"`crosstie |`--|(?<![\w-])--[a-z]{2}|\bcrosstie [a-z]+ ?[a-z]*\b")
"""What only the command line understands."""


def on_page(error: CrosstieError) -> str:
    """Return an error as every page and dialog shows it."""
    template = '{% import "macros.html" as ui with context %}{{ ui.error(error) }}'
    return environment().from_string(template).render(error=error, frame=None, path="/")


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


@of_every_error
def test_problem_details_pages_and_command_line_say_the_same(error: type[CrosstieError]) -> None:
    raised = error(WORDS, **DETAILS)
    told, failing, page = problem_of(raised, "1"), describe(raised), on_page(raised)
    assert (told.code, told.detail, told.next_step) == (raised.code, WORDS, raised.advice)
    assert (failing.code, failing.words, failing.next_step) == (raised.code, WORDS, raised.advice)
    assert document(failing)["next_step"] == raised.advice
    assert in_words(failing).startswith(f"Error: {WORDS}")
    assert raised.advice.rstrip(".") in in_words(failing)
    assert WORDS in text_of(page)
    assert raised.advice in text_of(page)
    assert f'href="/help/errors/{raised.code}"' in page
    assert "<b>&" not in page, "the words are markup on the page"


@of_every_error
def test_the_page_of_the_docs_shows_the_words_of_the_next_step(error: type[CrosstieError]) -> None:
    title, text = help_of(error.code)
    assert title.startswith(f"{error.code}: ")
    shown = re.search(r"<pre><code>(.+?)</code></pre>", text, re.DOTALL)
    assert shown is not None
    if error.next_step and error.code not in OWN_WORDS:
        assert html.unescape(shown[1]).strip().endswith(error.next_step)


@pytest.mark.parametrize("cause", CAUSES.values(), ids=lambda cause: cause.code)
def test_the_page_of_a_cause_shows_its_next_step(cause: Any) -> None:
    _, text = help_of(cause.code)
    shown = re.search(r"<pre><code>(.+?)</code></pre>", text, re.DOTALL)
    assert shown is not None
    assert html.unescape(shown[1]).strip().endswith(cause.next_step)


def test_every_code_of_every_surface_is_one_of_the_tree() -> None:
    ours = {each.code for each in ERRORS}
    assert set(codes()) >= ours
    assert not ours & CAUSES.keys()


@of_every_error
def test_a_page_names_no_command_and_leads_to_a_page(error: type[CrosstieError]) -> None:
    raised = error(WORDS, **DETAILS)
    assert not SURFACE_ONLY.search(text_of(on_page(raised))), on_page(raised)
    if (way := way_of(raised)) is not None:
        assert f'<a href="{html.escape(way.address)}">{way.label}</a>' in on_page(raised)


@pytest.mark.parametrize("place", Place)
def test_every_place_has_its_commands_and_its_page(place: Place) -> None:
    assert place in COMMANDS
    assert (place in WAYS) != (place in NOT_ON_PAGES)
    for command in commands_of(place, DETAILS):
        if command.startswith("crosstie "):
            _exists(cli, command.split()[1:])
        else:
            assert command.split()[0] in _options(cli), command


def _exists(group: click.Command, parts: list[str]) -> None:
    """Fail if a command line names a command that is not there."""
    while isinstance(group, click.Group) and parts:
        found = group.get_command(click.Context(group), parts[0])
        assert found is not None, parts
        group, parts = found, parts[1:]
    options = {name for each in group.params for name in each.opts}
    assert {part for part in parts if part.startswith("--")} <= options


def _options(group: click.Command) -> set[str]:
    found = {name for each in group.params for name in each.opts}
    if isinstance(group, click.Group):
        context = click.Context(group)
        for name in group.list_commands(context):
            found |= _options(group.get_command(context, name) or group)
    return found | {"--log-level", "--home"}


@pytest.mark.parametrize("place", WAYS)
def test_the_links_of_places_lead_to_pages_that_exist(place: Place) -> None:
    routes = [
        re.compile(re.sub(r"\\\{\w+(:\w+)?\\\}", "[^/]+", re.escape(route.path)))
        for router in site().routes
        for route in getattr(router, "routes", [])
    ]
    for way in WAYS[place]:
        address = re.sub(r"\{\w+\}", "1", way.address.partition("?")[0])
        assert any(route.fullmatch(address) for route in routes), address


def test_a_name_in_a_command_is_one_word_and_in_a_link_one_part() -> None:
    assert commands_of(Place.MAPPING_RESET, DETAILS) == ("crosstie mapping reset 'PAYMENT TERMS'",)
    assert commands_of(Place.FIELDS, {}) == ("crosstie mapping fields MAPPING",)
    assert commands_of(Place.MAPPING_RESET, {}) == ("crosstie mapping reset",)
    coupled = way_of(errors.NotCoupled(WORDS, place=Place.COUPLE_LOCAL, **DETAILS))
    assert coupled is not None
    assert coupled.address == "/records/PAYMENT%20TERMS/local/10%2F00/couple"
    assert way_of(errors.UsageError(WORDS)) is None


def test_a_next_step_of_ones_own_leads_nowhere_else() -> None:
    own = errors.UnknownMapping(WORDS, next_step="Ask somebody.")
    assert (commands_of(own.taken_at, own.details), way_of(own)) == ((), None)


def test_the_command_line_adds_the_commands_to_the_sentence_and_to_the_document() -> None:
    failing = describe(errors.NotCoupled(WORDS, mapping="CUSTOMER"))
    assert in_words(failing).splitlines()[1] == (
        "Next step: Couple it first, or create its partner: `crosstie couple CUSTOMER`, `crosstie create CUSTOMER`."
    )
    assert json.loads(json.dumps(document(failing)))["commands"] == [
        "crosstie couple CUSTOMER",
        "crosstie create CUSTOMER",
    ]


# --- nothing that only the command line understands stands where pages take it from ---------------------------------

FOR_THE_COMMAND_LINE = ("cli", "sandbox", "store/migrations")


def texts_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the texts of a module that are no docstrings, with their lines."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    told = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.lineno, node.value


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in sorted(SOURCE.rglob("*.py"))
        if not str(path.relative_to(SOURCE)).startswith(FOR_THE_COMMAND_LINE)
    ],
    ids=lambda path: str(path.relative_to(SOURCE)),
)
def test_no_words_outside_the_command_line_name_its_commands(path: Path) -> None:
    wrong = re.compile(r"`crosstie |`--|[a-z] --[a-z]|\bcrosstie (?!\.)[a-z]+ [A-Z]")
    assert [(line, text) for line, text in texts_of(path) if wrong.search(text)] == []


@pytest.mark.parametrize("path", sorted((SOURCE / "web" / "templates").glob("*.html")), ids=lambda path: path.name)
def test_no_template_names_a_command(path: Path) -> None:
    shown = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<[^>]+>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert not SURFACE_ONLY.search(shown)
