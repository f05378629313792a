"""Mappings: listing, showing, and restoring the standard ones."""

from collections.abc import Sequence

from crosstie.app.home import Home
from crosstie.app.session import Session, find_mapping
from crosstie.app.views import MappingView
from crosstie.model.errors import UnknownMapping
from crosstie.model.records import Side
from crosstie.rules.company_id import company_row
from crosstie.standard import load_standard, standard_names


def list_mappings(home: Home) -> list[MappingView]:
    """Return all mappings in their order, each with the number of its couplings and open problems."""
    with home.store.begin() as unit:
        problems = unit.count_problems()
        return [
            MappingView.of(
                mapping,
                sum(unit.couplings.count(mapping.name).values()),
                sum(problems.get(mapping.name, {}).values()),
            )
            for mapping in unit.mappings()
        ]


def show_mapping(home: Home, name: str) -> MappingView:
    """Return one mapping with its field mappings. Raises UnknownMapping."""
    with home.store.begin() as unit:
        found = find_mapping(unit.mappings(), name)
    return next(view for view in list_mappings(home) if view.name == found.name)


async def reset_mappings(
    session: Session, names: Sequence[str] = (), *, ownership: str = "person", custom_pages: bool = False
) -> list[str]:
    """Restore standard mappings, all or those named, as shipped; couplings stay (engine rule U-17).

    `custom_pages` chooses the variants on the custom API pages that carry every field. Raises UnknownMapping if a
    name is not that of a standard mapping, and what compiling raises if a table lacks a field.
    """
    known = standard_names()
    by_folded = {name.casefold(): name for name in known}
    wanted = []
    for name in names:
        if name.strip().casefold() not in by_folded:
            raise UnknownMapping(f"{name!r} is not a standard mapping; those are: {', '.join(known)}.", mapping=name)
        wanted.append(by_folded[name.strip().casefold()])
    session.access().remember("ownership_model", ownership)
    company = await company_row_id(session)
    mappings = load_standard(wanted or None, ownership=ownership, custom_pages=custom_pages, company_row_id=company)
    with session.store.begin() as unit:
        for mapping in mappings:
            unit.put_mapping(mapping)
            unit.forget_cursors(mapping.name)
    for mapping in mappings:
        await session.compiled(mapping.name)
    return [mapping.name for mapping in mappings]


async def company_row_id(session: Session) -> str | None:
    """Return the id of the Dataverse row that stands for the Business Central company, None if there is none.

    Environments without Microsoft's solution have no such table (mapping rules, section 2).
    """
    info = await session.systems[Side.LOCAL].info()
    access = session.access()
    access.remember("company_id", str(info.details.get("company_id") or ""))
    found = await company_row(access)
    return found.id if found else None
