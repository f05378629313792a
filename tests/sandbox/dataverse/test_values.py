"""Values on their way in and out: types, lengths, limits, options (wire-dataverse section 5)."""

import pytest

from .service import NOBODY, Service

STORED = [
    ("name", "Ærø & Søn", "Ærø & Søn"),
    ("name", "", None),
    ("name", "n" * 160, "n" * 160),
    ("description", "two\r\nlines", "two\r\nlines"),
    ("revenue", 20000, 20000.0),
    ("revenue", 12.345, 12.35),
    ("numberofemployees", 0, 0),
    ("creditonhold", True, True),
    ("industrycode", 33, 33),
    ("address1_latitude", 12.3456789, 12.34568),
    ("lastusedincampaign", "2024-02-29", "2024-02-29"),
    ("overriddencreatedon", "2024-05-06T07:08:09.987Z", None),
    ("stageid", "AAAAAAAA-BBBB-CCCC-DDDD-EEEEEEEEEEEE", "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"),
]


@pytest.mark.parametrize(("column", "sent", "kept"), STORED)
def test_a_value_is_kept_as_its_column_keeps_it(service: Service, column: str, sent: object, kept: object) -> None:
    account = service.create("accounts", name="A")
    service.change(f"accounts({account})", **{column: sent})
    assert service.row(f"accounts({account})?$select={column}")[column] == kept


TIMES = [
    ("2024-05-06T07:08:09Z", "2024-05-06T07:08:09Z"),
    ("2024-05-06T07:08:09.999Z", "2024-05-06T07:08:09Z"),
    ("2024-05-06T07:08:09+02:00", "2024-05-06T05:08:09Z"),
    ("2024-05-06", "2024-05-06T00:00:00Z"),
    ("1753-01-01T00:00:00Z", "1753-01-01T00:00:00Z"),
]


@pytest.mark.parametrize(("sent", "kept"), TIMES)
def test_times_have_whole_seconds_in_utc(service: Service, sent: str, kept: str) -> None:
    account = service.create("accounts", name="A", overriddencreatedon=sent)
    assert service.row(f"accounts({account})?$select=createdon")["createdon"] == kept


REFUSED = [
    ("name", "n" * 161, "0x80044331", "length of the 'name' attribute of the 'account' entity exceeded"),
    ("name", 5, "0x80048d19", "'name' to the expected type 'Edm.String'"),
    ("name", "bell\x07", "0x80040278", "Invalid characters in field 'name'"),
    ("numberofemployees", 1.5, "0x80048d19", "Edm.Int32"),
    ("numberofemployees", 2**31, "0x80048d19", "Edm.Int32"),
    ("numberofemployees", -1, "0x8004432f", "outside the valid range(0 to 1000000000)"),
    ("creditlimit", -0.01, "0x80044330", "account.creditlimit"),
    ("creditlimit", "much", "0x80048d19", "Edm.Decimal"),
    ("address1_latitude", 91, "0x80044330", "outside the valid range(-90 to 90)"),
    ("customertypecode", 99, "0x8004431a", "Accepted Values: 1,2,3,4,5,6,7,8,9,10,11,12"),
    ("customertypecode", "3", "0x80048d19", "Edm.Int32"),
    ("creditonhold", "yes", "0x80048d19", "Edm.Boolean"),
    ("creditonhold", 1, "0x80048d19", "Edm.Boolean"),
    ("overriddencreatedon", "1752-12-31", "0x80040239", "01/01/1753"),
    ("overriddencreatedon", "2024-02-30", "0x80048d19", "Edm.DateTimeOffset"),
    ("stageid", "{aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee}", "0x80048d19", "Edm.Guid"),
    ("nosuchthing", 1, "0x8006088a", "Invalid property 'nosuchthing'"),
    ("_primarycontactid_value", NOBODY, "0x80060888", "Use Navigation properties instead"),
    ("primarycontactid", 5, "0x80040203", "primarycontactid"),
]


