"""What people look at in lists: the tables of that, and the indexes on others; `schema` has all else."""

from sqlalchemy import Column, Index, Table, Text, text

from crosstie.store.columns import UtcTime
from crosstie.store.schema import journal, metadata

selections = Table(
    "selections",
    metadata,
    Column("id", Text, primary_key=True),
    Column("record_ids", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Index("selections_at", "at"),
)

_UNCOUPLED = text("outcome = 'uncoupled'")
Index("journal_job_outcome", journal.c.job_id, journal.c.outcome, journal.c.id)
for _name, _columns in (
    ("journal_uncoupled", (journal.c.id,)),
    ("journal_uncoupled_mapping", (journal.c.mapping, journal.c.id)),
):
    Index(_name, *_columns, sqlite_where=_UNCOUPLED, postgresql_where=_UNCOUPLED)
