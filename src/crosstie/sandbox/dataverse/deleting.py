"""Deleting rows, and what that does to the rows that point at them (wire-dataverse section 7)."""

from crosstie.sandbox.dataverse.environment import Call
from crosstie.sandbox.dataverse.errors import NOT_SUPPORTED, RESTRICTED_DELETE, Refusal
from crosstie.sandbox.dataverse.schema import OWNER, Relation, Table
from crosstie.sandbox.dataverse.storage import update_sql
from crosstie.sandbox.dataverse.writing import authorize, check_version, touch

_PERMANENT = frozenset({"systemuser", "organization", "sdkmessage", "sdkmessagefilter"})


def delete_row(call: Call, table: Table, row_id: str, expected: int | None = None) -> None:
    """Delete a row; its relations decide whether others go with it, let go of it, or forbid it.

    *expected* is the version that it must still be in. Raises :class:`Refusal`: 404 where the row is gone, 412 where
    its version is another one, 405 where a restricting relation holds it.
    """
    if table.name in _PERMANENT:
        raise Refusal(405, NOT_SUPPORTED, f"The 'Delete' method does not support entities of type '{table.name}'.")
    with call.env.db.transaction():
        check_version(call.env, table, row_id, expected)
        _delete(call, table, row_id)


def _delete(call: Call, table: Table, row_id: str) -> None:
    authorize(call, table, row_id, "Delete")
    for relation in call.env.schema.relations:
        if relation.target == table.name or (relation.target == OWNER and table.principal):
            _settle(call, table, relation, row_id)
    env = call.env
    env.db.execute(f"DELETE FROM {table.name} WHERE {table.id} = ?", (row_id,))
    for many in table.many.values():
        env.db.execute(f"DELETE FROM {many.intersect} WHERE {table.id} = ?", (row_id,))
    env.db.execute(
        "INSERT INTO tombstone VALUES (?, ?, ?, ?)",
        (table.name, row_id, env.db.next_version(), env.clock.seconds()),
    )


def _settle(call: Call, table: Table, relation: Relation, row_id: str) -> None:
    """Do to the rows behind one relation what it says for the deletion of *row_id*."""
    restricts = relation.delete == "Restrict" or relation.target == OWNER
    if relation.delete == "NoCascade" and not restricts:
        return
    source = call.env.schema.table(relation.source)
    sql = f"SELECT {source.id} FROM {source.name} WHERE {relation.column} = ?{' LIMIT 1' if restricts else ''}"
    for (other,) in call.env.db.execute(sql, (row_id,)).fetchall():
        if restricts:
            raise Refusal(
                405,
                RESTRICTED_DELETE,
                "The object you tried to delete is associated with another object and cannot be deleted. "
                f"({source.name} {other} refers to {table.name} {row_id} in '{relation.column}')",
            )
        if relation.delete == "Cascade":
            _delete(call, source, str(other))
        else:
            _let_go(call, source, relation, str(other))


def _let_go(call: Call, source: Table, relation: Relation, row_id: str) -> None:
    column = source.columns[relation.column]
    values: dict[str, object] = {column.name: None}
    if column.polymorphic:
        values[f"{column.name}type"] = None
    for derived in _derived_from(column.name, source):
        values[derived] = None
    touch(call, source, values)
    call.env.db.execute(update_sql(source.name, source.id, values), (*values.values(), row_id))


def _derived_from(column: str, source: Table) -> tuple[str, ...]:
    """The read-only columns that repeat a customer column by type."""
    names = {"parentcustomerid": ("accountid", "parentcontactid"), "customerid": ("accountid", "contactid")}
    return tuple(name for name in names.get(column, ()) if name in source.columns)
