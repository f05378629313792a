"""The other languages in which a query may come: $apply, fetchXml, sql (wire-dataverse section 4)."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote
from xml.etree import ElementTree

import pytest

from .service import Service


@pytest.fixture
def stocked(service: Service) -> Service:
    service.clock.set(datetime(2026, 5, 6, 12, tzinfo=UTC))
    for number, name in enumerate(("Adatum", "Contoso", "Fabrikam", "Wingtip")):
        account = service.create(
            "accounts", name=name, numberofemployees=number * 10, customertypecode=3 + number % 2 * 7
        )
        service.change(f"accounts({account})", revenue=100.5 * number)
        service.clock.advance(86400)
        for contact in range(number):
            service.create(
                "contacts",
                lastname=f"{name} {contact}",
                birthdate=f"19{70 + number}-01-02",
                parentcustomerid_account__bind=f"accounts({account})",
            )
    return service


def apply(service: Service, text: str) -> list[dict[str, Any]]:
    return service.rows(f"accounts?$apply={quote(text)}")


def test_aggregates_are_computed(stocked: Service) -> None:
    terms = "revenue with sum as total,numberofemployees with average as staff,$count as n,revenue with max as most"
    text = f"aggregate({terms})"
    assert apply(stocked, text) == [{"total": 603.0, "staff": 15.0, "n": 4, "most": 301.5}]
    assert b'"total":603.0000' in stocked.get(f"accounts?$apply={quote(text)}").body
    grouped = (
        "filter(numberofemployees gt 0)/groupby((customertypecode),aggregate(numberofemployees with sum as staff))"
    )
    assert apply(stocked, grouped) == [{"customertypecode": 3, "staff": 20}, {"customertypecode": 10, "staff": 40}]
    assert apply(stocked, "groupby((statecode))") == [{"statecode": 0}]
    assert apply(stocked, "aggregate(customertypecode with countdistinct as kinds)") == [{"kinds": 2}]


@pytest.mark.parametrize(
    "text",
    [
        "topcount(1,revenue)",
        "aggregate(revenue)",
        "aggregate(nosuch with sum as x)",
        "groupby((nosuch))",
        "filter(statecode eq 0)",
        "aggregate(revenue with median as x)",
        "compute(1 as x)/aggregate($count as n)",
    ],
)
def test_other_transformations_are_refused(stocked: Service, text: str) -> None:
    assert stocked.get(f"accounts?$apply={quote(text)}").status == 400


def test_an_aggregate_over_too_many_rows_is_refused(stocked: Service) -> None:
    stocked.settings.change({"aggregate_limit": 3})
    answer = stocked.get("accounts?$apply=aggregate($count%20as%20n)")
    assert (answer.status, answer.code) == (400, "0x8004e023")


def fetch(service: Service, xml: str, table: str = "accounts", **headers: str) -> dict[str, Any]:
    return service.row(f"{table}?fetchXml={quote(xml)}", **headers)


def entity(inner: str, attributes: str = "", name: str = "account") -> str:
    named = "<attribute name='name'/><order attribute='name'/>"
    return f"<fetch {attributes}><entity name='{name}'>{named}{inner}</entity></fetch>"


CONDITIONS = [
    ("<condition attribute='name' operator='eq' value='contoso'/>", ["Contoso"]),
    ("<condition attribute='name' operator='ne' value='Contoso'/>", ["Adatum", "Fabrikam", "Wingtip"]),
    ("<condition attribute='name' operator='like' value='%a%m'/>", ["Adatum", "Fabrikam"]),
    ("<condition attribute='name' operator='not-like' value='%a%'/>", ["Contoso", "Wingtip"]),
    ("<condition attribute='name' operator='begins-with' value='w'/>", ["Wingtip"]),
    ("<condition attribute='revenue' operator='gt' value='100.5'/>", ["Fabrikam", "Wingtip"]),
    (
        "<condition attribute='numberofemployees' operator='between'><value>5</value><value>25</value></condition>",
        ["Contoso", "Fabrikam"],
    ),
    (
        "<condition attribute='numberofemployees' operator='in'><value>0</value><value>30</value></condition>",
        ["Adatum", "Wingtip"],
    ),
    ("<condition attribute='primarycontactid' operator='null'/>", ["Adatum", "Contoso", "Fabrikam", "Wingtip"]),
    ("<condition attribute='name' operator='not-null'/><condition attribute='statecode' operator='eq' value='1'/>", []),
    ("<condition attribute='createdon' operator='on-or-after' value='2026-05-08'/>", ["Fabrikam", "Wingtip"]),
    ("<condition attribute='createdon' operator='on' value='2026-05-07'/>", ["Contoso"]),
    ("<condition attribute='createdon' operator='last-x-days' value='2'/>", ["Fabrikam", "Wingtip"]),
    ("<condition attribute='createdon' operator='olderthan-x-days' value='3'/>", ["Adatum"]),
    ("<condition attribute='createdon' operator='yesterday'/>", ["Wingtip"]),
    ("<condition attribute='ownerid' operator='eq-userid'/>", ["Adatum", "Contoso", "Fabrikam", "Wingtip"]),
    ("<condition attribute='creditonhold' operator='eq' value='1'/>", []),
]


@pytest.mark.parametrize(("condition", "names"), CONDITIONS)
def test_fetch_conditions(stocked: Service, condition: str, names: list[str]) -> None:
    body = fetch(stocked, entity(f"<filter>{condition}</filter>"))
    assert [row["name"] for row in body["value"]] == names


def test_fetch_filters_nest_and_tables_are_linked(stocked: Service) -> None:
    inner = (
        "<filter type='or'><condition attribute='name' operator='eq' value='Adatum'/><filter>"
        "<condition attribute='numberofemployees' operator='gt' value='5'/>"
        "<condition attribute='numberofemployees' operator='lt' value='15'/></filter></filter>"
    )
    assert [row["name"] for row in fetch(stocked, entity(inner))["value"]] == ["Adatum", "Contoso"]
    link = (
        "<link-entity name='contact' from='parentcustomerid' to='accountid' alias='c'{}><attribute name='lastname'/>"
        "<order attribute='lastname' descending='true'/><filter><condition attribute='birthdate' operator='on-or-after'"
        " value='1972-01-01'/></filter></link-entity>"
    )
    rows = fetch(stocked, entity(link.format("")))["value"]
    assert [row["c.lastname"] for row in rows] == ["Fabrikam 1", "Fabrikam 0", "Wingtip 2", "Wingtip 1", "Wingtip 0"]
    outer = fetch(stocked, entity(link.format(" link-type='outer'"), "distinct='true'"))["value"]
    assert [row["name"] for row in outer] == [
        "Adatum",
        "Contoso",
        "Fabrikam",
        "Fabrikam",
        "Wingtip",
        "Wingtip",
        "Wingtip",
    ]
    assert "c.lastname" not in outer[0]
    named = "<filter><condition entityname='c' attribute='lastname' operator='eq' value='Wingtip 2'/></filter>"
    assert [row["name"] for row in fetch(stocked, entity(link.format("") + named))["value"]] == ["Wingtip"]


def test_fetch_pages_by_number_and_by_cookie(stocked: Service) -> None:
    prefer = 'odata.include-annotations="*"'
    body = fetch(stocked, entity("", "count='3' returntotalrecordcount='true'"), Prefer=prefer)
    assert [row["name"] for row in body["value"]] == ["Adatum", "Contoso", "Fabrikam"]
    assert body["@Microsoft.Dynamics.CRM.morerecords"] is True
    assert body["@Microsoft.Dynamics.CRM.totalrecordcount"] == 4
    cookie = ElementTree.fromstring(body["@Microsoft.Dynamics.CRM.fetchxmlpagingcookie"])
    inner = unquote(unquote(str(cookie.get("pagingcookie"))))
    assert ElementTree.fromstring(inner).get("page") == "1"
    xml = ElementTree.fromstring(entity("", "count='3'"))
    xml.set("page", str(cookie.get("pagenumber")))
    xml.set("paging-cookie", inner)
    last = fetch(stocked, ElementTree.tostring(xml, encoding="unicode"), Prefer=prefer)
    assert [row["name"] for row in last["value"]] == ["Wingtip"]
    assert last["@Microsoft.Dynamics.CRM.morerecords"] is False
    assert "@Microsoft.Dynamics.CRM.morerecords" not in fetch(stocked, entity("", "count='3'"))
    assert len(fetch(stocked, entity("", "top='2'"))["value"]) == 2
    assert (
        "telephone1" in fetch(stocked, "<fetch><entity name='account'><all-attributes/></entity></fetch>")["value"][0]
    )


@pytest.mark.parametrize(
    "xml",
    [
        "<fetch>",
        "<query/>",
        "<!DOCTYPE x><fetch/>",
        entity("", name="contact"),
        entity("<attribute name='nosuch'/>"),
        entity("<filter><condition attribute='nosuch' operator='eq' value='1'/></filter>"),
        entity("<filter><condition attribute='name' operator='nosuch' value='1'/></filter>"),
        entity("<filter><condition attribute='statecode' operator='eq' value='x'/></filter>"),
        entity("<link-entity name='nosuch' from='a' to='b'/>"),
        entity("<link-entity name='contact' from='nosuch' to='accountid'/>"),
        entity("<link-entity name='contact' from='contactid' to='primarycontactid' link-type='exists'/>"),
        entity("<filter><condition entityname='c' attribute='name' operator='null'/></filter>"),
        entity("", "aggregate='true'"),
        entity("", "top='1' count='1'"),
    ],
)
def test_a_fetch_that_cannot_be_read_is_refused(stocked: Service, xml: str) -> None:
    assert stocked.get(f"accounts?fetchXml={quote(xml)}").status == 400


JOINED = (
    "SELECT a.name, COUNT(c.contactid) AS n FROM account a JOIN contact c ON a.accountid = c.parentcustomerid "
    "WHERE a.numberofemployees IN (10, 20) GROUP BY a.name ORDER BY a.name"
)
DISTINCT = "SELECT DISTINCT customertypecode FROM account WHERE name <> 'x' AND NOT (statecode = 1) ORDER BY 1"
STATEMENTS = [
    ("SELECT TOP 2 name FROM account ORDER BY name DESC", [{"name": "Wingtip"}, {"name": "Fabrikam"}]),
    ("SELECT name FROM account WHERE name = 'contoso'", [{"name": "Contoso"}]),
    ("select a.name as label from account as a where a.name like 'W%'", [{"label": "Wingtip"}]),
    ("SELECT name, revenue FROM account WHERE revenue > 300", [{"name": "Wingtip", "revenue": 301.5}]),
    ("SELECT COUNT(*) AS n FROM contact", [{"n": 6}]),
    (JOINED, [{"name": "Contoso", "n": 1}, {"name": "Fabrikam", "n": 2}]),
    (DISTINCT, [{"customertypecode": 3}, {"customertypecode": 10}]),
    ("SELECT [name] FROM [account] WHERE name = N'it''s' OR fax IS NOT NULL", []),
]


@pytest.mark.parametrize(("statement", "rows"), STATEMENTS)
def test_sql_selects(stocked: Service, statement: str, rows: list[dict[str, Any]]) -> None:
    assert stocked.rows(f"accounts?sql={quote(statement)}") == rows


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM account",
        "SELECT * FROM account",
        "SELECT name FROM account; DROP TABLE account",
        "SELECT name FROM sqlite_master",
        "SELECT nosuch FROM account",
        "SELECT a.nosuch FROM account a",
        "SELECT name FROM account a JOIN team t ON a.ownerid = t.teamid",
        "SELECT fold(name) FROM account",
        "SELECT name FROM account WHERE",
        "SELECT TOP x name FROM account",
        "SELECT 1",
    ],
)
def test_sql_that_is_no_plain_reading_is_refused(stocked: Service, statement: str) -> None:
    assert stocked.get(f"accounts?sql={quote(statement)}").status == 400


def test_saved_queries_are_not_known(service: Service) -> None:
    assert service.get("accounts?savedQuery=11111111-1111-1111-1111-111111111111").status == 404
