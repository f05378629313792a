"""What records refer to, and what is not coupled yet, is coupled or created in the same go where somebody says so."""

from .flow import Flow
from .test_contacts import add_remote_person


async def test_a_contact_brings_its_account_and_the_order_is_right(flow: Flow) -> None:
    account = flow.dv.add_customer("Fabrikam")["accountid"]
    contact = add_remote_person(flow, account)
    args = ("create", "CONTACT", "--remote", contact, "--with-missing")
    planned = await flow.crosstie(*args, "--dry-run")
    assert "First: CUSTOMER Fabrikam would be created." in planned.out
    assert flow.couplings() == {}
    said = await flow.crosstie(*args)
    assert (said.code, "First: CUSTOMER Fabrikam created." in said.out) == (0, True)
    (customer,) = flow.couplings().values()
    (person,) = flow.couplings("CONTACT").values()
    assert customer.remote_id == account
    assert flow.bc.row("syncContacts", person.local_id)["businessRelationNumber"] == customer.local_key
    assert flow.problems() == []


async def test_what_is_its_partner_almost_surely_is_coupled_and_keeps_its_values(flow: Flow) -> None:
    flow.bc.add("currencies", code="EURO", displayName="Euro")
    flow.bc.add("salespeoplePurchasers", code="JO", displayName="Jo Doe", email="jo.doe@crm.example")
    user = flow.dv.add_user("Jo", "Doe")["systemuserid"]
    flow.bc.add("customers", number="10000", displayName="Adatum Corporation", salespersonCode="JO")
    said = await flow.crosstie("create", "CUSTOMER", "10000", "--with-missing", "--json")
    assert said.code == 0, said.err
    (first,) = said.document["first"]
    assert (first["name"], first["created"], first["partner"], first["left"]) == ("JO Jo Doe", False, "Jo Doe", None)
    assert [each.remote_id for each in flow.couplings("SALESPEOPLE").values()] == [user]
    assert flow.dv.row("accounts", flow.pair_of("10000").remote_id)["_ownerid_value"] == user


async def test_where_somebody_has_to_choose_it_is_said_and_the_record_waits(flow: Flow) -> None:
    flow.bc.add("salespeoplePurchasers", code="JO", displayName="Nobody There")
    flow.bc.add("customers", number="10000", displayName="Adatum Corporation", salespersonCode="JO")
    account = flow.dv.add_customer("Adatum Corporation")["accountid"]
    said = await flow.crosstie("couple", "CUSTOMER", "10000", "--to", account, "--with-missing")
    assert "SALESPEOPLE flows from_remote only" in said.out
    assert said.out.index("JO Nobody There") < said.out.index("Coupled: ")
    assert flow.couplings()["10000"].remote_id == account
    assert flow.couplings("SALESPEOPLE") == {}
