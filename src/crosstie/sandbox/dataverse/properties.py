"""Requests behind a row: one value of it, a navigation property, a link (wire-dataverse section 5)."""

from collections.abc import Sequence

from crosstie.sandbox.dataverse.address import Segment, parse_key, reference, require, row_address
from crosstie.sandbox.dataverse.environment import Call
from crosstie.sandbox.dataverse.errors import BAD_ARGUMENT, Refusal, unknown_segment
from crosstie.sandbox.dataverse.filtering import joined
from crosstie.sandbox.dataverse.payload import Change, far_table, set_link
from crosstie.sandbox.dataverse.query import Source, read_count, read_page, read_row
from crosstie.sandbox.dataverse.records import expected_version, json_body, method_not_allowed
from crosstie.sandbox.dataverse.schema import OWNER, Column, ManyToMany, Relation, Table
from crosstie.sandbox.dataverse.writing import associate, check_version, disassociate, modify, update_row
from crosstie.sandbox.http import Response, json_response, to_json

REF = "$ref"


def behind_row(call: Call, table: Table, row_id: str, segments: Sequence[Segment]) -> Response:
    """A request to what *segments* name behind a row."""
    first, rest = segments[0], [segment.name for segment in segments[1:]]
    name = first.name
    if name in table.navigations and first.key is None:
        return _lookup(call, table, row_id, table.navigations[name], rest)
    backwards = table.collections.get(name) or table.many.get(name)
    if backwards is not None:
        return _collection(call, table, row_id, backwards, first, rest)
    column = table.wire.get(name)
    if column is None or first.key is not None or rest not in ([], ["$value"]):
        raise unknown_segment(name)
    return _value(call, table, row_id, column, raw=bool(rest))


# Values


def _value(call: Call, table: Table, row_id: str, column: Column, raw: bool) -> Response:
    expected = expected_version(call.condition("if-match"))
    match call.request.method:
        case "GET":
            return _read_value(call, table, row_id, column, raw)
        case "PUT" | "PATCH":
            body = json_body(call)
            if not isinstance(body, dict) or "value" not in body:
                raise Refusal(400, BAD_ARGUMENT, 'The request body must be {"value": ...}.')
            update_row(call, table, row_id, {column.wire: body["value"]}, expected)
            return Response(204)
        case "DELETE":
            if column.lookup:
                _write_link(call, table, row_id, column.name, None)
            else:
                update_row(call, table, row_id, {column.wire: None}, expected)
            return Response(204)
    raise method_not_allowed(call, column.wire)


def _read_value(call: Call, table: Table, row_id: str, column: Column, raw: bool) -> Response:
    sql = f"SELECT {column.name} FROM {table.name} WHERE {table.id} = ?"
    value = call.env.db.execute(sql, (row_id,)).fetchone()[0]
    if value is None:
        return Response(204)
    decode = call.env.decoders(table).get(column.name)
    wire = decode(value) if decode else value
    if raw:
        text = wire if isinstance(wire, str) else to_json(wire).decode()
        return Response(200, [("Content-Type", "text/plain")], text.encode())
    context = f"{call.root}/$metadata#{table.set}({row_id})/{column.wire}"
    return json_response({"@odata.context": context, "value": wire})


# Lookups


def _lookup(call: Call, table: Table, row_id: str, relation: Relation, rest: list[str]) -> Response:
    method = call.request.method
    if method == "GET":
        return _read_lookup(call, table, row_id, relation, rest)
    if rest != [REF]:
        raise method_not_allowed(call, relation.navigation)
    if method in ("PUT", "POST", "PATCH"):
        allowed = call.env.schema.targets(relation)
        target = reference(call, _named_row(call), allowed, table.set)
        _write_link(call, table, row_id, relation.column, target, relation)
        return Response(204)
    if method == "DELETE":
        _write_link(call, table, row_id, relation.column, None, relation)
        return Response(204)
    raise method_not_allowed(call, relation.navigation)


