"""Reading: what entities look like, selection, order, pages, expansion, counts (wire-businesscentral sections 3-4)."""

import re
from base64 import b64decode
from datetime import UTC, datetime

import pytest

from .service import NO_ID, Service

ETAG = re.compile(r'W/"([A-Za-z0-9+/=]+)"')


@pytest.fixture
def five(stocked: Service) -> Service:
    """Five customers; two share a city."""
    for n, (name, city) in enumerate(
        [("Adatum", "Ely"), ("Trey", "London"), ("Fabrikam", "Ely"), ("adventure", "Bath"), ("Litware", "")], 1
    ):
        stocked.clock.set(datetime(2026, 5, 4, 8, 0, n, n * 100_000, UTC))
        stocked.made("customers", {"number": f"C{n}", "displayName": name, "city": city, "creditLimit": n * 10.5})
    return stocked


def test_nothing_is_null(service: Service) -> None:
    customer = service.made("customers", {"displayName": "Adatum"})
    assert None not in customer.values()
    assert customer["addressLine1"] == ""
    assert customer["creditLimit"] == 0
    assert customer["currencyId"] == NO_ID
    assert customer["currencyCode"] == "GBP"
    assert customer["taxLiable"] is False
    assert customer["blocked"] == "_x0020_"
    assert customer["type"] == "Company"
    contact = service.one("contacts")
    assert contact["lastInteractionDate"] == "0001-01-01"


def test_etags_have_the_services_shape_and_are_in_the_header_of_single_reads(service: Service) -> None:
    customer = service.made("customers", {"displayName": "Adatum"})
    match = ETAG.fullmatch(customer["@odata.etag"])
    assert match
    inner = b64decode(match[1]).decode()
    length, digits, mark, end = inner.strip("'").split(";")
    assert digits.endswith("1")
    assert (int(length), mark, end) == (len(digits) - 1, "00", "")
    assert service.get(f"customers({customer['id']})").headers["etag"] == customer["@odata.etag"]


def test_times_have_milliseconds_without_trailing_zeros(service: Service) -> None:
    for micro, text in ((123_000, ".123Z"), (120_000, ".12Z"), (0, "00Z")):
        service.clock.set(datetime(2026, 5, 4, 8, 0, 0, micro, UTC))
        assert service.made("customers", {"displayName": "A"})["lastModifiedDateTime"].endswith(text)


def test_select_gives_what_was_asked_for_and_the_etag(five: Service) -> None:
    answer = five.get("customers?$select=displayName,number&$top=1")
    assert set(answer.rows[0]) == {"@odata.etag", "number", "displayName"}
    assert answer.json["@odata.context"].endswith("#customers(displayName,number)")
    assert five.get("customers?$select=*").rows[0]["city"] == "Ely"


@pytest.mark.parametrize("option", ["$select=size", "$orderby=size", "$filter=size eq 1", "$expand=size"])
def test_an_unknown_property_is_refused(five: Service, option: str) -> None:
    answer = five.get(f"customers?{option}")
    assert answer.refusal == (400, "BadRequest")
    assert "'size'" in answer.message


@pytest.mark.parametrize("option", ["$search=Adatum", "$apply=groupby((city))"])
def test_options_that_the_service_lacks_are_refused(five: Service, option: str) -> None:
    assert five.get(f"customers?{option}").refusal == (501, "BadRequest_MethodNotImplemented")


@pytest.mark.parametrize(
    ("orderby", "numbers"),
    [
        ("number desc", ["C5", "C4", "C3", "C2", "C1"]),
        ("city", ["C5", "C4", "C1", "C3", "C2"]),
        ("city desc,creditLimit desc", ["C2", "C3", "C1", "C4", "C5"]),
        ("lastModifiedDateTime", ["C1", "C2", "C3", "C4", "C5"]),
    ],
)
def test_order(five: Service, orderby: str, numbers: list[str]) -> None:
    assert five.get(f"customers?$orderby={orderby}").column("number") == numbers


def test_order_words_are_lower_case(five: Service) -> None:
    assert five.get("customers?$orderby=number DESC").refusal == (400, "BadRequest")


def test_top_and_skip(five: Service) -> None:
    answer = five.get("customers?$top=2&$skip=1")
    assert answer.column("number") == ["C2", "C3"]
    assert "@odata.nextLink" not in answer.json
    assert five.get("customers?$top=0").rows == []
    assert five.get("customers?$top=x").refusal == (400, "BadRequest")


def test_count_beside_the_page_and_alone(five: Service) -> None:
    answer = five.get("customers?$count=true&$filter=city eq 'Ely'&$top=1")
    assert (answer.json["@odata.count"], len(answer.rows)) == (2, 1)
    alone = five.get("customers/$count")
    assert (alone.raw, alone.headers["content-type"]) == (b"5", "text/plain")
    assert five.get("customers/$count?$filter=city eq 'Ely'").raw == b"2"
    five.settings.change({"count_with_mark": True})
    assert five.get("customers/$count").raw == b"\xef\xbb\xbf5"


def follow(service: Service, path: str, prefer: str = "odata.maxpagesize=2") -> list[list[str]]:
    """The numbers on every page, by following the links."""
    pages, answer = [], service.get(path, Prefer=prefer)
    while True:
        pages.append(answer.column("number"))
        link = answer.json.get("@odata.nextLink")
        if link is None:
            return pages
        assert link.startswith("http://bc.example/v2.0/sandbox/api/v2.0/customers?")
        assert "aid=FIRST" in link
        answer = service.get(link.removeprefix("http://bc.example"), Prefer=prefer)


