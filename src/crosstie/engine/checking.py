"""Checking: what is wrong with a mapping, said with its name, the field and the next step."""

import difflib
from collections.abc import Mapping as Dictionary
from typing import Final

from crosstie.engine.converting import Unfit, fitted
from crosstie.engine.transforming import what_is_wrong
from crosstie.model.errors import InvalidMapping, UnknownField
from crosstie.model.mappings import Direction, FieldMapping, LocalReference, Mapping
from crosstie.model.places import Place
from crosstie.model.records import Side
from crosstie.model.schema import FieldSchema, FieldType, TableSchema
from crosstie.rules.base import FieldRule

_IDS: Final = (FieldType.GUID, FieldType.LOOKUP)
_WAYS: Final = {Side.REMOTE: "to the remote table", Side.LOCAL: "to the local table"}


def check_mapping(mapping: Mapping, local: TableSchema, remote: TableSchema, rules: Dictionary[str, FieldRule]) -> None:
    """Check a mapping against its tables and rules; disabled field mappings are left out.

    Raises UnknownField for a field that a table lacks, InvalidMapping for everything else.
    """
    checker = _Checker(mapping, {Side.LOCAL: local, Side.REMOTE: remote}, rules)
    checker.table_fields()
    enabled = [row for row in mapping.fields if row.enabled]
    for row in enabled:
        checker.field(row)
    checker.directions(enabled)
    checker.destinations(enabled)


