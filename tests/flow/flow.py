"""A flow: one home with both systems connected, the use cases that people invoke, and both systems beside them."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from click.testing import CliRunner

from crosstie.app.coupling import SetUp, create_partners, list_couplings, set_up_coupling, uncouple
from crosstie.app.history import list_history, list_jobs
from crosstie.app.home import Home
from crosstie.app.matching import match
from crosstie.app.opening import Opened, open_record
from crosstie.app.problems import list_problems
from crosstie.app.record_history import ToldEntry
from crosstie.app.session import Session, open_session
from crosstie.app.synchronising import synchronise
from crosstie.app.views import CouplingView, ProblemView
from crosstie.cli.root import cli
from crosstie.engine.context import Report
from crosstie.engine.matching import MatchReport
from crosstie.model.decisions import Decision, Preference
from crosstie.model.errors import CrosstieError
from crosstie.model.jobs import Counters, Job
from crosstie.model.mappings import Direction, Mapping
from crosstie.model.records import Side

from .desks import BusinessCentralDesk, DataverseDesk, Json, Requests

STANDARD = "CUSTOMER"


@dataclass(frozen=True)
class Pair:
    """A coupled customer and account."""

    number: str
    local_id: str
    remote_id: str


@dataclass
class Counting:
    """The requests that both systems counted while the context was open."""

    bc: Requests
    dv: Requests

    @property
    def writes(self) -> dict[str, int]:
        return self.bc.writes | self.dv.writes


class Watcher:
    """An observer that keeps every decision."""

    def __init__(self) -> None:
        self.decisions: list[Decision] = []

    def decided(self, decision: Decision) -> None:
        self.decisions.append(decision)

    def progress(self, done: int) -> None:
        """Take no notice."""


@dataclass
class Said:
    """What a call of the command line came to."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> Json:
        """The error of a document, as programs read it."""
        found: Json = self.document["error"]
        return found


