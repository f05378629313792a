"""Reading rows: select, filter, order, count, pages, annotations (wire-dataverse section 4)."""

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote_plus, urlencode

import pytest

from .service import NOBODY, ROOT, Service, multipart, part, statuses

ALL = ["adatum", "Ålesund", "Contoso", "Fabrikam", "Zeta %"]


@pytest.fixture
def stocked(service: Service) -> Service:
    """Five accounts, two with contacts."""
    service.clock.set(datetime(2026, 5, 6, 12, tzinfo=UTC))
    pia = service.create("contacts", firstname="Pia", lastname="Holm")
    ids = {}
    for number, name in enumerate(ALL):
        ids[name] = service.create(
            "accounts",
            name=name,
            accountnumber=f"A{number}",
            numberofemployees=number,
            revenue=number * 1000.5,
            customertypecode=3 if number % 2 else None,
            telephone1=None if number else "555",
        )
        service.clock.advance(60)
    service.change(f"accounts({ids['Contoso']})", primarycontactid__bind=f"contacts({pia})")
    for name in ("Lee", "Moe"):
        service.create("contacts", lastname=name, parentcustomerid_account__bind=f"accounts({ids['Fabrikam']})")
    service.change(f"accounts({ids['adatum']})", parentaccountid__bind=f"accounts({ids['Contoso']})")
    return service


FILTERS = [
    ("name eq 'ADATUM'", ["adatum"]),
    ("name eq 'Alesund  '", ["Ålesund"]),
    ("name ne 'adatum'", ["Ålesund", "Contoso", "Fabrikam", "Zeta %"]),
    ("telephone1 ne '555'", []),
    ("telephone1 ne null and name ne null", ["adatum"]),
    ("customertypecode eq 3 and (numberofemployees gt 1 or name eq 'x')", ["Fabrikam"]),
    ("not (customertypecode eq 3)", []),
    ("numberofemployees ge 1 and numberofemployees lt 3", ["Ålesund", "Contoso"]),
    ("revenue eq 2001", ["Contoso"]),
    ("revenue gt 3001.4999", ["Fabrikam", "Zeta %"]),
    ("contains(name,'TO')", ["Contoso"]),
    ("startswith(name,'a') or endswith(name,'m')", ["adatum", "Ålesund", "Fabrikam"]),
    ("contains(name,'Z_ta')", ["Zeta %"]),
    ("contains(name,'[cf]%o')", ["Contoso"]),
    ("startswith(name,'[a-b]d')", ["adatum"]),
    ("name eq accountnumber", []),
    ("accountnumber ne name and numberofemployees eq 0", ["adatum"]),
    ("primarycontactid/fullname eq 'pia holm'", ["Contoso"]),
    ("parentaccountid/primarycontactid/lastname eq 'Holm'", ["adatum"]),
    ("_primarycontactid_value ne null", ["Contoso"]),
    ("primarycontactid eq null and numberofemployees gt 2", ["Fabrikam", "Zeta %"]),
    (f"_primarycontactid_value eq {NOBODY} or _primarycontactid_value eq '{NOBODY}'", []),
    ("contact_customer_accounts/any()", ["Fabrikam"]),
    ("contact_customer_accounts/any(c:c/lastname eq 'moe')", ["Fabrikam"]),
    ("contact_customer_accounts/all(c:c/lastname ne 'Lee') and numberofemployees gt 2", ["Zeta %"]),
    ("account_parent_account/any(a:a/name eq 'adatum')", ["Contoso"]),
    ("createdon ge 2026-05-06T12:03:00Z", ["Fabrikam", "Zeta %"]),
    ("createdon gt 2026-05-06T12:02:00.500Z", ["Fabrikam", "Zeta %"]),
    ("createdon ge 2026-05-06T12:02:00.500Z and createdon le 2026-05-06T14:03:00+02:00", ["Fabrikam"]),
    ("creditonhold eq false and statecode eq 0 and numberofemployees eq 4", ["Zeta %"]),
    (
        "Microsoft.Dynamics.CRM.In(PropertyName='accountnumber',PropertyValues=['a1','A3','none'])",
        ["Ålesund", "Fabrikam"],
    ),
    ('Microsoft.Dynamics.CRM.In(PropertyName="numberofemployees",PropertyValues=["0"])', ["adatum"]),
    ("Microsoft.Dynamics.CRM.NotIn(PropertyName='numberofemployees',PropertyValues=['0','1','2','3'])", ["Zeta %"]),
    (
        "Microsoft.Dynamics.CRM.Between(PropertyName='numberofemployees',PropertyValues=['1','2'])",
        ["Ålesund", "Contoso"],
    ),
    ("Microsoft.Dynamics.CRM.NotBetween(PropertyName='numberofemployees',PropertyValues=['1','4'])", ["adatum"]),
    (
        "Microsoft.Dynamics.CRM.LastXHours(PropertyName='createdon',PropertyValue=1) and numberofemployees eq 1",
        ["Ålesund"],
    ),
    ("Microsoft.Dynamics.CRM.OlderThanXMinutes(PropertyName='createdon',PropertyValue=4)", ["adatum"]),
    ("Microsoft.Dynamics.CRM.Today(PropertyName='createdon') and numberofemployees eq 2", ["Contoso"]),
    ("Microsoft.Dynamics.CRM.Yesterday(PropertyName='createdon')", []),
    ("Microsoft.Dynamics.CRM.OnOrAfter(PropertyName='createdon',PropertyValue='2026-05-07')", []),
    (
        "Microsoft.Dynamics.CRM.On(PropertyName='createdon',PropertyValue='2026-05-06') and numberofemployees eq 3",
        ["Fabrikam"],
    ),
    ("Microsoft.Dynamics.CRM.EqualUserId(PropertyName='ownerid') and numberofemployees eq 3", ["Fabrikam"]),
    ("Microsoft.Dynamics.CRM.NotEqualUserId(PropertyName='ownerid')", []),
    (
        "Microsoft.Dynamics.CRM.EqualBusinessId(PropertyName='owningbusinessunit') and numberofemployees eq 3",
        ["Fabrikam"],
    ),
]


