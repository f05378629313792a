"""Writing rows of Dataverse in `$batch` requests (wire-dataverse sections 5 to 7, 9 and 11)."""

from collections.abc import Sequence
from typing import Any

import msgspec

from crosstie.model.errors import UnknownField
from crosstie.model.records import Write, WriteKind, WriteResult
from crosstie.model.schema import FieldSchema, FieldType
from crosstie.model.values import Scalar, Values
from crosstie.systems.batch_multipart import MOST_PARTS, MultipartBatch
from crosstie.systems.batches import send_parts
from crosstie.systems.dataverse.codes import CODES
from crosstie.systems.dataverse.feeds import Feeds
from crosstie.systems.dataverse.metadata import LookupField, Table
from crosstie.systems.encoding import date_literal, datetime_literal, quote
from crosstie.systems.odata import ODataClient
from crosstie.systems.outcomes import refused, settle
from crosstie.systems.parts import Part
from crosstie.systems.querying import known_fields

_encode = msgspec.json.Encoder(decimal_format="number").encode


class Unwritable(Exception):
    """A value cannot be spelled for the service; `field` says which."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


class Writer:
    """Writes the tables of one environment."""

    def __init__(self, client: ODataClient, feeds: Feeds) -> None:
        self._client = client
        self._feeds = feeds

    async def write(self, table: Table, writes: Sequence[Write], fields: Sequence[str]) -> list[WriteResult]:
        """Carry out the writes; answer each in order. Raises SystemFailure only if nothing was carried out."""
        names = known_fields(table.schema, fields)
        spelt = self._spelt(table, names)
        parts: list[Part] = []
        results: list[WriteResult | None] = []
        for write in writes:
            try:
                parts.append(_part(table, write, spelt))
                results.append(None)
            except Unwritable as error:
                results.append(refused(str(error), "unwritable-value", error.field))
        outcomes = iter(
            await send_parts(
                self._client,
                f"{self._client.address}/$batch",
                parts,
                MultipartBatch(),
                min(self._client.limits.batch_size, MOST_PARTS),
            )
        )
        read = self._feeds.reader(table, names).record
        return [
            result or settle(next(outcomes), write, table.schema, CODES, read)
            for write, result in zip(writes, results, strict=True)
        ]

    def _spelt(self, table: Table, names: Sequence[str]) -> "_Spelt":
        return _Spelt(
            address=f"{self._client.path}/{table.entity_set}",
            select=f"?$select={quote(','.join(table.selected(names)))}",
            headers={
                "Content-Type": "application/json",
                "Prefer": ",".join(filter(None, ("return=representation", table.preference(names)))),
            },
        )


class _Spelt(msgspec.Struct, frozen=True):
    """What the parts of a batch on one table have in common."""

    address: str
    select: str
    headers: dict[str, str]


def _part(table: Table, write: Write, spelt: _Spelt) -> Part:
    if write.kind is WriteKind.DELETE:
        return Part("DELETE", f"{spelt.address}({write.id})", {"If-Match": write.expected_version or "*"})
    body = body_of(table, write.values)
    if write.kind is WriteKind.UPDATE:
        headers = {**spelt.headers, "If-Match": write.expected_version or "*"}
        return Part("PATCH", f"{spelt.address}({write.id}){spelt.select}", headers, _encode(body))
    if write.id is not None:
        body = {table.schema.key: write.id, **body}
    return Part("POST", f"{spelt.address}{spelt.select}", spelt.headers, _encode(body))


def body_of(table: Table, values: Values) -> dict[str, Any]:
    """Return the JSON object that sets these canonical values.

    A lookup that may point at several tables goes to the table named by its companion (`parentcustomeridtype`), or by
    the value itself (`contact:<guid>`), else to the first of its targets. Raises UnknownField, Unwritable.
    """
    body: dict[str, Any] = {}
    for name, value in values.items():
        if name not in table.schema.fields:
            raise UnknownField(f"{table.schema.name} has no field {name!r}.", table=table.schema.name, field=name)
        if name in table.companions:
            if table.companions[name] not in values:
                raise Unwritable(name, f"{name} says where {table.companions[name]} points and is written with it.")
        elif name in table.lookups:
            property_name, target = _bound(table.lookups[name], value, values)
            body[f"{property_name}@odata.bind"] = target
        else:
            body[name] = _plain(value, table.schema.fields[name])
    return body


def _bound(lookup: LookupField, value: Scalar, values: Values) -> tuple[str, str | None]:
    if not lookup.targets:
        raise Unwritable(lookup.name, f"The metadata do not say where {lookup.name} points.")
    table, _, id = str(value or "").rpartition(":")
    table = table or str(values.get(f"{lookup.name}type") or lookup.targets[0])
    if table not in lookup.addresses:
        raise Unwritable(lookup.name, f"{lookup.name} points at {', '.join(lookup.targets)}, not at {table}.")
    navigation = lookup.navigation[table]
    return navigation, f"/{lookup.addresses[table].entity_set}({id})" if id else None


def _plain(value: Scalar, field: FieldSchema) -> Any:
    if value is None:
        return None
    try:
        match field.type:
            case FieldType.DATETIME:
                return datetime_literal(value, 0)  # type: ignore[arg-type]
            case FieldType.DATE:
                return date_literal(value)  # type: ignore[arg-type]
            case _:
                return value
    except (AttributeError, ValueError) as error:
        raise Unwritable(field.name, f"{value!r} is not a {field.type.value} value for {field.name}.") from error
