"""What the server fills in by itself: names, addresses, states, owners, times, currencies."""

from datetime import UTC, datetime

import pytest

from .service import Service


@pytest.fixture
def user(service: Service) -> str:
    return service.create(
        "systemusers",
        firstname="Jo",
        lastname="Berry",
        domainname="jo@contoso.example",
        internalemailaddress="jo@contoso.example",
        businessunitid__bind=f"/businessunits({service.row('WhoAmI')['BusinessUnitId']})",
    )


def test_a_contacts_full_name_is_made_of_its_parts(service: Service) -> None:
    contact = service.create("contacts", firstname="Pia", lastname="Holm", fullname="ignored")
    address = f"contacts({contact})"
    assert service.row(address)["fullname"] == "Pia Holm"
    service.change(address, lastname="Ros")
    assert service.row(address)["fullname"] == "Pia Ros"
    service.change(address, firstname=None, telephone1="1")
    assert service.row(address)["fullname"] == "Ros"


def test_the_composite_address_follows_its_parts(service: Service) -> None:
    account = service.create(
        "accounts", name="A", address1_line1="5 The Ring", address1_city="London", address1_postalcode="W2 8HG"
    )
    service.change(f"accounts({account})", address1_country="GB")
    row = service.row(f"accounts({account})?$select=address1_composite")
    assert row["address1_composite"] == "5 The Ring\r\nLondon, W2 8HG\r\nGB"


def test_a_customer_lookup_fills_the_columns_by_type(service: Service) -> None:
    account = service.create("accounts", name="A")
    contact = service.create("contacts", lastname="B", parentcustomerid_account__bind=f"accounts({account})")
    shown = "?$select=_parentcustomerid_value,_accountid_value,_parentcontactid_value"
    row = service.row(f"contacts({contact}){shown}")
    assert (row["_parentcustomerid_value"], row["_accountid_value"], row["_parentcontactid_value"]) == (
        account,
        account,
        None,
    )
    boss = service.create("contacts", lastname="C")
    service.change(f"contacts({contact})", parentcustomerid_contact__bind=f"contacts({boss})")
    row = service.row(f"contacts({contact}){shown}")
    assert (row["_accountid_value"], row["_parentcontactid_value"]) == (None, boss)


STATES = [
    ({"statecode": 1}, (1, 2)),
    ({"statecode": 1, "statuscode": 2}, (1, 2)),
    ({"statuscode": 1}, (0, 1)),
    ({"statecode": 0}, (0, 1)),
]


@pytest.mark.parametrize(("change", "result"), STATES)
def test_a_state_brings_its_first_status_reason(
    service: Service, change: dict[str, int], result: tuple[int, int]
) -> None:
    account = service.create("accounts", name="A")
    service.change(f"accounts({account})", **change)
    row = service.row(f"accounts({account})?$select=statecode,statuscode")
    assert (row["statecode"], row["statuscode"]) == result


@pytest.mark.parametrize("change", [{"statuscode": 2}, {"statecode": 1, "statuscode": 1}])
def test_a_status_reason_must_belong_to_the_state(service: Service, change: dict[str, int]) -> None:
    account = service.create("accounts", name="A")
    answer = service.send("PATCH", f"accounts({account})", change)
    assert (answer.status, answer.code) == (400, "0x80048408")
    assert "is not a valid status code for state code AccountState." in answer.message


def test_a_new_row_begins_in_the_first_state(service: Service) -> None:
    inactive = service.send("POST", "accounts", {"name": "A", "statuscode": 2})
    assert inactive.code == "0x80048408"
    product = service.create("products", name="P", productnumber="P1")
    assert service.row(f"products({product})?$select=statecode")["statecode"] == 2, "products begin as drafts"


def test_the_owner_is_a_user_or_a_team(service: Service, user: str) -> None:
    account = service.create("accounts", name="A", ownerid__bind=f"/systemusers({user})")
    shown = f"accounts({account})?$select=_ownerid_value,_owninguser_value,_owningteam_value,_owningbusinessunit_value"
    row = service.row(shown)
    assert (row["_ownerid_value"], row["_owninguser_value"], row["_owningteam_value"]) == (user, user, None)
    unit = service.create("businessunits", name="Sales")
    team = service.create("teams", name="Sellers", businessunitid__bind=f"businessunits({unit})")
    service.change(f"accounts({account})", ownerid__bind=f"teams({team})")
    row = service.row(shown)
    assert (row["_ownerid_value"], row["_owninguser_value"], row["_owningteam_value"]) == (team, None, team)
    assert row["_owningbusinessunit_value"] == unit
    refused = service.send("PATCH", f"accounts({account})", {"ownerid@odata.bind": None})
    assert refused.status == 400


def test_a_row_belongs_to_who_made_it(service: Service) -> None:
    account = service.create("accounts", name="A")
    row = service.row(f"accounts({account})?$select=_ownerid_value,_createdby_value,_modifiedby_value")
    assert set(row.values()) >= {service.row("WhoAmI")["UserId"]}
    assert row["_ownerid_value"] == row["_createdby_value"] == row["_modifiedby_value"]


def test_times_come_from_the_clock(service: Service) -> None:
    service.clock.set(datetime(2026, 3, 4, 5, 6, 7, 999_000, tzinfo=UTC))
    account = service.create("accounts", name="A")
    service.clock.advance(3600)
    service.change(f"accounts({account})", name="B")
    row = service.row(f"accounts({account})?$select=createdon,modifiedon")
    assert (row["createdon"], row["modifiedon"]) == ("2026-03-04T05:06:07Z", "2026-03-04T06:06:07Z")


def test_impersonation_writes_in_the_other_users_name(service: Service, user: str) -> None:
    account = service.send("POST", "accounts", {"name": "A"}, MSCRMCallerID=user).id
    row = service.row(f"accounts({account})?$select=_createdby_value,_createdonbehalfby_value,_ownerid_value")
    assert (row["_createdby_value"], row["_ownerid_value"]) == (user, user)
    assert row["_createdonbehalfby_value"] == service.row("WhoAmI")["UserId"]
    assert service.row("WhoAmI", MSCRMCallerID=user)["UserId"] == user
    for unknown in ("99999999-9999-9999-9999-999999999999", "somebody"):
        assert service.get("accounts", MSCRMCallerID=unknown).status == 403


def test_a_unit_group_brings_its_base_unit(service: Service) -> None:
    group = service.create("uomschedules", name="Pieces", baseuomname="PCS")
    units = service.rows(f"uoms?$select=name,quantity,isschedulebaseuom&$filter=_uomscheduleid_value eq {group}")
    assert [(unit["name"], unit["quantity"], unit["isschedulebaseuom"]) for unit in units] == [("PCS", 1, True)]


def test_an_order_line_has_its_orders_currency(service: Service) -> None:
    crown = service.create(
        "transactioncurrencies",
        isocurrencycode="DKK",
        currencyname="Krone",
        currencysymbol="kr",
        currencyprecision=2,
        exchangerate=7,
    )
    account = service.create("accounts", name="A")
    order = service.create(
        "salesorders",
        name="O",
        customerid_account__bind=f"accounts({account})",
        transactioncurrencyid__bind=f"transactioncurrencies({crown})",
    )
    line = service.create("salesorderdetails", salesorderid__bind=f"salesorders({order})", priceperunit=70, quantity=2)
    row = service.row(f"salesorderdetails({line})?$select=priceperunit_base,quantity")
    assert (row["_transactioncurrencyid_value"], row["priceperunit_base"], row["quantity"]) == (crown, 10, 2)
    assert service.row(f"salesorders({order})")["ordernumber"].startswith("ORD-")