class Flow:
    """Use cases of one home. The session to both systems is opened when it is first needed."""

    def __init__(self, home: Home, bc: BusinessCentralDesk, dv: DataverseDesk) -> None:
        self.home = home
        self.bc = bc
        self.dv = dv
        self._stack = AsyncExitStack()
        self._session: Session | None = None

    async def session(self) -> Session:
        if self._session is None:
            self._session = await self._stack.enter_async_context(open_session(self.home))
        return self._session

    async def start_afresh(self) -> None:
        """Close the session, as the end of a command does; the next use case opens another."""
        await self._stack.aclose()
        self._session = None

    # --- use cases --------------------------------------------------------------------------------------------

    async def sync(self, mapping: str = STANDARD, *records: str, **options: Any) -> Report:
        """Synchronise one mapping; `direction` may be given as text."""
        if isinstance(options.get("direction"), str):
            options["direction"] = Preference(options["direction"])
        return (await synchronise(await self.session(), mapping, records, **options))[0]

    async def sync_writes(self, mapping: str = STANDARD, **options: Any) -> dict[str, int]:
        """Synchronise what changed, and return the writes that this took."""
        async with self.counting() as counted:
            await self.sync(mapping, **options)
        return counted.writes

    async def sync_failing(self, mapping: str = STANDARD, **options: Any) -> CrosstieError | Report:
        """Synchronise while something is wrong; return the error that ended the job, or the report."""
        try:
            return await self.sync(mapping, **options)
        except CrosstieError as error:
            return error

    async def sync_all(self, **options: Any) -> dict[str, Report]:
        """Synchronise all mappings; return the reports by mapping, in the order in which they ran."""
        return {report.mapping: report for report in await synchronise(await self.session(), None, **options)}

    async def create(self, mapping: str, *records: str, remote: bool = False, **options: Any) -> Report:
        side = Side.REMOTE if remote else Side.LOCAL
        return await create_partners(await self.session(), mapping, records, side=side, **options)

    async def couple(self, mapping: str, record: str, to: str, **options: Any) -> SetUp:
        return await set_up_coupling(await self.session(), mapping, record, to, **options)

    async def match(self, mapping: str, *groups: Sequence[str], **options: Any) -> MatchReport:
        return await match(await self.session(), mapping, groups=groups, **options)

    async def uncouple(self, mapping: str, *records: str, **options: Any) -> Report:
        return await uncouple(await self.session(), mapping, records, **options)

    async def open(self, connection: str, table: str, id: str) -> Opened:
        return await open_record(await self.session(), connection, table, id)

    async def history(self, mapping: str, record: str | None = None) -> list[ToldEntry]:
        """Return what was done, newest first."""
        return await list_history(await self.session(), mapping, record)

    def jobs(self, mapping: str | None = None) -> list[Job]:
        return list_jobs(self.home, mapping)

    def problems(self, mapping: str | None = None, code: str | None = None) -> list[ProblemView]:
        return list_problems(self.home, mapping, code=code)

    def only_problem(self, mapping: str = STANDARD) -> ProblemView:
        """Return the one open problem of a mapping."""
        found = self.problems(mapping)
        assert len(found) == 1, [(problem.code, problem.words) for problem in found]
        return found[0]

    def couplings(self, mapping: str = STANDARD) -> dict[str, CouplingView]:
        """Return the couplings of a mapping by number or code of the local record."""
        page = list_couplings(self.home, mapping, limit=10_000)
        return {coupling.local_key or coupling.local_id: coupling for coupling in page.couplings}

    def state(self, key: str, mapping: str = STANDARD) -> str:
        return self.couplings(mapping)[key].state

    async def crosstie(self, *args: str, **more: Any) -> Said:
        """Run a command line in this process, beside the test's own event loop."""
        import asyncio

        return await asyncio.to_thread(self.run, *args, **more)

    def run(self, *args: str, **more: Any) -> Said:
        """Run a command line in this process."""
        done = CliRunner().invoke(cli, ["--home", str(self.home.folder), *args], **more)
        return Said(done.exit_code, done.stdout, done.stderr)

    # --- set-up -----------------------------------------------------------------------------------------------

    def load(self, data: str) -> None:
        """Fill both systems anew with a data set."""
        for desk in (self.bc, self.dv):
            desk.start_over(data)

    async def configure(self, mapping: str = STANDARD, **changes: Any) -> None:
        """Change settings of a mapping, as somebody does who sets it up."""
        with self.home.store.begin() as unit:
            stored = next(found for found in unit.mappings() if found.name == mapping)
            unit.put_mapping(msgspec.structs.replace(stored, **changes))
        await self.start_afresh()

    async def configure_field(self, mapping: str, label: str, **changes: Any) -> None:
        """Change settings of the field mappings with a label."""
        found = self.mapping(mapping)
        fields = tuple(
            msgspec.structs.replace(field, **changes) if field.label == label else field for field in found.fields
        )
        assert fields != found.fields, f"{mapping} has no field mapping {label}, or it is so already"
        await self.configure(mapping, fields=fields)

    async def make_one_way(self, mapping: str, direction: Direction) -> None:
        """Let a bidirectional mapping flow one way only, with the field mappings that go along."""
        fields = tuple(
            msgspec.structs.replace(field, direction=direction)
            for field in self.mapping(mapping).fields
            if field.direction in (direction, Direction.BIDIRECTIONAL)
        )
        await self.configure(mapping, direction=direction, fields=fields)

    def mapping(self, name: str = STANDARD) -> Mapping:
        with self.home.store.begin() as unit:
            return next(found for found in unit.mappings() if found.name == name)

    async def pair(self, number: str = "10000", name: str = "Adatum Corporation", **values: object) -> Pair:
        """Add a customer, create its account, and return the two, in step."""
        return (await self.pairs({number: {"displayName": name, **values}}))[0]

    async def pairs(self, customers: dict[str, Json]) -> list[Pair]:
        """Add customers, create their accounts, and return the pairs, in step."""
        for number, values in customers.items():
            self.bc.add("customers", number=number, **values)
        report = await self.create(STANDARD, *customers)
        assert figures(report.to_remote) == {"inserted": len(customers)}, report.failures
        return [self.pair_of(number) for number in customers]

    def pair_of(self, number: str) -> Pair:
        """Return the pair to which a customer belongs."""
        coupling = self.couplings()[number]
        return Pair(number, coupling.local_id, coupling.remote_id)

    # --- looking at both systems ------------------------------------------------------------------------------

    def differences(self, pair: Pair, *ignored: str) -> dict[str, tuple[object, object]]:
        """Return what a customer and its account do not agree on, read back from both systems."""
        local, remote = self.bc.customer(pair.number), self.dv.account(pair.remote_id)
        return {
            label: (local[label], remote[label])
            for label in local
            if label not in ("contact", "fax", *ignored) and not _equal(label, local[label], remote[label])
        }

    def tags(self, pair: Pair) -> tuple[str, str]:
        """Return the version tags of both records: whoever writes to one changes its tag."""
        local = self.bc.row("customers", pair.local_id)["@odata.etag"]
        return local, self.dv.row("accounts", pair.remote_id, "?$select=name")["@odata.etag"]

    @asynccontextmanager
    async def counting(self) -> AsyncIterator[Counting]:
        """Count the requests that the product sends while the context is open."""
        counting = Counting(Requests(), Requests())
        for desk in (self.bc, self.dv):
            desk.forget_requests()
        yield counting
        counting.bc, counting.dv = self.bc.requests(), self.dv.requests()


def figures(counters: Counters) -> dict[str, int]:
    """Return the counters that are not zero, by name."""
    return {name: number for name, number in msgspec.structs.asdict(counters).items() if number}


def told(report: Report) -> tuple[dict[str, int], dict[str, int]]:
    """Return what a report counts to the remote side and from it."""
    return figures(report.to_remote), figures(report.from_remote)


def copy_home(source: Path, target: Path) -> Path:
    """Give a test a home of its own that begins like a prepared one."""
    import shutil

    return Path(shutil.copytree(source, target))


def _equal(label: str, local: object, remote: object) -> bool:
    # Options carry the code as their label, in whatever case it was first entered there.
    if label in ("payment terms", "shipment method"):
        return str(local).upper() == str(remote).upper()
    return local == remote
