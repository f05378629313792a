"""The system: which request goes where."""

from collections.abc import Iterable
from typing import Final
from uuid import uuid4

from crosstie.sandbox.clock import Clock
from crosstie.sandbox.database import Database
from crosstie.sandbox.dataverse import actions, batch, csdl, jsonbatch, metadata
from crosstie.sandbox.dataverse.address import NAMESPACE, ROOT, Segment, check_path_key, parse_key, require, split
from crosstie.sandbox.dataverse.bulk import MESSAGES, bulk
from crosstie.sandbox.dataverse.environment import Call, Environment
from crosstie.sandbox.dataverse.errors import NOT_A_MEMBER, UNSUPPORTED, Refusal, unknown_segment
from crosstie.sandbox.dataverse.importing import insert_rows
from crosstie.sandbox.dataverse.jobs import run_due
from crosstie.sandbox.dataverse.properties import behind_row
from crosstie.sandbox.dataverse.query import Source, read_count
from crosstie.sandbox.dataverse.records import collection, row
from crosstie.sandbox.dataverse.schema import Table
from crosstie.sandbox.dataverse.seed import seed
from crosstie.sandbox.dataverse.switches import SETTINGS
from crosstie.sandbox.dataverse.tracking import count_changes
from crosstie.sandbox.http import HttpError, Request, Response, json_response
from crosstie.sandbox.settings import Setting, Settings
from crosstie.sandbox.tokens import TENANT_ID, Tokens

VERSIONS: Final = frozenset({"v9.0", "v9.1", "v9.2"})


class Dataverse:
    """One Dataverse environment behind its Web API.

    A fresh database has its tables but no rows: :meth:`reset` brings what every environment holds (organization, root
    business unit with its team, base currency, the application user).
    """

    name = "dataverse"

    def __init__(self, database: Database, clock: Clock, tokens: Tokens, settings: Settings) -> None:
        self._env = Environment(database, clock, settings)
        self._tokens = tokens

    @classmethod
    def settings_schema(cls) -> Iterable[Setting]:
        """The switches that the system reads."""
        return SETTINGS

    def reset(self) -> None:
        """Drop all rows and all customizing, and put the rows of an empty environment in."""
        self._env.reset()
        seed(self._env)

    def counts(self) -> dict[str, int]:
        """Rows by table."""
        tables = (table for table in self._env.schema.tables.values() if not table.name.startswith("sdk"))
        return {
            table.name: int(self._env.db.execute(f"SELECT COUNT(*) FROM {table.name}").fetchone()[0])
            for table in tables
        }

    def insert_many(self, table: str, rows: Iterable[dict[str, object]]) -> None:
        """Put rows in without HTTP; see :func:`importing.insert_rows`."""
        insert_rows(self._env, table, rows)

    def handle(self, request: Request) -> Response:
        """Answer a request under ``/api/data/v9.x``, batches included."""
        denied = self._tokens.check(request, lambda reason: self._deny(request, reason))
        if denied is not None:
            raise denied
        run_due(self._env)
        response = self._answer(request, {}, inner=False)
        response.headers += self._protection_headers()
        return response

    def _deny(self, request: Request, reason: str) -> Response:
        authority = f"{request.base_url}/{TENANT_ID}/oauth2/authorize"
        challenge = f"Bearer authorization_uri={authority}, resource_id={request.base_url}/"
        refusal = Refusal(401, NOT_A_MEMBER, f"The user is not a member of the organization: {reason}.")
        response = refusal.response(annotated=False)
        response.headers.append(("WWW-Authenticate", challenge))
        return response

    def _protection_headers(self) -> list[tuple[str, str]]:
        number = str(uuid4())
        settings = self._env.settings
        return [
            ("x-ms-service-request-id", number),
            ("REQ_ID", number),
            ("x-ms-ratelimit-burst-remaining-xrm-requests", str(settings["burst_remaining_requests"])),
            ("x-ms-ratelimit-time-remaining-xrm-requests", str(settings["time_remaining_seconds"])),
        ]

    def _answer(self, request: Request, references: dict[str, str], inner: bool) -> Response:
        """The answer to one request, errors included."""
        call: Call | None = None
        try:
            match = ROOT.match(request.path)
            if match is None or match[1] not in VERSIONS:
                raise unknown_segment(request.path)
            root = f"{request.base_url}/api/data/{match[1]}"
            call = Call(self._env, request, root, references)
            _check_length(request, inner)
            call.check_caller()
            response = self._route(call, request.path[match.end() :], inner)
        except Refusal as refusal:
            self._env.forget_rows()
            response = refusal.response(call is not None and call.annotated())
        except HttpError as error:
            response = error.response
        if call is not None and call.prefer.applied:
            response.headers.append(("Preference-Applied", ", ".join(call.prefer.applied)))
        response.headers.append(("OData-Version", "4.0"))
        return response

    def _route(self, call: Call, path: str, inner: bool) -> Response:
        if not path.strip("/"):
            return self._service_document(call)
        if path.startswith("$batch"):
            if inner:
                raise Refusal(400, UNSUPPORTED, "Batch requests cannot be nested.")
            return self._batch(call)
        if path.startswith("$metadata"):
            return csdl.answer(call)
        segments = split(path)
        table = self._env.schema.by_set(segments[0].name)
        if table is not None:
            return self._table(call, table, segments)
        if metadata.serves(segments[0].name):
            return metadata.answer(call, segments)
        return actions.unbound(call, segments)

    def _batch(self, call: Call) -> Response:
        def dispatch(request: Request, references: dict[str, str]) -> Response:
            return self._answer(request, references, inner=True)

        kind = call.request.headers.get("content-type", "")
        if self._env.settings.flag("json_batch") and kind.startswith("application/json"):
            return jsonbatch.run(call, dispatch)
        return batch.run(call, dispatch)

    def _table(self, call: Call, table: Table, segments: list[Segment]) -> Response:
        """A request to an entity set, or to what lies behind it."""
        first = segments[0]
        rest = [segment for segment in segments[1:] if segment.name != table.type_name]
        if first.key is None:
            if not rest:
                return collection(call, table)
            name = rest[0].name
            if name == "$count" and len(rest) == 1:
                source = Source(table, f"{call.root}/{table.set}")
                return count_changes(call, source) if "$deltatoken" in call.query else read_count(call, source)
            if name.removeprefix(NAMESPACE) in MESSAGES and call.request.method == "POST":
                return bulk(call, table, name.removeprefix(NAMESPACE))
            raise unknown_segment(name)
        check_path_key(first.key)
        if not rest:
            return row(call, table, first.key)
        row_id = require(call.env, table, parse_key(call.env, table, first.key))
        if rest[0].name.startswith(NAMESPACE):
            return actions.bound(call, table, row_id, rest[0])
        return behind_row(call, table, row_id, rest)

    def _service_document(self, call: Call) -> Response:
        value = [{"name": name, "kind": "EntitySet", "url": name} for name in [*self._env.schema.sets, *metadata.SETS]]
        return json_response({"@odata.context": f"{call.root}/$metadata", "value": value})


def _check_length(request: Request, inner: bool) -> None:
    """Refuse an address that is too long: plain ones end at 32 KB, those inside a batch at 64 KB."""
    size, limit = len(request.raw_path or request.path) + len(request.raw_query), 65536 if inner else 32768
    if size > limit:
        raise Refusal(414, UNSUPPORTED, f"The request URI has {size} bytes; the limit is {limit}.")