@pytest.mark.parametrize(
    ("query", "pages"),
    [
        ("", [["C1", "C2"], ["C3", "C4"], ["C5"]]),
        ("?$orderby=number desc", [["C5", "C4"], ["C3", "C2"], ["C1"]]),
        ("?$orderby=city desc,number", [["C2", "C1"], ["C3", "C4"], ["C5"]]),
        ("?$filter=city eq 'Ely' or city eq ''", [["C1", "C3"], ["C5"]]),
        ("?$filter=lastModifiedDateTime gt 2026-05-04T08:00:01.1Z", [["C2", "C3"], ["C4", "C5"]]),
        ("?$top=3", [["C1", "C2"], ["C3"]]),
        ("?$top=2", [["C1", "C2"]]),
        ("?$skip=1&$top=4", [["C2", "C3"], ["C4", "C5"]]),
        ("?$select=number", [["C1", "C2"], ["C3", "C4"], ["C5"]]),
    ],
)
def test_pages_are_followed_to_the_end(five: Service, query: str, pages: list[list[str]]) -> None:
    assert follow(five, f"customers{query}") == pages


def test_records_that_go_meanwhile_shift_nothing(five: Service) -> None:
    first = five.get("customers", Prefer="odata.maxpagesize=2")
    five.delete(f"customers({first.rows[0]['id']})")
    link = first.json["@odata.nextLink"].removeprefix("http://bc.example")
    assert five.get(link, Prefer="odata.maxpagesize=2").column("number") == ["C3", "C4"]


def test_the_server_page_cannot_be_raised(five: Service) -> None:
    five.settings.change({"page_size": 3})
    answer = five.get("customers", Prefer="odata.maxpagesize=100")
    assert len(answer.rows) == 3
    assert answer.headers["preference-applied"] == "odata.maxpagesize=3"
    assert "@odata.nextLink" in answer.json


def test_a_made_up_skip_token_is_refused(five: Service) -> None:
    for token in ("40000", "%25%25", "W1tdLG51bGxd"):
        assert five.get(f"customers?$skiptoken={token}").refusal == (400, "BadRequest")


def test_change_tracking_is_not_there_any_more(five: Service) -> None:
    answer = five.get("customers", Prefer="odata.track-changes")
    assert len(answer.rows) == 5
    assert "@odata.deltaLink" not in answer.json


def test_a_deleted_record_leaves_no_trace(five: Service) -> None:
    id = five.one("customers?$filter=number eq 'C2'")["id"]
    assert five.delete(f"customers({id})").status == 204
    assert five.get(f"customers({id})").status == 404
    assert five.get("customers").column("number") == ["C1", "C3", "C4", "C5"]


def test_expand_single_and_none(stocked: Service) -> None:
    euro = stocked.one("currencies?$filter=code eq 'EUR'")
    stocked.made("customers", {"number": "C1", "displayName": "A", "currencyCode": "EUR"})
    stocked.made("customers", {"number": "C2", "displayName": "B"})
    first, second = stocked.get("customers?$expand=currency,paymentTerm($select=code),customerFinancialDetails").rows
    assert first["currency"] == euro
    assert second["currency"] is None
    assert first["paymentTerm"] is None
    assert first["customerFinancialDetails"]["number"] == "C1"
    assert stocked.get(f"customers({first['id']})?$expand=currency($select=code)").json["currency"]["code"] == "EUR"


def test_navigation_reaches_what_expansion_shows(stocked: Service) -> None:
    customer = stocked.made("customers", {"displayName": "A", "currencyCode": "EUR"})
    assert stocked.get(f"customers({customer['id']})/currency").json["code"] == "EUR"
    assert stocked.get(f"customers({customer['id']})/paymentTerm").status == 204
    assert stocked.get(f"customers({customer['id']})/customerFinancialDetail").json["balance"] == 0


def test_expand_many_with_options_inside(stocked: Service) -> None:
    stocked.made("items", {"number": "1000", "displayName": "Desk"})
    for code in ("RED", "BLUE", "GREEN"):
        stocked.made("itemVariants", {"itemNumber": "1000", "code": code, "description": code.title()})
    stocked.made("items", {"number": "1001", "displayName": "Chair"})
    inner = "$select=code;$filter=code ne 'RED';$orderby=code desc;$top=1;$expand=item($select=number)"
    desk, chair = stocked.get(f"items?$expand=itemVariants({inner})").rows
    variant = desk["itemVariants"][0]
    assert (len(desk["itemVariants"]), variant["code"], variant["item"]["number"]) == (1, "GREEN", "1000")
    assert chair["itemVariants"] == []


def test_setup_tables_have_one_record(service: Service) -> None:
    assert service.one("generalLedgerSetup")["localCurrencyCode"] == "GBP"
    company = service.one("companyInformation")
    assert company["currencyCode"] == "GBP"
    assert service.changed(f"companyInformation({company['id']})", {"displayName": "CRONUS"})["displayName"] == "CRONUS"
    assert service.post("companyInformation", {}).refusal == (405, "BadRequest_MethodNotAllowed")
    assert service.delete(f"companyInformation({company['id']})").refusal == (405, "BadRequest_MethodNotAllowed")


def test_read_only_intent_is_for_reading(five: Service) -> None:
    assert five.call("GET", "customers", headers={"Data-Access-Intent": "ReadOnly"}).status == 200
    answer = five.call("POST", "customers", {"displayName": "A"}, {"Data-Access-Intent": "ReadOnly"})
    assert answer.refusal == (400, "BadRequest")