@pytest.mark.parametrize(("condition", "names"), FILTERS)
def test_filters_compare_as_the_service_does(stocked: Service, condition: str, names: list[str]) -> None:
    assert stocked.filtered(condition) == sorted(names, key=ALL.index)


def test_a_switch_makes_ne_bring_rows_without_a_value(stocked: Service) -> None:
    stocked.settings.change({"ne_includes_null": True})
    assert stocked.filtered("telephone1 ne '555'") == ALL[1:]


def test_rows_below_and_above_in_a_hierarchy(stocked: Service) -> None:
    top = stocked.rows("accounts?$select=name&$filter=name eq 'Contoso'".replace(" ", "%20"))[0]["accountid"]
    low = stocked.rows("accounts?$select=name&$filter=name eq 'adatum'".replace(" ", "%20"))[0]["accountid"]
    function = "Microsoft.Dynamics.CRM.{}(PropertyName='accountid',PropertyValue='{}')"
    assert stocked.filtered(function.format("Under", top)) == ["adatum"]
    assert stocked.filtered(function.format("UnderOrEqual", top)) == ["adatum", "Contoso"]
    assert stocked.filtered(function.format("Above", low)) == ["Contoso"]
    assert stocked.filtered(function.format("AboveOrEqual", low)) == ["adatum", "Contoso"]


def test_aliases_stand_for_values(stocked: Service) -> None:
    address = "accounts?$select=name&$filter=name%20eq%20@p1&@p1='contoso'"
    assert [row["name"] for row in stocked.rows(address)] == ["Contoso"]
    assert stocked.rows("accounts?$select=name&$filter=name%20eq%20@p1") == []


