"""The tables of the store, as its queries see them. `migrations` makes them; a test holds the two together."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, MetaData, String, Table, Text, text

from crosstie.store.columns import BigId, JsonText, UtcTime, Words

HEAD = "0011"
"""The revision that this version of the package works with."""

metadata = MetaData()

version = Table("crosstie_version", metadata, Column("version_num", String(32), primary_key=True))

couplings = Table(
    "couplings",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("mapping", Text, nullable=False),
    Column("local_id", Text, nullable=False),
    Column("remote_id", Text, nullable=False),
    Column("local_key", Words),
    Column("local_name", Words),
    Column("remote_key", Words),
    Column("remote_name", Words),
    Column("local_version", Text),
    Column("remote_version", Text),
    Column("state", Text, nullable=False),
    Column("last_synchronised", UtcTime),
    Column("created_at", UtcTime, nullable=False),
    Column("base", JsonText),
    Index("couplings_local_id", "mapping", "local_id", unique=True),
    Index("couplings_remote_id", "mapping", "remote_id", unique=True),
    Index("couplings_local_key", "mapping", "local_key"),
    Index("couplings_remote_key", "mapping", "remote_key"),
    Index("couplings_local_name", "mapping", "local_name"),
    Index("couplings_remote_name", "mapping", "remote_name"),
    Index("couplings_state", "mapping", "state", "id"),
    Index("couplings_page", "mapping", "id"),
    sqlite_autoincrement=True,
)

removed_couplings = Table(
    "removed_couplings",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("local_version", Text),
    Column("remote_version", Text),
    Column("base", JsonText, nullable=False),
    Column("last_synchronised", UtcTime),
    Column("removed_at", UtcTime, nullable=False),
    Index("removed_couplings_removed_at", "removed_at"),
)

intents = Table(
    "intents",
    metadata,
    Column("position", BigId, primary_key=True),
    Column("id", Text, nullable=False),
    Column("job_id", BigInteger, nullable=False),
    Column("mapping", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("table", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("record_id", Text),
    Column("coupling_id", BigInteger),
    Column("source_id", Text),
    Column("values", JsonText, nullable=False),
    Column("expected_version", Text),
    Column("created_at", UtcTime, nullable=False),
    Column("changes", JsonText, nullable=False, server_default=text("'[]'")),
    Index("intents_id", "id", unique=True),
    Index("intents_mapping", "mapping", "position"),
    sqlite_autoincrement=True,
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("mapping", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("exclusive", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime),
    Column("to_remote", JsonText, nullable=False),
    Column("from_remote", JsonText, nullable=False),
    Column("message", Words, nullable=False),
    Column("details", JsonText, nullable=False),
    Column("parent_id", BigInteger),
    Column("done", BigInteger, nullable=False, server_default=text("0")),
    Column("phase", Words, nullable=False, server_default=text("''")),
    Column("cancel_requested", Boolean, nullable=False, server_default=text("false")),
    Column("use_case", Text, nullable=False, server_default=text("''")),
    Column("arguments", JsonText, nullable=False, server_default=text("'{}'")),
    Column("asked_by", Words, nullable=False, server_default=text("''")),
    Column("scheduled", Boolean, nullable=False, server_default=text("false")),
    Column("not_before", UtcTime),
    Column("attempt", Integer, nullable=False, server_default=text("0")),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    Column("recoveries", Integer, nullable=False, server_default=text("0")),
    Column("expected", BigInteger),
    Index("jobs_mapping", "mapping", "id"),
    Index(
        "jobs_exclusive",
        "mapping",
        unique=True,
        sqlite_where=text("exclusive AND state = 'running'"),
        postgresql_where=text("exclusive AND state = 'running'"),
    ),
    Index(
        "jobs_running",
        "mapping",
        "id",
        sqlite_where=text("state = 'running'"),
        postgresql_where=text("state = 'running'"),
    ),
    Index("jobs_queue", "id", sqlite_where=text("state = 'queued'"), postgresql_where=text("state = 'queued'")),
    Index(
        "jobs_queued",
        "mapping",
        unique=True,
        sqlite_where=text("exclusive AND state = 'queued'"),
        postgresql_where=text("exclusive AND state = 'queued'"),
    ),
    Index(
        "jobs_parent",
        "parent_id",
        "id",
        sqlite_where=text("parent_id IS NOT NULL"),
        postgresql_where=text("parent_id IS NOT NULL"),
    ),
    Index("jobs_finished_at", "finished_at"),
    sqlite_autoincrement=True,
)

journal = Table(
    "journal",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("job_id", BigInteger, nullable=False),
    Column("mapping", Text, nullable=False),
    Column("coupling_id", BigInteger),
    Column("local_id", Text),
    Column("remote_id", Text),
    Column("name", Words, nullable=False),
    Column("side", Text),
    Column("outcome", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("words", Words, nullable=False),
    Column("changes", JsonText, nullable=False),
    Column("at", UtcTime, nullable=False),
    Index("journal_mapping", "mapping", "id"),
    Index("journal_job", "job_id", "id"),
    Index("journal_local_id", "local_id", "id"),
    Index("journal_remote_id", "remote_id", "id"),
    sqlite_autoincrement=True,
)

tallies = Table(
    "tallies",
    metadata,
    Column("job_id", BigInteger, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("outcome", Text, nullable=False),
)

_OPEN = text("closed_at IS NULL")

problems = Table(
    "problems",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("mapping", Text, nullable=False),
    Column("local_id", Text),
    Column("remote_id", Text),
    Column("coupling_id", BigInteger),
    Column("name", Words, nullable=False),
    Column("problem_class", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("words", Words, nullable=False),
    Column("next_step", Words, nullable=False),
    Column("direction", Text),
    Column("fields", JsonText, nullable=False),
    Column("local_version", Text),
    Column("remote_version", Text),
    Column("job_id", BigInteger),
    Column("attempts", Integer, nullable=False),
    Column("first_seen", UtcTime, nullable=False),
    Column("last_seen", UtcTime, nullable=False),
    Column("closed_at", UtcTime),
    Index("problems_local_id", "mapping", "local_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
    Index("problems_remote_id", "mapping", "remote_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
    Index("problems_page", "mapping", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
    Index("problems_closed_at", "closed_at"),
    sqlite_autoincrement=True,
)

waits = Table(
    "waits",
    metadata,
    Column("problem_id", BigInteger, ForeignKey("problems.id", ondelete="CASCADE"), primary_key=True),
    Column("mapping", Text, primary_key=True),
    Column("side", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Index("waits_key", "mapping", "side", "key"),
)

due = Table(
    "due",
    metadata,
    Column("mapping", Text, primary_key=True),
    Column("side", Text, primary_key=True),
    Column("record_id", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("not_before", UtcTime, nullable=False),
    Column("create", Boolean, nullable=False),
    Index("due_not_before", "mapping", "not_before", "side", "record_id"),
)

cursors = Table(
    "cursors",
    metadata,
    Column("mapping", Text, primary_key=True),
    Column("side", Text, primary_key=True),
    Column("cursor", Text),
    Column("known_count", BigInteger),
    Column("mapping_digest", Text, nullable=False),
)

mappings = Table(
    "mappings",
    metadata,
    Column("name", Text, primary_key=True),
    Column("definition", JsonText, nullable=False),
)

connections = Table(
    "connections",
    metadata,
    Column("name", Text, primary_key=True),
    Column("definition", JsonText, nullable=False),
    Column("secret", Text),
)

settings = Table(
    "settings",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

users = Table(
    "users",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("last_sign_in", UtcTime),
    Index("users_name_key", "name_key", unique=True),
    sqlite_autoincrement=True,
)

invitations = Table(
    "invitations",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("link_hash", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("name", Text),
    Column("name_key", Text),
    Column("role", Text, nullable=False),
    Column("user_id", BigInteger, ForeignKey("users.id")),
    Column("created_by", Words, nullable=False),
    Column("created_by_id", BigInteger, ForeignKey("users.id")),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("used_at", UtcTime),
    Index("invitations_link_hash", "link_hash", unique=True),
    sqlite_autoincrement=True,
)

attempts = Table(
    "sign_in_attempts",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("name_digest", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Index("sign_in_attempts_name_digest", "name_digest", "at"),
    Index("sign_in_attempts_place", "place", "at"),
    sqlite_autoincrement=True,
)

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("token_hash", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("created_by", Words, nullable=False),
    Column("created_by_id", BigInteger, ForeignKey("users.id")),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("last_used", UtcTime),
    Column("revoked_at", UtcTime),
    Index("api_tokens_token_hash", "token_hash", unique=True),
    sqlite_autoincrement=True,
)

sessions = Table(
    "sessions",
    metadata,
    Column("id_hash", Text, primary_key=True),
    Column("user_id", BigInteger, ForeignKey("users.id"), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("last_seen", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("address", Words, nullable=False),
    Index("sessions_user_id", "user_id"),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("actor", Words, nullable=False),
    Column("actor_id", BigInteger),
    Column("address", Words, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Words, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("details", JsonText, nullable=False),
    Index("audit_log_actor", "actor", "id"),
    Index("audit_log_subject", "subject", "id"),
    Index("audit_log_action", "action", "id"),
    Index("audit_log_at", "at"),
    sqlite_autoincrement=True,
)

processes = Table(
    "processes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("worker", Boolean, nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("beat_at", UtcTime, nullable=False),
)

schedules = Table(
    "schedules",
    metadata,
    Column("mapping", Text, primary_key=True),
    Column("every_minutes", Integer, nullable=False),
    Column("paused_reason", Words, nullable=False),
    Column("next_at", UtcTime, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("last_job_id", BigInteger),
)

answers = Table(
    "answers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("request", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("status", Integer),
    Column("headers", Text),
    Column("body", Words),
    Index("answers_at", "at"),
)

plan_rows = Table(
    "plan_rows",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("job_id", BigInteger, nullable=False),
    Column("side", Text, nullable=False),
    Column("record_id", Text, nullable=False),
    Column("group", Text, nullable=False),
    Column("seen", Text, nullable=False),
    Column("planned", JsonText, nullable=False),
    Index("plan_rows_job", "job_id", "group", "id"),
    sqlite_autoincrement=True,
)
