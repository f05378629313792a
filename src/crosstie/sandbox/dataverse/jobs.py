"""``BulkDelete``: deletions that happen a while after they were asked for (wire-dataverse section 12).

A job is a row of ``asyncoperation`` and a list of records to go. Jobs whose time has come are run before the next
request is answered.
"""

from typing import Any
from uuid import uuid4

import msgspec

from crosstie.sandbox.dataverse.crmfunctions import as_literal
from crosstie.sandbox.dataverse.deleting import delete_row
from crosstie.sandbox.dataverse.environment import Call, Environment
from crosstie.sandbox.dataverse.errors import BAD_ARGUMENT, Refusal, unknown_property
from crosstie.sandbox.dataverse.filtering import sql_column
from crosstie.sandbox.dataverse.importing import insert_rows
from crosstie.sandbox.dataverse.records import json_body
from crosstie.sandbox.dataverse.schema import Table
from crosstie.sandbox.http import Request, Response, json_response

_BULK_DELETE = 13
_DONE, _SUCCEEDED, _FAILED = 3, 30, 31


def bulk_delete(call: Call) -> Response:
    """Take a job in and answer with its id."""
    body = json_body(call)
    queries = body.get("QuerySet") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(queries, list) or not queries:
        raise Refusal(400, BAD_ARGUMENT, "The parameter 'QuerySet' of BulkDelete must be an array of queries.")
    targets = [target for query in queries for target in _matches(call.env, query)]
    job_id = str(uuid4())
    env = call.env
    with env.db.transaction():
        insert_rows(
            env,
            "asyncoperation",
            [
                {
                    "asyncoperationid": job_id,
                    "name": str(body.get("JobName") or "Bulk delete")[:256],
                    "operationtype": _BULK_DELETE,
                    "primaryentitytype": targets[0][0] if targets else None,
                }
            ],
        )
        due = env.clock.now().timestamp() + env.settings.number("bulk_delete_seconds")
        env.db.execute("INSERT INTO job VALUES (?, ?, ?)", (job_id, due, msgspec.json.encode(targets)))
    env.next_job = min(due, env.next_job or due)
    context = f"{call.root}/$metadata#Microsoft.Dynamics.CRM.BulkDeleteResponse"
    return json_response({"@odata.context": context, "JobId": job_id})


def run_due(env: Environment) -> None:
    """Run the jobs whose time has come."""
    now = env.clock.now().timestamp()
    if env.next_job is None or env.next_job > now:
        return
    call = Call(env, Request("POST", "/"), "")
    with env.db.transaction():
        for job_id, targets in env.db.execute("SELECT id, targets FROM job WHERE due <= ?", (now,)).fetchall():
            _run(call, str(job_id), msgspec.json.decode(targets, type=list[tuple[str, str]]))
        env.db.execute("DELETE FROM job WHERE due <= ?", (now,))
        found = env.db.execute("SELECT MIN(due) FROM job").fetchone()
    env.next_job = found[0]


def _run(call: Call, job_id: str, targets: list[tuple[str, str]]) -> None:
    problems = []
    for name, row_id in targets:
        try:
            delete_row(call, call.env.schema.table(name), row_id)
        except Refusal as refusal:
            if refusal.status != 404:
                problems.append(refusal.message)
    env, now = call.env, call.env.clock.seconds()
    env.db.execute(
        "UPDATE asyncoperation SET statecode = ?, statuscode = ?, message = ?, completedon = ?, modifiedon = ?,"
        " versionnumber = ? WHERE asyncoperationid = ?",
        (
            _DONE,
            _FAILED if problems else _SUCCEEDED,
            "\n".join(problems) or None,
            now,
            now,
            env.db.next_version(),
            job_id,
        ),
    )


def _matches(env: Environment, query: Any) -> list[tuple[str, str]]:
    """The records that a QueryExpression with plain conditions means, as table and id."""
    if not isinstance(query, dict) or query.get("EntityName") not in env.schema.tables:
        name = query.get("EntityName") if isinstance(query, dict) else query
        raise Refusal(400, BAD_ARGUMENT, f"A query of 'QuerySet' names no known table: '{name}'.")
    table = env.schema.table(query["EntityName"])
    criteria = query.get("Criteria") or {}
    if criteria.get("Filters"):
        raise Refusal(400, BAD_ARGUMENT, "Nested filters in a query of 'QuerySet' are not supported: use Conditions.")
    word = " OR " if str(criteria.get("FilterOperator", "And")).lower() == "or" else " AND "
    parts, params = ["1 = 1"] if word == " AND " else [], list[object]()
    for condition in criteria.get("Conditions") or []:
        sql, values = _condition(table, condition)
        parts.append(sql)
        params += values
    sql = f"SELECT {table.id} FROM {table.name} WHERE {word.join(parts) or '1 = 1'}"
    return [(table.name, str(row_id)) for (row_id,) in env.db.execute(sql, tuple(params))]


def _condition(table: Table, condition: dict[str, Any]) -> tuple[str, list[object]]:
    column = table.columns.get(str(condition.get("AttributeName")))
    if column is None:
        raise unknown_property(str(condition.get("AttributeName")), table.type_name)
    filtered = sql_column(column, table.name)
    values = [
        as_literal(filtered, str(item["Value"] if isinstance(item, dict) else item)).value
        for item in condition.get("Values") or []
    ]
    operator = condition.get("Operator")
    marks = ", ".join("?" * len(values))
    forms = {
        "In": f"{filtered.sql} IN ({marks})",
        "NotIn": f"{filtered.sql} NOT IN ({marks})",
        "Equal": f"{filtered.sql} = ?",
        "NotEqual": f"{filtered.sql} <> ?",
        "Null": f"{filtered.sql} IS NULL",
        "NotNull": f"{filtered.sql} IS NOT NULL",
    }
    sql = forms.get(str(operator))
    if sql is None or sql.count("?") != len(values):
        raise Refusal(400, BAD_ARGUMENT, f"The operator '{operator}' with {len(values)} values is not supported here.")
    return sql, values
