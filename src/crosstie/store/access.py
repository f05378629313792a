"""The queries on what lets somebody in: attempts to sign in, sessions and API tokens."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import delete, func, insert, or_, select, update

from crosstie.model.people import ApiToken, Attempt, NewApiToken, Role, SignIn, User
from crosstie.store.base_people import Expired
from crosstie.store.queries import Queries
from crosstie.store.schema import api_tokens, attempts, audit_log, invitations, sessions, users
from crosstie.store.work import AnyRow

_TOKEN_COLUMNS = ApiToken.__struct_fields__
_TOKENS = tuple(api_tokens.c[name] for name in _TOKEN_COLUMNS)
_SESSION_COLUMNS = tuple(name for name in SignIn.__struct_fields__ if name != "user")
_SELECT_SESSION = select(
    *(sessions.c[name] for name in _SESSION_COLUMNS), *(users.c[name] for name in User.__struct_fields__)
).join_from(sessions, users, users.c.id == sessions.c.user_id)


class AccessQueries(Queries):
    """The attempts', sessions' and tokens' part of `People`."""

    def attempts(self, name_digest: str, place: str, since: datetime) -> list[Attempt]:
        query = (
            select(attempts.c.name_digest, attempts.c.place, attempts.c.at)
            .where(or_(attempts.c.name_digest == name_digest, attempts.c.place == place), attempts.c.at > since)
            .order_by(attempts.c.at, attempts.c.id)
        )
        return [Attempt(name_digest=row.name_digest, place=row.place, at=row.at) for row in self._work.read(query)]

    def add_attempt(self, attempt: Attempt) -> None:
        self._work.write(insert(attempts).values(msgspec.structs.asdict(attempt)))

    def forget_attempts(self, name_digest: str, place: str) -> None:
        self._work.write(delete(attempts).where(attempts.c.name_digest == name_digest, attempts.c.place == place))

    def add_token(self, token: NewApiToken, token_hash: str) -> ApiToken:
        row = msgspec.structs.asdict(token) | {"role": token.role.value, "token_hash": token_hash}
        [stored] = self._work.write_returning(insert(api_tokens).values(row).returning(*_TOKENS))
        return _token(stored)

    def tokens(self) -> list[ApiToken]:
        return [_token(row) for row in self._work.read(select(*_TOKENS).order_by(api_tokens.c.id))]

    def find_token(self, token_hash: str) -> ApiToken | None:
        rows = self._work.read(select(*_TOKENS).where(api_tokens.c.token_hash == token_hash))
        return _token(rows[0]) if rows else None

    def token_used(self, token_id: int, now: datetime) -> None:
        self._work.write(update(api_tokens).where(api_tokens.c.id == token_id).values(last_used=now))

    def revoke_token(self, token_id: int, now: datetime) -> bool:
        still = update(api_tokens).where(api_tokens.c.id == token_id, api_tokens.c.revoked_at.is_(None))
        return self._work.write(still.values(revoked_at=now)) > 0

    def add_session(self, session: SignIn, id_hash: str) -> None:
        row = {name: getattr(session, name) for name in _SESSION_COLUMNS}
        self._work.write(insert(sessions).values(row | {"id_hash": id_hash, "user_id": session.user.id}))

    def session(self, id_hash: str) -> SignIn | None:
        rows = self._work.read(_SELECT_SESSION.where(sessions.c.id_hash == id_hash))
        if not rows:
            return None
        own = len(_SESSION_COLUMNS)
        return SignIn(**dict(zip(_SESSION_COLUMNS, rows[0][:own], strict=True)), user=user_of(rows[0][own:]))

    def session_seen(self, id_hash: str, now: datetime) -> None:
        self._work.write(update(sessions).where(sessions.c.id_hash == id_hash).values(last_seen=now))

    def end_session(self, id_hash: str) -> None:
        self._work.write(delete(sessions).where(sessions.c.id_hash == id_hash))

    def end_sessions(self, user_id: int, *, but: str | None = None) -> int:
        statement = delete(sessions).where(sessions.c.user_id == user_id)
        return self._work.write(statement if but is None else statement.where(sessions.c.id_hash != but))

    def purge(self, ended: Expired) -> dict[str, int]:
        over = {
            invitations: func.coalesce(invitations.c.used_at, invitations.c.expires_at) < ended.invitations,
            attempts: attempts.c.at < ended.attempts,
            api_tokens: func.coalesce(api_tokens.c.revoked_at, api_tokens.c.expires_at) < ended.tokens,
            sessions: or_(sessions.c.expires_at < ended.sessions, sessions.c.last_seen < ended.sessions_unseen),
            audit_log: audit_log.c.at < ended.audit,
        }
        return {table.name: self._work.write(delete(table).where(condition)) for table, condition in over.items()}


def user_of(values: Iterable[Any]) -> User:
    """Return the user whose columns, in the order of `User`, are `values`."""
    found = dict(zip(User.__struct_fields__, values, strict=True))
    return User(**found | {"role": Role(found["role"])})


def _token(row: AnyRow) -> ApiToken:
    values = dict(zip(_TOKEN_COLUMNS, row, strict=True))
    return ApiToken(**values | {"role": Role(values["role"])})
