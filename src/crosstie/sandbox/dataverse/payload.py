"""What the body of a write asks for (wire-dataverse sections 5 and 6).

Names are checked against the table, values become stored values, and links are resolved to rows that exist.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from crosstie.sandbox.dataverse.address import reference
from crosstie.sandbox.dataverse.environment import Call
from crosstie.sandbox.dataverse.errors import (
    BAD_ARGUMENT,
    UNSUPPORTED,
    Refusal,
    bad_payload,
    invalid_property,
    undeclared,
)
from crosstie.sandbox.dataverse.schema import OWNER, ManyToMany, Relation, Table
from crosstie.sandbox.dataverse.types import Encode

BIND = "@odata.bind"


@dataclass(slots=True)
class Change:
    """What is to happen to one row. *values* are stored values by column."""

    values: dict[str, object] = field(default_factory=dict)
    related: list[tuple[Relation, Mapping[str, object]]] = field(default_factory=list)
    """New rows that this one will point at."""
    children: list[tuple[Relation | ManyToMany, list[Mapping[str, object]]]] = field(default_factory=list)
    """New rows that will point at this one."""
    members: list[tuple[Relation | ManyToMany, Table, str]] = field(default_factory=list)
    """Existing rows that will point at this one."""


@dataclass(frozen=True, slots=True)
class Names:
    """The names that bodies may use for one table."""

    writable: Mapping[str, Encode]
    silent: frozenset[str]
    """Known names whose values the server passes over: it keeps them itself, or not at this moment."""


def names_for(call: Call, table: Table, creating: bool) -> Names:
    """Which columns a body can set on create or on update."""
    return call.env.remember(("names", table.name, str(creating)), lambda: _names(call, table, creating))


def _names(call: Call, table: Table, creating: bool) -> Names:
    encoders = call.env.encoders(table)
    denied = {"read", "update-only" if creating else "create-only"}
    plain = [column for column in table.columns.values() if not column.lookup]
    writable = {column.name: encoders[column.name] for column in plain if column.access not in denied}
    silent = {column.name for column in plain} - writable.keys()
    return Names(writable, frozenset(silent | {"ownerid"} if table.principal else silent))


def read_change(call: Call, table: Table, body: object, creating: bool) -> Change:
    """The change that *body* asks for; raises :class:`Refusal` on what the table does not have or take."""
    if not isinstance(body, dict):
        raise bad_payload(table.set, "The request body must be a JSON object.")
    change = Change()
    names = names_for(call, table, creating)
    writable, values = names.writable, change.values
    for name, value in body.items():
        encode = writable.get(name)
        if encode is not None:
            values[name] = encode(value)
        elif name not in names.silent:
            _special(call, table, name, value, change, creating)
    return change


def _special(call: Call, table: Table, name: str, value: object, change: Change, creating: bool) -> None:
    """A name that is no plain column: a link, an annotation, nested rows, or a mistake."""
    if name.endswith(BIND):
        _bind(call, table, name.removesuffix(BIND), value, change, creating)
    elif "@" in name:
        return
    elif name in table.navigations:
        _nested_one(table, table.navigations[name], value, change, creating)
    elif name in table.collections or name in table.many:
        _nested_many(table, name, value, change, creating)
    elif name in table.wire:
        raise Refusal(
            400,
            UNSUPPORTED,
            f"CRM do not support direct update of Entity Reference properties, Use Navigation properties instead. "
            f"('{name}' of '{table.name}')",
        )
    else:
        raise invalid_property(name, table.type_name, list(table.wire))


def _bind(call: Call, table: Table, name: str, value: object, change: Change, creating: bool) -> None:
    relation = table.navigations.get(name)
    if relation is not None:
        if not _settable(table, relation, creating):
            return
        if value is None:
            set_link(table, relation, None, change.values)
        else:
            set_link(
                table, relation, reference(call, value, call.env.schema.targets(relation), table.set), change.values
            )
        return
    backwards = table.collections.get(name) or table.many.get(name)
    if backwards is None:
        raise undeclared(name, table.set, [*table.navigations, *table.collections, *table.many])
    if not isinstance(value, list):
        raise bad_payload(table.set, f"The value of '{name}{BIND}' must be an array of references.")
    far = far_table(call, table, backwards)
    change.members += [(backwards, *reference(call, item, (far,), table.set)) for item in value]


def _nested_one(table: Table, relation: Relation, value: object, change: Change, creating: bool) -> None:
    if not _settable(table, relation, creating):
        return
    if value is None:
        set_link(table, relation, None, change.values)
    elif isinstance(value, dict) and creating and relation.target != OWNER:
        change.related.append((relation, value))
    else:
        raise Refusal(
            400,
            BAD_ARGUMENT,
            f"'{relation.navigation}' of '{table.name}' takes null, a reference through "
            f"'{relation.navigation}{BIND}' or, on create, a new record.",
        )


def _nested_many(table: Table, name: str, value: object, change: Change, creating: bool) -> None:
    if not creating:
        raise Refusal(
            400, BAD_ARGUMENT, f"Deep update of '{name}' is not supported: write the related rows themselves."
        )
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise bad_payload(table.set, f"The value of '{name}' must be an array of objects.")
    change.children.append((table.collections.get(name) or table.many[name], value))


def _settable(table: Table, relation: Relation, creating: bool) -> bool:
    return table.columns[relation.column].access not in ("read", "update-only" if creating else "create-only")


def set_link(table: Table, relation: Relation, row: tuple[Table, str] | None, values: dict[str, object]) -> None:
    """Put a link (or none) into stored values."""
    column = table.columns[relation.column]
    values[column.name] = row[1] if row else None
    if column.polymorphic:
        values[f"{column.name}type"] = row[0].name if row else None


def far_table(call: Call, table: Table, relation: Relation | ManyToMany) -> Table:
    """The table at the other end of a collection of *table*."""
    name = relation.source if isinstance(relation, Relation) else relation.other(table.name)
    return call.env.schema.table(name)
