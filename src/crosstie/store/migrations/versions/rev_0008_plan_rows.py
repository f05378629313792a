"""Plans of many records, kept until they are carried out as they were shown."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "plan_rows",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("job_id", sa.BigInteger, nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("record_id", sa.Text, nullable=False),
        sa.Column("group", sa.Text, nullable=False),
        sa.Column("seen", sa.Text, nullable=False),
        sa.Column("planned", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("plan_rows_job", "plan_rows", ["job_id", "group", "id"])
