"""Creating and changing rows (wire-dataverse sections 6 and 7). Each function is one transaction, nestable."""

import sqlite3
import uuid
from collections.abc import Mapping
from typing import Final, NoReturn

from crosstie.sandbox.dataverse.environment import Call, Environment
from crosstie.sandbox.dataverse.errors import (
    BAD_ARGUMENT,
    DUPLICATE_ID,
    DUPLICATE_KEY,
    Refusal,
    missing_privilege,
    missing_row,
    row_exists,
    stale_version,
)
from crosstie.sandbox.dataverse.payload import Change, far_table, read_change, set_link
from crosstie.sandbox.dataverse.rules import apply_rules, changed_state, new_state
from crosstie.sandbox.dataverse.schema import Key, ManyToMany, Relation, Table
from crosstie.sandbox.dataverse.storage import insert_sql, update_sql

Values = dict[str, object]

REMEMBERED: Final = frozenset({"systemuser", "team", "transactioncurrency", "organization"})
"""Tables of which :meth:`Environment.small_row` keeps rows."""


def create_row(call: Call, table: Table, body: object, key_values: Mapping[str, object] | None = None) -> str:
    """Create a row with everything nested in *body*; returns its id.

    *key_values* are the stored values of the alternate key in the address: the body wins where it has its own.
    Raises :class:`Refusal`, 412 where the id or an alternate key is taken.
    """
    with call.env.db.transaction():
        change = read_change(call, table, body, creating=True)
        return insert(call, table, change, key_values)


def insert(call: Call, table: Table, change: Change, key_values: Mapping[str, object] | None = None) -> str:
    """Create the row of a change that was read before."""
    env = call.env
    values = change.values
    for name, value in (key_values or {}).items():
        values.setdefault(name, value)
    given = values.get(table.id)
    row_id = str(given) if given else str(uuid.uuid4())
    authorize(call, table, row_id, "Create")
    for relation, nested in change.related:
        target = env.schema.table(relation.target)
        set_link(table, relation, (target, create_row(call, target, nested)), values)
    values = {**defaults(env, table), **values, table.id: row_id}
    new_state(table, values)
    _stamp_new(call, table, values)
    apply_rules(call, table, values, None)
    _require(table, values, table.columns)
    if given:
        env.db.execute("DELETE FROM tombstone WHERE name = ? AND id = ?", (table.name, row_id))
    try:
        env.db.execute(insert_sql(table.name, tuple(values)), tuple(values.values()))
    except sqlite3.IntegrityError as error:
        refuse_duplicate(table, error)
    if table.name in REMEMBERED:
        env.forget_rows()
    _after_create(call, table, row_id, values)
    _attach(call, table, row_id, change)
    return row_id


def defaults(env: Environment, table: Table) -> Values:
    """The stored values with which new rows begin."""
    return env.remember(
        ("defaults", table.name),
        lambda: {c.name: c.default for c in table.columns.values() if c.default is not None},
    )


def _stamp_new(call: Call, table: Table, values: Values) -> None:
    columns = table.columns
    now = call.env.clock.seconds()
    if "createdon" in columns:
        values["createdon"] = values["modifiedon"] = now
        values["createdby"] = values["modifiedby"] = call.caller
        if call.on_behalf:
            values["createdonbehalfby"] = values["modifiedonbehalfby"] = call.on_behalf
    if values.get("overriddencreatedon") is not None:
        values["createdon"], values["overriddencreatedon"] = values["overriddencreatedon"], now
    values["versionnumber"] = call.env.db.next_version()
    if table.ownership == "UserOwned" and values.get("ownerid") is None:
        values["ownerid"], values["owneridtype"] = call.caller, "systemuser"
    for prefix in ("address1_", "address2_", "address3_"):
        if f"{prefix}addressid" in columns and values.get(f"{prefix}addressid") is None:
            values[f"{prefix}addressid"] = str(uuid.uuid4())
    if table.name == "salesorder" and values.get("ordernumber") is None:
        values["ordernumber"] = f"ORD-{call.env.db.version % 100_000:05}-{uuid.uuid4().hex[:6].upper()}"


def _after_create(call: Call, table: Table, row_id: str, values: Values) -> None:
    """A unit group brings its base unit."""
    if table.name == "uomschedule" and values.get("baseuomname"):
        unit = {
            "name": values["baseuomname"],
            "quantity": 1,
            "uomscheduleid@odata.bind": f"uomschedules({row_id})",
        }
        unit_table = call.env.schema.table("uom")
        unit_id = create_row(call, unit_table, unit)
        call.env.db.execute("UPDATE uom SET isschedulebaseuom = 1 WHERE uomid = ?", (unit_id,))


def _require(table: Table, values: Mapping[str, object], names: Mapping[str, object]) -> None:
    for column in table.columns.values():
        if column.required == "SystemRequired" and column.name in names and values.get(column.name) is None:
            raise Refusal(400, BAD_ARGUMENT, f"Required field '{column.name}' of '{table.name}' is missing or null.")


def _attach(call: Call, table: Table, row_id: str, change: Change) -> None:
    """Create and link the rows that point at the new one."""
    for backwards, bodies in change.children:
        far = far_table(call, table, backwards)
        for body in bodies:
            link = read_change(call, far, body, creating=True)
            if isinstance(backwards, Relation):
                set_link(far, backwards, (table, row_id), link.values)
                insert(call, far, link)
            else:
                associate(call, table, row_id, backwards, far, insert(call, far, link))
    for backwards, far, far_id in change.members:
        associate(call, table, row_id, backwards, far, far_id)


