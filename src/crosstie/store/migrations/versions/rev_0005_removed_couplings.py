"""What removed couplings rested on, so that an undo can couple their records again as they were."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_TIME = sa.DateTime(timezone=True).with_variant(sa.Text, "sqlite")


def upgrade() -> None:
    op.create_table(
        "removed_couplings",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("local_version", sa.Text),
        sa.Column("remote_version", sa.Text),
        sa.Column("base", sa.Text, nullable=False),
        sa.Column("last_synchronised", _TIME),
        sa.Column("removed_at", _TIME, nullable=False),
    )
    op.create_index("removed_couplings_removed_at", "removed_couplings", ["removed_at"])
