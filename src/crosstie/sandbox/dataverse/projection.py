"""Rows as they go over the wire: which columns, in which form, with which annotations."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Final

from crosstie.sandbox.database import Database
from crosstie.sandbox.dataverse.environment import Environment
from crosstie.sandbox.dataverse.errors import unknown_property
from crosstie.sandbox.dataverse.schema import Column, Table
from crosstie.sandbox.dataverse.types import formatted

FORMATTED: Final = "OData.Community.Display.V1.FormattedValue"
NAVIGATION: Final = "Microsoft.Dynamics.CRM.associatednavigationproperty"
LOGICAL_NAME: Final = "Microsoft.Dynamics.CRM.lookuplogicalname"
TOTAL: Final = "Microsoft.Dynamics.CRM.totalrecordcount"
TOTAL_EXCEEDED: Final = "Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"

WireRow = dict[str, object]
RawRow = tuple[object, ...]


def wanted(patterns: Sequence[str], name: str) -> bool:
    """Whether ``odata.include-annotations`` asks for the annotation *name*; a pattern may end in ``*``."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def selected_columns(env: Environment, table: Table, select: Sequence[str] | None) -> tuple[Column, ...]:
    """The columns that a ``$select`` gives: named ones, the primary id always, and the currency that money brings.

    A navigation property stands for its lookup. Raises :class:`Refusal` 400 on an unknown name.
    """
    if not select or "*" in select:
        return env.remember(("all columns", table.name), lambda: tuple(table.wire.values()))
    columns: dict[str, Column] = {}
    for name in select:
        column = table.wire.get(name)
        if column is None and name in table.navigations:
            column = table.columns[table.navigations[name].column]
        if column is None and not (name == "ownerid" and table.principal):
            raise unknown_property(name, table.type_name)
        if column is not None:
            columns[column.name] = column
    columns.setdefault(table.id, table.columns[table.id])
    currency = table.columns.get("transactioncurrencyid")
    if currency is not None and any(column.type == "Money" for column in columns.values()):
        columns.setdefault(currency.name, currency)
    return tuple(columns.values())


class Projection:
    """The columns of one table that an answer shows.

    :meth:`sql` gives what to select; *hidden* expressions follow the shown ones in each raw row. :meth:`build` turns
    raw rows into wire rows.
    """

    def __init__(
        self,
        env: Environment,
        table: Table,
        select: Sequence[str] | None,
        annotations: Sequence[str] = (),
        hidden: Sequence[str] = (),
    ) -> None:
        self.env = env
        self.table = table
        self.columns = selected_columns(env, table, select)
        self._keys = ["@odata.etag", *(column.wire for column in self.columns)]
        if table.principal:
            self._keys.append("ownerid")
        self._annotated = bool(annotations) and any(
            wanted(annotations, name) for name in (FORMATTED, NAVIGATION, LOGICAL_NAME)
        )
        self._annotations = annotations
        self._types = [column for column in self.columns if column.polymorphic] if self._annotated else []
        self.hidden_from = len(self._keys) + len(self._types)
        self._hidden = hidden

    def sql(self, alias: str) -> str:
        """The expressions to select from a table known as *alias*."""
        parts = [f"'W/\"' || {alias}.versionnumber || '\"'"]
        parts += [f"{alias}.{column.name}" for column in self.columns]
        if self.table.principal:
            parts.append(f"{alias}.{self.table.id}")
        parts += [f"{alias}.{column.name}type" for column in self._types]
        parts += self._hidden
        return ", ".join(parts)

    def build(self, rows: Sequence[RawRow]) -> list[WireRow]:
        """Raw rows as wire rows."""
        if self._annotated:
            return self._annotate(rows)
        keys = self._keys
        out: list[WireRow] = [dict(zip(keys, row, strict=False)) for row in rows]
        decoders = self.env.decoders(self.table)
        for column in self.columns:
            decode = decoders.get(column.name)
            if decode is not None:
                name = column.wire
                for row in out:
                    if row[name] is not None:
                        row[name] = decode(row[name])
        return out

    def _annotate(self, rows: Sequence[RawRow]) -> list[WireRow]:
        decoders = self.env.decoders(self.table)
        show = {name: wanted(self._annotations, name) for name in (FORMATTED, NAVIGATION, LOGICAL_NAME)}
        targets = {column.name: self._targets(column, position, rows) for position, column in self._lookups()}
        symbols = _symbols(self.env.db) if any(column.type == "Money" for column in self.columns) else {}
        currency = self._position("transactioncurrencyid")
        out: list[WireRow] = []
        for row in rows:
            wire: WireRow = {"@odata.etag": row[0]}
            symbol = symbols.get(row[currency] if currency else None, symbols.get(None, "$"))
            for position, column in enumerate(self.columns, 1):
                value = row[position]
                name = column.wire
                if value is not None:
                    if column.lookup:
                        self._annotate_lookup(wire, column, targets[column.name].get(value), show)
                    else:
                        text = formatted(column, value, symbols[None] if name.endswith("_base") else symbol)
                        if text is not None and show[FORMATTED]:
                            wire[f"{name}@{FORMATTED}"] = text
                    decode = decoders.get(column.name)
                    if decode is not None:
                        value = decode(value)
                wire[name] = value
            if self.table.principal:
                wire["ownerid"] = row[len(self.columns) + 1]
            out.append(wire)
        return out

    def _lookups(self) -> list[tuple[int, Column]]:
        return [(position, column) for position, column in enumerate(self.columns, 1) if column.lookup]

    def _position(self, name: str) -> int:
        return next((i for i, column in enumerate(self.columns, 1) if column.name == name), 0)

    def _targets(self, column: Column, position: int, rows: Sequence[RawRow]) -> dict[object, tuple[str, str | None]]:
        """By id: the table a lookup's value is in, and the primary name of the row."""
        by_table: dict[str, set[str]] = {}
        kind = self.hidden_from - len(self._types) + self._types.index(column) if column.polymorphic else 0
        for row in rows:
            if row[position] is not None:
                by_table.setdefault(str(row[kind]) if kind else column.targets[0], set()).add(str(row[position]))
        found: dict[object, tuple[str, str | None]] = {}
        for name, ids in by_table.items():
            table = self.env.schema.tables.get(name)
            names = self.env.names(table, sorted(ids)) if table else {}
            found |= {row_id: (name, names.get(row_id)) for row_id in ids}
        return found

    def _annotate_lookup(
        self, wire: WireRow, column: Column, target: tuple[str, str | None] | None, show: dict[str, bool]
    ) -> None:
        if target is None:
            return
        name = column.wire
        if show[FORMATTED] and target[1] is not None:
            wire[f"{name}@{FORMATTED}"] = target[1]
        if show[NAVIGATION]:
            wire[f"{name}@{NAVIGATION}"] = column.navigation(target[0])
        if show[LOGICAL_NAME]:
            wire[f"{name}@{LOGICAL_NAME}"] = target[0]


def _symbols(db: Database) -> dict[object, str]:
    """Currency symbols by id; under None the base currency's."""
    found: dict[object, str] = {
        row_id: symbol or ""
        for row_id, symbol in db.execute("SELECT transactioncurrencyid, currencysymbol FROM transactioncurrency")
    }
    base = db.execute("SELECT basecurrencyid FROM organization").fetchone()
    found[None] = found.get(base[0] if base else None, "$")
    return found
