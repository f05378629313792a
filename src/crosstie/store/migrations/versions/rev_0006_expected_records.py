"""How many records a job is expected to deal with, so that its progress has an end."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("expected", sa.BigInteger))
