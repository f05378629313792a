"""Codes for salespeople that come from Dataverse, where users have none (mapping-rules section 3)."""

import re
from collections.abc import Mapping, Sequence

from crosstie.model.mappings import FieldMapping
from crosstie.model.records import Record, Side
from crosstie.rules.base import LeaveAlone, RuleAccess, RuleResult, Value
from crosstie.rules.reading import quoted, read

TABLE = "salespeoplePurchasers"
PREFIX = "SP NO. "
_NUMBERED = re.compile(rf"{re.escape(PREFIX)}(\d+)")
_CACHE = "salesperson_code.last"


class SalespersonCode:
    """Gives each new salesperson the next code of the form `SP NO. 00001`.
    (behaviour CRMIntTblMapHelperTests/UpdateSalespersonOnBeforeInsertRecord)
    """

    name = "salesperson_code"
    volatile = False

    def reads(self, field: FieldMapping, side: Side) -> tuple[str, ...]:
        """Nothing of the record."""
        return ()

    async def prepare(
        self, field: FieldMapping, records: Sequence[Record], source: Side, access: RuleAccess
    ) -> Mapping[str, str]:
        """Give each record a code of its own, after the highest one that there is."""
        if not records or source is Side.LOCAL:
            return {}
        last = access.cache.get(_CACHE)
        if last is None:
            last = await _highest(field, access)
        access.cache[_CACHE] = last + len(records)
        return {record.id: f"{PREFIX}{last + place:05d}" for place, record in enumerate(records, 1)}

    def transfer(
        self, field: FieldMapping, record: Record, source: Side, facts: Mapping[str, str], *, creating: bool
    ) -> RuleResult:
        """Return the record's code."""
        code = facts.get(record.id)
        return LeaveAlone() if code is None or not creating else Value(code)


async def _highest(field: FieldMapping, access: RuleAccess) -> int:
    name = field.local_field or "code"
    rows = await read(access, Side.LOCAL, TABLE, (name,), f"startswith({name}, {quoted(PREFIX)})")
    found = [_NUMBERED.fullmatch(str(row.values.get(name) or "")) for row in rows]
    return max((int(match[1]) for match in found if match), default=0)
