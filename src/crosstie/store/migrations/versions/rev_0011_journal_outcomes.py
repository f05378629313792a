"""The history of a job by outcome, and the couplings that were removed, without looking through all of it."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    uncoupled = sa.text("outcome = 'uncoupled'")
    op.create_index("journal_job_outcome", "journal", ["job_id", "outcome", "id"])
    for name, columns in (("journal_uncoupled", ["id"]), ("journal_uncoupled_mapping", ["mapping", "id"])):
        op.create_index(name, "journal", columns, sqlite_where=uncoupled, postgresql_where=uncoupled)
