"""The company of a contact: tied by the customer or vendor that is coupled to the parent account."""

import pytest

from crosstie.model.decisions import Hold
from crosstie.model.problems import WaitsFor
from crosstie.model.records import Side
from crosstie.model.values import Scalar
from crosstie.rules.base import Ineligible, LeaveAlone, RuleResult, Value
from crosstie.rules.contact_company import ContactCompany
from tests.unit.rules.world import CONTACTS, World, answer, answers, row

FIELD = row("companyNumber", "parentcustomerid", "Company No.")
ADATUM, FABRIKAM, NEW, PROSPECT, PERSON = (f"{n}0000000-0000-4000-8000-000000000000" for n in "12345")


@pytest.fixture
def world() -> World:
    """Customer 10000 and vendor V1 are coupled; an account of type customer and a prospect are not."""
    world = World()
    for number, relation, of in (("CT10", "Customer", "10000"), ("CT20", "Vendor", "V1")):
        company = {"number": number, "type": "Company", "companyNumber": number}
        world.local.put(CONTACTS, {**company, "businessRelationType": relation, "businessRelationNumber": of})
        person = {"number": f"{number}-1", "type": "Person", "companyNumber": number}
        world.local.put(CONTACTS, {**person, "businessRelationType": relation, "businessRelationNumber": of})
    for id, name, type in (
        (ADATUM, "Adatum", 3),
        (FABRIKAM, "Fabrikam", 11),
        (NEW, "New Account", 3),
        (PROSPECT, "Prospect", 8),
    ):
        world.remote.put("account", {"name": name, "customertypecode": type}, id)
    world.couple("CUSTOMER", "local-adatum", ADATUM, "10000")
    world.couple("VENDOR", "local-fabrikam", FABRIKAM, "V1")
    return world


def contact(relation: str | None, number: str | None) -> dict[str, Scalar]:
    return {"companyNumber": "CT10", "businessRelationType": relation, "businessRelationNumber": number}


class TestSending:
    async def send(self, world: World, relation: str | None, number: str | None) -> RuleResult:
        return await answer(world, ContactCompany(), FIELD, Side.LOCAL, contact(relation, number))

    async def test_the_account_of_the_customer(self, world: World) -> None:
        assert await self.send(world, "Customer", "10000") == Value(f"account:{ADATUM}")

    async def test_the_account_of_the_vendor(self, world: World) -> None:
        assert await self.send(world, "Vendor", "V1") == Value(f"account:{FABRIKAM}")

    async def test_a_customer_that_is_not_coupled_is_waited_for(self, world: World) -> None:
        found = await self.send(world, "Customer", "20000")
        assert found == Hold(
            code="waiting-for-partner",
            words="The contact's company, customer 20000, is not coupled (mapping CUSTOMER).",
            waits_for=WaitsFor("CUSTOMER", Side.LOCAL, "20000"),
        )

    @pytest.mark.parametrize(("relation", "number"), [(None, None), ("Bank Account", "B1"), ("Customer", None)])
    async def test_other_companies_are_none_of_the_mapping(
        self, world: World, relation: str | None, number: str | None
    ) -> None:
        found = await self.send(world, relation, number)
        assert found == Ineligible("The contact's company is neither a customer nor a vendor that is synchronised.")

    async def test_vendors_are_none_where_they_are_not_synchronised(self, world: World) -> None:
        world.mappings = {"CUSTOMER"}
        assert isinstance(await self.send(world, "Vendor", "V1"), Ineligible)

    async def test_a_page_costs_a_query_a_relation_and_no_request(self, world: World) -> None:
        page = {str(n): contact(*pair) for n, pair in enumerate([("Customer", "10000"), ("Vendor", "V1")] * 50)}
        await answers(world, ContactCompany(), FIELD, Side.LOCAL, page)
        assert (world.queries, world.requests) == (2, 0)


class TestGetting:
    async def get(self, world: World, parent: str | None, *, creating: bool = True) -> RuleResult:
        values = {"parentcustomerid": parent}
        return await answer(world, ContactCompany(), FIELD, Side.REMOTE, values, creating=creating)

    async def test_the_company_contact_of_the_customer(self, world: World) -> None:
        """behaviour: CRMSynchRulesTest/NewCRMContactSyncedToNewNAVContactIfParentIsCoupled"""
        assert await self.get(world, ADATUM) == Value("CT10")

    async def test_the_company_contact_of_the_vendor(self, world: World) -> None:
        assert await self.get(world, FABRIKAM) == Value("CT20")

    async def test_an_account_that_is_both_counts_as_customer(self, world: World) -> None:
        world.couple("VENDOR", "local-other", ADATUM, "V1")
        assert await self.get(world, ADATUM) == Value("CT10")

    async def test_a_contact_without_parent_is_none_of_the_mapping(self, world: World) -> None:
        """behaviour: CRMIntTblMapHelperTests/UpdateContactBeforeInsertRecord"""
        assert await self.get(world, None) == Ineligible("The contact has no parent account.")

    async def test_neither_is_one_whose_parent_is_a_person(self, world: World) -> None:
        assert await self.get(world, PERSON) == Ineligible("The contact's parent is not an account.")

    async def test_a_parent_that_is_not_coupled_is_waited_for(self, world: World) -> None:
        found = await self.get(world, NEW)
        assert found == Hold(
            code="waiting-for-partner",
            words="Company No.: the parent account New Account is not coupled (mapping CUSTOMER).",
            waits_for=WaitsFor("CUSTOMER", Side.REMOTE, NEW),
        )

    async def test_a_parent_that_will_never_be_coupled_leaves_a_new_contact_without_company(self, world: World) -> None:
        """behaviour: CRMSynchRulesTest/TestSynchCRMContactWithNonCustomerCRMAccountParent"""
        assert await self.get(world, PROSPECT) == Value(None)

    async def test_and_an_existing_one_with_the_company_that_it_has(self, world: World) -> None:
        assert await self.get(world, PROSPECT, creating=False) == LeaveAlone()

    async def test_a_customer_without_company_contact(self, world: World) -> None:
        world.couple("CUSTOMER", "local-new", NEW, "30000")
        found = await self.get(world, NEW)
        assert isinstance(found, Hold)
        assert found.words == "Company No.: customer 30000 has no company contact in Business Central."

    async def test_a_page_costs_one_request_a_relation_and_the_next_one_nothing(self, world: World) -> None:
        page = {str(n): {"parentcustomerid": id} for n, id in enumerate([ADATUM, FABRIKAM] * 50)}
        await answers(world, ContactCompany(), FIELD, Side.REMOTE, page)
        assert (world.queries, world.requests) == (2, 2)
        await answers(world, ContactCompany(), FIELD, Side.REMOTE, page)
        assert world.requests == 2
