"""Mapping cards: what pages show of a mapping beside its settings: filters in words, field mappings, what to mind."""

from collections.abc import Collection
from collections.abc import Mapping as Dictionary

import msgspec

from crosstie.app.mappings import schemas_of
from crosstie.app.session import Session
from crosstie.app.views import FieldMappingView, MappingView
from crosstie.engine.checking import check_mapping
from crosstie.model.errors import SystemFailure, UsageError
from crosstie.model.filter_words import in_words
from crosstie.model.mapping_changes import MappingChanges, pair_of, with_changes
from crosstie.model.mappings import Direction, FieldMapping, Mapping
from crosstie.model.records import Side
from crosstie.model.schema import FieldSchema, FieldType, TableSchema
from crosstie.rules import all_rules
from crosstie.rules.base import FieldRule


class FieldRow(msgspec.Struct, frozen=True, kw_only=True):
    """A field mapping with both fields as their systems call them.

    `refused` says for each direction, and under "enabled" for enabling it, why it cannot be; those that can are not
    in it. `traps` say what may happen to values on their way.
    """

    name: str
    """Both fields with a slash between: unique in its mapping."""
    row: FieldMappingView
    local_label: str
    remote_label: str
    local_type: str
    remote_type: str
    refused: dict[str, str]
    traps: list[str]
    comparable: bool
    """Whether match-based coupling can go by it."""


async def filter_words(session: Session, mappings: Collection[str]) -> dict[str, dict[Side, str]]:
    """Return the stored filters of mappings in words; those whose table cannot be asked for stay out."""
    found: dict[str, dict[Side, str]] = {}
    for mapping in session.mappings():
        if mapping.name not in mappings:
            continue
        told = found[mapping.name] = {}
        for side in Side:
            try:
                schema = await session.systems[side].describe(mapping.table(side))
                told[side] = in_words(mapping.filter(side), schema)
            except (UsageError, SystemFailure):
                continue
    return found


async def field_rows(session: Session, mapping: str) -> list[FieldRow]:
    """Return the field mappings of a mapping with what can be made of them. Raises UnknownMapping, SystemFailure."""
    found = session.mapping(mapping)
    local, remote = await schemas_of(session, found)
    rules = {rule.name: rule for rule in all_rules()}
    views = MappingView.of(found, 0, 0).fields
    return [_row(found, row, view, local, remote, rules) for row, view in zip(found.fields, views, strict=True)]


def _row(
    mapping: Mapping,
    row: FieldMapping,
    view: FieldMappingView,
    local: TableSchema,
    remote: TableSchema,
    rules: Dictionary[str, FieldRule],
) -> FieldRow:
    one, other = local.fields.get(row.local_field or ""), remote.fields.get(row.remote_field or "")
    if one is not None:  # as the page calls it
        one = msgspec.structs.replace(one, label=view.label)
    tries = {each.value: {"direction": each.value, "enabled": True} for each in Direction}
    tries["enabled"] = {"enabled": True}
    refused = {}
    for name, tried in tries.items():
        changes = msgspec.convert({"fields": {pair_of(row): tried}}, MappingChanges)
        try:
            check_mapping(with_changes(mapping, changes), local, remote, rules)
        except UsageError as error:
            refused[name] = error.words.partition(" cannot work: ")[2] or error.words
    return FieldRow(
        name=pair_of(row),
        row=view,
        local_label=view.label if row.local_field else "",
        remote_label=(other.label if other else "") or row.remote_field or "",
        local_type=_type(one),
        remote_type=_type(other),
        refused=refused,
        traps=_traps(row, one, other),
        comparable=one is not None and other is not None and row.rule is None,
    )


def _type(field: FieldSchema | None) -> str:
    if field is None:
        return ""
    length = f" {field.max_length}" if field.max_length and field.type in (FieldType.TEXT, FieldType.CODE) else ""
    return f"{field.type.value}{length}"


def _traps(row: FieldMapping, local: FieldSchema | None, remote: FieldSchema | None) -> list[str]:
    """Return what may happen to values of a field mapping on their way (F14 B4)."""
    found = []
    if local is not None and remote is not None and row.lookup is None and row.rule is None:
        for side, source, destination in ((Side.REMOTE, local, remote), (Side.LOCAL, remote, local)):
            if row.direction.reaches(side):
                found += _on_the_way(source, destination)
    for side, field in ((Side.LOCAL, local), (Side.REMOTE, remote)):
        if field is not None and row.direction.reaches(side) and field.creatable and not field.updatable:
            found.append(f"{field.label or field.name} can be written only when a record is created.")
    if row.create_only:
        found.append("Written only when a record is created.")
    return list(dict.fromkeys(found))


def _on_the_way(source: FieldSchema, destination: FieldSchema) -> list[str]:
    found = []
    name, texts = destination.label or destination.name, (FieldType.TEXT, FieldType.CODE)
    if source.type in texts and destination.type in texts:
        if destination.max_length and (source.max_length is None or source.max_length > destination.max_length):
            longest = f"up to {source.max_length}" if source.max_length else "any number"
            found.append(f"{name} holds {destination.max_length} characters; values may have {longest}.")
    elif source.type is FieldType.TEXT:
        found.append(f"A text that is no {destination.type.value} cannot be written.")
    elif source.type is not destination.type:
        found.append(f"Values are converted from {source.type.value} to {destination.type.value}.")
    if destination.scale is not None and source.scale is not None and source.scale > destination.scale:
        found.append(f"{name} keeps {destination.scale} of {source.scale} decimals.")
    if not destination.nullable and source.nullable and source.type not in texts:
        found.append(f"{name} cannot be blank: a blank arrives as 0 or No.")
    return found
