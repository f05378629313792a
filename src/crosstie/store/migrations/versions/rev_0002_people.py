"""People and tokens: users, one-time links, failed sign-ins, API tokens, sessions, and the audit log."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_BIG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_TIME = sa.DateTime(timezone=True).with_variant(sa.Text, "sqlite")


def upgrade() -> None:
    _users()
    _invitations()
    _sign_in_attempts()
    _api_tokens()
    _sessions()
    _audit_log()


def _index(table: str, name: str, *columns: str, unique: bool = False) -> None:
    op.create_index(name, table, list(columns), unique=unique)


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("id", _BIG_ID, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("name_key", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("disabled", sa.Boolean, nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("last_sign_in", _TIME),
        sqlite_autoincrement=True,
    )
    _index("users", "users_name_key", "name_key", unique=True)


def _invitations() -> None:
    op.create_table(
        "invitations",
        sa.Column("id", _BIG_ID, primary_key=True),
        sa.Column("link_hash", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("name_key", sa.Text),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("user_id", sa.BigInteger, sa.ForeignKey("users.id")),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_by_id", sa.BigInteger, sa.ForeignKey("users.id")),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("used_at", _TIME),
        sqlite_autoincrement=True,
    )
    _index("invitations", "invitations_link_hash", "link_hash", unique=True)


def _sign_in_attempts() -> None:
    op.create_table(
        "sign_in_attempts",
        sa.Column("id", _BIG_ID, primary_key=True),
        sa.Column("name_digest", sa.Text, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sqlite_autoincrement=True,
    )
    _index("sign_in_attempts", "sign_in_attempts_name_digest", "name_digest", "at")
    _index("sign_in_attempts", "sign_in_attempts_place", "place", "at")


def _api_tokens() -> None:
    op.create_table(
        "api_tokens",
        sa.Column("id", _BIG_ID, primary_key=True),
        sa.Column("token_hash", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_by_id", sa.BigInteger, sa.ForeignKey("users.id")),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("last_used", _TIME),
        sa.Column("revoked_at", _TIME),
        sqlite_autoincrement=True,
    )
    _index("api_tokens", "api_tokens_token_hash", "token_hash", unique=True)


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id_hash", sa.Text, primary_key=True),
        sa.Column("user_id", sa.BigInteger, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("last_seen", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
    )
    _index("sessions", "sessions_user_id", "user_id")


def _audit_log() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", _BIG_ID, primary_key=True),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("actor_kind", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("actor_id", sa.BigInteger),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("details", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    _index("audit_log", "audit_log_actor", "actor", "id")
    _index("audit_log", "audit_log_subject", "subject", "id")
    _index("audit_log", "audit_log_action", "action", "id")
    _index("audit_log", "audit_log_at", "at")
