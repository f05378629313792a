"""The company of a contact: a company contact here, an account there (mapping-rules section 4).

The two are tied by the customer or vendor that belongs to the company contact and is coupled to the account.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from crosstie.model.couplings import Coupling
from crosstie.model.decisions import Hold
from crosstie.model.mappings import FieldMapping
from crosstie.model.problems import WaitsFor
from crosstie.model.records import Record, Side
from crosstie.rules.base import Ineligible, LeaveAlone, RuleAccess, RuleResult, Value, caption, pointing_at
from crosstie.rules.contact_dependants import coupled_contacts
from crosstie.rules.reading import any_of, quoted, read

PAGE = "crosstie/sync/v1.0/syncContacts"
ACCOUNTS = "account"
RELATION_TYPE, RELATION_NUMBER = "businessRelationType", "businessRelationNumber"
KINDS: Final[Mapping[str, str]] = {"Customer": "CUSTOMER", "Vendor": "VENDOR"}
"""Business relations and their mappings, in the order in which they are tried."""
_TYPES: Final[Mapping[object, str]] = {3: "CUSTOMER", 11: "VENDOR"}
"""`customertypecode` of accounts and the mapping that synchronises them."""
_CACHE = "contact_company.contacts"


class Sending(msgspec.Struct, frozen=True):
    """For contacts of Business Central: the coupling of each customer or vendor, by relation and number."""

    coupled: Mapping[tuple[str, str], Coupling]
    mapped: frozenset[str]


class Getting(msgspec.Struct, frozen=True):
    """For contacts of Dataverse: what becomes of each parent, by its id."""

    companies: Mapping[str, RuleResult]


class ContactCompany:
    """Ties the company number of a contact to the account that is its parent."""

    name = "contact_company"
    volatile = False

    def reads(self, field: FieldMapping, side: Side) -> tuple[str, ...]:
        """The customer or vendor that belongs to the contact's company."""
        return (RELATION_TYPE, RELATION_NUMBER) if side is Side.LOCAL else ()

    async def prepare(
        self, field: FieldMapping, records: Sequence[Record], source: Side, access: RuleAccess
    ) -> Sending | Getting | None:
        """Look up the couplings of the companies; coming from Dataverse, also read the company contacts' numbers."""
        if not records:
            return None
        mapped = frozenset(mapping for mapping in KINDS.values() if access.maps(mapping))
        if source is Side.LOCAL:
            return Sending(_customers_and_vendors(records, mapped, access), mapped)
        parents = {str(v) for r in records if (v := r.values.get(field.remote_field or "")) is not None}
        return Getting(await _companies(field, parents, mapped, access))

    def transfer(
        self, field: FieldMapping, record: Record, source: Side, facts: Sending | Getting, *, creating: bool
    ) -> RuleResult:
        """Return the parent account, or the number of the company contact.

        Ineligible: a contact whose company is neither customer nor vendor, and one without a parent account.
        (behaviour CRMIntTblMapHelperTests/UpdateContactBeforeInsertRecord)
        (behaviour CRMSynchRulesTest/TestSynchCRMContactWithNonCustomerCRMAccountParent)
        """
        if isinstance(facts, Sending):
            return _parent(record, facts)
        parent = record.values.get(field.remote_field or "")
        if parent is None:
            return Ineligible("The contact has no parent account.")
        found = facts.companies[str(parent)]
        return LeaveAlone() if found == Value(None) and not creating else found

    async def belonging(
        self, field: FieldMapping, mapping: str, parent: str, parents: Sequence[Coupling], access: RuleAccess
    ) -> list[Coupling]:
        """Return the couplings of contacts that belong to these customers or vendors on both sides."""
        kind = next((kind for kind, name in KINDS.items() if name == parent), None)
        if kind is None:
            return []
        relation = (RELATION_TYPE, RELATION_NUMBER)
        return await coupled_contacts(field, mapping, parents, access, page=PAGE, relation=relation, kind=kind)


def _relation(record: Record) -> tuple[str, str] | None:
    kind, number = record.values.get(RELATION_TYPE), record.values.get(RELATION_NUMBER)
    return None if kind not in KINDS or number is None else (str(kind), str(number))


