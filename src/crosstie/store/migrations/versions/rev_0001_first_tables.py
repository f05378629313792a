"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_TIME = sa.DateTime(timezone=True).with_variant(sa.Text, "sqlite")


def upgrade() -> None:
    _couplings()
    _intents()
    _jobs()
    _journal()
    _problems()
    _due_and_cursors()
    _configuration()


def _index(table: str, name: str, *columns: str, unique: bool = False, where: str | None = None) -> None:
    condition = None if where is None else sa.text(where)
    op.create_index(name, table, list(columns), unique=unique, sqlite_where=condition, postgresql_where=condition)


def _couplings() -> None:
    op.create_table(
        "couplings",
        sa.Column("id", _BIG_ID, primary_key=True),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("mapping", sa.Text, nullable=False),
        sa.Column("local_id", sa.Text, nullable=False),
        sa.Column("remote_id", sa.Text, nullable=False),
        sa.Column("local_key", sa.Text),
        sa.Column("local_name", sa.Text),
        sa.Column("remote_key", sa.Text),
        sa.Column("remote_name", sa.Text),
        sa.Column("local_version", sa.Text),
        sa.Column("remote_version", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("last_synchronised", _TIME),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("base", sa.Text),
        sqlite_autoincrement=True,
    )
    _index("couplings", "couplings_local_id", "mapping", "local_id", unique=True)
    _index("couplings", "couplings_remote_id", "mapping", "remote_id", unique=True)
    _index("couplings", "couplings_local_key", "mapping", "local_key")
    _index("couplings", "couplings_remote_key", "mapping", "remote_key")
    _index("couplings", "couplings_state", "mapping", "state", "id")
    _index("couplings", "couplings_page", "mapping", "id")


def _intents() -> None:
    op.create_table(
        "intents",
        sa.Column("position", _BIG_ID, primary_key=True),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("job_id", sa.BigInteger, nullable=False),
        sa.Column("mapping", sa.Text, nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("table", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("record_id", sa.Text),
        sa.Column("coupling_id", sa.BigInteger),
        sa.Column("source_id", sa.Text),
        sa.Column("values", sa.Text, nullable=False),
        sa.Column("expected_version", sa.Text),
        sa.Column("created_at", _TIME, nullable=False),
        sqlite_autoincrement=True,
    )
    _index("intents", "intents_id", "id", unique=True)
    _index("intents", "intents_mapping", "mapping", "position")


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", _BIG_ID, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("mapping", sa.Text, nullable=False),
        sa.Column("direction", sa.Text, nullable=False),
        sa.Column("exclusive", sa.Boolean, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("started_at", _TIME, nullable=False),
        sa.Column("finished_at", _TIME),
        sa.Column("to_remote", sa.Text, nullable=False),
        sa.Column("from_remote", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("details", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    _index("jobs", "jobs_mapping", "mapping", "id")
    _index("jobs", "jobs_exclusive", "mapping", unique=True, where="exclusive AND state = 'running'")
    _index("jobs", "jobs_running", "mapping", "id", where="state = 'running'")


def _journal() -> None:
    op.create_table(
        "journal",
        sa.Column("id", _BIG_ID, primary_key=True),
        sa.Column("job_id", sa.BigInteger, nullable=False),
        sa.Column("mapping", sa.Text, nullable=False),
        sa.Column("coupling_id", sa.BigInteger),
        sa.Column("local_id", sa.Text),
        sa.Column("remote_id", sa.Text),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("side", sa.Text),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("changes", sa.Text, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sqlite_autoincrement=True,
    )
    _index("journal", "journal_mapping", "mapping", "id")
    _index("journal", "journal_job", "job_id", "id")
    _index("journal", "journal_local_id", "local_id", "id")
    _index("journal", "journal_remote_id", "remote_id", "id")


def _problems() -> None:
    op.create_table(
        "problems",
        sa.Column("id", _BIG_ID, primary_key=True),
        sa.Column("mapping", sa.Text, nullable=False),
        sa.Column("local_id", sa.Text),
        sa.Column("remote_id", sa.Text),
        sa.Column("coupling_id", sa.BigInteger),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("problem_class", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("next_step", sa.Text, nullable=False),
        sa.Column("direction", sa.Text),
        sa.Column("fields", sa.Text, nullable=False),
        sa.Column("local_version", sa.Text),
        sa.Column("remote_version", sa.Text),
        sa.Column("job_id", sa.BigInteger),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("first_seen", _TIME, nullable=False),
        sa.Column("last_seen", _TIME, nullable=False),
        sa.Column("closed_at", _TIME),
        sqlite_autoincrement=True,
    )
    still_open = "closed_at IS NULL"
    _index("problems", "problems_local_id", "mapping", "local_id", unique=True, where=still_open)
    _index("problems", "problems_remote_id", "mapping", "remote_id", unique=True, where=still_open)
    _index("problems", "problems_page", "mapping", "id", where=still_open)
    _index("problems", "problems_closed_at", "closed_at")
    op.create_table(
        "waits",
        sa.Column("problem_id", sa.BigInteger, sa.ForeignKey("problems.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("mapping", sa.Text, primary_key=True),
        sa.Column("side", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
    )
    _index("waits", "waits_key", "mapping", "side", "key")


def _due_and_cursors() -> None:
    op.create_table(
        "due",
        sa.Column("mapping", sa.Text, primary_key=True),
        sa.Column("side", sa.Text, primary_key=True),
        sa.Column("record_id", sa.Text, primary_key=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("not_before", _TIME, nullable=False),
        sa.Column("create", sa.Boolean, nullable=False),
    )
    _index("due", "due_not_before", "mapping", "not_before", "side", "record_id")
    op.create_table(
        "cursors",
        sa.Column("mapping", sa.Text, primary_key=True),
        sa.Column("side", sa.Text, primary_key=True),
        sa.Column("cursor", sa.Text),
        sa.Column("known_count", sa.BigInteger),
        sa.Column("mapping_digest", sa.Text, nullable=False),
    )


def _configuration() -> None:
    op.create_table(
        "mappings",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("definition", sa.Text, nullable=False),
    )
    op.create_table(
        "connections",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("definition", sa.Text, nullable=False),
        sa.Column("secret", sa.Text),
    )
    op.create_table(
        "settings",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
