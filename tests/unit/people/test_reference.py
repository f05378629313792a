"""The page on people says what the code does."""

import re
from datetime import timedelta
from pathlib import Path

from crosstie.app.people import auditing, joining, passwords, sessions, tokens
from crosstie.app.people.limiting import Limits
from crosstie.model.people import GRANTS, LinkPurpose

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "reference" / "people.md").read_text(encoding="utf-8")
WORDS = " ".join(PAGE.split())


def test_the_table_of_permissions_is_the_one_that_is_asked() -> None:
    rows = re.findall(r"^\| (.+) \| (\w+) \| `(\w+)` \|$", PAGE, flags=re.MULTILINE)
    assert rows == [(grant.words, grant.role.value, permission.value) for permission, grant in GRANTS.items()]


def test_the_figures_are_those_of_the_code() -> None:
    limits = Limits()
    assert limits.window == timedelta(minutes=15)
    for most, words in ((limits.name_and_place, "this name from this address"), (limits.place, "any names from this")):
        assert f"| {most} | {words}" in PAGE
    assert f"| {limits.name} | this name from any addresses |" in PAGE
    assert {purpose: kept.days for purpose, kept in joining.KEPT.items()} == {
        LinkPurpose.FIRST_ADMINISTRATOR: 1,
        LinkPurpose.INVITATION: 7,
        LinkPurpose.NEW_PASSWORD: 1,
    }
    assert timedelta(hours=8) == sessions.IDLE
    assert timedelta(days=7) == sessions.LONGEST
    assert "end after eight idle hours, seven days at the latest" in WORDS
    assert f"have {passwords.LEAST} to {passwords.MOST:,} characters" in WORDS
    assert f"| API token | 1 to {tokens.MOST_DAYS} days |" in PAGE
    assert (auditing.LINKS_KEPT.days, auditing.TOKENS_KEPT.days, auditing.AUDIT_KEPT.days) == (30, 90, 730)
    assert "kept for two years, links for 30 days and tokens for 90 days" in WORDS