def _customers_and_vendors(
    records: Sequence[Record], mapped: frozenset[str], access: RuleAccess
) -> dict[tuple[str, str], Coupling]:
    relations = {relation for record in records if (relation := _relation(record))}
    found: dict[tuple[str, str], Coupling] = {}
    for kind, mapping in KINDS.items():
        numbers = [number for of, number in relations if of == kind]
        if numbers and mapping in mapped:
            coupled = access.coupled(mapping, Side.LOCAL, numbers, True)
            found.update({(kind, number): coupling for number, coupling in coupled.items()})
    return found


def _parent(record: Record, facts: Sending) -> RuleResult:
    relation = _relation(record)
    if relation is None or KINDS[relation[0]] not in facts.mapped:
        return Ineligible("The contact's company is neither a customer nor a vendor that is synchronised.")
    if coupling := facts.coupled.get(relation):
        return Value(pointing_at(ACCOUNTS, coupling.remote_id))
    kind, number = relation
    return Hold(
        code="waiting-for-partner",
        words=f"The contact's company, {kind.lower()} {number}, is not coupled (mapping {KINDS[kind]}).",
        waits_for=WaitsFor(KINDS[kind], Side.LOCAL, number),
    )


async def _companies(
    field: FieldMapping, parents: set[str], mapped: frozenset[str], access: RuleAccess
) -> dict[str, RuleResult]:
    companies: dict[str, RuleResult] = {}
    for kind, mapping in KINDS.items():
        missing = parents - companies.keys()
        if not missing or mapping not in mapped:
            continue
        numbers = {
            account: coupling.local_key
            for account, coupling in access.coupled(mapping, Side.REMOTE, missing, False).items()
            if coupling.local_key is not None
        }
        contacts = await _company_contacts(kind, numbers.values(), access)
        for account, number in numbers.items():
            contact = contacts.get(number)
            companies[account] = Value(contact) if contact else _no_company_contact(field, kind, number)
    uncoupled = sorted(parents - companies.keys())
    if uncoupled:
        companies.update(await _uncoupled(field, uncoupled, mapped, access))
    return companies


async def _company_contacts(kind: str, numbers: Iterable[str], access: RuleAccess) -> Mapping[str, str | None]:
    """Return the number of the company contact of each customer or vendor, asking for those not yet known."""
    known: dict[str, str | None] = access.cache.setdefault(f"{_CACHE}.{kind}", {})
    asked = set(numbers) - known.keys()
    for part in any_of(RELATION_NUMBER, asked):
        filter = f"type eq 'Company' and {RELATION_TYPE} eq {quoted(kind)} and {part}"
        for row in await read(access, Side.LOCAL, PAGE, ("number", RELATION_NUMBER), filter):
            known[str(row.values[RELATION_NUMBER])] = str(row.values["number"])
    return known


def _no_company_contact(field: FieldMapping, kind: str, number: str) -> Hold:
    return Hold(
        code="unknown-code",
        words=f"{caption(field)}: {kind.lower()} {number} has no company contact in Business Central.",
    )


async def _uncoupled(
    field: FieldMapping, parents: Sequence[str], mapped: frozenset[str], access: RuleAccess
) -> dict[str, RuleResult]:
    """Answer for parents that are not coupled: wait for customers and vendors, go without a company for others."""
    accounts = await access.system(Side.REMOTE).get(ACCOUNTS, parents, ("name", "customertypecode"))
    found: dict[str, RuleResult] = {}
    for id in parents:
        account = accounts.get(id)
        if account is None:
            found[id] = Ineligible("The contact's parent is not an account.")
            continue
        mapping = _TYPES.get(account.values.get("customertypecode"))
        if mapping is None or mapping not in mapped:
            found[id] = Value(None)
            continue
        name = account.values.get("name") or id
        found[id] = Hold(
            code="waiting-for-partner",
            words=f"{caption(field)}: the parent account {name} is not coupled (mapping {mapping}).",
            waits_for=WaitsFor(mapping, Side.REMOTE, id),
        )
    return found
