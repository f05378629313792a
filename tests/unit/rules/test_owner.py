"""Owners in Dataverse, codes of new salespeople, and the stamp of the company."""

import pytest

from crosstie.model.decisions import Hold
from crosstie.model.problems import WaitsFor
from crosstie.model.records import Record, Side
from crosstie.rules.base import LeaveAlone, Releasing, Value
from crosstie.rules.company_id import CompanyId, CompanyRow, find_company_row
from crosstie.rules.owner import Owner, OwningTeam
from crosstie.rules.salesperson_code import SalespersonCode
from tests.unit.rules.world import COMPANY, World, answer, answers, row

OWNER = row("salespersonCode", "ownerid", "Salesperson Code", not_null=True)
USER, STRANGER, TEAM, COMPANY_ROW = (f"{n}0000000-0000-4000-8000-000000000000" for n in "1234")


@pytest.fixture
def world() -> World:
    """JR is coupled to a user; there is another user, and a team that owns what nobody owns."""
    return filled(World())


def filled(world: World, *, team: bool = True) -> World:
    world.remote.put("systemuser", {"fullname": "Jo Roy"}, USER)
    world.remote.put("systemuser", {"fullname": "Sam Stranger"}, STRANGER)
    world.remote.put("team", {"name": "BCI - CRONUS"}, TEAM)
    if world.with_solution:
        owning = {"bcbi_defaultowningteam": TEAM} if team else {}
        world.remote.put("bcbi_company", {"bcbi_externalid": COMPANY, **owning}, COMPANY_ROW)
        world.remote.put("bcbi_company", {"bcbi_externalid": "another company"})
    world.couple("SALESPEOPLE", "local-jr", USER, "JR")
    return world


class TestOwnerOfARecord:
    async def test_the_user_coupled_to_the_salesperson(self, world: World) -> None:
        """
        behaviour: CRMSynchHelperTest/TestUpdateOwnerIfChangedWithChange
        behaviour: CDSIntegrationMgtTest/SetOwningUserSkipBusinessUnitCheck
        """
        found = await answer(world, Owner(), OWNER, Side.LOCAL, {"salespersonCode": "JR"})
        assert found == Value(f"systemuser:{USER}")

    async def test_a_new_record_without_salesperson_belongs_to_the_team(self, world: World) -> None:
        found = await answer(world, Owner(), OWNER, Side.LOCAL, {"salespersonCode": None}, creating=True)
        assert found == Value(f"team:{TEAM}")

    async def test_an_existing_one_keeps_its_owner(self, world: World) -> None:
        assert await answer(world, Owner(), OWNER, Side.LOCAL, {"salespersonCode": None}) == LeaveAlone()

    async def test_without_team_it_is_left_to_the_system(self) -> None:
        world = filled(World(), team=False)
        assert await answer(world, Owner(), OWNER, Side.LOCAL, {}, creating=True) == LeaveAlone()
        world = filled(World(with_solution=False))
        assert await answer(world, Owner(), OWNER, Side.LOCAL, {}, creating=True) == LeaveAlone()

    async def test_a_salesperson_that_is_not_coupled_is_waited_for(self, world: World) -> None:
        """behaviour: CRMIntTblMapHelperTests/CannotCallUpdateOwnerIfChangedIfSalespersonIsNotCoupled"""
        found = await answer(world, Owner(), OWNER, Side.LOCAL, {"salespersonCode": "XY"})
        assert found == Hold(
            code="waiting-for-partner",
            words="Salesperson Code XY is not coupled (mapping SALESPEOPLE).",
            waits_for=WaitsFor("SALESPEOPLE", Side.LOCAL, "XY"),
        )

    async def test_unless_salespeople_are_not_synchronised_at_all(self) -> None:
        """
        behaviour: CRMIntTblMapHelperTests/CanCallUpdateOwnerIfChangedIfSalespersonIsNotCoupledIfMappingDoesNotExist
        """
        world = filled(World(mappings=()))
        assert await answer(world, Owner(), OWNER, Side.LOCAL, {"salespersonCode": "XY"}) == LeaveAlone()
        assert world.queries == 0


