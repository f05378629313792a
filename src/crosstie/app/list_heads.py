"""Heads of lists: which columns a list shows by itself, and what cannot be done with its records (P08, P10, P12)."""

from collections.abc import Iterable, Iterator

import msgspec

from crosstie.app.home import Home
from crosstie.app.session import Session, find_mapping
from crosstie.engine.compiling import CompiledMapping
from crosstie.model.lists import RecordRow
from crosstie.model.mappings import Direction, Mapping
from crosstie.model.records import Side
from crosstie.model.schema import FieldSchema, FieldType

MOST_COLUMNS = 4
"""Fields beside key and name that a list shows by itself."""
_TELLING = (("phone",), ("city",), ("contactname",), ("mail",), ("mobile",))
"""What people look for in a list, the first first: by parts of the field's name."""
_TEXTS = frozenset({FieldType.TEXT, FieldType.CODE})
_PLAIN = _TEXTS | {FieldType.DECIMAL, FieldType.INTEGER, FieldType.DATE}


class ListHead(msgspec.Struct, frozen=True, kw_only=True):
    """What the page of a list says around its rows.

    `fields` are the columns that it shows, by name, with what each is called; `key` is None where records have no
    number or code. `cannot_create` says why no partner of these records can be created; empty if it can be.
    """

    mapping: str
    label: str
    side: Side
    table: str
    other_table: str
    local_table: str
    key: str | None
    name: str
    fields: dict[str, str]
    direction: Direction
    enabled: bool
    only_coupled: bool
    filter: str
    cannot_create: str

    @property
    def columns(self) -> list[str]:
        """All fields that a list of these records reads."""
        return list(dict.fromkeys([*([self.key] if self.key else []), self.name, *self.fields]))


async def head_of(session: Session, mapping: str, side: Side) -> ListHead:
    """Return the head of a mapping's list. Raises UnknownMapping, SystemFailure."""
    compiled = await session.compiled(session.mapping(mapping).name)
    head = _known(compiled.mapping, side)
    other = compiled.schema(side.other)
    reason = head.cannot_create or ("" if other.creatable else f"Records of {other.name} cannot be created.")
    return msgspec.structs.replace(head, fields=dict(_fields(compiled, side)), cannot_create=reason)


def known_head(home: Home, mapping: str, side: Side) -> ListHead:
    """Return what is known of a list's head without its systems: no fields. Raises UnknownMapping."""
    with home.store.begin() as unit:
        return _known(find_mapping(unit.mappings(), mapping), side)


def partner_addresses(session: Session, head: ListHead, rows: Iterable[RecordRow]) -> dict[str, str]:
    """Return the addresses of partners in the other system's own pages, by the id of the row."""
    system = session.systems[head.side.other]
    return {row.id: system.link(head.other_table, row.partner.id) for row in rows if row.partner is not None}


def _known(mapping: Mapping, side: Side) -> ListHead:
    reached = mapping.reaches(side.other)
    return ListHead(
        mapping=mapping.name,
        label=mapping.label,
        side=side,
        table=mapping.table(side),
        other_table=mapping.table(side.other),
        local_table=mapping.local_table,
        key=mapping.key_field(side),
        name=mapping.name_field(side),
        fields={},
        direction=mapping.direction,
        enabled=mapping.enabled,
        only_coupled=mapping.only_coupled,
        filter=mapping.filter(side) or "",
        cannot_create="" if reached else f"{mapping.name} flows {mapping.direction.value} only.",
    )


def _fields(compiled: CompiledMapping, side: Side) -> Iterator[tuple[str, str]]:
    """Yield the columns beside key and name: what people look for, then what else is mapped, as far as it can be read.

    A field is called as its field mapping calls it: Business Central's API has only technical names.
    """
    schema, mapping = compiled.schema(side), compiled.mapping
    labels = {name: row.label for row in reversed(compiled.fields) if (name := row.field_name(side))}
    named = (mapping.key_field(side), mapping.name_field(side))
    mapped = [schema.fields[name] for name in compiled.mapped[side] if name not in named]
    telling = [found for words in _TELLING for found in mapped if _is_called(found, words)]
    plain = [found for found in mapped if found.type in _PLAIN] if not telling else []
    for field in list({found.name: found for found in [*telling, *plain]}.values())[:MOST_COLUMNS]:
        yield field.name, labels.get(field.name) or field.label or field.name


def _is_called(field: FieldSchema, words: tuple[str, ...]) -> bool:
    return field.type in _TEXTS and any(word in field.name.lower() for word in words)
