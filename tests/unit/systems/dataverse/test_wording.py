"""Filters and bodies in the Web API's words."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from crosstie.model.errors import CursorExpired, GarbledAnswer, UnknownField
from crosstie.systems.dataverse.feeds import _cursor_of, _read_cursor
from crosstie.systems.dataverse.filter_text import wire_text
from crosstie.systems.dataverse.writing import Unwritable, body_of
from crosstie.systems.querying import restriction

from .tables import GUID, contact

TABLE = contact()


@pytest.mark.parametrize(
    ("filter", "text", "rest"),
    [
        ("lastname eq 'O''Brien'", "lastname eq 'O''Brien'", None),
        ("lastname eq ''", "lastname eq null", None),
        ("statecode eq 0 and creditonhold", "statecode eq 0 and creditonhold eq true", None),
        ("parentcustomerid ne null", "_parentcustomerid_value ne null", None),
        (
            f"bcbi_companyid eq {GUID} or bcbi_companyid eq null",
            f"(_bcbi_companyid_value eq {GUID} or _bcbi_companyid_value eq null)",
            None,
        ),
        ("parentcustomeridtype eq 'account'", "parentcustomerid_account/accountid ne null", None),
        ("parentcustomeridtype eq 'contact'", "parentcustomerid_contact/contactid ne null", None),
        ("parentcustomeridtype eq null", "_parentcustomerid_value eq null", None),
        ("parentcustomeridtype ne 'account'", "", {"parentcustomeridtype"}),
        ("owneridtype eq 'team'", "_owningteam_value ne null", None),
        ("owneridtype eq 'systemuser'", "_owninguser_value ne null", None),
        ("statecode in (0, 1)", "(statecode eq 0 or statecode eq 1)", None),
        ("not (statecode eq 0 or creditonhold)", "not (statecode eq 0 or creditonhold eq true)", None),
        ("contains(lastname, '50%_[')", "contains(lastname,'50[%][_][[]')", None),
        (
            "startswith(lastname, 'A') and (statecode eq 0 or lastname eq null)",
            "startswith(lastname,'A') and (statecode eq 0 or lastname eq null)",
            None,
        ),
        ("creditlimit gt 10.50", "creditlimit gt 10.50", None),
        ("birthdate lt 2000-01-02", "birthdate lt 2000-01-02", None),
        ("anniversary ge 2000-01-02T03:04:05.999Z", "anniversary ge 2000-01-02T03:04:05Z", None),
        ("lastname eq fullname", "lastname eq fullname", None),
        ("tolower(lastname) eq 'x'", "", {"lastname"}),
        (
            "length(lastname) gt 3 and statecode eq 0 and contains(lastname, fullname)",
            "statecode eq 0",
            {"lastname", "fullname"},
        ),
        ("statecode eq 0 or length(lastname) gt 3", "", {"statecode", "lastname"}),
        ("", "", None),
    ],
)
def test_a_filter_is_split_between_the_service_and_us(filter: str, text: str, rest: set[str] | None) -> None:
    found = restriction(filter, TABLE.schema, lambda condition: wire_text(condition, TABLE))
    assert found.text == text
    assert (None if found.rest is None else set(found.rest.fields)) == rest


@pytest.mark.parametrize(
    ("values", "body"),
    [
        ({"lastname": "Ä", "statecode": 1}, {"lastname": "Ä", "statecode": 1}),
        ({"creditonhold": False}, {"creditonhold": False}),
        ({"lastname": None, "creditlimit": Decimal("1.50")}, {"lastname": None, "creditlimit": Decimal("1.50")}),
        ({"birthdate": date(2000, 1, 2)}, {"birthdate": "2000-01-02"}),
        ({"anniversary": datetime(2000, 1, 2, 3, 4, 5, 999_000, UTC)}, {"anniversary": "2000-01-02T03:04:05Z"}),
        ({"bcbi_companyid": GUID}, {"bcbi_CompanyId@odata.bind": f"/bcbi_companies({GUID})"}),
        ({"bcbi_companyid": None}, {"bcbi_CompanyId@odata.bind": None}),
        ({"parentcustomerid": GUID}, {"parentcustomerid_account@odata.bind": f"/accounts({GUID})"}),
        ({"parentcustomerid": None}, {"parentcustomerid_account@odata.bind": None}),
        ({"parentcustomerid": f"contact:{GUID}"}, {"parentcustomerid_contact@odata.bind": f"/contacts({GUID})"}),
        (
            {"parentcustomerid": GUID, "parentcustomeridtype": "contact"},
            {"parentcustomerid_contact@odata.bind": f"/contacts({GUID})"},
        ),
        ({"ownerid": GUID}, {"ownerid@odata.bind": f"/systemusers({GUID})"}),
        ({"ownerid": f"team:{GUID}"}, {"ownerid@odata.bind": f"/teams({GUID})"}),
        ({"owneridtype": "team", "ownerid": GUID}, {"ownerid@odata.bind": f"/teams({GUID})"}),
    ],
)
def test_values_are_spelled_for_the_body(values: dict[str, Any], body: dict[str, Any]) -> None:
    assert body_of(TABLE, values) == body


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"parentcustomeridtype": "contact"}, "parentcustomeridtype", "written with it"),
        ({"parentcustomerid": f"lead:{GUID}"}, "parentcustomerid", "account, contact, not at lead"),
        ({"birthdate": "soon"}, "birthdate", "no date value|not a date value"),
    ],
)
def test_what_cannot_be_spelled_is_refused_with_its_field(values: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(Unwritable, match=words) as raised:
        body_of(TABLE, values)
    assert raised.value.field == field


def test_an_unknown_field_is_named() -> None:
    with pytest.raises(UnknownField, match="contact has no field 'nonsense'"):
        body_of(TABLE, {"nonsense": 1})


def test_a_cursor_keeps_the_token_and_not_the_address() -> None:
    cursor = _cursor_of("https://x/api/accounts?$select=name&$deltatoken=919042%2108%2f22%2f2017%2008%3a10%3a44")
    assert cursor is not None
    assert _read_cursor(cursor).token == "919042!08/22/2017%2008:10:44"
    assert _cursor_of(None) is None
    with pytest.raises(GarbledAnswer):
        _cursor_of("https://x/api/accounts?$select=name")
    with pytest.raises(CursorExpired):
        _read_cursor("{")