def _named_row(call: Call) -> object:
    body = json_body(call)
    if not isinstance(body, dict) or "@odata.id" not in body:
        raise Refusal(400, BAD_ARGUMENT, 'The request body must be {"@odata.id": address of a record}.')
    return body["@odata.id"]


def _read_lookup(call: Call, table: Table, row_id: str, relation: Relation, rest: list[str]) -> Response:
    column = table.columns[relation.column]
    kind = f", {column.name}type" if column.polymorphic else ""
    sql = f"SELECT {column.name}{kind} FROM {table.name} WHERE {table.id} = ?"
    found = call.env.db.execute(sql, (row_id,)).fetchone()
    name = found[1] if kind else relation.target
    if found[0] is None or (relation.target not in (OWNER, name)):
        return Response(204)
    target = call.env.schema.table(str(name))
    if rest == [REF]:
        context = f"{call.root}/$metadata#$ref"
        return json_response({"@odata.context": context, "@odata.id": row_address(call, target, str(found[0]))})
    if not rest:
        return read_row(call, target, str(found[0]))
    return behind_row(call, target, str(found[0]), [Segment(part) for part in rest])


def _write_link(
    call: Call,
    table: Table,
    row_id: str,
    column: str,
    target: tuple[Table, str] | None,
    relation: Relation | None = None,
) -> None:
    if table.columns[column].access == "read":
        raise Refusal(400, BAD_ARGUMENT, f"The attribute '{column}' of '{table.name}' is read-only.")
    relation = relation or next(iter(table.columns[column].relations.values()))
    change = Change()
    set_link(table, relation, target, change.values)
    with call.env.db.transaction():
        check_version(call.env, table, row_id, expected_version(call.condition("if-match")))
        modify(call, table, row_id, change)


# Collections


def _collection(
    call: Call, table: Table, row_id: str, backwards: Relation | ManyToMany, first: Segment, rest: list[str]
) -> Response:
    far = far_table(call, table, backwards)
    method = call.request.method
    if first.key is not None:
        far_id = require(call.env, far, parse_key(call.env, far, first.key))
        if method == "DELETE" and rest == [REF]:
            return _unlink(call, table, row_id, backwards, far, far_id)
        if method == "GET" and not rest:
            return read_row(call, far, far_id)
        raise method_not_allowed(call, first.text)
    if method == "GET":
        return _read_collection(call, table, row_id, backwards, first.name, rest)
    if rest == [REF] and method == "POST":
        _, far_id = reference(call, _named_row(call), (far,), table.set)
        with call.env.db.transaction():
            associate(call, table, row_id, backwards, far, far_id)
        return Response(204)
    if rest == [REF] and method == "DELETE":
        _, far_id = reference(call, call.query.get("$id"), (far,), table.set)
        return _unlink(call, table, row_id, backwards, far, far_id)
    raise method_not_allowed(call, first.text)


def _unlink(
    call: Call, table: Table, row_id: str, backwards: Relation | ManyToMany, far: Table, far_id: str
) -> Response:
    with call.env.db.transaction():
        disassociate(call, table, row_id, backwards, far, far_id)
    return Response(204)


def _read_collection(
    call: Call, table: Table, row_id: str, backwards: Relation | ManyToMany, name: str, rest: list[str]
) -> Response:
    far, from_sql, on = joined(call, table, "near", backwards, "t")
    key = on.partition(" = ")[0]
    path = f"{call.root}/{table.set}({row_id})/{name}"
    source = Source(far, path, from_sql, f"{key} = ?", (row_id,))
    if not rest:
        return read_page(call, source)
    if rest == ["$count"]:
        return read_count(call, source)
    if rest == [REF]:
        sql = f"SELECT t.{far.id} FROM {from_sql} WHERE {key} = ? ORDER BY t.{far.id} LIMIT 5000"
        rows = call.env.db.execute(sql, (row_id,)).fetchall()
        value = [{"@odata.id": row_address(call, far, str(far_id))} for (far_id,) in rows]
        return json_response({"@odata.context": f"{call.root}/$metadata#Collection($ref)", "value": value})
    raise unknown_segment(rest[0])