class _Checker:
    def __init__(
        self, mapping: Mapping, tables: Dictionary[Side, TableSchema], rules: Dictionary[str, FieldRule]
    ) -> None:
        self._mapping = mapping
        self._tables = tables
        self._rules = rules

    # --- the mapping as a whole -------------------------------------------------------------------------------

    def table_fields(self) -> None:
        """Key and name, by which people call the records."""
        for side in Side:
            for name in (self._mapping.key_field(side), self._mapping.name_field(side)):
                if name is not None:
                    self._schema(side, name)
        if self._mapping.direction is Direction.BIDIRECTIONAL and is_option_set(self._tables[Side.REMOTE]):
            raise InvalidMapping(
                f"The mapping {self._mapping.name} synchronises the options of a field, which goes in one direction"
                " only (engine rule C-8).",
                next_step="Choose the direction to_remote or from_remote.",
                mapping=self._mapping.name,
            )

    def directions(self, enabled: list[FieldMapping]) -> None:
        """Each direction of the mapping needs a field mapping (engine rule D-18)."""
        for side in Side:
            if not self._mapping.reaches(side):
                continue
            if not any(row.direction.reaches(side) for row in enabled):
                raise InvalidMapping(
                    f"The mapping {self._mapping.name} has no enabled field mapping {_WAYS[side]}.",
                    next_step="Enable one, or change the direction of the mapping.",
                    mapping=self._mapping.name,
                )
            table = self._tables[side]
            if not (table.creatable or table.updatable):
                raise InvalidMapping(
                    f"The mapping {self._mapping.name} goes {_WAYS[side]}, but {table.name} cannot be written.",
                    next_step="Change the direction of the mapping.",
                    mapping=self._mapping.name,
                )

    def destinations(self, enabled: list[FieldMapping]) -> None:
        """No field may get its value from two field mappings (engine W-21)."""
        taken: set[tuple[Side, str]] = set()
        for row in enabled:
            for side in Side:
                name = _name(row, side)
                if name is None or not row.direction.reaches(side):
                    continue
                if (side, name) in taken:
                    raise self._wrong(
                        row, f"the field {name} of {self._tables[side].name} gets its value from two field mappings"
                    )
                taken.add((side, name))

    # --- one field mapping ------------------------------------------------------------------------------------

    def field(self, row: FieldMapping) -> None:
        """Everything that concerns one field mapping alone."""
        if row.local_field is None and row.remote_field is None:
            raise self._wrong(row, "it names no field")
        if words := what_is_wrong(row):
            raise self._wrong(row, words, "Correct the transformation rules.")
        if self._mapping.direction not in (Direction.BIDIRECTIONAL, row.direction):
            raise self._wrong(
                row,
                f"its direction {row.direction} is wider than that of the mapping, {self._mapping.direction}",
                "Change the direction of the field mapping or of the mapping.",
            )
        self._source_and_rule(row)
        for side in Side:
            name = _name(row, side)
            if name is not None:
                schema = self._schema(side, name)
                if row.direction.reaches(side):
                    self._destination(row, side, schema)
        self._flags(row)
        if row.lookup is not None:
            self._lookup(row)

    def _source_and_rule(self, row: FieldMapping) -> None:
        if row.rule is not None:
            rule = self._rules.get(row.rule)
            if rule is None:
                known = ", ".join(sorted(self._rules)) or "none"
                raise self._wrong(row, f"there is no rule {row.rule}; known are: {known}", "Correct the rule's name.")
            for side in Side:
                for name in rule.reads(row, side):
                    self._schema(side, name)
        one_sided = row.local_field is None or row.remote_field is None
        if one_sided and row.rule is None and row.constant is None:
            raise self._wrong(row, "it has neither a second field nor a constant", "Give it a constant or a field.")
        if row.constant is not None and (not one_sided or row.rule is not None or row.lookup is not None):
            raise self._wrong(row, "it has a constant and another source beside it", "Remove one of them.")
        if one_sided and row.direction.reaches(Side.LOCAL if row.local_field is None else Side.REMOTE):
            raise self._wrong(row, f"its direction {row.direction} goes to a field that it does not name")

    def _destination(self, row: FieldMapping, side: Side, schema: FieldSchema) -> None:
        table = self._tables[side].name
        if not (schema.creatable or schema.updatable):
            raise self._wrong(
                row,
                f"the field {schema.name} of {table} cannot be written",
                "Turn the direction of the field mapping, or disable it.",
            )
        if row.create_only and not schema.creatable:
            raise self._wrong(row, f"it is written on creation only, when {schema.name} of {table} cannot be written")
        if row.constant is not None:
            try:
                fitted(row.constant, schema)
            except Unfit as unfit:
                raise self._wrong(row, f"its constant cannot be kept: {unfit.words.rstrip('.')}") from unfit
        elif schema.type is FieldType.LOOKUP and row.rule is None and row.lookup is None:
            raise self._wrong(
                row,
                f"the field {schema.name} of {table} refers to another table, and no mapping of that table is named",
                "Name the mapping through which its values are looked up (engine rule F-10).",
            )

    def _flags(self, row: FieldMapping) -> None:
        if row.not_null and row.clear_value_on_failed_sync:
            raise self._wrong(
                row, "not_null and clear_value_on_failed_sync exclude each other", "Switch one of the two off."
            )
        if row.not_null:
            remote = self._schema(Side.REMOTE, row.remote_field) if row.remote_field else None
            if remote is None or remote.type not in _IDS:
                raise self._wrong(row, "not_null applies to id fields of the remote table only", "Switch it off.")

    def _lookup(self, row: FieldMapping) -> None:
        assert row.lookup is not None, "asked only with a lookup"
        if row.local_field is None or row.remote_field is None:
            raise self._wrong(row, "a lookup needs a field on both sides")
        local = self._schema(Side.LOCAL, row.local_field)
        by_id = row.lookup.local_reference is LocalReference.ID
        if by_id != (local.type in _IDS):
            told = "an id" if by_id else "a code"
            raise self._wrong(row, f"its lookup goes by {told}, but {local.name} is a {local.type.value} field")

    def _schema(self, side: Side, name: str) -> FieldSchema:
        table = self._tables[side]
        if (found := table.fields.get(name)) is not None:
            return found
        near = difflib.get_close_matches(name, table.fields, 3)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise UnknownField(
            f"The mapping {self._mapping.name} names the field {name!r}, which {table.name} does not have.{hint}",
            next_step="Correct the mapping, or restore it.",
            place=Place.MAPPING_RESET,
            mapping=self._mapping.name,
            table=table.name,
            field=name,
        )

    def _wrong(self, row: FieldMapping, why: str, next_step: str = "") -> InvalidMapping:
        return InvalidMapping(
            f"The field mapping {row.label or row.name or '(without fields)'} of the mapping {self._mapping.name}"
            f" cannot work: {why}.",
            next_step=next_step,
            mapping=self._mapping.name,
            field=row.name,
        )


def is_option_set(table: TableSchema) -> bool:
    """Whether the table lists the options of a field, such as account.paymenttermscode."""
    return "." in table.name


def _name(row: FieldMapping, side: Side) -> str | None:
    return row.local_field if side is Side.LOCAL else row.remote_field
