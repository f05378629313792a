"""The tables of what people do with lists; `schema` has all others."""

from sqlalchemy import Column, Index, Table, Text

from crosstie.store.columns import UtcTime
from crosstie.store.schema import metadata

selections = Table(
    "selections",
    metadata,
    Column("id", Text, primary_key=True),
    Column("record_ids", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Index("selections_at", "at"),
)
