"""Change tracking: what changed since a token, deletions included (wire-dataverse section 10)."""

import re
from typing import Any
from urllib.parse import unquote_plus, urlencode

import pytest

from .service import ROOT, Service

TRACK = "odata.track-changes"


def begin(service: Service, address: str = "accounts?$select=name") -> str:
    """Read a table once; returns the delta link."""
    return str(service.row(address, Prefer=TRACK)["@odata.deltaLink"])


def changes(service: Service, link: str, prefer: str = TRACK) -> tuple[list[Any], str]:
    """Follow a delta link to its end: names of changed rows, ids of deleted ones, and the next link."""
    found: list[Any] = []
    body: dict[str, Any] = {"@odata.nextLink": link}
    while following := body.get("@odata.nextLink"):
        body = service.row(following, Prefer=prefer)
        assert body["@odata.context"].endswith("/$delta")
        found += [row["id"] if "reason" in row else row["name"] for row in body["value"]]
    return found, body["@odata.deltaLink"]


def test_a_tracked_reading_ends_with_a_delta_link(service: Service) -> None:
    for name in ("A", "B", "C"):
        service.create("accounts", name=name)
    first = service.get("accounts?$select=name", Prefer=f"{TRACK},odata.maxpagesize=2")
    assert first.headers["Preference-Applied"] == f"{TRACK}, odata.maxpagesize=2"
    assert len(first.value) == 2
    assert "@odata.deltaLink" not in first.json
    last = service.row(first.json["@odata.nextLink"], Prefer=f"{TRACK},odata.maxpagesize=2")
    assert len(last["value"]) == 1
    pattern = (
        rf"{re.escape(ROOT)}/accounts\?\$select=name&\$deltatoken=\d+%21\d\d%2f\d\d%2f\d{{4}}%20\d\d%3a\d\d%3a\d\d"
    )
    assert re.fullmatch(pattern, last["@odata.deltaLink"])


def test_a_delta_gives_changed_rows_in_full_then_deletions(service: Service) -> None:
    one, two = (service.create("accounts", name=name) for name in ("One", "Two"))
    link = begin(service)
    service.create("accounts", name="Three")
    service.send("DELETE", f"accounts({two})")
    service.change(f"accounts({one})", fax="not selected, yet a change")
    body = service.row(link)
    assert body["@odata.context"] == f"{ROOT}/$metadata#accounts(name)/$delta"
    assert [row.get("name") for row in body["value"]] == ["Three", "One", None]
    assert body["value"][0].keys() == {"@odata.etag", "name", "accountid"}
    assert body["value"][-1] == {
        "@odata.context": f"{ROOT}/$metadata#accounts/$deletedEntity",
        "id": two,
        "reason": "deleted",
    }


def test_nothing_changed_is_an_empty_delta_with_a_link(service: Service) -> None:
    service.create("accounts", name="A")
    found, link = changes(service, begin(service))
    assert found == []
    assert changes(service, link)[0] == []


def test_created_and_deleted_between_two_readings_is_a_deletion(service: Service) -> None:
    link = begin(service)
    gone = service.create("accounts", name="A")
    service.send("DELETE", f"accounts({gone})")
    assert changes(service, link)[0] == [gone]


def test_a_row_that_came_back_with_its_id_is_no_deletion(service: Service) -> None:
    account = service.create("accounts", name="A")
    link = begin(service)
    service.send("DELETE", f"accounts({account})")
    service.create("accounts", name="B", accountid=account)
    assert changes(service, link)[0] == ["B"]


def test_a_long_delta_comes_on_pages(service: Service) -> None:
    link = begin(service)
    ids = [service.create("accounts", name=f"N{number}") for number in range(7)]
    for account in ids[:3]:
        service.send("DELETE", f"accounts({account})")
    found, following = changes(service, link, f"{TRACK},odata.maxpagesize=2")
    assert found == ["N3", "N4", "N5", "N6", *ids[:3]]
    assert changes(service, following)[0] == []


def test_a_change_during_the_first_reading_is_in_the_first_delta(service: Service) -> None:
    for name in ("A", "B", "C"):
        service.create("accounts", name=name)
    prefer = f"{TRACK},odata.maxpagesize=1"
    first = service.row("accounts?$select=name", Prefer=prefer)
    service.change(f"accounts({first['value'][0]['accountid']})", name="Changed")
    body = first
    while "@odata.nextLink" in body:
        body = service.row(body["@odata.nextLink"], Prefer=prefer)
    assert changes(service, body["@odata.deltaLink"])[0] == ["Changed"]


def test_a_row_that_was_let_go_of_by_a_deletion_has_changed(service: Service) -> None:
    account = service.create("accounts", name="A")
    contact = service.create("contacts", lastname="B", parentcustomerid_account__bind=f"accounts({account})")
    link = str(service.row("contacts?$select=lastname", Prefer=TRACK)["@odata.deltaLink"])
    service.send("DELETE", f"accounts({account})")
    assert [row["contactid"] for row in service.rows(link)] == [contact]


def test_a_token_may_come_back_decoded_and_encoded_again(service: Service) -> None:
    token = unquote_plus(begin(service).partition("$deltatoken=")[2])
    service.create("accounts", name="A")
    again = f"accounts?{urlencode({'$select': 'name', '$deltatoken': token})}"
    assert [row["name"] for row in service.rows(again)] == ["A"]


@pytest.mark.parametrize(
    "option", ["$filter=statecode%20eq%200", "$orderby=name", "$expand=primarycontactid", "$top=3"]
)
@pytest.mark.parametrize("delta", [False, True])
def test_options_that_tracking_does_not_take_are_refused(service: Service, option: str, delta: bool) -> None:
    address = begin(service) if delta else "accounts?$select=name"
    answer = service.get(f"{address}&{option}", Prefer=TRACK)
    name = option.partition("=")[0].lstrip("$")
    assert (answer.status, answer.code) == (400, "0x80060888")
    assert answer.message == f'The "${name}" query parameter isn\'t supported when Change Tracking is enabled.'


def test_a_token_expires(service: Service) -> None:
    link = begin(service)
    service.clock.advance(7 * 86400 - 60)
    assert changes(service, link)[0] == []
    service.clock.advance(120)
    expired = service.get(link)
    assert (expired.status, expired.code) == (400, "0x80044352")
    service.settings.change({"change_tracking_days": 30})
    assert service.get(link).status == 200


@pytest.mark.parametrize("token", ["x", "5", "919042!99/99/2017 08:10:44", "99999999999!08/22/2026 08:10:44"])
def test_a_token_that_is_none_is_refused(service: Service, token: str) -> None:
    assert service.get(f"accounts?$deltatoken={token.replace(' ', '%20')}").status == 400


def test_the_number_of_changes_can_be_asked_for(service: Service) -> None:
    link = begin(service)
    gone = service.create("accounts", name="A")
    service.create("accounts", name="B")
    service.send("DELETE", f"accounts({gone})")
    token = link.partition("$deltatoken=")[2]
    assert service.get(f"accounts/$count?$deltatoken={token}").body == b"2"


def test_a_table_must_be_tracked(service: Service) -> None:
    assert service.get("organizations", Prefer=TRACK).status == 400
    definition = "EntityDefinitions(LogicalName='account')?$select=ChangeTrackingEnabled"
    assert service.row(definition)["ChangeTrackingEnabled"] is True
    service.settings.change({"untracked_tables": ["account"]})
    assert "Change tracking is not enabled" in service.get("accounts", Prefer=TRACK).message
    assert service.row(definition)["ChangeTrackingEnabled"] is False
    assert service.get("accounts").status == 200
