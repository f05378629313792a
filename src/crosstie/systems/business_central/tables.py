"""Tables of Business Central from its metadata (wire-businesscentral section 3).

Blanks are values there (empty text, zero guid, 0001-01-01); here they are None. Enum members carry XML-encoded names
on the wire and plain captions here.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from crosstie.model.readers import Reader, reader
from crosstie.model.schema import ChangeFeed, FieldSchema, FieldType, TableSchema
from crosstie.model.values import ZERO_GUID, Scalar
from crosstie.systems.business_central.csdl import EntitySet, Property
from crosstie.systems.business_central.facts import Facts
from crosstie.systems.encoding import date_literal, datetime_literal, decode_name
from crosstie.systems.rows import Column

MODIFIED = "lastModifiedDateTime"
BLANK_OPTION = "_x0020_"

_TYPES = {
    "Edm.String": FieldType.TEXT,
    "Edm.Guid": FieldType.GUID,
    "Edm.Boolean": FieldType.BOOLEAN,
    "Edm.Int16": FieldType.INTEGER,
    "Edm.Int32": FieldType.INTEGER,
    "Edm.Int64": FieldType.INTEGER,
    "Edm.Decimal": FieldType.DECIMAL,
    "Edm.Double": FieldType.DECIMAL,
    "Edm.Date": FieldType.DATE,
    "Edm.DateTimeOffset": FieldType.DATETIME,
}
_ALWAYS_THERE = (FieldType.INTEGER, FieldType.DECIMAL, FieldType.BOOLEAN)
_MILLISECONDS = 3
_BLANKS: dict[FieldType, Any] = {
    FieldType.TEXT: "",
    FieldType.CODE: "",
    FieldType.GUID: ZERO_GUID,
    FieldType.LOOKUP: ZERO_GUID,
    FieldType.INTEGER: 0,
    FieldType.DECIMAL: 0,
    FieldType.BOOLEAN: False,
    FieldType.DATE: "0001-01-01",
    FieldType.DATETIME: "0001-01-01T00:00:00Z",
    FieldType.CHOICE: BLANK_OPTION,
}


class Enumeration(msgspec.Struct, frozen=True):
    """The options of an enum both ways; the blank one is None."""

    captions: Mapping[str, str | None]
    members: Mapping[str, str]

    def caption(self, wire: Any) -> Scalar:
        """Return the canonical value of an option as it came; plain captions are taken as well."""
        if wire in self.captions:
            return self.captions[wire]
        return None if wire is None else decode_name(str(wire)).strip() or None

    def member(self, caption: str) -> str:
        """Return how the option is spelled on the wire; one that is not known goes as it is, to be refused by name."""
        return self.members.get(caption, caption)


class Table(msgspec.Struct, frozen=True):
    """A table with what the wire needs beyond its schema."""

    schema: TableSchema
    root: str
    """Root of the API."""
    collection: str
    """Address of the entity set, relative to the root."""
    enumerations: Mapping[str, Enumeration]
    driving: tuple[str, ...]
    modified: str | None

    @property
    def url(self) -> str:
        return f"{self.root}/{self.collection}"

    def column(self, name: str) -> Column:
        """Return how the field is read."""
        return Column(name, name, self._reader(name))

    def _reader(self, name: str) -> Reader:
        found = self.enumerations.get(name)
        return reader(self.schema.fields[name]) if found is None else found.caption

    def selected(self, names: Iterable[str]) -> list[str]:
        """Return what `$select` must name for these fields to arrive, key and modification time included."""
        always = [self.schema.key, *([self.modified] if self.modified else [])]
        return list(dict.fromkeys((*always, *names)))

    def spelled(self, name: str, value: Scalar) -> Any:
        """Return a canonical value as JSON wants it."""
        field = self.schema.fields[name]
        if value is None:
            return _BLANKS[field.type]
        match field.type:
            case FieldType.CHOICE if name in self.enumerations:
                return self.enumerations[name].member(str(value))
            case FieldType.DATE:
                return date_literal(value)  # type: ignore[arg-type]
            case FieldType.DATETIME:
                return datetime_literal(value, _MILLISECONDS)  # type: ignore[arg-type]
        return value

    def body(self, values: Mapping[str, Scalar]) -> dict[str, Any]:
        """Return the JSON object that sets these values: driving properties first, then in the page's order."""
        first = [name for name in self.driving if name in values]
        rest = [name for name in self.schema.fields if name in values and name not in first]
        return {name: self.spelled(name, values[name]) for name in (*first, *rest)}


def table_of(name: str, found: EntitySet, root: str, collection: str, facts: Facts) -> Table:
    """Return the table that an entity set of the metadata is."""
    known = facts.of(name)
    enumerations = {prop.name: _enumeration(prop) for prop in found.properties.values() if prop.members}
    fields = {}
    for prop in found.properties.values():
        field = _field(prop, found, known.codes, known.read_only, facts.references, enumerations.get(prop.name))
        if field is not None:
            fields[field.name] = field
    modified = MODIFIED if MODIFIED in fields else None
    feed = ChangeFeed.MODIFIED if modified else ChangeFeed.FULL
    schema = TableSchema(
        name=name,
        label=_in_words(found.name),
        key=found.key,
        name_field=next((field for field in ("displayName", "description") if field in fields), None),
        fields=fields,
        feed=feed,
        client_ids=True,
        conditional_writes=True,
        creatable="insert" not in known.not_allowed,
        updatable="modify" not in known.not_allowed,
        deletable="delete" not in known.not_allowed,
        alternate_keys=tuple((field,) for field in ("number", "code") if field in fields),
        filters_in_feed=feed is ChangeFeed.MODIFIED,
        case_sensitive=True,
        blanks_compare=True,
    )
    return Table(schema, root, collection, enumerations, facts.driving, modified)


def _field(
    prop: Property,
    found: EntitySet,
    codes: Iterable[str],
    read_only: Iterable[str],
    references: Mapping[str, str],
    enumeration: Enumeration | None,
) -> FieldSchema | None:
    kind = FieldType.CHOICE if enumeration else _TYPES.get(prop.type)
    if kind is None:
        return None
    target = found.references.get(prop.name) or references.get(prop.name)
    if kind is FieldType.TEXT and prop.name in codes:
        kind = FieldType.CODE
    elif kind is FieldType.GUID and target and prop.name != found.key:
        kind = FieldType.LOOKUP
    writable = prop.name not in read_only
    options = {caption: caption for caption in enumeration.captions.values() if caption} if enumeration else {}
    return FieldSchema(
        name=prop.name,
        type=kind,
        label=_in_words(prop.name),
        max_length=prop.max_length,
        scale=_MILLISECONDS if kind is FieldType.DATETIME else None,
        nullable=kind not in _ALWAYS_THERE and (enumeration is None or None in enumeration.captions.values()),
        creatable=writable,
        updatable=writable and prop.name != found.key,
        options=options,
        targets=(target,) if kind is FieldType.LOOKUP and target else (),
    )


def _enumeration(prop: Property) -> Enumeration:
    captions = {member: decode_name(member).strip() or None for member in prop.members}
    members = {caption: member for member, caption in captions.items() if caption}
    return Enumeration({**{caption: caption for caption in members}, **captions}, members)


def _in_words(name: str) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return words[:1].upper() + words[1:]
