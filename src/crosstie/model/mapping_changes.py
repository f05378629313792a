"""Changes of a mapping: what a person may change of it, and the mapping that comes of it. Pure.

Whether the result fits its tables is not decided here.
"""

from collections.abc import Collection, Iterator
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from crosstie.model.errors import InvalidOption, UnknownField
from crosstie.model.mappings import (
    DeletionConflictResolution,
    Direction,
    FieldMapping,
    Mapping,
    UpdateConflictResolution,
)
from crosstie.model.transformations import Rule, check_rule

_BOTH_WAYS = Direction.BIDIRECTIONAL


class FieldChanges(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is to change of a field mapping; what is left unset stays."""

    enabled: bool | UnsetType = UNSET
    direction: Direction | UnsetType = UNSET
    constant: str | int | bool | UnsetType | None = UNSET
    not_null: bool | UnsetType = UNSET
    clear_value_on_failed_sync: bool | UnsetType = UNSET
    match_priority: int | UnsetType | None = UNSET
    case_sensitive_match: bool | UnsetType = UNSET
    conflict_resolution: UpdateConflictResolution | UnsetType | None = UNSET
    transform_to_remote: tuple[Rule, ...] | UnsetType = UNSET
    transform_to_local: tuple[Rule, ...] | UnsetType = UNSET


class MappingChanges(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is to change of a mapping; what is left unset stays. `fields` are named as `field_named` says."""

    direction: Direction | UnsetType = UNSET
    local_filter: str | UnsetType | None = UNSET
    remote_filter: str | UnsetType | None = UNSET
    only_coupled: bool | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    update_conflict: UpdateConflictResolution | UnsetType = UNSET
    deletion_conflict: DeletionConflictResolution | UnsetType = UNSET
    synchronise_after_match: bool | UnsetType = UNSET
    create_if_no_match: bool | UnsetType = UNSET
    fields: dict[str, FieldChanges] = {}


class MappingChange(msgspec.Struct, frozen=True, kw_only=True):
    """One setting that changed; `field` is the label of the field mapping that it belongs to, empty for the mapping."""

    field: str = ""
    setting: str
    before: Any
    after: Any


_SETTINGS = tuple(name for name in MappingChanges.__struct_fields__ if name != "fields")
_FIELD_SETTINGS = FieldChanges.__struct_fields__


def pair_of(row: FieldMapping) -> str:
    """Return the name of a field mapping that no other one of its mapping has: both fields with a slash between."""
    return f"{row.local_field or ''}/{row.remote_field or ''}"


def field_named(mapping: Mapping, name: str) -> int:
    """Return the place of a field mapping by both fields (LOCAL/REMOTE), one field or its label, whatever the case.

    Raises UnknownField with the names there are, InvalidOption for a name that means several.
    """
    wanted = name.strip().casefold()
    for called in (pair_of, lambda row: row.local_field, lambda row: row.remote_field, lambda row: row.label):
        found = [at for at, row in enumerate(mapping.fields) if (called(row) or "").casefold() == wanted]
        if len(found) == 1:
            return found[0]
        if found:
            pairs = ", ".join(pair_of(mapping.fields[at]) for at in found)
            raise InvalidOption(
                f"{name!r} means several field mappings of {mapping.name}: {pairs}.",
                next_step="Name it by both fields, with a slash between them.",
                field=name,
            )
    known = ", ".join(dict.fromkeys(row.name for row in mapping.fields))
    raise UnknownField(
        f"{mapping.name} has no field mapping {name!r}; there are: {known}.", field=name, mapping=mapping.name
    )


def with_changes(
    mapping: Mapping, changes: MappingChanges, *, standard: Mapping | None = None, free: Collection[str] = ()
) -> Mapping:
    """Return the mapping as it is to be.

    Another direction takes the field mappings along: as they are in the `standard` mapping where it goes both ways,
    else those whose `pair_of` is in `free`, whose fields can be written on both sides, go as the mapping does (engine
    rule D-10). One that goes the other way only is disabled, and enabled again when the direction comes back. What is
    said of a field mapping itself comes last. Raises UnknownField, InvalidOption.
    """
    values = {name: value for name in _SETTINGS if (value := getattr(changes, name)) is not UNSET}
    for name in ("local_filter", "remote_filter"):
        if name in values:
            values[name] = (values[name] or "").strip() or None
    rows = list(mapping.fields)
    if changes.direction is not UNSET and changes.direction is not mapping.direction:
        rows = [_along(row, mapping.direction, changes.direction, standard, free) for row in rows]
    for name, change in changes.fields.items():
        at = field_named(mapping, name)
        given = {each: value for each in _FIELD_SETTINGS if (value := getattr(change, each)) is not UNSET}
        priority = given.get("match_priority")
        if priority is not None and not 0 <= priority <= 1000:
            raise InvalidOption(
                f"The match priority of {name} is {priority}; it is a number from 0 to 1,000, or none.", field=name
            )
        for rule in (*given.get("transform_to_remote", ()), *given.get("transform_to_local", ())):
            check_rule(rule)
        rows[at] = msgspec.structs.replace(rows[at], **given)
    return msgspec.structs.replace(mapping, **values, fields=tuple(rows))


def differences_of(before: Mapping, after: Mapping) -> list[MappingChange]:
    """Return what changed, settings of the mapping first. Both have the same field mappings."""
    found = [
        MappingChange(setting=name, before=old, after=new) for name, old, new in _differing(before, after, _SETTINGS)
    ]
    for one, other in zip(before.fields, after.fields, strict=True):
        label = one.label or one.name
        found += [
            MappingChange(field=label, setting=name, before=old, after=new)
            for name, old, new in _differing(one, other, _FIELD_SETTINGS)
        ]
    return found


def _differing(one: object, other: object, names: tuple[str, ...]) -> Iterator[tuple[str, Any, Any]]:
    for name in names:
        old, new = getattr(one, name), getattr(other, name)
        if old != new:
            yield name, old, new


def _along(
    row: FieldMapping, old: Direction, new: Direction, standard: Mapping | None, free: Collection[str]
) -> FieldMapping:
    """Return a field mapping as it is when the mapping's direction changes."""
    wanted, shipped = row.direction, _shipped(standard, row)
    if shipped is not None and standard is not None and standard.direction is _BOTH_WAYS:
        wanted = shipped.direction
    elif pair_of(row) in free and (new is _BOTH_WAYS or old is not _BOTH_WAYS):
        wanted = _BOTH_WAYS
    if new is _BOTH_WAYS or wanted is new:
        fitting = wanted
    elif wanted is _BOTH_WAYS:
        fitting = new
    else:
        return msgspec.structs.replace(row, enabled=False)
    kept_out = old not in (_BOTH_WAYS, row.direction) and (shipped is None or shipped.enabled)
    return msgspec.structs.replace(row, direction=fitting, enabled=row.enabled or kept_out)


def _shipped(standard: Mapping | None, row: FieldMapping) -> FieldMapping | None:
    return next((each for each in standard.fields if pair_of(each) == pair_of(row)), None) if standard else None
