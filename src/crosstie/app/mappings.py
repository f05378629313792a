"""Mappings: listing, showing, changing, and restoring the standard ones."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from crosstie.app.fitting import misfit_of
from crosstie.app.home import Home
from crosstie.app.people.acting import note, require
from crosstie.app.session import Session, find_mapping
from crosstie.app.views import MappingView
from crosstie.engine.compiling import compile_mapping, digest
from crosstie.engine.criteria import choose_criteria
from crosstie.model.errors import ChangedSince, InvalidFilter, UnknownMapping
from crosstie.model.filters import compile_filter
from crosstie.model.mapping_changes import (
    MappingChange,
    MappingChanges,
    differences_of,
    pair_of,
    with_changes,
)
from crosstie.model.mappings import DeletionConflictResolution, Mapping
from crosstie.model.people import AuditAction, Permission, Principal
from crosstie.model.records import Side
from crosstie.model.schema import TableSchema
from crosstie.rules import all_rules
from crosstie.rules.company_id import find_company_row
from crosstie.standard import load_standard, standard_names
from crosstie.store.base import Unit


class ChangedMapping(msgspec.Struct, frozen=True, kw_only=True):
    """A mapping as it is after a change, or would be, with what changed and what to mind; no changes: as it was."""

    mapping: MappingView
    changes: list[MappingChange]
    warnings: list[str]


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


async def change_mapping(
    session: Session,
    by: Principal,
    name: str,
    changes: MappingChanges,
    *,
    seen: MappingChanges | None = None,
    dry_run: bool = False,
) -> ChangedMapping:
    """Change a mapping or its field mappings, and note in the audit log by whom.

    `seen` are settings as the person saw them who changes others: if they are no longer so, nothing is stored.

    The result must fit both tables, and so must its filters. The next job looks at every record that the change
    touches (DESIGN section 6): the feeds are read from the start once settings differ from those under which they were
    read. A dry run shows the same and stores nothing. Raises Forbidden, UnknownMapping, UnknownField, InvalidMapping,
    InvalidFilter, InvalidOption, ChangedSince if somebody else has changed it meanwhile, SystemFailure.
    """
    require(by, Permission.MANAGE_MAPPINGS)
    before = session.mapping(name)
    after = await _after(session, before, changes)
    found = differences_of(before, after)
    if found and seen is not None and differences_of(before, with_changes(before, seen)):
        raise _changed_since(before)
    if found and not dry_run:
        with session.store.begin() as unit:
            if find_mapping(unit.mappings(), before.name) != before:
                raise _changed_since(before)
            unit.put_mapping(after)
            if digest(after) != digest(before):
                # What was synchronised by name meanwhile is in step with the old mapping only; the cursor cannot tell.
                unit.forget_cursors(after.name)
            details = {"changes": [msgspec.to_builtins(each) for each in found]}
            note(unit, by, AuditAction.CHANGE_MAPPING, before.name, session.now(), details=details)
    with session.store.begin() as unit:
        couplings = sum(unit.couplings.count(before.name).values())
        problems = sum(unit.count_problems().get(before.name, {}).values())
        view = MappingView.of(after, couplings, problems)
        return ChangedMapping(mapping=view, changes=found, warnings=_warnings(before, after, unit.mappings()))


def _changed_since(mapping: Mapping) -> ChangedSince:
    return ChangedSince(
        f"Somebody else has changed the mapping {mapping.name} meanwhile.",
        next_step="Open the mapping again, look at what it is now, and decide anew.",
        mapping=mapping.name,
    )


async def _after(session: Session, before: Mapping, changes: MappingChanges) -> Mapping:
    """Return the mapping with its changes, known to fit its tables if that depends on what changes."""
    plain = differences_of(before, with_changes(before, changes))
    if all(_fits_whatever(each) for each in plain):
        return with_changes(before, changes)
    local, remote = await schemas_of(session, before)
    standard = await standard_of(session, before)
    after = with_changes(before, changes, standard=standard, free=_written_on_both_sides(before, local, remote))
    for side, schema in ((Side.LOCAL, local), (Side.REMOTE, remote)):
        if text := after.filter(side):
            try:
                compile_filter(text, schema)
            except InvalidFilter as error:
                error.details.setdefault("mapping", after.name)
                raise
    compiled = compile_mapping(after, local, remote, all_rules())
    chosen = any(row.enabled and row.match_priority is not None for row in after.fields)
    if chosen and any(each.setting == "match_priority" and each.after is not None for each in plain):
        choose_criteria(compiled)
    return after


def _fits_whatever(change: MappingChange) -> bool:
    """Whether a change leaves the mapping fit for its tables: so that it can be made while a system is away."""
    if change.field:
        return False
    return change.setting not in ("direction", "local_filter", "remote_filter", "enabled") or (
        change.setting == "enabled" and not change.after
    )


async def schemas_of(session: Session, mapping: Mapping) -> tuple[TableSchema, TableSchema]:
    """Return both tables of a mapping. Raises UnknownTable, SystemFailure."""
    local = await session.systems[Side.LOCAL].describe(mapping.local_table)
    return local, await session.systems[Side.REMOTE].describe(mapping.remote_table)


async def standard_of(session: Session, mapping: Mapping) -> Mapping | None:
    """Return a mapping as it is shipped for the pages that it uses, None for one that is not shipped."""
    if mapping.name not in standard_names():
        return None
    ownership = session.settings.get("ownership_model") or "person"
    company = next((row for row in mapping.fields if row.rule == "company_id"), None)
    both = [
        load_standard(
            [mapping.name], ownership=ownership, custom_pages=custom, company_row_id="" if not company else "x"
        )
        for custom in (False, True)
    ]
    return next((found for (found,) in both if found.local_table == mapping.local_table), None)


def _written_on_both_sides(mapping: Mapping, local: TableSchema, remote: TableSchema) -> set[str]:
    """Return the field mappings, as `pair_of` names them, both of whose fields can be written."""
    found = set()
    for row in mapping.fields:
        one, other = local.fields.get(row.local_field or ""), remote.fields.get(row.remote_field or "")
        if one and other and (one.creatable or one.updatable) and (other.creatable or other.updatable):
            found.add(pair_of(row))
    return found


def _warnings(before: Mapping, after: Mapping, known: Sequence[Mapping]) -> list[str]:
    """Return what a person should know of a change that is allowed."""
    found = []
    if not after.only_coupled and after.deletion_conflict is DeletionConflictResolution.UNCOUPLE:
        found.append(
            "A record whose partner was deleted is uncoupled, and then gets a new partner, because records that are "
            "not coupled are synchronised too."
        )
    if before.enabled and not after.enabled:
        users = [each.name for each in known if each.enabled and after.name in each.depends_on]
        if users:
            found.append(
                f"{', '.join(users)} looked values up through {after.name}; records that are not coupled yet will be "
                "waited for in vain."
            )
    if before.only_coupled and not after.only_coupled:
        found.append("The next synchronisation creates a partner for every record of the filters that has none.")
    disabled = [
        row.label or row.name
        for old, row in zip(before.fields, after.fields, strict=True)
        if old.enabled and not row.enabled and before.direction is not after.direction
    ]
    if disabled:
        found.append(f"Disabled, because they go the other way only: {', '.join(disabled)}.")
    return found


class LaidDown(msgspec.Struct, frozen=True, kw_only=True):
    """Standard mappings that were stored; `off` are those of them that are switched off, with the reason."""

    mappings: list[str]
    off: dict[str, str] = {}


class Prepared(NamedTuple):
    """Standard mappings that are ready to be stored, and the facts of the connections that go with them."""

    mappings: list[Mapping]
    off: dict[str, str]
    settings: dict[str, str]
    company: str | None
    """The id of the row that stands for the company in Dataverse."""

    def store(self, unit: Unit) -> LaidDown:
        """Store them; the next job reads both sides from the start."""
        for name, value in self.settings.items():
            unit.put_setting(name, value)
        for mapping in self.mappings:
            unit.put_mapping(mapping)
            unit.forget_cursors(mapping.name)
        return LaidDown(mappings=[each.name for each in self.mappings], off=self.off)


async def reset_mappings(
    session: Session,
    names: Sequence[str] = (),
    *,
    ownership: str = "person",
    custom_pages: bool = False,
    by: Principal | None = None,
) -> LaidDown:
    """Restore standard mappings, all or those named, as shipped; couplings stay (engine rule U-17).

    One that the systems have no table or field for is stored switched off, with the reason in the answer: it can be
    enabled once they do. `custom_pages` chooses the variants on the custom API pages that carry every field; where one
    of these is missing, nothing is stored. `by` is who is noted in the audit log. Raises UnknownMapping if a name is
    not that of a standard mapping, UnknownTable or UnknownField for custom pages, EnvironmentChanged, SystemFailure.
    """
    await session.check_environments()
    wanted = _standard_named(names)
    ready = await prepare_standard(session, wanted, ownership=ownership, custom_pages=custom_pages)
    with session.store.begin() as unit:
        done = ready.store(unit)
        if by is not None:
            for name in done.mappings:
                note(unit, by, AuditAction.RESET_MAPPING, name, session.now())
    session.settings.update(ready.settings)
    return done


def _standard_named(names: Sequence[str]) -> list[str]:
    known = standard_names()
    by_folded = {name.casefold(): name for name in known}
    for name in names:
        if name.strip().casefold() not in by_folded:
            raise UnknownMapping(f"{name!r} is not a standard mapping; those are: {', '.join(known)}.", mapping=name)
    return [by_folded[name.strip().casefold()] for name in names] or list(known)


async def prepare_standard(
    session: Session, names: Sequence[str], *, ownership: str, custom_pages: bool = False
) -> Prepared:
    """Return standard mappings as they are to be stored for these systems; nothing is stored.

    Raises what `reset_mappings` raises.
    """
    access = session.access()
    info = await session.systems[Side.LOCAL].info()
    access.settings = {**access.settings, "company_id": str(info.details.get("company_id") or "")}
    # Environments without Microsoft's solution have no row of the company (mapping rules, section 2).
    company = await find_company_row(access)
    mappings, off = [], {}
    for mapping in load_standard(names, ownership=ownership, custom_pages=custom_pages, company_row_id=company):
        misfit = await misfit_of(mapping, session.systems)
        if misfit is not None and (custom_pages or not misfit.lacking):
            raise misfit.error
        if misfit is not None:
            off[mapping.name] = misfit.error.words
        mappings.append(msgspec.structs.replace(mapping, enabled=mapping.enabled and misfit is None))
    settings = {"ownership_model": ownership, "company_id": access.settings["company_id"]}
    return Prepared(mappings, off, settings, company)
