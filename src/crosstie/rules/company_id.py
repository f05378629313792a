"""The company as Dataverse knows it: stamp and default owning team (mapping-rules sections 2 and 3)."""

from collections.abc import Sequence

import msgspec

from crosstie.model.errors import UnknownTable
from crosstie.model.mappings import FieldMapping
from crosstie.model.records import Record, Side
from crosstie.model.values import Scalar
from crosstie.rules.base import LeaveAlone, RuleAccess, RuleResult, Value
from crosstie.rules.reading import quoted, read

TABLE = "bcbi_company"
_CACHE = "company"


class CompanyRow(msgspec.Struct, frozen=True):
    """The row of the company in Dataverse."""

    id: str
    team: str | None


async def company_row(access: RuleAccess) -> CompanyRow | None:
    """Return the company's row, read once a job; None where Dataverse lacks the solution or the row."""
    if _CACHE not in access.cache:
        access.cache[_CACHE] = await _read_row(access)
    found: CompanyRow | None = access.cache[_CACHE]
    return found


async def find_company_row(access: RuleAccess) -> str | None:
    """Return the id of the row that stands for the company, None if there is none."""
    found = await company_row(access)
    return None if found is None else found.id


async def _read_row(access: RuleAccess) -> CompanyRow | None:
    company_id = access.settings.get("company_id", "").strip("{}").lower()
    if not company_id:
        return None
    wanted = f"bcbi_externalid eq {quoted(company_id)}"
    try:
        rows = await read(access, Side.REMOTE, TABLE, ("bcbi_defaultowningteam",), wanted)
    except UnknownTable:
        return None
    if not rows:
        return None
    team = rows[0].values.get("bcbi_defaultowningteam")
    return CompanyRow(rows[0].id, None if team is None else str(team))


class CompanyId:
    """Stamps records of Dataverse with the company that they belong to; clears the stamp when they are uncoupled."""

    name = "company_id"
    volatile = False

    def reads(self, field: FieldMapping, side: Side) -> tuple[str, ...]:
        """Nothing of the record."""
        return ()

    async def prepare(
        self, field: FieldMapping, records: Sequence[Record], source: Side, access: RuleAccess
    ) -> CompanyRow | None:
        """Find the company's row."""
        return await company_row(access) if records else None

    def transfer(
        self, field: FieldMapping, record: Record, source: Side, facts: CompanyRow | None, *, creating: bool
    ) -> RuleResult:
        """Return the id of the company's row; without one nothing is stamped.
        (behaviour CDSIntegrationMgtTest/SetCompanyId)
        """
        if facts is None or source is Side.REMOTE:
            return LeaveAlone()
        return Value(facts.id)

    def release(self, field: FieldMapping, remote: Record, facts: CompanyRow | None) -> dict[str, Scalar]:
        """Return what clears the stamp, if it is ours (engine rule U-12)."""
        name = field.remote_field or ""
        if facts is None or remote.values.get(name) != facts.id:
            return {}
        return {name: None}
