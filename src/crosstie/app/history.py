"""Jobs and history: what was done, when, and to which values."""

from crosstie.app.home import Home
from crosstie.app.records import find_records
from crosstie.app.session import Session, find_mapping
from crosstie.engine.context import Task
from crosstie.model.jobs import Job, JournalEntry
from crosstie.model.records import Side


def list_jobs(home: Home, mapping: str | None = None, *, limit: int = 50, before_id: int | None = None) -> list[Job]:
    """Return jobs, newest first. Raises UnknownMapping."""
    with home.store.begin() as unit:
        name = find_mapping(unit.mappings(), mapping).name if mapping else None
        return unit.jobs(name, limit=limit, before_id=before_id)


async def list_history(
    session: Session, mapping: str, record: str | None = None, *, limit: int = 100, before_id: int | None = None
) -> list[JournalEntry]:
    """Return what was done to the records of a mapping, or to one of them, newest first.

    A record that no longer exists is found by its id. Raises UnknownMapping, UnknownRecord, AmbiguousRecord.
    """
    name = session.mapping(mapping).name
    if record is None:
        return _journal(session, name, None, None, limit, before_id)
    for side in (Side.LOCAL, Side.REMOTE):
        if entries := _journal(session, name, side, record.strip().lower(), limit, before_id):
            return entries
    ctx = await session.context(name, Task())
    side, id = (await find_records(ctx, [record], sides=(Side.LOCAL, Side.REMOTE)))[0]
    return _journal(session, name, side, id, limit, before_id)


def _journal(
    session: Session, mapping: str, side: Side | None, id: str | None, limit: int, before_id: int | None
) -> list[JournalEntry]:
    with session.store.begin() as unit:
        return unit.journal(mapping=mapping, side=side, record_id=id, limit=limit, before_id=before_id)
