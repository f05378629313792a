"""Change tracking: what changed in a table since a token, deletions included (wire-dataverse section 10).

The first call with ``Prefer: odata.track-changes`` reads the table; its last page carries the ``@odata.deltaLink``. A
delta link gives the rows with a later version, in order of version, then the deletions. Its token holds the version up
to which the client knows everything, and the time, by which it expires.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from crosstie.sandbox.dataverse.environment import MAX_PAGE, Call
from crosstie.sandbox.dataverse.errors import BAD_ARGUMENT, EXPIRED_TOKEN, Refusal, unsupported
from crosstie.sandbox.dataverse.paging import Cookie, link, read_cookie
from crosstie.sandbox.dataverse.projection import Projection, WireRow
from crosstie.sandbox.dataverse.query import Source, check_options, context_of, page_size, select_of
from crosstie.sandbox.dataverse.schema import Table
from crosstie.sandbox.http import Response, json_response

_FORBIDDEN: Final = ("$filter", "$orderby", "$expand", "$top")
_OPTIONS: Final = frozenset({"$select", "$count", "$skiptoken", "$deltatoken", *_FORBIDDEN})
_TOKEN = re.compile(r"\s*(\d+)\s*!\s*(\d\d)/(\d\d)/(\d{4})\s+(\d\d):(\d\d):(\d\d)\s*")


@dataclass(frozen=True, slots=True)
class Token:
    """Up to which row version the client knows everything, and since when."""

    version: int
    issued: datetime

    def __str__(self) -> str:
        return f"{self.version}!{self.issued:%m/%d/%Y %H:%M:%S}"


def tracks(call: Call) -> bool:
    """Whether a request is about changes."""
    return call.prefer.track_changes or "$deltatoken" in call.query


def tracked(call: Call, table: Table) -> bool:
    """Whether changes of a table are tracked."""
    return table.tracking and table.name not in call.env.settings.names("untracked_tables")


def read_tracked(call: Call, source: Source) -> Response:
    """A page of a first tracked reading, or of what changed since a token."""
    table = source.table
    check_options(call, _OPTIONS)
    for name in _FORBIDDEN:
        if name in call.query:
            raise unsupported(f'The "${name[1:]}" query parameter isn\'t supported when Change Tracking is enabled.')
    if not tracked(call, table):
        raise unsupported(
            f"Change tracking is not enabled for the entity '{table.name}'. Enable change tracking for the entity to "
            "use the odata.track-changes preference."
        )
    if call.prefer.track_changes:
        call.prefer.applied.insert(0, "odata.track-changes")
    size, _ = page_size(call)
    if "$deltatoken" in call.query:
        return _read_changes(call, source, read_token(call, table, call.query["$deltatoken"]), size)
    return _read_first(call, source, size)


def read_token(call: Call, table: Table, text: str) -> Token:
    """The token of ``$deltatoken``; raises :class:`Refusal` 400 where it is malformed, from the future, or expired."""
    match = _TOKEN.fullmatch(text.replace("+", " "))
    if match is None:
        raise Refusal(400, BAD_ARGUMENT, f"The delta token '{text}' is not valid.")
    version, month, day, year, hour, minute, second = map(int, match.groups())
    try:
        issued = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise Refusal(400, BAD_ARGUMENT, f"The delta token '{text}' is not valid.") from error
    life = timedelta(days=call.env.settings.number("change_tracking_days"))
    if version > call.env.db.version or call.env.clock.now() - issued > life:
        raise Refusal(
            400,
            EXPIRED_TOKEN,
            "Version stamp associated with the client has expired. Please perform a full sync. "
            f"(entity '{table.name}')",
        )
    return Token(version, issued)


def _delta_link(call: Call, source: Source, version: int) -> str:
    token = Token(version, call.env.clock.now().replace(microsecond=0))
    return link(call.request, source.path, "$skiptoken $count", "$deltatoken", str(token))


def _read_first(call: Call, source: Source, size: int) -> Response:
    """All rows by id. The token is of the moment at which the reading began, so that nothing slips through."""
    table, db = source.table, call.env.db
    token = call.query.get("$skiptoken")
    cookie = read_cookie(token) if token else Cookie(1, {})
    version = int(cookie.last.get("version") or db.version)
    last = cookie.last.get(table.id) or ""
    select = select_of(call)
    projection = Projection(call.env, table, select, call.prefer.annotations, (f"t.{table.id}",))
    sql = f"SELECT {projection.sql('t')} FROM {table.name} t WHERE t.{table.id} > ? ORDER BY t.{table.id} LIMIT ?"
    raw = db.execute(sql, (last, size + 1)).fetchall()
    more = len(raw) > size
    del raw[size:]
    body: dict[str, object] = {"@odata.context": context_of(call, table.set, select)}
    if call.query.get("$count", "").lower() == "true":
        total = db.execute(f"SELECT COUNT(*) FROM {table.name}").fetchone()[0]
        body["@odata.count"] = min(int(total), MAX_PAGE)
    body["value"] = projection.build(raw)
    if more:
        following = Cookie(cookie.page + 1, {"version": str(version), table.id: str(raw[-1][projection.hidden_from])})
        body["@odata.nextLink"] = link(call.request, source.path, "", "$skiptoken", following.token(tracking=True))
    else:
        body["@odata.deltaLink"] = _delta_link(call, source, version)
    return json_response(body)


def _read_changes(call: Call, source: Source, since: Token, size: int) -> Response:
    """The rows that changed since a token, in full, then the deletions, both by version."""
    table, db = source.table, call.env.db
    token = call.query.get("$skiptoken")
    cookie = read_cookie(token) if token else Cookie(1, {})
    changed_to = int(cookie.last.get("changed") or since.version)
    deleted_to = int(cookie.last.get("deleted") or since.version)
    select = select_of(call)
    projection = Projection(call.env, table, select, call.prefer.annotations, ("t.versionnumber",))
    sql = f"SELECT {projection.sql('t')} FROM {table.name} t WHERE t.versionnumber > ? ORDER BY t.versionnumber LIMIT ?"
    raw = db.execute(sql, (changed_to, size + 1)).fetchall()
    rows: list[WireRow] = projection.build(raw[:size])
    if rows:
        changed_to = int(str(raw[len(rows) - 1][projection.hidden_from]))
    room = size - len(rows)
    more = len(raw) > size
    if not more:
        sql = "SELECT id, version FROM tombstone WHERE name = ? AND version > ? ORDER BY version LIMIT ?"
        gone = db.execute(sql, (table.name, deleted_to, room + 1)).fetchall()
        more = len(gone) > room
        context = f"{call.root}/$metadata#{table.set}/$deletedEntity"
        rows += [{"@odata.context": context, "id": row_id, "reason": "deleted"} for row_id, _ in gone[:room]]
        deleted_to = max([deleted_to, *(int(version) for _, version in gone[:room])])
    body: dict[str, object] = {
        "@odata.context": f"{context_of(call, table.set, select)}/$delta",
        "value": rows,
    }
    if more:
        following = Cookie(cookie.page + 1, {"changed": str(changed_to), "deleted": str(deleted_to)})
        body["@odata.nextLink"] = link(call.request, source.path, "", "$skiptoken", following.token(tracking=True))
    else:
        body["@odata.deltaLink"] = _delta_link(call, source, db.version)
    return json_response(body)


def count_changes(call: Call, source: Source) -> Response:
    """``/$count?$deltatoken=``: how many rows changed or went since a token."""
    table, db = source.table, call.env.db
    since = read_token(call, table, call.query["$deltatoken"])
    changed = db.execute(f"SELECT COUNT(*) FROM {table.name} WHERE versionnumber > ?", (since.version,)).fetchone()
    gone = db.execute(
        "SELECT COUNT(*) FROM tombstone WHERE name = ? AND version > ?", (table.name, since.version)
    ).fetchone()
    return Response(200, [("Content-Type", "text/plain")], str(int(changed[0]) + int(gone[0])).encode())
