"""The contacts that belong to a customer or vendor, on both sides: what goes when its coupling does (engine rule U-12).

behaviour CRMCouplingTest/RemoveCouplingForCustomerWithContacts: a contact whose company is the customer but whose
partner belongs to no or another account stays coupled, and so does the mirror of it.
"""

from collections.abc import Sequence

from crosstie.model.couplings import Coupling
from crosstie.model.mappings import FieldMapping
from crosstie.model.records import Record, Side
from crosstie.rules.base import RuleAccess
from crosstie.rules.reading import any_of, read

CONTACTS = "contact"


async def coupled_contacts(
    field: FieldMapping,
    mapping: str,
    parents: Sequence[Coupling],
    access: RuleAccess,
    *,
    page: str,
    relation: tuple[str, str],
    kind: str,
) -> list[Coupling]:
    """Return the couplings of `mapping` whose contacts belong to one of `parents` here and to its account there.

    `relation` are the fields of the local `page` that name kind and number of the company's customer or vendor.
    """
    accounts = {parent.local_key: parent.remote_id for parent in parents if parent.local_key is not None}
    remote = await _contacts_of(field, list(accounts.values()), access)
    coupled = access.coupled(mapping, Side.REMOTE, [record.id for record in remote], False)
    if not coupled:
        return []
    there = {record.id: record.values.get(field.remote_field or "") for record in remote}
    locals = await access.system(Side.LOCAL).get(page, [each.local_id for each in coupled.values()], relation)
    return [
        coupling
        for remote_id, coupling in coupled.items()
        if (local := locals.get(coupling.local_id))
        and (number := _number(local, relation, kind)) in accounts
        and accounts[number] == there[remote_id]
    ]


async def _contacts_of(field: FieldMapping, accounts: Sequence[str], access: RuleAccess) -> list[Record]:
    name = field.remote_field or ""
    found: list[Record] = []
    for part in any_of(name, accounts):
        found += await read(access, Side.REMOTE, CONTACTS, (name,), part)
    return found


def _number(contact: Record, relation: tuple[str, str], kind: str) -> str | None:
    of, number = (contact.values.get(name) for name in relation)
    return str(number) if of == kind and number is not None else None
