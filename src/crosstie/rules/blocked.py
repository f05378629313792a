"""A customer whose account has become inactive is blocked (mapping-rules section 4, engine rule F-22)."""

from collections.abc import Sequence

from crosstie.model.mappings import FieldMapping
from crosstie.model.records import Record, Side
from crosstie.rules.base import LeaveAlone, RuleAccess, RuleResult, Value

MAPPING = "CUSTOMER"
BLOCKED = "All"
_INACTIVE = 1


class Blocked:
    """Blocks a customer that is not blocked yet once its account is inactive. Nothing unblocks one by itself."""

    name = "blocked"
    volatile = False

    def reads(self, field: FieldMapping, side: Side) -> tuple[str, ...]:
        """Nothing but the field itself."""
        return ()

    async def prepare(
        self, field: FieldMapping, records: Sequence[Record], source: Side, access: RuleAccess
    ) -> frozenset[str]:
        """Find, among the inactive accounts of the page, those whose customers are blocked in some way already."""
        inactive = [record.id for record in records if _inactive(field, record)]
        mapping = access.mapping(MAPPING)
        if source is Side.LOCAL or not inactive or mapping is None or field.local_field is None:
            return frozenset()
        coupled = access.coupled(MAPPING, Side.REMOTE, inactive, False)
        ids = [coupling.local_id for coupling in coupled.values()]
        customers = await access.system(Side.LOCAL).get(mapping.local_table, ids, (field.local_field,)) if ids else {}
        return frozenset(
            account
            for account, coupling in coupled.items()
            if (found := customers.get(coupling.local_id)) and found.values.get(field.local_field) is not None
        )

    def transfer(
        self, field: FieldMapping, record: Record, source: Side, facts: frozenset[str], *, creating: bool
    ) -> RuleResult:
        """Return how the customer is blocked."""
        if source is Side.LOCAL or not _inactive(field, record) or record.id in facts:
            return LeaveAlone()
        return Value(BLOCKED)


def _inactive(field: FieldMapping, record: Record) -> bool:
    return str(record.values.get(field.remote_field or "")) == str(_INACTIVE)