REFUSED = [
    ("$filter=name eq 'x", "There is an unterminated literal at position 8 in 'name eq 'x'."),
    ("$filter=nosuch eq 1", "Could not find a property named 'nosuch' on type 'Microsoft.Dynamics.CRM.account'."),
    ("$filter=primarycontactid/nosuch eq 1", "'nosuch' on type 'Microsoft.Dynamics.CRM.contact'"),
    ("$filter=nosuch/any()", "'nosuch'"),
    ("$filter=primarycontactid/contact_customer_contacts/any()", "behind a lookup"),
    ("$filter=tolower(name) eq 'x'", "tolower"),
    ("$filter=length(name) gt 3", "length"),
    ("$filter=numberofemployees add 1 eq 2", "arithmetic"),
    ("$filter=name in ('a','b')", "Microsoft.Dynamics.CRM.In"),
    ("$filter=statecode eq 'x'", "a number is needed"),
    ("$filter=Microsoft.Dynamics.CRM.NoSuch(PropertyName='name')", "NoSuch"),
    ("$filter=Microsoft.Dynamics.CRM.LastXDays(PropertyName='createdon',PropertyValue='x')", "whole number"),
    ("$filter=name", "condition"),
    ("$select=nosuch", "Could not find a property named 'nosuch'"),
    ("$select=Name", "Could not find a property named 'Name'"),
    ("$orderby=nosuch", "'nosuch'"),
    ("$orderby=name sideways", "sideways"),
    ("$skip=5", "Skip Clause is not supported in CRM"),
    ("$search=x", "Search Clause is not supported in CRM"),
    ("$format=json", "The query parameter $format is not supported"),
    ("$compute=x", "The query parameter $compute is not supported"),
    ("$Filter=name eq 'x'", "The query parameter $Filter is not supported"),
    ("$top=x", "$top"),
    ("$count=maybe", "$count"),
    ("$skiptoken=nonsense", "paging cookie"),
]


@pytest.mark.parametrize(("option", "words"), REFUSED)
def test_what_the_service_cannot_do_is_refused(stocked: Service, option: str, words: str) -> None:
    answer = stocked.get("accounts?" + option.replace(" ", "%20").replace("'", "%27"))
    assert answer.status == 400
    assert words in answer.message


def test_select_brings_the_id_and_the_currency_of_money(stocked: Service) -> None:
    row = stocked.rows("accounts?$select=name,primarycontactid")[0]
    assert row.keys() == {"@odata.etag", "name", "accountid", "_primarycontactid_value"}
    assert "_transactioncurrencyid_value" in stocked.rows("accounts?$select=revenue")[0]
    assert stocked.rows("systemusers?$select=fullname")[0].keys() == {
        "@odata.etag",
        "fullname",
        "systemuserid",
        "ownerid",
    }


FORMS = [
    "accounts?$select=name&$filter=name%20eq%20'contoso'",
    "accounts?%24select=name&%24filter=name+eq+%27contoso%27",
    "accounts?$select=name&$filter=+name+eq+'contoso'+",
    "accounts/Microsoft.Dynamics.CRM.account?$select=name&$filter=name%20eq%20%27contoso%27",
]


@pytest.mark.parametrize("address", FORMS)
def test_options_come_raw_or_encoded(stocked: Service, address: str) -> None:
    assert [row["name"] for row in stocked.rows(address)] == ["Contoso"]


ORDERS = [
    ("name", ["adatum", "Ålesund", "Contoso", "Fabrikam", "Zeta %"]),
    ("numberofemployees desc", ["Zeta %", "Fabrikam", "Contoso", "Ålesund", "adatum"]),
    ("customertypecode desc,name desc", ["Fabrikam", "Ålesund", "Zeta %", "Contoso", "adatum"]),
    ("primarycontactid/fullname desc,name", ["Contoso", "adatum", "Ålesund", "Fabrikam", "Zeta %"]),
    ("revenue", ["adatum", "Ålesund", "Contoso", "Fabrikam", "Zeta %"]),
]


