"""Names of 250 characters, with markup and from right to left, in lists, their heads, and dialogs for a selection."""

from collections.abc import Iterator

import msgspec
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.web.conftest import Site, looking
from tests.web.pairs import pair
from tests.web.test_lists import row, rows
from tests.web.test_many import opened

MARKUP = ('<b onclick="alert(\'x\')">Bold</b> & "Co" </td></tr><script>alert(1)</script> ' * 4)[:250]
HEBREW = ("חברת שלום בע״מ " * 17)[:249] + "ם"
WORD = "W" * 250
NAMES = {"10000": MARKUP, "20000": HEBREW, "30000": WORD}


@pytest.fixture
def named(small: Site) -> Site:
    """Couplings of records whose names are longer than an API would take, under such a mapping and such fields."""
    host, other = small.sandbox.business_central.database, small.sandbox.dataverse.database
    for number, name in NAMES.items():
        local, remote = pair(small, number, displayName=f"Customer {number}", city="Ely", email="kim@adatum.example")
        host.execute("UPDATE c1_customer SET name = ?, city = ? WHERE system_id = ?", (name, name, local))
        other.execute("UPDATE account SET name = ?, address1_city = ? WHERE accountid = ?", (name, name, remote))
    with small.home.store.begin() as unit:
        mapping = next(each for each in unit.mappings() if each.name == "CUSTOMER")
        fields = [
            msgspec.structs.replace(each, label=WORD) if each.local_field == "city" else each for each in mapping.fields
        ]
        unit.put_mapping(msgspec.structs.replace(mapping, label=MARKUP, fields=tuple(fields)))
        found = unit.couplings.page("CUSTOMER")
        unit.couplings.update(
            [
                msgspec.structs.replace(
                    each, local_name=NAMES[each.local_key or ""], remote_name=NAMES[each.local_key or ""]
                )
                for each in found
            ]
        )
    return small


@pytest.fixture(params=[1280, 400])
def narrow_and_wide(request: pytest.FixtureRequest, browser: Browser, named: Site) -> Iterator[Page]:
    with looking(browser, named) as page:
        page.set_viewport_size({"width": request.param, "height": 900})
        yield page


def stays_within(page: Page) -> None:
    """Nothing is wider than the window, but what scrolls by itself."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "the page does not scroll"
    beyond = page.evaluate(
        """() => [...document.querySelectorAll("body *")].filter((each) => {
          const box = each.getBoundingClientRect();
          const scrolls = each.closest(".grid-wrap, .tabs, .commands, .chips, .skip, .sr") || !each.checkVisibility();
          return !scrolls && box.width > 0 && (box.right > innerWidth + 1 || box.left < -1);
        }).map((each) => `${each.tagName}.${each.className}`)"""
    )
    assert beyond == [], beyond


def shows(place: Locator, name: str) -> None:
    expect(place.locator("bdi", has_text=name.strip()).first).to_be_attached()


@pytest.mark.parametrize("side", ["", "/remote"])
def test_a_list_with_long_names_stays_within_the_window(narrow_and_wide: Page, side: str) -> None:
    page = narrow_and_wide
    page.goto(f"/lists/CUSTOMER{side}")
    expect(rows(page)).to_have_count(3)
    for name in NAMES.values():
        shows(rows(page), name)
    expect(page.locator("b[onclick]")).to_have_count(0)
    stays_within(page)
    heights = [box["height"] for each in rows(page).all() if (box := each.bounding_box())]
    if page.viewport_size and page.viewport_size["width"] > 800:
        assert max(heights) <= 60, "a long name does not make its row tall"


@pytest.mark.parametrize("action", ["Synchronise now", "Delete Coupling"])
def test_dialogs_for_long_names_stay_within_the_window(narrow_and_wide: Page, action: str) -> None:
    page = narrow_and_wide
    page.goto("/lists/CUSTOMER")
    for number in ("10000", "20000"):
        row(page, number).get_by_role("checkbox").check()
    dialog = opened(page, action)
    for name in (MARKUP, HEBREW):
        shows(dialog, name)
    expect(page.locator("b[onclick]")).to_have_count(0)
    stays_within(page)
