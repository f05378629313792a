"""What holds for every page and dialog, as a walk through all of them."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import axe_playwright_python
import httpx
import pytest
from litestar.handlers import HTTPRouteHandler
from playwright.sync_api import Browser, Page, expect

from crosstie.api.application import make_application
from crosstie.api.door import OPEN, OPEN_BELOW, SESSION_COOKIE, is_page
from crosstie.api.shell import MOST_BYTES
from crosstie.app.people.acting import People, command_line
from crosstie.app.people.joining import invite, join
from crosstie.model.people import Permission, Role
from crosstie.web.routing import site as pages
from tests.web.addresses import PAGES
from tests.web.conftest import TRUST, Site, looking
from tests.web.tabbing import WATCH, what_tab_misses

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
LOOKS = [("light", 1280), ("dark", 400)]
if os.environ.get("CROSSTIE_EVERY_POINT"):
    LOOKS += [("dark", 1280), ("light", 400)]
PARTS = {
    "mapping": "CUSTOMER",
    "name": "CUSTOMER",
    "side": "local",
    "table": "account",
    "code": "conflict",
    "job_id": "1",
    "entry_id": "1",
    "problem_id": "1",
    "secret": "x" * 20,
    "step": "1",
    "connection": "bc",
}


@pytest.fixture(scope="module")
def windows(browser: Browser, demo: Site) -> Iterator[dict[tuple[str, int], Page]]:
    """A window for each look."""
    opened = {}
    for scheme, width in LOOKS:
        context = browser.new_context(
            base_url=demo.address, viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True
        )
        context.add_init_script(WATCH)
        opened[scheme, width] = context.new_page()
    yield opened
    for window in opened.values():
        window.context.close()


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look[0]}-{look[1]}")
@pytest.mark.parametrize("name", PAGES)
def test_everybody_can_perceive_and_use_it(
    name: str, look: tuple[str, int], demo: Site, windows: dict[tuple[str, int], Page]
) -> None:
    window = windows[look]
    window.goto(PAGES[name](demo))
    window.evaluate(AXE)
    found = window.evaluate("axe.run(document, {resultTypes: ['violations']})")
    told = [
        f"{each['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for each in found["violations"]
        for node in each["nodes"]
    ]
    assert told == []
    assert window.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), (
        "the page is wider than the window"
    )
    if look[0] == "dark":
        assert what_tab_misses(window) == []


def test_tab_goes_through_what_is_around_every_page(demo: Site, windows: dict[tuple[str, int], Page]) -> None:
    window = windows[LOOKS[0]]
    window.goto("/")
    window.keyboard.press("Tab")
    expect(window.get_by_role("link", name="Skip to the content")).to_be_focused()
    window.keyboard.press("Enter")
    expect(window.locator("#content")).to_be_focused()
    pages = window.get_by_role("navigation", name="Pages")
    for each in ("Connections", "Jobs", "Errors", "Integration Table Mappings"):
        window.keyboard.press("Shift+Tab")
        expect(pages.get_by_role("link", name=each, exact=True)).to_be_focused()


def handlers() -> list[tuple[str, str, HTTPRouteHandler]]:
    """Return method, address and handler of every route of the pages."""
    found = []
    for router in pages().routes:
        for route in getattr(router, "routes", []):
            for handler in getattr(route, "route_handlers", []):
                if isinstance(handler, HTTPRouteHandler) and not route.path.startswith("/static"):
                    address = re.sub(r"\{(\w+)(:\w+)?\}", lambda part: PARTS.get(part[1], "10000"), route.path)
                    found += [(method, address, handler) for method in sorted(handler.http_methods - {"OPTIONS"})]
    return sorted(found, key=lambda each: each[:2])  # the framework keeps them in no order


@pytest.mark.parametrize(
    ("method", "address"),
    [each[:2] for each in handlers() if not (each[1] in OPEN or each[1].startswith(OPEN_BELOW))],
)
def test_without_sign_in_nothing_answers(method: str, address: str, demo: Site) -> None:
    answer = httpx.request(method, demo.address + address, verify=TRUST)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")
    part = httpx.request(method, demo.address + address, headers={"HX-Request": "true"}, verify=TRUST)
    assert (part.status_code, part.headers["hx-redirect"]) == (401, "/sign-in")


@pytest.fixture(scope="module")
def viewer(demo: Site) -> dict[str, str]:
    """What a viewer's browser sends along."""
    people = People(demo.home.store)
    link = invite(people, command_line(), "viewer", Role.VIEWER)
    session = join(people, link.secret or "", "four words and a number 7").secret
    cookie = {"Cookie": f"{SESSION_COOKIE}={session}"}
    token = re.search(
        r'"X-CSRF-Token": "([0-9a-f]+)"', httpx.get(f"{demo.address}/", headers=cookie, verify=TRUST).text
    )
    assert token is not None
    return {**cookie, "X-CSRF-Token": token[1]}


@pytest.mark.parametrize(
    ("method", "address"),
    [each[:2] for each in handlers() if each[2].opt.get("permission", Permission.LOOK) is not Permission.LOOK],
)
def test_a_viewer_writes_nowhere(method: str, address: str, demo: Site, viewer: dict[str, str]) -> None:
    answer = httpx.request(method, demo.address + address, headers=viewer, verify=TRUST)
    assert answer.status_code == 403
    assert "forbidden" in answer.text


def test_a_body_that_is_too_large_is_not_read(demo: Site, viewer: dict[str, str]) -> None:
    answer = httpx.post(f"{demo.address}/sign-out", headers=viewer, content=b"x" * (MOST_BYTES + 1))
    assert answer.status_code == 413


def test_every_route_that_writes_names_its_permission(demo: Site) -> None:
    _, application = make_application(demo.home, site=pages())
    assert application.routes
    unnamed = [
        address
        for method, address, handler in handlers()
        if method not in ("GET", "HEAD")
        and is_page(address)
        and "permission" not in handler.opt
        and not (address in OPEN or address.startswith(OPEN_BELOW))
    ]
    assert unnamed == []


def test_the_keys_and_the_palette_are_there_on_every_page(browser: Browser, demo: Site) -> None:
    with looking(browser, demo) as page:
        page.goto("/")
        page.keyboard.press("Control+k")
        page.keyboard.type("vendors")
        page.keyboard.press("Enter")
        page.wait_for_url("**/lists/VENDOR*")
        page.keyboard.press("?")
        page.get_by_role("dialog", name="Keys").wait_for()
        page.keyboard.press("Escape")
        page.keyboard.press("Alt+e")
        page.wait_for_url("**/problems")
