"""The currency of a customer, vendor or contact: a code here, a lookup there (mapping-rules section 5)."""

from collections.abc import Mapping, Sequence

import msgspec

from crosstie.model.couplings import Coupling
from crosstie.model.decisions import Hold
from crosstie.model.mappings import FieldMapping
from crosstie.model.problems import WaitsFor
from crosstie.model.records import Record, Side
from crosstie.rules.base import RuleAccess, RuleResult, Value, caption
from crosstie.rules.currency_facts import RemoteCurrencies, local_codes, local_currency, remote_currencies

MAPPING = "CURRENCY"


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """`own` is the code of the local currency, `codes` the currencies of Business Central, where they are needed."""

    own: str | None
    coupled: Mapping[str, Coupling]
    remote: RemoteCurrencies
    codes: frozenset[str] = frozenset()


class Currency:
    """Turns a blank code, or that of the local currency, into the currency with its ISO code, and back into a blank.

    Other currencies go through their coupling; one that is not coupled is taken by its ISO code where it exists.
    """

    name = "currency"
    volatile = False

    def reads(self, field: FieldMapping, side: Side) -> tuple[str, ...]:
        """Nothing but the field itself."""
        return ()

    async def prepare(
        self, field: FieldMapping, records: Sequence[Record], source: Side, access: RuleAccess
    ) -> Facts | None:
        """Look up the couplings of the page's currencies; both lists of currencies are read once a job."""
        if not records:
            return None
        named = _field(field, source)
        values = {str(value) for record in records if (value := record.values.get(named)) is not None}
        coupled = access.coupled(MAPPING, source, values, source is Side.LOCAL) if values else {}
        remote = await remote_currencies(access)
        own = await local_currency(access)
        codes: frozenset[str] = frozenset()
        if source is Side.REMOTE and any(v not in coupled and remote.iso.get(v) != own for v in values):
            codes = await local_codes(access)
        return Facts(own=own, coupled=coupled, remote=remote, codes=codes)

    def transfer(
        self, field: FieldMapping, record: Record, source: Side, facts: Facts, *, creating: bool
    ) -> RuleResult:
        """Return the currency as the other side names it.
        (behaviour CRMIntegrationMapping/ContactCurrencyShouldBecomeBlankOnSyncToLCYGUID)
        """
        value = record.values.get(_field(field, source))
        if source is Side.LOCAL:
            return _to_remote(field, None if value is None else str(value), facts)
        return _to_local(field, None if value is None else str(value), facts)


def _to_remote(field: FieldMapping, code: str | None, facts: Facts) -> RuleResult:
    wanted = code or facts.own
    if wanted is None:
        return Value(None)
    if code and (coupling := facts.coupled.get(code)):
        return Value(coupling.remote_id)
    if found := facts.remote.id.get(wanted):
        return Value(found)
    if code is None or code == facts.own:
        return Hold(
            code="unknown-code",
            words=f"{caption(field)}: Dataverse has no currency with the code {wanted}, the company's own.",
        )
    return Hold(
        code="waiting-for-partner",
        words=f"{caption(field)} {code} is not coupled, and Dataverse has no currency with that code.",
        waits_for=WaitsFor(MAPPING, Side.LOCAL, code),
    )


def _to_local(field: FieldMapping, id: str | None, facts: Facts) -> RuleResult:
    if id is None:
        return Value(None)
    iso = facts.remote.iso.get(id)
    if iso is not None and iso == facts.own:
        return Value(None)
    if coupling := facts.coupled.get(id):
        return Value(coupling.local_key)
    if iso in facts.codes:
        return Value(iso)
    return Hold(
        code="waiting-for-partner",
        words=f"{caption(field)} {iso or id} is not coupled, and Business Central has no currency with that code.",
        waits_for=WaitsFor(MAPPING, Side.REMOTE, id),
    )


def _field(field: FieldMapping, side: Side) -> str:
    return (field.local_field if side is Side.LOCAL else field.remote_field) or ""
