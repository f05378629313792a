"""Requests to an entity set and to one row: create, read, update, upsert, delete (wire-dataverse sections 6 and 7)."""

import re
from typing import Final

from crosstie.sandbox.dataverse.address import RowKey, find, parse_key, require, row_address
from crosstie.sandbox.dataverse.aggregate import read_aggregate
from crosstie.sandbox.dataverse.deleting import delete_row
from crosstie.sandbox.dataverse.environment import Call
from crosstie.sandbox.dataverse.errors import BAD_ARGUMENT, UNSUPPORTED, Refusal, missing_key, missing_row, row_exists
from crosstie.sandbox.dataverse.fetchxml import read_fetch
from crosstie.sandbox.dataverse.projection import selected_columns
from crosstie.sandbox.dataverse.query import Source, read_page, read_row, row_body, select_of
from crosstie.sandbox.dataverse.schema import Table
from crosstie.sandbox.dataverse.sql import read_sql
from crosstie.sandbox.dataverse.tracking import read_tracked, tracks
from crosstie.sandbox.dataverse.writing import authorize, create_row, update_row
from crosstie.sandbox.http import Response, from_json, json_response

_ETAG = re.compile(r'(?:W/)?"?(\d+)"?')
ANY: Final = "*"


def json_body(call: Call) -> object:
    """The request's body; raises :class:`Refusal` 400 where it is no JSON."""
    try:
        return from_json(call.request.body)
    except ValueError as error:
        raise Refusal(400, BAD_ARGUMENT, f"The request body is not valid JSON: {error}") from error


def expected_version(condition: str | None) -> int | None:
    """The row version of an ``If-Match`` header; None for an absent one and for ``*``."""
    if condition is None or condition == ANY:
        return None
    match = _ETAG.fullmatch(condition)
    return int(match[1]) if match else -1


def collection(call: Call, table: Table) -> Response:
    """A request to an entity set."""
    match call.request.method:
        case "GET":
            return _read(call, Source(table, f"{call.root}/{table.set}"))
        case "POST":
            return _create(call, table)
    raise method_not_allowed(call, table.set)


def _read(call: Call, source: Source) -> Response:
    """A collection in the language in which the request asks for it."""
    query = call.query
    if tracks(call):
        return read_tracked(call, source)
    if "fetchXml" in query:
        return read_fetch(call, source)
    if "sql" in query:
        return read_sql(call, source)
    if "$apply" in query:
        return read_aggregate(call, source)
    for name in ("savedQuery", "userQuery"):
        if name in query:
            raise missing_row(name.lower(), query[name])
    return read_page(call, source)


def method_not_allowed(call: Call, what: str) -> Refusal:
    """The method does nothing here."""
    return Refusal(405, UNSUPPORTED, f"The HTTP method '{call.request.method}' is not supported on '{what}'.")


def _create(call: Call, table: Table) -> Response:
    body = json_body(call)
    represent = call.prefer.representation
    if represent:
        selected_columns(call.env, table, select_of(call))
    row_id = create_row(call, table, body)
    address = row_address(call, table, row_id)
    if represent:
        return _represented(call, table, row_id, 201, address, expand=True)
    return Response(204, [("OData-EntityId", address), ("Location", address)])


def _represented(call: Call, table: Table, row_id: str, status: int, address: str, expand: bool) -> Response:
    wire = row_body(call, table, row_id, expand)
    call.prefer.applied.append("return=representation")
    headers = [("OData-EntityId", address), ("ETag", str(wire["@odata.etag"]))]
    if status == 201:
        headers.append(("Location", address))
    return json_response(wire, status, headers)


def row(call: Call, table: Table, text: str) -> Response:
    """A request to the row whose key is *text*."""
    key = parse_key(call.env, table, text)
    match call.request.method:
        case "GET":
            return read_row(call, table, require(call.env, table, key))
        case "PATCH":
            return _write(call, table, key)
        case "DELETE":
            expected = expected_version(call.condition("if-match"))
            delete_row(call, table, require(call.env, table, key), expected)
            return Response(204)
    raise method_not_allowed(call, f"{table.set}({text})")


def _write(call: Call, table: Table, key: RowKey) -> Response:
    """PATCH: update, or create where there is no such row and no condition forbids it."""
    body = json_body(call)
    if not isinstance(body, dict):
        raise Refusal(400, BAD_ARGUMENT, "The request body must be a JSON object.")
    must_match, must_not = call.condition("if-match"), call.condition("if-none-match") == ANY
    row_id = find(call.env, table, key)
    if row_id is None:
        if must_not and key.key is not None and call.env.settings.flag("refuse_create_only_by_key"):
            raise missing_key(table.name)
        if must_match is not None:
            # Who lacks the privilege does not learn whether there is such a row.
            authorize(call, table, key.id or "", "Write")
            raise missing_row(table.name, key.id) if key.id else missing_key(table.name)
        return _upsert_new(call, table, key, body)
    if must_not:
        raise row_exists()
    if key.key is not None:
        body = {name: value for name, value in body.items() if name not in key.key.columns}
    update_row(call, table, row_id, body, expected_version(must_match))
    return _written(call, table, row_id, key, 200)


def _upsert_new(call: Call, table: Table, key: RowKey, body: dict[str, object]) -> Response:
    if key.id is not None:
        row_id = create_row(call, table, {**body, table.id: key.id})
    else:
        row_id = create_row(call, table, body, key.values)
    return _written(call, table, row_id, key, 201)


def _written(call: Call, table: Table, row_id: str, key: RowKey, status: int) -> Response:
    address = f"{call.root}/{table.set}({key.text})"
    if call.prefer.representation:
        return _represented(call, table, row_id, status, address, expand=False)
    return Response(204, [("OData-EntityId", address)])
