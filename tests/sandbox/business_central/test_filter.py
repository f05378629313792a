"""``$filter``: what works, what is refused, what is ignored in silence (wire-businesscentral section 4)."""

import pytest

from .service import Service


@pytest.fixture
def some(stocked: Service) -> Service:
    for number, name, city, limit, blocked in (
        ("C1", "Adatum", "Ely", 10.5, " "),
        ("C2", "Trey's 100% Café", "London", 20, "All"),
        ("C3", "adatum east", "Ely", 0, "Ship"),
    ):
        body = {"number": number, "displayName": name, "city": city, "creditLimit": limit, "blocked": blocked}
        stocked.made("customers", body)
    stocked.changed(f"customers({stocked.one(_number('C2'))['id']})", {"currencyCode": "EUR"})
    return stocked


def _number(number: str) -> str:
    return f"customers?$filter=number eq '{number}'"


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("displayName eq 'Adatum'", ["C1"]),
        ("'Adatum' eq displayName", ["C1"]),
        ("displayName eq 'adatum'", []),
        ("displayName ne 'Adatum'", ["C2", "C3"]),
        ("number eq ' c1 '", ["C1"]),
        ("number gt 'C1' and number le 'C3'", ["C2", "C3"]),
        ("displayName eq 'Trey''s 100%25 Café'", ["C2"]),
        ("contains(displayName,'100%25')", ["C2"]),
        ("contains(displayName,'a%25m')", []),
        ("startswith(displayName,'Ada')", ["C1"]),
        ("endswith(displayName,'east')", ["C3"]),
        ("tolower(displayName) eq 'adatum'", ["C1"]),
        ("contains(toupper(displayName),'ADATUM')", ["C1", "C3"]),
        ("substring(displayName,1) eq 'datum'", ["C1"]),
        ("creditLimit ge 10.5", ["C1", "C2"]),
        ("creditLimit eq null", ["C3"]),
        ("blocked eq '_x0020_'", ["C1"]),
        ("blocked eq ' '", ["C1"]),
        ("blocked eq Microsoft.NAV.customerBlocked'All'", ["C2"]),
        ("blocked ne 'All'", ["C1", "C3"]),
        ("taxLiable eq false", ["C1", "C2", "C3"]),
        ("currencyCode eq 'gbp'", ["C1", "C3"]),
        ("currencyId eq 00000000-0000-0000-0000-000000000000", ["C1", "C3"]),
        ("city eq 'Ely' or city eq 'London'", ["C1", "C2", "C3"]),
        ("number eq 'C1' or number eq 'C3' or number eq 'C9'", ["C1", "C3"]),
        ("(city eq 'Ely' or city eq 'Bath') and creditLimit gt 0", ["C1"]),
        ("creditLimit lt 5 or creditLimit gt 15", ["C2", "C3"]),
        ("lastModifiedDateTime gt 2026-05-04T08:00:00.1229Z", ["C1", "C2", "C3"]),
        ("lastModifiedDateTime lt 2026-05-04T08:00:00.1231Z", ["C1", "C2", "C3"]),
        ("lastModifiedDateTime gt 2026-05-04T08:00:00.123Z", []),
        ("lastModifiedDateTime ge 2026-05-04T10:00:00.123%2B02:00", ["C1", "C2", "C3"]),
        ("lastModifiedDateTime gt 2026-05-04", ["C1", "C2", "C3"]),
    ],
)
def test_what_a_filter_finds(some: Service, text: str, numbers: list[str]) -> None:
    assert some.get(f"customers?$filter={text}").column("number") == numbers


def test_an_id_finds_its_record(some: Service) -> None:
    row = some.one(_number("C2"))
    assert some.one(f"customers?$filter=id eq {row['id']}")["number"] == "C2"
    assert some.one(f"customers?$filter=currencyId eq {row['currencyId']}")["number"] == "C2"


@pytest.mark.parametrize(
    "text",
    [
        "city eq 'Ely' or number eq 'C2'",
        "creditLimit gt 5 or (creditLimit eq 5 and number gt 'C1')",
        "not (city eq 'Ely')",
        "creditLimit add 1 gt 5",
        "length(city) eq 3",
        "currency/code eq 'EUR'",
        "city eq displayName",
    ],
)
def test_what_the_service_cannot_do_is_501(some: Service, text: str) -> None:
    assert some.get(f"customers?$filter={text}").refusal == (501, "BadRequest_MethodNotImplemented")


def test_or_on_distinct_fields_is_refused_in_the_services_words(some: Service) -> None:
    answer = some.get("customers?$filter=city eq 'Ely' or number eq 'C2'")
    assert answer.message == "The 'OR' operator is not supported on distinct fields on an OData filter."


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("number in ('C1','C2')", ["C1", "C2", "C3"]),
        ("number in ('C1') and city eq 'London'", ["C2"]),
        ("number in ('C1') or number eq 'C2'", ["C1", "C2", "C3"]),
        ("pictures/any(p:p/id eq 1)", ["C1", "C2", "C3"]),
    ],
)
def test_lists_and_lambdas_are_ignored_in_silence(some: Service, text: str, numbers: list[str]) -> None:
    assert some.get(f"customers?$filter={text}").column("number") == numbers


def test_lists_can_be_made_an_error(some: Service) -> None:
    some.settings.change({"unsupported_filter": "refuse"})
    answer = some.get("customers?$filter=number in ('C1')")
    assert answer.refusal == (501, "BadRequest_MethodNotImplemented")


def test_lists_work_under_the_newer_schema(some: Service) -> None:
    answer = some.get("customers?$schemaversion=2.1&$filter=number in ('c1','C3')")
    assert answer.column("number") == ["C1", "C3"]
    assert some.get("customers?$schemaversion=2.1&$filter=length(city) eq 3").column("number") == ["C1", "C3"]


@pytest.mark.parametrize(
    "text",
    [
        "city eq",
        "city eq 'Ely",
        "city = 'Ely'",
        "city",
        "creditLimit eq 'much'",
        "lastModifiedDateTime gt 'soon'",
        "id eq 5",
        "blocked eq 'Sometimes'",
        "taxLiable eq 1",
    ],
)
def test_a_filter_that_cannot_be_read_is_400(some: Service, text: str) -> None:
    assert some.get(f"customers?$filter={text}").refusal == (400, "BadRequest")


def test_case_can_be_switched_off(some: Service) -> None:
    some.settings.change({"case_sensitive": False})
    assert some.get("customers?$filter=displayName eq 'ADATUM'").column("number") == ["C1"]
    assert some.get("customers?$filter=contains(displayName,'ADATUM')").column("number") == ["C1", "C3"]


def test_a_long_list_of_keys_is_one_look_up(some: Service) -> None:
    wanted = " or ".join(f"number eq 'C{n}'" for n in range(150))
    assert some.get(f"customers?$filter={wanted}").column("number") == ["C1", "C2", "C3"]
