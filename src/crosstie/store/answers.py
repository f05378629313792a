"""The queries on kept answers."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from crosstie.model.answers import Answer, Asked
from crosstie.store.queries import Queries
from crosstie.store.schema import answers

_NAMES = ("id", "request", "owner", "at", "status", "headers", "body")
_COLUMNS = tuple(answers.c[name] for name in _NAMES)


class SqlAnswers(Queries):
    """`store.base_answers.Answers` by SQL."""

    def find(self, id: str) -> Asked | None:
        rows: Sequence[tuple[object, ...]] = self._work.read(select(*_COLUMNS).where(answers.c.id == id))
        if not rows:
            return None
        found = dict(zip(_NAMES, rows[0], strict=True))
        status, headers, body = (found.pop(name) for name in ("status", "headers", "body"))
        if status is not None:
            found["answer"] = {"status": status, "headers": msgspec.json.decode(str(headers)), "body": body}
        return msgspec.convert(found, Asked)

    def begin(self, asked: Asked) -> bool:
        row = {"id": asked.id, "request": asked.request, "owner": asked.owner, "at": asked.at}
        try:
            with self._work.savepoint():
                self._work.write(insert(answers).values(row))
        except IntegrityError:
            return False
        return True

    def take_over(self, found: Asked, owner: str, now: datetime) -> bool:
        still = (answers.c.id == found.id, answers.c.owner == found.owner, answers.c.status.is_(None))
        return self._work.write(update(answers).where(*still).values(owner=owner, at=now)) > 0

    def keep(self, id: str, owner: str, answer: Answer) -> None:
        own = (answers.c.id == id, answers.c.owner == owner)
        headers = msgspec.json.encode(answer.headers).decode()
        self._work.write(update(answers).where(*own).values(status=answer.status, headers=headers, body=answer.body))

    def forget(self, id: str, owner: str) -> None:
        open_ = (answers.c.id == id, answers.c.owner == owner, answers.c.status.is_(None))
        self._work.write(delete(answers).where(*open_))

    def forget_before(self, before: datetime) -> int:
        return self._work.write(delete(answers).where(answers.c.at < before))