@pytest.mark.parametrize(("column", "value", "code", "words"), REFUSED)
def test_a_value_that_does_not_fit_is_refused_with_its_code(
    service: Service, column: str, value: object, code: str, words: str
) -> None:
    answer = service.send("POST", "accounts", {"name": "A", column: value})
    assert (answer.status, answer.code) == (400, code)
    assert words in answer.message
    assert service.rows("accounts?$select=name") == []


def test_a_text_is_measured_in_utf16_units(service: Service) -> None:
    service.create("accounts", name="😀" * 80)
    assert service.send("POST", "accounts", {"name": "😀" * 81}).code == "0x80044331"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"5"])
def test_a_body_that_is_no_object_is_refused(service: Service, body: bytes) -> None:
    assert service.send("POST", "accounts", body).status == 400


def test_money_is_written_with_four_decimals_and_in_base_currency(service: Service) -> None:
    euro = service.create(
        "transactioncurrencies",
        isocurrencycode="EUR",
        currencyname="Euro",
        currencysymbol="€",
        currencyprecision=2,
        exchangerate=0.8,
    )
    account = service.create(
        "accounts", name="A", creditlimit=1000, transactioncurrencyid__bind=f"/transactioncurrencies({euro})"
    )
    answer = service.get(f"accounts({account})?$select=creditlimit,creditlimit_base,exchangerate")
    assert b'"creditlimit":1000.0000,"creditlimit_base":1250.0000,"exchangerate":0.800000000000' in answer.body
    assert answer.json["_transactioncurrencyid_value"] == euro, "money brings its currency"
    service.change(f"accounts({account})", creditlimit=8.005)
    assert service.row(f"accounts({account})?$select=creditlimit_base")["creditlimit_base"] == 10.0125
    service.change(f"accounts({account})", creditlimit=None)
    assert service.row(f"accounts({account})?$select=creditlimit_base")["creditlimit_base"] is None


def test_money_without_a_currency_takes_the_base_currency(service: Service) -> None:
    account = service.create("accounts", name="A", revenue=5)
    base = service.rows("organizations?$select=_basecurrencyid_value")[0]["_basecurrencyid_value"]
    assert service.row(f"accounts({account})?$select=revenue")["_transactioncurrencyid_value"] == base
    assert service.row(f"accounts({service.create('accounts', name='B')})")["_transactioncurrencyid_value"] is None


def test_a_column_that_only_the_server_writes_is_passed_over(service: Service) -> None:
    account = service.create("accounts", name="A", modifiedon="2001-01-01T00:00:00Z", versionnumber=7, merged=True)
    row = service.row(f"accounts({account})")
    assert row["modifiedon"] > "2024"
    assert row["versionnumber"] > 7
    assert row["merged"] is False


def test_a_new_row_has_every_column(service: Service) -> None:
    row = service.row(f"accounts({service.create('accounts', name='A')})")
    assert row["telephone1"] is None
    assert (row["statecode"], row["statuscode"], row["creditonhold"], row["preferredcontactmethodcode"]) == (
        0,
        1,
        False,
        1,
    )
    assert {"_ownerid_value", "_owninguser_value", "_bcbi_companyid_value", "paymenttermscode"} <= row.keys()
    assert not {"ownerid", "owneridtype", "primarycontactidname"} & row.keys()


@pytest.mark.parametrize("column", ["exchangerate", "currencysymbol", "currencyname", "isocurrencycode"])
def test_what_the_system_requires_must_be_given(service: Service, column: str) -> None:
    body = {
        "isocurrencycode": "EUR",
        "currencyname": "Euro",
        "currencysymbol": "€",
        "currencyprecision": 2,
        "exchangerate": 1,
    }
    del body[column]
    answer = service.send("POST", "transactioncurrencies", body)
    assert answer.status == 400
    assert f"'{column}'" in answer.message
    base = service.rows("transactioncurrencies?$select=currencyname")[0]["transactioncurrencyid"]
    if column != "isocurrencycode":
        assert service.send("PATCH", f"transactioncurrencies({base})", {column: None}).status == 400


def test_what_only_the_application_requires_may_be_missing(service: Service) -> None:
    assert service.send("POST", "accounts", {}).status == 204
