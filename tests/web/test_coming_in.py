"""Coming in: the sign-in, the first administrator's link, sessions, foreign forms."""

import re

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from crosstie.api.door import SESSION_COOKIE
from crosstie.app.people.acting import People
from crosstie.app.people.joining import first_administrator_link
from tests.web.conftest import Site, looking


def test_the_visitor_of_a_demo_is_signed_in_on_this_machine(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    page.locator(".account summary").click()
    expect(page.locator(".account .menu")).to_contain_text("Administrator")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "crosstie.local:80"])
def test_a_name_that_another_server_could_take_is_not_this_machine(small: Site, host: str) -> None:
    answer = httpx.get(f"{small.address}/sign-in", headers={"Host": host})
    assert answer.status_code == 200
    assert "Password" in answer.text
    assert "set-cookie" not in answer.headers


def test_the_first_administrator_follows_the_link_and_can_sign_in_again(browser: Browser, small: Site) -> None:
    link = first_administrator_link(People(small.home.store))
    assert link is not None
    with looking(browser, small) as page:
        page.goto(f"/join/{link.secret}")
        page.get_by_label("Your name").fill("Anna")
        page.get_by_label("Password").fill("short")
        page.get_by_role("button", name="Come in").click()
        expect(page.get_by_role("alert")).to_contain_text("weak-password")
        page.get_by_label("Password").fill("four words and a number 7")
        page.get_by_role("button", name="Come in").click()
        expect(page.get_by_role("heading", name="Home")).to_be_visible()
        page.goto(f"/join/{link.secret}")
        expect(page.get_by_role("alert")).to_contain_text("used already")


def test_leaving_ends_the_session(page: Page, small: Site) -> None:
    page.goto("/")
    cookie = next(each for each in page.context.cookies() if each.get("name") == SESSION_COOKIE)
    assert cookie.get("httpOnly")
    assert cookie.get("sameSite") == "Lax"
    page.locator(".account summary").click()
    with page.expect_navigation():
        page.get_by_role("button", name="Sign out").click()
    answer = httpx.get(f"{small.address}/", headers={"Cookie": f"{SESSION_COOKIE}={cookie.get('value')}"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


@pytest.mark.parametrize(
    "address", ["//evil.example/", "https://evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_the_sign_in_leads_nowhere_else(small: Site, address: str) -> None:
    answer = httpx.get(f"{small.address}/sign-in", params={"next": address})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_a_page_says_where_to_go_on_after_the_sign_in(small: Site) -> None:
    answer = httpx.get(f"{small.address}/lists/CUSTOMER?search=a%26b")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=/lists/CUSTOMER%3Fsearch%3Da%2526b"


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({}, "does not belong to this session"),
        ({"X-CSRF-Token": "0" * 64}, "does not belong to this session"),
        ({"Origin": "https://evil.example"}, "comes from https://evil.example"),
        ({"Sec-Fetch-Site": "cross-site"}, "comes from elsewhere"),
    ],
)
def test_a_form_from_elsewhere_is_refused(small: Site, headers: dict[str, str], words: str) -> None:
    cookie = {"Cookie": f"{SESSION_COOKIE}={small.session()}"}
    answer = httpx.post(f"{small.address}/sign-out", headers={**cookie, **headers})
    assert answer.status_code == 403
    assert words in answer.text
    assert httpx.get(f"{small.address}/", headers=cookie).status_code == 200, "still signed in"


def test_sessions_of_browsers_open_no_door_of_programs(small: Site) -> None:
    cookie = {"Cookie": f"{SESSION_COOKIE}={small.session()}"}
    assert httpx.get(f"{small.address}/api/v1/me", headers=cookie).status_code == 401
    assert httpx.get(f"{small.address}/metrics", headers=cookie).status_code == 401


def test_pages_may_load_and_do_nothing_from_elsewhere(small: Site) -> None:
    cookie = {"Cookie": f"{SESSION_COOKIE}={small.session()}"}
    answer = httpx.get(f"{small.address}/", headers=cookie)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert not re.search(r"unsafe|\*", policy)
    assert answer.headers["cache-control"] == "no-store"
