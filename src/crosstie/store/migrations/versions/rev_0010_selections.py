"""Selections that are too large to be carried from page to page, and couplings in the order of their names."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_TIME = sa.DateTime(timezone=True).with_variant(sa.Text, "sqlite")


def upgrade() -> None:
    op.create_table(
        "selections",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("record_ids", sa.Text, nullable=False),
        sa.Column("at", _TIME, nullable=False),
    )
    op.create_index("selections_at", "selections", ["at"])
    for side in ("local", "remote"):
        op.create_index(f"couplings_{side}_name", "couplings", ["mapping", f"{side}_name"])
