"""Putting many rows in without HTTP: for data sets.

Values come in wire form and go through the same typing as writes over HTTP. More than there is allowed: columns that
the server otherwise fills in itself (times, states, users), lookups in the form they are read (``_x_value``), and rows
that exist already, which are overwritten. References are taken as they are, so that rows may come in any order.
"""

import re
import sqlite3
import uuid
from collections.abc import Callable, Iterable

from crosstie.sandbox.dataverse.address import split
from crosstie.sandbox.dataverse.environment import Call, Environment
from crosstie.sandbox.dataverse.errors import bad_payload, invalid_property, undeclared
from crosstie.sandbox.dataverse.payload import BIND
from crosstie.sandbox.dataverse.projection import LOGICAL_NAME
from crosstie.sandbox.dataverse.rules import Rule, due_rules
from crosstie.sandbox.dataverse.schema import Column, Relation, Table
from crosstie.sandbox.dataverse.storage import upsert_sql
from crosstie.sandbox.dataverse.types import GUID, Encode
from crosstie.sandbox.dataverse.writing import defaults, refuse_duplicate
from crosstie.sandbox.http import Request

Values = dict[str, object]
Setter = Callable[[Values, object], None]

_PORTION = 2000
_READ_LOOKUP = re.compile(r"_(\w+)_value")


def insert_rows(env: Environment, name: str, rows: Iterable[dict[str, object]]) -> None:
    """Put *rows* into the table of a logical name, all or none; raises :class:`errors.Refusal` on a value that does not
    fit, KeyError on an unknown table."""
    loader = _Loader(env, env.schema.table(name))
    with env.db.transaction():
        for row in rows:
            loader.add(row)
        loader.flush()
    env.forget_rows()


class _Loader:
    """Collects rows with the same columns into portions."""

    def __init__(self, env: Environment, table: Table) -> None:
        self._env = env
        self._table = table
        self._call = Call(env, Request("POST", "/"), "")
        self._plain: dict[str, tuple[str, Encode]] = {}
        self._special: dict[str, Setter] = {}
        self._due: dict[tuple[str, ...], list[Rule]] = {}
        self._portions: dict[tuple[str, ...], list[tuple[object, ...]]] = {}
        self._defaults = defaults(env, table)
        self._now = env.clock.seconds()
        self._status = {state: table.default_status(state) for state in table.states()}

    def add(self, row: dict[str, object]) -> None:
        """Take one row."""
        values: Values = dict(self._defaults)
        plain = self._plain
        for name, value in row.items():
            known = plain.get(name)
            if known is not None:
                values[known[0]] = known[1](value)
            else:
                self._put(values, name, value)
        self._complete(values)
        shape = tuple(values)
        due = self._due.get(shape)
        if due is None:
            due = self._due[shape] = due_rules(self._env, self._table, values.keys())
        for rule in due:
            rule.apply(self._call, values, values)
        key = tuple(values)
        portion = self._portions.setdefault(key, [])
        portion.append(tuple(values.values()))
        if len(portion) >= _PORTION:
            self._write(key, portion)

    def flush(self) -> None:
        """Write what was collected."""
        for key, portion in self._portions.items():
            self._write(key, portion)

    def _write(self, key: tuple[str, ...], portion: list[tuple[object, ...]]) -> None:
        try:
            self._env.db.executemany(upsert_sql(self._table.name, self._table.id, key), portion)
        except sqlite3.IntegrityError as error:
            refuse_duplicate(self._table, error)
        portion.clear()

    def _complete(self, values: Values) -> None:
        table = self._table
        if values.get(table.id) is None:
            values[table.id] = str(uuid.uuid4())
        values["versionnumber"] = self._env.db.next_version()
        if "createdon" in table.columns:
            created = values.setdefault("createdon", self._now)
            values.setdefault("modifiedon", created)
            values.setdefault("createdby", self._call.caller)
            values.setdefault("modifiedby", values["createdby"])
        if "statecode" in table.columns:
            state = values.setdefault("statecode", table.default_state)
            if values.get("statuscode") is None:
                values["statuscode"] = self._status.get(int(str(state)))
        if table.ownership == "UserOwned" and values.get("ownerid") is None:
            values["ownerid"], values["owneridtype"] = self._call.caller, "systemuser"

    def _put(self, values: Values, name: str, value: object) -> None:
        """Put the value of one wire name into stored values, and remember how."""
        setter = self._special.get(name)
        if setter is None:
            table, encoders = self._table, self._env.encoders(self._table)
            match = _READ_LOOKUP.fullmatch(name)
            column = table.columns.get(match[1] if match else name)
            if column is not None and column.lookup == bool(match) and not column.polymorphic:
                self._plain[name] = (column.name, encoders[column.name])
                values[column.name] = encoders[column.name](value)
                return
            setter = self._special[name] = self._setter(name)
        setter(values, value)

    def _setter(self, name: str) -> Setter:
        """What puts the value of a wire name that is no plain column into stored values."""
        table = self._table
        if name.endswith(BIND):
            navigation = name.removesuffix(BIND)
            if navigation not in table.navigations:
                raise undeclared(navigation, table.set, list(table.navigations))
            return self._bound(table.navigations[navigation])
        if name.endswith(f"@{LOGICAL_NAME}"):
            return _kind(table.wire[name.partition("@")[0]])
        match = _READ_LOOKUP.fullmatch(name)
        if match is not None and match[1] in table.columns:
            return _read(table.columns[match[1]], self._env.encoders(table)[match[1]])
        if "@" in name:
            return lambda values, value: None
        raise invalid_property(name, table.type_name, list(table.wire))

    def _bound(self, relation: Relation) -> Setter:
        column = self._table.columns[relation.column]
        schema, table = self._env.schema, self._table

        def put(values: Values, value: object) -> None:
            if value is None:
                values[column.name] = None
                return
            segment = split(str(value))[-1]
            target = schema.by_set(segment.name)
            if target is None or segment.key is None or not GUID.fullmatch(segment.key):
                raise bad_payload(table.set, f"The URI '{value}' is not a valid reference to a record.")
            values[column.name] = segment.key.lower()
            if column.polymorphic:
                values[f"{column.name}type"] = target.name

        return put


def _read(column: Column, encode: Encode) -> Setter:
    name, kind = column.name, f"{column.name}type"

    def put(values: Values, value: object) -> None:
        values[name] = encode(value)
        if value is not None:
            values.setdefault(kind, column.targets[0])

    return put


def _kind(column: Column) -> Setter:
    def put(values: Values, value: object) -> None:
        if column.polymorphic:
            values[f"{column.name}type"] = value

    return put
