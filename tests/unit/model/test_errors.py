"""Every error and every cause has a code of its own, words, a next step, an exit code and a page."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from crosstie.model import errors
from crosstie.model.causes import CAUSES, Cause
from crosstie.model.errors import CrosstieError
from crosstie.model.problems import ProblemClass

PAGES = Path(__file__).parents[3] / "docs" / "errors"
SECTIONS = ["## What it means", "## Why it happens", "## What to do"]


def tree(root: type[CrosstieError] = CrosstieError) -> Iterator[type[CrosstieError]]:
    yield root
    for child in root.__subclasses__():
        yield from tree(child)


# Errors of other folders are in the tree only when something has imported them; those of the model always are.
ERRORS = [each for each in tree() if each.__module__ == errors.__name__]
CODES = [*(each.code for each in ERRORS), *CAUSES]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_an_error_has_a_code_of_its_own_that_is_its_name(error: type[CrosstieError]) -> None:
    assert "code" in error.__dict__
    spelt = re.sub(r"(?<!^)(?=[A-Z])", "-", error.__name__).lower()
    assert spelt.removesuffix("-error") == error.code or error is CrosstieError


def test_no_two_errors_or_causes_share_a_code() -> None:
    assert len(CODES) == len(set(CODES))


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_an_error_says_its_words_and_the_next_step_and_keeps_the_details(error: type[CrosstieError]) -> None:
    plain = error("The store is gone.", path="/x")
    assert str(plain) == f"The store is gone. {error.next_step}".rstrip()
    assert plain.details == {"path": "/x"}
    advised = error("The store is gone.", next_step="Look under the table.")
    assert (advised.words, advised.advice) == ("The store is gone.", "Look under the table.")
    assert str(advised) == "The store is gone. Look under the table."


@pytest.mark.parametrize(
    ("root", "exit_code"),
    [
        (errors.UsageError, 2),
        (errors.SystemFailure, 3),
        (errors.StoreError, 3),
        (errors.GuardStopped, 4),
    ],
)
def test_exit_codes_go_by_branch(root: type[CrosstieError], exit_code: int) -> None:
    assert {each.exit_code for each in tree(root)} == {exit_code}


def test_the_tree_in_the_module_names_every_class() -> None:
    drawn = set(re.findall(r"[A-Z]\w+", (errors.__doc__ or "").partition("\n\n")[2]))
    assert {each.__name__ for each in ERRORS} <= drawn


@pytest.mark.parametrize("cause", CAUSES.values(), ids=lambda cause: cause.code)
def test_a_cause_has_a_code_a_title_and_a_next_step(cause: Cause) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", cause.code)
    assert CAUSES[cause.code] is cause
    assert cause.title[0].isupper()
    assert not cause.title.endswith(".")
    assert cause.next_step.endswith(".")


@pytest.mark.parametrize("cause", CAUSES.values(), ids=lambda cause: cause.code)
def test_what_passes_by_itself_asks_nothing_of_anybody(cause: Cause) -> None:
    if cause.problem_class is ProblemClass.TRANSIENT:
        assert cause.next_step.startswith("Nothing")


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_page_with_words_meaning_cause_and_next_step(code: str) -> None:
    text = (PAGES / f"{code}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {code}: ")
    assert re.search(r"```\n.+\n```", text), "no example of the words"
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert headings == SECTIONS
    for part in re.split(r"^## .*$", text, flags=re.MULTILINE)[1:]:
        assert len(part.strip()) > 10


def test_every_page_is_of_a_code() -> None:
    assert {path.stem for path in PAGES.glob("*.md")} == set(CODES)