@pytest.mark.parametrize(("order", "names"), ORDERS)
@pytest.mark.parametrize("size", [None, 1, 2])
def test_rows_come_in_order_on_pages_of_any_size(
    stocked: Service, order: str, names: list[str], size: int | None
) -> None:
    headers = {"Prefer": f"odata.maxpagesize={size}"} if size else {}
    found, _ = walk(stocked, f"accounts?$select=name&$orderby={quote(order)}", **headers)
    assert [row["name"] for row in found] == names


def walk(service: Service, address: str | None, **headers: str) -> tuple[list[dict[str, Any]], list[int]]:
    """All rows behind an address, and how many each page had."""
    rows, pages = [], []
    while address:
        body = service.row(address, **headers)
        rows += body["value"]
        pages.append(len(body["value"]))
        address = body.get("@odata.nextLink")
    return rows, pages


def test_pages_are_linked_by_cookies_in_the_real_form(stocked: Service) -> None:
    answer = stocked.get("accounts?$select=name&$count=true", Prefer="odata.maxpagesize=2")
    assert answer.headers["Preference-Applied"] == "odata.maxpagesize=2"
    assert answer.json["@odata.count"] == 5
    link = answer.json["@odata.nextLink"]
    assert link.startswith(f"{ROOT}/accounts?$select=name&$count=true&$skiptoken=%3ccookie")
    token = unquote_plus(link.partition("$skiptoken=")[2])
    last = answer.value[-1]["accountid"]
    inner = unquote_plus(
        unquote_plus(re.fullmatch(r'<cookie pagenumber="2" pagingcookie="(.*)" istracking="False" />', token)[1])
    )
    assert inner == f'<cookie page="1"><accountid last="{{{last.upper()}}}" first="{{{last.upper()}}}" /></cookie>'
    rows, pages = walk(stocked, "accounts?$select=name", Prefer="odata.maxpagesize=2")
    assert (pages, len({row["accountid"] for row in rows})) == ([2, 2, 1], 5)
    assert "Prefer" not in answer.headers
    assert len(stocked.rows(link)) == 3, "without the preference the page size falls back"


def test_a_cookie_may_come_back_decoded_and_encoded_again(stocked: Service) -> None:
    link = stocked.row("accounts?$select=name", Prefer="odata.maxpagesize=2")["@odata.nextLink"]
    token = unquote_plus(link.partition("$skiptoken=")[2])
    again = f"accounts?{urlencode({'$select': 'name', '$skiptoken': token})}"
    assert len(stocked.rows(again)) == 3


def test_a_page_begins_behind_the_last_row_whatever_was_written_meanwhile(stocked: Service) -> None:
    address = "accounts?$select=name&$orderby=modifiedon"
    first = stocked.row(address, Prefer="odata.maxpagesize=2")
    stocked.change(f"accounts({first['value'][0]['accountid']})", fax="1")
    rest, _ = walk(stocked, first["@odata.nextLink"], Prefer="odata.maxpagesize=2")
    names = [row["name"] for row in [*first["value"], *rest]]
    assert len(names) == 6
    assert set(names) == set(ALL), "the changed row comes twice, none is missed"


def test_top_gives_that_many_rows_and_no_link(stocked: Service) -> None:
    body = stocked.row("accounts?$select=name&$top=2&$orderby=name")
    assert [row["name"] for row in body["value"]] == ALL[:2]
    assert "@odata.nextLink" not in body
    both = stocked.row("accounts?$select=name&$top=1", Prefer="odata.maxpagesize=3")
    assert len(both["value"]) == 3, "maxpagesize goes before $top"


def test_counts_and_pages_end_at_five_thousand(service: Service) -> None:
    service.system.insert_many("contact", ({"lastname": f"L{number:05}"} for number in range(5001)))
    assert service.get("contacts/$count").body == b"5000"
    filtered = "contacts/$count?$filter=lastname%20gt%20%27L00002%27"
    assert service.get(filtered).body == b"4998"
    body = service.row("contacts?$select=lastname&$count=true", Prefer='odata.include-annotations="*"')
    assert (body["@odata.count"], len(body["value"])) == (5000, 5000)
    assert body["@Microsoft.Dynamics.CRM.totalrecordcount"] == 5000
    assert body["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"] is True
    assert len(service.rows(body["@odata.nextLink"])) == 1
    assert len(service.rows("contacts?$select=lastname", Prefer="odata.maxpagesize=9000")) == 5000
    count = service.row("RetrieveTotalRecordCount(EntityNames=@p)?@p=[%22contact%22,'account']")
    assert count["EntityRecordCountCollection"]["Values"] == [5001, 0]