class TestSalespersonOfAnOwner:
    """For whoever lets the owner flow back."""

    async def test_of_the_coupled_user(self, world: World) -> None:
        assert await answer(world, Owner(), OWNER, Side.REMOTE, {"ownerid": USER}) == Value("JR")

    async def test_a_team_says_nothing(self, world: World) -> None:
        """
        behaviour: CRMIntTblMapHelperTests/CanCallUpdateSalespersonCodeIfChangedIfOwnerIsOfTypeTeamAndMappingDoesNotExist
        """  # noqa: E501
        assert await answer(world, Owner(), OWNER, Side.REMOTE, {"ownerid": TEAM}) == LeaveAlone()
        assert await answer(filled(World(mappings=())), Owner(), OWNER, Side.REMOTE, {"ownerid": TEAM}) == LeaveAlone()

    async def test_a_user_that_is_not_coupled_is_waited_for(self, world: World) -> None:
        found = await answer(world, Owner(), OWNER, Side.REMOTE, {"ownerid": STRANGER})
        assert isinstance(found, Hold)
        assert found.waits_for == WaitsFor("SALESPEOPLE", Side.REMOTE, STRANGER)

    async def test_a_page_costs_one_query_and_one_request(self, world: World) -> None:
        page = {str(n): {"ownerid": owner} for n, owner in enumerate([USER, STRANGER, TEAM] * 30)}
        await answers(world, Owner(), OWNER, Side.REMOTE, page)
        assert (world.queries, world.requests) == (1, 1)


class TestOwningTeam:
    field = row(None, "ownerid", create_only=True)

    async def test_owns_new_records(self, world: World) -> None:
        """behaviour: CDSIntegrationMgtTest/SetOwningTeam"""
        assert await answer(world, OwningTeam(), self.field, Side.LOCAL, {}, creating=True) == Value(f"team:{TEAM}")

    async def test_or_there_is_none(self) -> None:
        world = filled(World(with_solution=False))
        assert await answer(world, OwningTeam(), self.field, Side.LOCAL, {}, creating=True) == LeaveAlone()


class TestCompanyStamp:
    field = row(None, "bcbi_companyid", "Company")

    async def test_is_the_row_of_this_company(self, world: World) -> None:
        """behaviour: CDSIntegrationMgtTest/SetCompanyId"""
        assert await answer(world, CompanyId(), self.field, Side.LOCAL, {}) == Value(COMPANY_ROW)
        assert await find_company_row(world) == COMPANY_ROW
        assert world.requests == 1

    @pytest.mark.parametrize(
        "settings", [{"company_id": ""}, {"company_id": "99999999-0000-4000-8000-000000000000"}, {}]
    )
    async def test_without_a_row_nothing_is_stamped(self, world: World, settings: dict[str, str]) -> None:
        world.settings = settings
        assert await answer(world, CompanyId(), self.field, Side.LOCAL, {}) == LeaveAlone()

    async def test_without_the_solution_nothing_is_stamped(self) -> None:
        world = filled(World(with_solution=False))
        assert await answer(world, CompanyId(), self.field, Side.LOCAL, {}) == LeaveAlone()
        assert await find_company_row(world) is None

    async def test_the_company_is_found_however_its_id_is_spelt(self, world: World) -> None:
        world.settings = {"company_id": f"{{{COMPANY.upper()}}}"}
        assert await find_company_row(world) == COMPANY_ROW

    @pytest.mark.parametrize(("stamp", "cleared"), [(COMPANY_ROW, {"bcbi_companyid": None}), (USER, {}), (None, {})])
    def test_uncoupling_clears_it_only_if_it_is_ours(self, stamp: str | None, cleared: dict[str, None]) -> None:
        """behaviour: CDSUncoupling/CustomerListUncoupleSingle"""
        rule = CompanyId()
        assert isinstance(rule, Releasing)
        record = Record("1", "1", {"bcbi_companyid": stamp})
        assert rule.release(self.field, record, CompanyRow(COMPANY_ROW, None)) == cleared
        assert rule.release(self.field, record, None) == {}


class TestSalespersonCode:
    """behaviour: CRMIntTblMapHelperTests/UpdateSalespersonOnBeforeInsertRecord"""

    field = row("code", None, create_only=True)

    async def codes(self, world: World, *ids: str) -> list[object]:
        page = {id: {"fullname": id} for id in ids}
        return list((await answers(world, SalespersonCode(), self.field, Side.REMOTE, page, creating=True)).values())

    async def test_the_first_ones(self, world: World) -> None:
        world.local.put("salespeoplePurchasers", {"code": "JR"})
        assert await self.codes(world, "a", "b") == [Value("SP NO. 00001"), Value("SP NO. 00002")]

    async def test_after_the_highest_one(self, world: World) -> None:
        for code in ("SP NO. 00007", "SP NO. 00012", "SP NO. X", "SP NO. 00003 B", "ZZ"):
            world.local.put("salespeoplePurchasers", {"code": code})
        assert await self.codes(world, "a") == [Value("SP NO. 00013")]

    async def test_pages_of_one_job_go_on_counting(self, world: World) -> None:
        assert await self.codes(world, "a") == [Value("SP NO. 00001")]
        assert await self.codes(world, "b", "c") == [Value("SP NO. 00002"), Value("SP NO. 00003")]
        assert world.requests == 1

    async def test_an_existing_salesperson_keeps_its_code(self, world: World) -> None:
        found = await answer(world, SalespersonCode(), self.field, Side.REMOTE, {}, creating=False)
        assert found == LeaveAlone()
