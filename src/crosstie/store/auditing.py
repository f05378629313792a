"""The queries on the audit log: who did what to people and tokens."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert, select

from crosstie.model.people import AuditAction, AuditEntry, AuditOutcome, PrincipalKind
from crosstie.store.codec import decode_values, encode
from crosstie.store.queries import Queries
from crosstie.store.schema import audit_log
from crosstie.store.work import AnyRow

_COLUMNS = AuditEntry.__struct_fields__
_SELECT = select(*(audit_log.c[name] for name in _COLUMNS)).order_by(audit_log.c.id.desc())


class AuditQueries(Queries):
    """The audit log's part of `People`."""

    def add_audit(self, entry: AuditEntry) -> None:
        self._work.write(insert(audit_log).values(_row(entry)))

    def audit(
        self,
        *,
        actor: str | None = None,
        subject: str | None = None,
        actions: Sequence[AuditAction] = (),
        limit: int = 100,
        before_id: int | None = None,
    ) -> list[AuditEntry]:
        query = _SELECT.limit(limit)
        if actor is not None:
            query = query.where(audit_log.c.actor == actor)
        if subject is not None:
            query = query.where(audit_log.c.subject == subject)
        if actions:
            query = query.where(audit_log.c.action.in_([action.value for action in actions]))
        if before_id is not None:
            query = query.where(audit_log.c.id < before_id)
        return [_entry(row) for row in self._work.read(query)]


def _row(entry: AuditEntry) -> dict[str, Any]:
    row = {name: getattr(entry, name) for name in _COLUMNS if name != "id"}
    for name in ("actor_kind", "action", "outcome"):
        row[name] = row[name].value
    return row | {"details": encode(entry.details)}


def _entry(row: AnyRow) -> AuditEntry:
    values = dict(zip(_COLUMNS, row, strict=True))
    return AuditEntry(
        **values
        | {
            "actor_kind": PrincipalKind(values["actor_kind"]),
            "action": AuditAction(values["action"]),
            "outcome": AuditOutcome(values["outcome"]),
            "details": decode_values(values["details"]),
        }
    )
