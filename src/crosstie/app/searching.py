"""Searching a list: what a person types, as filters that every system understands, the most telling first.

Business Central takes no `or` between different fields. So each field is a filter of its own, read one after the other.
"""

import re
from collections.abc import Iterator

from crosstie.engine.context import Context
from crosstie.model.records import Side
from crosstie.model.schema import FieldSchema, FieldType, TableSchema

_PLAIN = re.compile(r"[^*?@&|<>=()\"%]+")
_TELLING = 3
"""So many characters of a text are worth looking for by themselves."""
_DIGITS = 4
"""From so many digits on, a text may be part of a phone number."""


def quoted(text: str) -> str:
    """Return a text as filters spell it."""
    return "'" + text.replace("'", "''") + "'"


def search_filters(ctx: Context, side: Side, text: str) -> list[str]:
    """Return the filters that find `text`: by key from its beginning, then anywhere in name, e-mail and phone."""
    text = text.strip()
    if not text:
        return []
    schema, mapping = ctx.compiled.schema(side), ctx.compiled.mapping
    found = []
    if (key := mapping.key_field(side)) is not None and (filter := beginning(schema, schema.fields[key], text)):
        found.append(filter)
    found.append(containing(schema, schema.fields[mapping.name_field(side)], text))
    for name in _also(ctx, side, text):
        found.append(containing(schema, schema.fields[name], text))
    return list(dict.fromkeys(filter for filter in found if filter))


def beginning(schema: TableSchema, field: FieldSchema, text: str) -> str:
    """Return the filter for texts that begin so, in whatever case; empty for fields that are no texts.

    What Business Central can find of the beginning narrows down what is read, as in `containing`.
    """
    whole = _beginning(schema, field, text)
    plain = _PLAIN.match(text)
    if not whole or plain is None or plain[0] == text:
        return whole
    return f"({_beginning(schema, field, plain[0])}) and ({whole})"


def _beginning(schema: TableSchema, field: FieldSchema, text: str) -> str:
    return " or ".join(f"startswith({field.name},{quoted(each)})" for each in _spellings(schema, field, text))


def containing(schema: TableSchema, field: FieldSchema, text: str) -> str:
    """Return the filter for texts that have `text` in them, in the usual spellings of its case.

    Business Central takes some characters for wildcards, so that we sift what has them: what it can find of the text
    narrows down what is read.
    """
    whole = _containing(schema, field, text)
    plain = max(_PLAIN.findall(text), key=len, default="")
    if not whole or plain == text or len(plain) < _TELLING:
        return whole
    return f"({_containing(schema, field, plain)}) and ({whole})"


def _containing(schema: TableSchema, field: FieldSchema, text: str) -> str:
    return " or ".join(f"contains({field.name},{quoted(each)})" for each in _spellings(schema, field, text))


def equalling(schema: TableSchema, field: FieldSchema, text: str) -> str:
    """Return the filter for texts that are the same but for the usual spellings of its case."""
    return " or ".join(f"{field.name} eq {quoted(each)}" for each in _spellings(schema, field, text))


def _spellings(schema: TableSchema, field: FieldSchema, text: str) -> list[str]:
    """Return the spellings worth trying where a system tells capitals from small letters."""
    if field.type is FieldType.CODE:
        return [text.upper()]
    if field.type is not FieldType.TEXT:
        return []
    if not schema.case_sensitive:
        return [text]
    return list(dict.fromkeys((text, text.lower(), text.upper(), text.title(), text[:1].upper() + text[1:])))


def _also(ctx: Context, side: Side, text: str) -> Iterator[str]:
    """Yield the mapped fields besides key and name that a text of this look may be in."""
    wanted: tuple[str, ...] = ("mail",) if "@" in text else ()
    if sum(character.isdigit() for character in text) >= _DIGITS:
        wanted += ("phone", "tele", "mobile")
    for name in ctx.compiled.mapped[side]:
        if any(part in name.lower() for part in wanted):
            yield name
