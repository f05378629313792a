"""What a write does to a record, kept with its intent, so that the history has it even if the job is killed."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("intents", sa.Column("changes", sa.Text, nullable=False, server_default="[]"))