def test_annotations_come_when_asked_for_and_before_their_value(stocked: Service) -> None:
    address = (
        "accounts?$select=name,revenue,customertypecode,creditonhold,createdon,_primarycontactid_value,_ownerid_value"
    )
    address += "&$filter=name%20eq%20'Contoso'"
    plain = stocked.rows(address)[0]
    assert not [name for name in plain if "@" in name.lstrip("@")]
    answer = stocked.get(address, Prefer='odata.include-annotations="*"')
    assert answer.headers["Preference-Applied"] == 'odata.include-annotations="*"'
    row = answer.value[0]
    formatted = "@OData.Community.Display.V1.FormattedValue"
    assert row[f"revenue{formatted}"] == "$2,001.00"
    assert row[f"creditonhold{formatted}"] == "No"
    assert row[f"createdon{formatted}"] == "5/6/2026 12:02 PM"
    assert row[f"_primarycontactid_value{formatted}"] == "Pia Holm"
    assert row["_primarycontactid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "contact"
    assert row["_primarycontactid_value@Microsoft.Dynamics.CRM.associatednavigationproperty"] == "primarycontactid"
    assert row["_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "systemuser"
    names = list(row)
    assert names.index(f"revenue{formatted}") + 1 == names.index("revenue")
    assert f"customertypecode{formatted}" not in row, "no annotation without a value"
    assert f"name{formatted}" not in row
    only = stocked.rows(address, Prefer='odata.include-annotations="Microsoft.Dynamics.CRM.*"')[0]
    assert f"revenue{formatted}" not in only
    assert "_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname" in only


def test_a_row_that_the_client_has_already_is_not_sent_again(stocked: Service) -> None:
    row = stocked.rows("accounts?$select=name")[0]
    address = f"accounts({row['accountid']})?$select=name"
    assert stocked.get(address).headers["ETag"] == row["@odata.etag"]
    same = stocked.get(address, If_None_Match=row["@odata.etag"])
    assert (same.status, same.body) == (304, b"")
    assert stocked.get(address, If_None_Match='W/"1"').status == 200
    assert stocked.get(address, If_None_Match="null").status == 200
    assert stocked.get(f"{address}&$expand=primarycontactid", If_None_Match=row["@odata.etag"]).status == 200
    annotated = stocked.get(address, If_None_Match=row["@odata.etag"], Prefer='odata.include-annotations="*"')
    assert annotated.status == 200
    assert stocked.get(f"accounts({row['accountid']})?$filter=name%20eq%20'x'").status == 400


def test_an_over_long_address_is_refused_alone_and_taken_inside_a_batch(stocked: Service) -> None:
    values = ",".join(f"'{number:09}'" for number in range(3500))
    function = f"Microsoft.Dynamics.CRM.In(PropertyName='accountnumber',PropertyValues=[{values}])"
    address = f"accounts?$select=name&$filter={function}"
    assert stocked.get(address).status == 414
    answer = stocked.send(
        "POST", "$batch", multipart([part("GET", address)]), Content_Type="multipart/mixed;boundary=batch_1"
    )
    assert statuses(answer) == [200]


def test_a_filter_has_five_hundred_conditions_at_most(stocked: Service) -> None:
    def filtered(count: int) -> int:
        conditions = " or ".join(f"numberofemployees eq {number}" for number in range(count))
        return stocked.get(f"accounts?$select=name&$filter={conditions}").status

    assert [filtered(count) for count in (500, 501, 1100)] == [200, 400, 400]
