"""Short ways to read a system to its end."""

from collections.abc import Sequence

from crosstie.model.records import Record
from crosstie.systems.base import System


async def changes(
    system: System, table: str, cursor: str | None, fields: Sequence[str]
) -> tuple[dict[str, Record], list[str], str]:
    """Return records by id, ids of the deleted, and the next cursor."""
    records: dict[str, Record] = {}
    deleted: list[str] = []
    cursors = []
    async for page in system.changes(table, cursor, fields):
        assert not cursors, "a cursor comes on the last page only"
        records |= {record.id: record for record in page.records}
        deleted += page.deleted
        cursors += [page.cursor] if page.cursor is not None else []
    assert len(cursors) == 1
    return records, deleted, cursors[0]


async def scan(system: System, table: str, fields: Sequence[str], filter: str | None = None) -> dict[str, Record]:
    """Return records by id; none may come twice."""
    found = [record async for page in system.scan(table, fields, filter) for record in page.records]
    records = {record.id: record for record in found}
    assert len(records) == len(found)
    return records
