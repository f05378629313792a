"""What the help of pages says: what is done on them, before what commands do."""

import re
from pathlib import Path

import pytest

from crosstie.web.helping import ON_PAGES, for_pages
from crosstie.web.routes.help import help_of

DOCS = Path(__file__).parents[2] / "docs" / "errors"
COMMANDS_ALONE = {"invalid-option", "job-cancelled", "name-taken", "store", "token-refused", "too-many-attempts"} | {
    "unknown-token",
    "unknown-user",
    "usage",
}
"""What only the command line and programs meet, and what names no command in its steps."""


@pytest.mark.parametrize("path", sorted(DOCS.glob("*.md")), ids=lambda path: path.stem)
def test_next_steps_on_pages_name_no_command_first(path: Path) -> None:
    if path.stem in COMMANDS_ALONE:
        assert path.stem not in ON_PAGES
        return
    _, text = help_of(path.stem)
    steps = text.partition("<h2>What to do</h2>")[2].partition("<h2>")[0]
    assert steps
    assert "<code>crosstie " not in steps


@pytest.mark.parametrize("code", ON_PAGES)
def test_the_documentation_keeps_its_commands_below(code: str) -> None:
    text = (DOCS / f"{code}.md").read_text()
    shown = for_pages(code, text)
    assert re.search(r"## What to do\n\n.+\n\n## On the command line\n\n", shown)
    assert shown.count("\n## ") == text.count("\n## ") + 1


@pytest.mark.parametrize("path", sorted(DOCS.glob("*.md")), ids=lambda path: path.stem)
def test_links_lead_to_pages_that_there_are(path: Path) -> None:
    for link in re.findall(r'href="/help/errors/([^"]*)"', str(help_of(path.stem)[1])):
        help_of(link)
    assert ".md" not in re.sub(r"<code>.*?</code>", "", str(help_of(path.stem)[1]))
