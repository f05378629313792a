"""The queries on intents: what is about to be written to a system."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, insert, select

from crosstie.model.jobs import Intent
from crosstie.model.records import Side, WriteKind
from crosstie.store.codec import decode_changes, decode_values, encode
from crosstie.store.queries import Queries
from crosstie.store.schema import intents as table
from crosstie.store.work import AnyRow

_COLUMNS = Intent.__struct_fields__
_SELECT = select(*(table.c[name] for name in _COLUMNS)).order_by(table.c.position)
_INSERT = insert(table)


class IntentQueries(Queries):
    """The intents' part of a unit."""

    def open_intents(self, intents: Sequence[Intent]) -> None:
        self._work.write_many(_INSERT, [_row(intent) for intent in intents])

    def intents(self, mapping: str, job_ids: Sequence[int] | None = None) -> list[Intent]:
        query = _SELECT.where(table.c.mapping == mapping)
        if job_ids is not None:
            query = query.where(table.c.job_id.in_(list(job_ids)))
        return [_intent(row) for row in self._work.read(query)]

    def close_intents(self, ids: Sequence[str]) -> None:
        for condition in self._work.among(table.c.id, ids):
            self._work.write(delete(table).where(condition))


def _row(intent: Intent) -> dict[str, Any]:
    row = {name: getattr(intent, name) for name in _COLUMNS}
    row["side"] = intent.side.value
    row["kind"] = intent.kind.value
    row["values"] = encode(intent.values)
    row["changes"] = encode(intent.changes)
    return row


def _intent(row: AnyRow) -> Intent:
    values = dict(zip(_COLUMNS, row, strict=True))
    values["side"] = Side(values["side"])
    values["kind"] = WriteKind(values["kind"])
    values["values"] = decode_values(values["values"])
    values["changes"] = decode_changes(values["changes"])
    return Intent(**values)
