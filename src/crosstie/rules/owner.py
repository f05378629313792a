"""The owner of a record in Dataverse: the user of its salesperson, or the company's team (mapping-rules section 3)."""

from collections.abc import Mapping, Sequence

import msgspec

from crosstie.model.couplings import Coupling
from crosstie.model.decisions import Hold
from crosstie.model.mappings import FieldMapping
from crosstie.model.problems import WaitsFor
from crosstie.model.records import Record, Side
from crosstie.rules.base import LeaveAlone, RuleAccess, RuleResult, Value, caption, pointing_at
from crosstie.rules.company_id import company_row

MAPPING = "SALESPEOPLE"
USERS = "systemuser"
TEAMS = "team"


class OwnerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """`mapped`: salespeople are synchronised at all. `users`: owners of the page that are users, not teams."""

    mapped: bool
    coupled: Mapping[str, Coupling] = {}
    team: str | None = None
    users: frozenset[str] = frozenset()


class Owner:
    """The user coupled to the salesperson or purchaser; a new record without one belongs to the default owning team."""

    name = "owner"
    volatile = False

    def reads(self, field: FieldMapping, side: Side) -> tuple[str, ...]:
        """Nothing but the field itself."""
        return ()

    async def prepare(
        self, field: FieldMapping, records: Sequence[Record], source: Side, access: RuleAccess
    ) -> OwnerFacts | None:
        """Look up the couplings of the page's salespeople, and the team where a record has none."""
        if not records:
            return None
        found = [record.values.get(_field(field, source)) for record in records]
        values = {str(value) for value in found if value is not None}
        mapped = access.maps(MAPPING)
        coupled = access.coupled(MAPPING, source, values, source is Side.LOCAL) if mapped and values else {}
        if source is Side.LOCAL:
            row = await company_row(access) if None in found else None
            return OwnerFacts(mapped=mapped, coupled=coupled, team=row.team if row else None)
        unknown = sorted(values - coupled.keys())
        users = await access.system(Side.REMOTE).get(USERS, unknown, ("fullname",)) if mapped and unknown else {}
        return OwnerFacts(mapped=mapped, coupled=coupled, users=frozenset(users))

    def transfer(
        self, field: FieldMapping, record: Record, source: Side, facts: OwnerFacts, *, creating: bool
    ) -> RuleResult:
        """Return the owner as the other side names it.

        A salesperson or user that is not coupled holds the field, unless salespeople are not synchronised at all. An
        owner that is a team says nothing about the salesperson.
        (behaviour CRMIntTblMapHelperTests/CannotCallUpdateOwnerIfChangedIfSalespersonIsNotCoupled)
        (behaviour CRMIntTblMapHelperTests/CanCallUpdateOwnerIfChangedIfSalespersonIsNotCoupledIfMappingDoesNotExist)
        """
        value = record.values.get(_field(field, source))
        if value is None:
            team = facts.team if source is Side.LOCAL and creating else None
            return LeaveAlone() if team is None else Value(pointing_at(TEAMS, team))
        named = str(value)
        if coupling := facts.coupled.get(named):
            return Value(pointing_at(USERS, coupling.remote_id) if source is Side.LOCAL else coupling.local_key)
        if not facts.mapped or (source is Side.REMOTE and named not in facts.users):
            return LeaveAlone()
        return Hold(
            code="waiting-for-partner",
            words=f"{caption(field)} {named} is not coupled (mapping {MAPPING}).",
            waits_for=WaitsFor(MAPPING, source, named),
        )


class OwningTeam:
    """The company's default owning team as owner of a new record; without one Dataverse takes the connection's user.
    (behaviour CDSIntegrationMgtTest/SetOwningTeam)
    """

    name = "owning_team"
    volatile = False

    def reads(self, field: FieldMapping, side: Side) -> tuple[str, ...]:
        """Nothing of the record."""
        return ()

    async def prepare(
        self, field: FieldMapping, records: Sequence[Record], source: Side, access: RuleAccess
    ) -> str | None:
        """Find the company's row, which names the team."""
        row = await company_row(access) if records and source is Side.LOCAL else None
        return row.team if row else None

    def transfer(
        self, field: FieldMapping, record: Record, source: Side, facts: str | None, *, creating: bool
    ) -> RuleResult:
        """Return the team."""
        return LeaveAlone() if facts is None else Value(pointing_at(TEAMS, facts))


def _field(field: FieldMapping, side: Side) -> str:
    return (field.local_field if side is Side.LOCAL else field.remote_field) or ""
