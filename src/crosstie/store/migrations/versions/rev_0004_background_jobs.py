"""Background jobs: the queue as part of the log of jobs, progress, processes that run jobs, and schedules."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_TIME = sa.DateTime(timezone=True).with_variant(sa.Text, "sqlite")


def upgrade() -> None:
    for column in _job_columns():
        op.add_column("jobs", column)
    _index("jobs_queue", "id", where="state = 'queued'")
    _index("jobs_queued", "mapping", unique=True, where="exclusive AND state = 'queued'")
    _index("jobs_parent", "parent_id", "id", where="parent_id IS NOT NULL")
    _index("jobs_finished_at", "finished_at")
    _processes()
    _schedules()


def _job_columns() -> list[sa.Column[object]]:
    none, zero, false, empty = sa.text("''"), sa.text("0"), sa.text("false"), sa.text("'{}'")
    return [
        sa.Column("parent_id", sa.BigInteger),
        sa.Column("done", sa.BigInteger, nullable=False, server_default=zero),
        sa.Column("phase", sa.Text, nullable=False, server_default=none),
        sa.Column("cancel_requested", sa.Boolean, nullable=False, server_default=false),
        sa.Column("use_case", sa.Text, nullable=False, server_default=none),
        sa.Column("arguments", sa.Text, nullable=False, server_default=empty),
        sa.Column("asked_by", sa.Text, nullable=False, server_default=none),
        sa.Column("scheduled", sa.Boolean, nullable=False, server_default=false),
        sa.Column("not_before", _TIME),
        sa.Column("attempt", sa.Integer, nullable=False, server_default=zero),
        sa.Column("failures", sa.Integer, nullable=False, server_default=zero),
        sa.Column("recoveries", sa.Integer, nullable=False, server_default=zero),
    ]


def _index(name: str, *columns: str, unique: bool = False, where: str | None = None) -> None:
    condition = sa.text(where) if where is not None else None
    op.create_index(name, "jobs", list(columns), unique=unique, sqlite_where=condition, postgresql_where=condition)


def _processes() -> None:
    op.create_table(
        "processes",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("worker", sa.Boolean, nullable=False),
        sa.Column("started_at", _TIME, nullable=False),
        sa.Column("beat_at", _TIME, nullable=False),
    )


def _schedules() -> None:
    op.create_table(
        "schedules",
        sa.Column("mapping", sa.Text, primary_key=True),
        sa.Column("every_minutes", sa.Integer, nullable=False),
        sa.Column("paused_reason", sa.Text, nullable=False),
        sa.Column("next_at", _TIME, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("last_job_id", sa.BigInteger),
    )
