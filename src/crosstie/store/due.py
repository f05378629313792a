"""The queries on due records and on cursors: where the next job begins."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, case, delete, or_, select

from crosstie.model.jobs import Due, DueReason
from crosstie.model.records import Side
from crosstie.store.base import Cursor
from crosstie.store.queries import Queries
from crosstie.store.schema import cursors
from crosstie.store.schema import due as table
from crosstie.store.work import AnyRow

_WEIGHTS = {
    DueReason.PARTNER_COUPLED.value: 1,
    DueReason.COUPLED_MERGE.value: 2,
    DueReason.COUPLED_SEND.value: 2,
    DueReason.COUPLED_GET.value: 2,
}
"""Which of two reasons for one record stays: a person's choice of a side above all, and of two choices the later."""


class DueQueries(Queries):
    """The due records' and the cursors' part of a unit."""

    def add_due(self, due: Sequence[Due]) -> None:
        insert = self._work.upsert(table)
        given = insert.excluded
        statement = insert.on_conflict_do_update(
            index_elements=[table.c.mapping, table.c.side, table.c.record_id],
            set_={
                "not_before": self._work.least(table.c.not_before, given.not_before),
                "create": or_(table.c.create, given.create),
                "reason": case((_weight(given.reason) >= _weight(table.c.reason), given.reason), else_=table.c.reason),
            },
        )
        rows = [
            {
                "mapping": each.mapping,
                "side": each.side.value,
                "record_id": each.record_id,
                "reason": each.reason.value,
                "not_before": each.not_before,
                "create": each.create,
            }
            for each in due
        ]
        self._work.write(statement, rows)

    def due(self, mapping: str, now: datetime, *, limit: int = 1000) -> list[Due]:
        query = (
            select(table)
            .where(table.c.mapping == mapping, table.c.not_before <= now)
            .order_by(table.c.not_before, table.c.side, table.c.record_id)
            .limit(limit)
        )
        return [_due(row) for row in self._work.read(query)]

    def due_of(self, mapping: str, side: Side, record_ids: Iterable[str]) -> dict[str, Due]:
        query = select(table).where(table.c.mapping == mapping, table.c.side == side.value)
        return {row.record_id: _due(row) for row in self._work.read_among(query, table.c.record_id, record_ids)}

    def remove_due(self, mapping: str, side: Side, record_ids: Iterable[str]) -> None:
        for condition in self._work.among(table.c.record_id, record_ids):
            self._work.write(
                delete(table).where(table.c.mapping == mapping, table.c.side == side.value).where(condition)
            )

    def cursor(self, mapping: str, side: Side) -> Cursor | None:
        query = select(cursors.c.cursor, cursors.c.known_count, cursors.c.mapping_digest)
        rows = self._work.read(query.where(cursors.c.mapping == mapping, cursors.c.side == side.value))
        for cursor, known_count, mapping_digest in rows:
            return Cursor(cursor=cursor, known_count=known_count, mapping_digest=mapping_digest)
        return None

    def set_cursor(self, mapping: str, side: Side, cursor: Cursor) -> None:
        values = {
            "cursor": cursor.cursor,
            "known_count": cursor.known_count,
            "mapping_digest": cursor.mapping_digest,
        }
        insert = self._work.upsert(cursors).values(mapping=mapping, side=side.value, **values)
        self._work.write(insert.on_conflict_do_update(index_elements=[cursors.c.mapping, cursors.c.side], set_=values))

    def forget_cursors(self, mapping: str) -> None:
        self._work.write(delete(cursors).where(cursors.c.mapping == mapping))


def _due(row: AnyRow) -> Due:
    return Due(
        mapping=row.mapping,
        side=Side(row.side),
        record_id=row.record_id,
        reason=DueReason(row.reason),
        not_before=row.not_before,
        create=row.create,
    )


def _weight(reason: ColumnElement[str]) -> ColumnElement[int]:
    return case(_WEIGHTS, value=reason, else_=0)
