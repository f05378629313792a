"""CreateMultiple and its kin: many rows in one request, all or nothing (wire-dataverse section 12)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from crosstie.sandbox.dataverse.address import RowKey, find, parse_key, require, resolve_reference, split
from crosstie.sandbox.dataverse.environment import Call
from crosstie.sandbox.dataverse.errors import BAD_ARGUMENT, UNEXPECTED, Refusal, bad_payload
from crosstie.sandbox.dataverse.records import json_body
from crosstie.sandbox.dataverse.schema import Table
from crosstie.sandbox.dataverse.types import GUID
from crosstie.sandbox.dataverse.writing import create_row, update_row
from crosstie.sandbox.http import Response, json_response

MESSAGES: Final = ("CreateMultiple", "UpdateMultiple", "UpsertMultiple", "DeleteMultiple")

_TYPE = "@odata.type"
_ID = "@odata.id"

Target = dict[str, Any]


def bulk(call: Call, table: Table, message: str) -> Response:
    """Carry out a bulk message on a table; the first error undoes everything and is the answer."""
    targets = _targets(call, table, json_body(call))
    if message == "DeleteMultiple":
        raise Refusal(400, UNEXPECTED, "DeleteMultiple has not yet been implemented.")
    with call.env.db.transaction():
        if message == "CreateMultiple":
            ids = [create_row(call, table, target) for target in targets]
            context = f"{call.root}/$metadata#Microsoft.Dynamics.CRM.CreateMultipleResponse"
            return json_response({"@odata.context": context, "Ids": ids})
        if message == "UpdateMultiple":
            _update_all(call, table, targets)
        else:
            for target in targets:
                _upsert(call, table, target)
    return Response(204)


def _targets(call: Call, table: Table, body: object) -> list[Target]:
    targets = body.get("Targets") if isinstance(body, Mapping) else None
    if not isinstance(targets, Sequence) or isinstance(targets, str) or not targets:
        raise bad_payload(table.set, "The parameter 'Targets' must be an array with at least one record.")
    for target in targets:
        if not isinstance(target, dict):
            raise bad_payload(table.set, "Each member of 'Targets' must be an object.")
        kind = str(target.get(_TYPE, "")).removeprefix("#")
        if not kind:
            raise bad_payload(table.set, f"The '{_TYPE}' annotation is missing from a member of 'Targets'.")
        if kind != table.type_name:
            raise bad_payload(table.set, f"The type '{kind}' is not '{table.type_name}'.")
    return list(targets)


def _update_all(call: Call, table: Table, targets: Sequence[Target]) -> None:
    seen: set[str] = set()
    for target in targets:
        row_id = target.get(table.id)
        if isinstance(row_id, str) and GUID.fullmatch(row_id):
            row_id = row_id.lower()
        else:
            row_id = require(call.env, table, _target_key(call, table, target))
        if row_id in seen:
            raise Refusal(
                400, BAD_ARGUMENT, f"Duplicate target: the record {row_id} of '{table.name}' stands in 'Targets' twice."
            )
        seen.add(row_id)
        update_row(call, table, row_id, _without_key(target, table))


def _upsert(call: Call, table: Table, target: Target) -> None:
    row_id = target.get(table.id)
    if isinstance(row_id, str) and GUID.fullmatch(row_id):
        key = RowKey(row_id, id=row_id.lower())
    else:
        key = _target_key(call, table, target)
    found = find(call.env, table, key)
    columns = key.key.columns if key.key else ()
    if found is not None:
        update_row(call, table, found, {n: v for n, v in _without_key(target, table).items() if n not in columns})
    elif key.id is not None:
        create_row(call, table, target)
    elif _ID in target and any(name in target for name in columns):
        raise Refusal(400, UNEXPECTED, "An unexpected error occurred.")
    else:
        create_row(call, table, target, key.values)


def _without_key(target: Target, table: Table) -> Target:
    return {name: value for name, value in target.items() if name != table.id}


def _target_key(call: Call, table: Table, target: Target) -> RowKey:
    """The key of a target without an id: from ``@odata.id``, else from the columns of an alternate key."""
    address = target.get(_ID)
    if isinstance(address, str):
        segments = split(resolve_reference(call, address).removeprefix(call.root))
        if len(segments) != 1 or segments[0].name != table.set or segments[0].key is None:
            raise bad_payload(
                table.set, f"The value '{address}' of '{_ID}' does not address a record of '{table.set}'."
            )
        return parse_key(call.env, table, segments[0].key)
    for key in table.keys.values():
        if all(target.get(name) is not None for name in key.columns):
            encoders = call.env.encoders(table)
            return RowKey("", key=key, values={name: encoders[name](target[name]) for name in key.columns})
    raise Refusal(
        400, BAD_ARGUMENT, f"A target of '{table.name}' carries neither '{table.id}', '{_ID}' nor an alternate key."
    )
