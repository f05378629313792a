"""The queries on people: users and one-time links; with those on access and on the audit log they are `People`."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from crosstie.model.errors import NameTaken
from crosstie.model.people import Invitation, LinkPurpose, NewInvitation, Role, User, name_key
from crosstie.store.access import AccessQueries, user_of
from crosstie.store.auditing import AuditQueries
from crosstie.store.queries import Queries
from crosstie.store.schema import invitations, users
from crosstie.store.work import AnyRow

_USER_COLUMNS = User.__struct_fields__
_SELECT_USERS = select(*(users.c[name] for name in _USER_COLUMNS))
_LINK_COLUMNS = Invitation.__struct_fields__
_LINKS = tuple(invitations.c[name] for name in _LINK_COLUMNS)


class UserQueries(Queries):
    """The users' and the one-time links' part of `People`."""

    def hold(self) -> None:
        self._work.hold("people")

    def users(self) -> list[User]:
        return [user_of(row) for row in self._work.read(_SELECT_USERS.order_by(users.c.name_key))]

    def user(self, user_id: int) -> User | None:
        return _only(self._work.read(_SELECT_USERS.where(users.c.id == user_id)))

    def find_user(self, name: str) -> User | None:
        return _only(self._work.read(_SELECT_USERS.where(users.c.name_key == name_key(name))))

    def password_hash(self, user_id: int) -> str | None:
        rows = self._work.read(select(users.c.password_hash).where(users.c.id == user_id))
        return rows[0].password_hash if rows else None

    def add_user(self, name: str, role: Role, password_hash: str, now: datetime) -> User:
        row = {
            "name": name,
            "name_key": name_key(name),
            "role": role.value,
            "disabled": False,
            "password_hash": password_hash,
            "created_at": now,
        }
        try:
            with self._work.savepoint():
                [(user_id,)] = self._work.write_returning(insert(users).values(row).returning(users.c.id))
        except IntegrityError as error:
            raise NameTaken(f"There is a user {name!r} already.", name=name) from error
        return User(id=user_id, name=name, role=role, created_at=now)

    def put_user(self, user: User) -> None:
        changed = {"role": user.role.value, "disabled": user.disabled}
        self._work.write(update(users).where(users.c.id == user.id).values(changed))

    def signed_in(self, user_id: int, now: datetime) -> None:
        self._work.write(update(users).where(users.c.id == user_id).values(last_sign_in=now))

    def set_password_hash(self, user_id: int, password_hash: str) -> None:
        self._work.write(update(users).where(users.c.id == user_id).values(password_hash=password_hash))

    def add_invitation(self, invitation: NewInvitation, link_hash: str) -> Invitation:
        row = msgspec.structs.asdict(invitation) | {
            "link_hash": link_hash,
            "name_key": None if invitation.name is None else name_key(invitation.name),
            "purpose": invitation.purpose.value,
            "role": invitation.role.value,
        }
        [stored] = self._work.write_returning(insert(invitations).values(row).returning(*_LINKS))
        return _invitation(stored)

    def invitation(self, link_hash: str) -> Invitation | None:
        rows = self._work.read(select(*_LINKS).where(invitations.c.link_hash == link_hash))
        return _invitation(rows[0]) if rows else None

    def open_invitations(self, now: datetime) -> list[Invitation]:
        query = select(*_LINKS).where(invitations.c.used_at.is_(None), invitations.c.expires_at > now)
        return [_invitation(row) for row in self._work.read(query.order_by(invitations.c.id))]

    def use_invitation(self, link_hash: str, now: datetime) -> Invitation | None:
        still_open = (
            invitations.c.link_hash == link_hash,
            invitations.c.used_at.is_(None),
            invitations.c.expires_at > now,
        )
        statement = update(invitations).where(*still_open).values(used_at=now).returning(*_LINKS)
        rows = self._work.write_returning(statement)
        return _invitation(rows[0]) if rows else None

    def withdraw_invitations(
        self,
        *,
        purpose: LinkPurpose | None = None,
        name: str | None = None,
        user_id: int | None = None,
        created_by_id: int | None = None,
    ) -> int:
        statement = delete(invitations).where(invitations.c.used_at.is_(None))
        if purpose is not None:
            statement = statement.where(invitations.c.purpose == purpose.value)
        if name is not None:
            statement = statement.where(invitations.c.name_key == name_key(name))
        if user_id is not None:
            statement = statement.where(invitations.c.user_id == user_id)
        if created_by_id is not None:
            statement = statement.where(invitations.c.created_by_id == created_by_id)
        return self._work.write(statement)


class SqlPeople(UserQueries, AccessQueries, AuditQueries):
    """`store.base_people.People` by SQL."""


def _only(rows: Sequence[AnyRow]) -> User | None:
    return user_of(rows[0]) if rows else None


def _invitation(row: AnyRow) -> Invitation:
    values = dict(zip(_LINK_COLUMNS, row, strict=True))
    values["purpose"] = LinkPurpose(values["purpose"])
    values["role"] = Role(values["role"])
    return Invitation(**values)
