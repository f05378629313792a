"""From a system's answer to one write to what became of it."""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from crosstie.model.errors import GarbledAnswer
from crosstie.model.records import Record, Write, WriteKind, WriteResult, WriteStatus
from crosstie.model.schema import FieldSchema, TableSchema
from crosstie.model.values import Values
from crosstie.systems.answers import Answer, Refusal, from_json, refusal
from crosstie.systems.parts import Lost, Outcome, Unsent

Codes: TypeAlias = Mapping[str, WriteStatus]
ReadRow: TypeAlias = Callable[[Mapping[str, Any]], Record]

_BY_STATUS = {
    401: WriteStatus.DENIED,
    403: WriteStatus.DENIED,
    404: WriteStatus.MISSING,
    408: WriteStatus.UNKNOWN,
    412: WriteStatus.STALE,
    429: WriteStatus.THROTTLED,
    503: WriteStatus.THROTTLED,
}
_QUOTED = re.compile(r"['\"‘’“”]([^'\"‘’“”]+)['\"‘’“”]")
_LETTERS = re.compile(r"[^a-z0-9]+")
_TOO_LONG = re.compile(r"length|too long|exceed", re.IGNORECASE)


def settle(outcome: Outcome, write: Write, schema: TableSchema, codes: Codes, read: ReadRow) -> WriteResult:
    """Return the result of one write. `codes` says which of the system's codes mean what; else the status decides."""
    match outcome:
        case Lost(reason):
            return WriteResult(status=WriteStatus.UNKNOWN, message=f"No answer came: {reason}")
        case Unsent(failure):
            return WriteResult(status=WriteStatus.THROTTLED, code=failure.code, message=failure.words)
        case Answer(status=status) if status < 400:
            return _written(outcome, write, read)
    return _refused(outcome, write, schema, codes)


def _written(answer: Answer, write: Write, read: ReadRow) -> WriteResult:
    if write.kind is WriteKind.DELETE or not answer.body:
        return WriteResult(status=WriteStatus.WRITTEN)
    try:
        return WriteResult(status=WriteStatus.WRITTEN, record=read(from_json(answer.body)))
    except GarbledAnswer as error:
        return WriteResult(status=WriteStatus.UNKNOWN, code=error.code, message=error.words)


def _refused(answer: Answer, write: Write, schema: TableSchema, codes: Codes) -> WriteResult:
    said = refusal(answer.body, answer.status)
    status = codes.get(said.code.lower())
    if status is None:
        status = _BY_STATUS.get(answer.status, WriteStatus.UNKNOWN if answer.status >= 500 else WriteStatus.REFUSED)
    if status is WriteStatus.MISSING and _is_another(said, write):
        status = WriteStatus.REFUSED
    field = blamed_field(said.message, write.values, schema) if status is WriteStatus.REFUSED else None
    return WriteResult(status=status, code=said.code, message=said.message, field=field)


def _is_another(said: Refusal, write: Write) -> bool:
    """Whether a record that is missing is not the one written: a create has none, a lookup may point at another."""
    if write.kind is WriteKind.CREATE:
        return True
    ids = re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", said.message.lower())
    return bool(ids) and write.id is not None and write.id.lower() not in ids


def blamed_field(message: str, values: Values, schema: TableSchema) -> str | None:
    """Return the written field that a refusal names, or None where it cannot be told.

    By the name in quotes, by the value in quotes, by the caption as words of the message, by the one value that is
    too long.
    """
    written = [schema.fields[name] for name in values if name in schema.fields]
    quoted = _QUOTED.findall(message)
    plain = {_plain(text) for text in quoted}
    named = [field for field in written if _spellings(field) & plain]
    if not named:
        named = [field for field in written if values[field.name] is not None and str(values[field.name]) in quoted]
    if not named:
        words = f" {_LETTERS.sub(' ', message.lower())} "
        named = [field for field in written if _in_words(field, words)]
        longest = max((len(_plain(field.name)) for field in named), default=0)
        named = [field for field in named if len(_plain(field.name)) == longest]
    if not named and _TOO_LONG.search(message):
        named = [field for field in written if _exceeds(values[field.name], field)]
    return named[0].name if len(named) == 1 else None


def _spellings(field: FieldSchema) -> set[str]:
    return {_plain(field.name), _plain(field.label)} - {""}


def _plain(text: str) -> str:
    return _LETTERS.sub("", text.lower())


def _in_words(field: FieldSchema, words: str) -> bool:
    """Whether name or caption stands in the message: `currencyCode` in "the field Currency Code of table"."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", field.name).lower()
    spoken = {f" {name} ", f" {_LETTERS.sub(' ', field.label.lower()).strip()} "} - {"  "}
    return any(len(text) > 5 and text in words for text in spoken)


def _exceeds(value: object, field: FieldSchema) -> bool:
    return isinstance(value, str) and field.max_length is not None and len(value) > field.max_length


def refused(words: str, code: str, field: str | None = None) -> WriteResult:
    """Return the result of a write that is not even sent."""
    return WriteResult(status=WriteStatus.REFUSED, code=code, message=words, field=field)