def update_row(call: Call, table: Table, row_id: str, body: object, expected: int | None = None) -> None:
    """Change a row as *body* says. *expected* is the version that it must still be in.

    Raises :class:`Refusal`: 404 where the row is gone, 412 where its version is another one.
    """
    with call.env.db.transaction():
        check_version(call.env, table, row_id, expected)
        change = read_change(call, table, body, creating=False)
        modify(call, table, row_id, change)


def check_version(env: Environment, table: Table, row_id: str, expected: int | None) -> int:
    """The version of a row; raises :class:`Refusal` 404 where it is gone, 412 where *expected* is another."""
    version = env.version_of(table, row_id)
    if version is None:
        raise missing_row(table.name, row_id)
    if expected is not None and version != expected:
        raise stale_version()
    return version


def modify(call: Call, table: Table, row_id: str, change: Change) -> None:
    """Change an existing row as a change says that was read before; without values only its links."""
    env, values = call.env, change.values
    authorize(call, table, row_id, "Write")
    if values:
        stored: list[dict[str, object]] = []

        def before() -> Values:
            if not stored:
                stored.append(env.row(table, row_id) or {})
            return stored[0]

        changed_state(table, values, before, row_id)
        apply_rules(call, table, values, before)
        _require(table, values, values)
        touch(call, table, values)
        try:
            env.db.execute(update_sql(table.name, table.id, values), (*values.values(), row_id))
        except sqlite3.IntegrityError as error:
            refuse_duplicate(table, error)
        if table.name in REMEMBERED:
            env.forget_rows()
    for backwards, far, far_id in change.members:
        associate(call, table, row_id, backwards, far, far_id)


def touch(call: Call, table: Table, values: Values) -> None:
    """Add to *values* what every write leaves behind: who, when, and a new version."""
    if "modifiedon" in table.columns:
        values["modifiedon"] = call.env.clock.seconds()
        values["modifiedby"] = call.caller
        values["modifiedonbehalfby"] = call.on_behalf
    values["versionnumber"] = call.env.db.next_version()


def associate(call: Call, table: Table, row_id: str, backwards: Relation | ManyToMany, far: Table, far_id: str) -> None:
    """Link a row with one of a collection: set the lookup over there, or add the pair to the table between."""
    if isinstance(backwards, Relation):
        change = Change()
        set_link(far, backwards, (table, row_id), change.values)
        modify(call, far, far_id, change)
        return
    names = (call.env.schema.table(backwards.first).id, call.env.schema.table(backwards.second).id)
    pair = (row_id, far_id) if table.name == backwards.first else (far_id, row_id)
    where = f"{names[0]} = ? AND {names[1]} = ?"
    db = call.env.db
    if db.execute(f"SELECT 1 FROM {backwards.intersect} WHERE {where}", pair).fetchone():
        raise Refusal(412, DUPLICATE_ID, "Cannot insert duplicate key: the two records are associated already.")
    sql = insert_sql(backwards.intersect, (f"{backwards.intersect}id", *names, "versionnumber"))
    db.execute(sql, (str(uuid.uuid4()), *pair, db.next_version()))


def disassociate(
    call: Call, table: Table, row_id: str, backwards: Relation | ManyToMany, far: Table, far_id: str
) -> None:
    """Undo :func:`associate`; a link that is not there is left as it is."""
    env = call.env
    if isinstance(backwards, Relation):
        sql = f"SELECT {backwards.column} FROM {far.name} WHERE {far.id} = ?"
        found = env.db.execute(sql, (far_id,)).fetchone()
        if found and found[0] == row_id:
            change = Change()
            set_link(far, backwards, None, change.values)
            modify(call, far, far_id, change)
        return
    names = (env.schema.table(backwards.first).id, env.schema.table(backwards.second).id)
    pair = (row_id, far_id) if table.name == backwards.first else (far_id, row_id)
    env.db.execute(f"DELETE FROM {backwards.intersect} WHERE {names[0]} = ? AND {names[1]} = ?", pair)


def authorize(call: Call, table: Table, row_id: str, verb: str) -> None:
    """Refuse (403) what the switches ``refuse_tables`` and ``refuse_write_ids`` forbid."""
    settings = call.env.settings
    if not (settings["refuse_tables"] or settings["refuse_write_ids"]):
        return
    if table.name in settings.names("refuse_tables") or row_id in settings.names("refuse_write_ids"):
        raise missing_privilege(verb, table.name, table.schema, table.code, call.caller)


def refuse_duplicate(table: Table, error: sqlite3.IntegrityError) -> NoReturn:
    """Say which uniqueness a write broke."""
    text = str(error)
    if f"{table.name}.{table.id}" in text:
        raise row_exists() from error
    key = next((key for key in table.keys.values() if _breaks(table, key, text)), None)
    if key is None:
        raise error
    columns = ", ".join(table.columns[name].label for name in key.columns)
    raise Refusal(
        412,
        DUPLICATE_KEY,
        f"Entity Key {key.display} violated. A record with the same value for {columns} already exists. A duplicate "
        "record cannot be created. Select one or more unique values and try again.",
    ) from error


def _breaks(table: Table, key: Key, text: str) -> bool:
    return f"'key_{table.name}_{key.name}'" in text or all(f"{table.name}.{name}" in text for name in key.columns)
