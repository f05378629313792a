"""A walk with Tab: once through all that can be used on a page, in its order, in view and marked, and out again."""

from pathlib import Path

from playwright.sync_api import Page, expect

WATCH = (Path(__file__).parent / "tabbing.js").read_text()
"""To be there before the page is: it sees where the focus goes."""


MOST = 80
"""So many stops are walked; what comes after so many is rows like those before."""


def what_tab_misses(page: Page) -> list[str]:
    """Press Tab as often as the page's content has stops, and once more, and return what is wrong."""
    expect(page.locator(".htmx-request")).to_have_count(0)
    stops = page.evaluate("walk.begin(document.getElementById('content'))")
    for _ in range(min(len(stops), MOST) + 1):
        page.keyboard.press("Tab")
    been, wrong = page.evaluate("walk.end()")
    for at, expected in enumerate(stops[:MOST]):
        if been[at : at + 1] != [expected]:
            return [*wrong, f"after {been[:at][-1:]} comes {been[at : at + 1]} instead of {expected}"]
    if len(been) > len(stops) + 1:
        wrong += [f"it does not end: {been}"]
    return list(wrong)
