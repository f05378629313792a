"""The promises, as far as they can be seen after every step. What is broken raises AssertionError with the story."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import select

from crosstie.model.base import decode_base
from crosstie.model.couplings import Coupling, CouplingState
from crosstie.model.filters import compile_filter
from crosstie.model.jobs import JobState
from crosstie.model.mappings import DeletionConflictResolution, Direction, FindingPolicy
from crosstie.model.records import Side, WriteKind
from crosstie.model.schema import TableSchema
from crosstie.model.values import Scalar, normalise
from crosstie.store.schema import metadata
from tests.scenarios.process import Written
from tests.scenarios.tables import CURRENCY, CUSTOMER, TABLES, TIED, Tied, tied
from tests.scenarios.world import World

MAPPINGS = (CURRENCY, CUSTOMER)
_OF_TABLE = {table: mapping for (mapping, _), table in TABLES.items()}


def is_default(done: Written, name: str, after: Scalar) -> bool:
    """Whether a field that we left out of a create holds what it holds in every new record."""
    return done.kind is WriteKind.CREATE and after in (None, 0, False)


class Promises:
    """Watches a world from its beginning."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.couplings: dict[int, Coupling] = {}
        self.coupled: set[tuple[Side, str]] = set()
        """Records that were ever coupled."""
        self.created: dict[tuple[Side, str], str] = {}
        """Records that we created, with their tables."""
        self.overwritten: list[tuple[Written, str, Scalar]] = []
        """Edits that we overwrote or deleted and that must be found in the journal."""
        self.parted: dict[int, int] = {}
        """When couplings were set up without synchronising: what differed then may differ until it is edited."""
        self.turned: dict[tuple[int, str], int] = {}
        """When a field of a coupling differed as its direction was changed: it may until it is edited."""
        self.altered: dict[tuple[Side, str, str], list[tuple[Scalar, Scalar]]] = {}
        """What systems made of values that we wrote, by side, record and field."""
        self.moved_references: set[str] = set()
        """Currencies, by code or remote id, whose coupling was taken away: what refers to them means something else."""
        self.cursors: dict[tuple[str, Side], tuple[Any, ...]] = {}
        world.guards.append(self._see)

    # --- while a job works ------------------------------------------------------------------------------------

    def _see(self, done: Written) -> None:
        """See one of our writes at the moment when it is carried out."""
        if done.kind is WriteKind.CREATE:
            self._see_create(done)
        for name, sent in done.values.items():
            stored = (done.after or {}).get(name)
            if stored != sent:
                self.altered.setdefault((done.side, done.id, name), []).append((sent, stored))
        for name, after in (done.after or {}).items():
            before = None if done.before is None else done.before[name]
            if name not in done.values and name != "id" and after != before and not is_default(done, name, after):
                self.world.note_edits(done.side, done.table, done.id, {name: after})
        if done.kind is WriteKind.CREATE:
            return
        for name, before in (done.before or {}).items():
            _, edited = self.world.edits.get((done.side, done.table, done.id, name), (0, None))
            gone = done.after is None or done.after[name] != before
            if gone and before is not None and edited == before and self._is_mapped(done, name):
                self.overwritten.append((done, name, before))
                del self.world.edits[done.side, done.table, done.id, name]

    def _is_mapped(self, done: Written, name: str) -> bool:
        """Whether a field is one that we deal with: we read no others, and a deletion takes them along."""
        return name in self._enabled(_OF_TABLE[done.table], done.side)

    def _enabled(self, mapping: str, side: Side) -> set[str | None]:
        """Return the fields of a side that the mapping as it is now deals with."""
        rows = [row for row in self.world.mapping(mapping).fields if row.enabled]
        return {row.local_field if side is Side.LOCAL else row.remote_field for row in rows}

    def _see_create(self, done: Written) -> None:
        """Nothing doubled: what we create has no partner yet. An undo brings back what was deleted, with or without."""
        mapping = _OF_TABLE[done.table]
        sources = {
            intent.source_id
            for intent in self.world.intents(mapping)
            if intent.side is done.side and intent.kind is WriteKind.CREATE and intent.values == done.values
        }
        self.check(bool(sources), f"{done.id} is created without an intent")
        if sources == {None}:
            return
        self.created[done.side, done.id] = done.table
        if len(sources) > 1:
            return
        source = sources.pop()
        for coupling in self.world.couplings(mapping):
            if coupling.record_id(done.side.other) == source:
                partner = self.world.systems[done.side].record(done.table, coupling.record_id(done.side))
                self.check(partner is None, f"{source} gets a second partner, {done.id}")

    # --- after each step --------------------------------------------------------------------------------------

    def after_step(self, *, by_hand: bool = False) -> None:
        """Check all that must hold whatever happened; `by_hand`: a person coupled or uncoupled."""
        self._running_jobs()
        self._couplings_vanish_for_a_reason(by_hand=by_hand)
        self._bases_are_what_both_sides_held()
        self._cursors_move_forward()
        for mapping in MAPPINGS:
            if not self.world.intents(mapping):
                self._nothing_is_doubled(mapping)
        self._note_delivered()

    def after_job(self, mapping: str) -> None:
        """Check what must hold once a job of a mapping has come to its end."""
        self._no_open_intents(mapping)
        self._nothing_is_lost(mapping)
        self._nobody_is_asked_in_vain(mapping)

    def _running_jobs(self) -> None:
        for job in self.world.jobs():
            alive = job.owner == self.world.process.owner
            self.check(job.state is not JobState.RUNNING or not alive, f"job {job.id} has not come to an end")

    def _couplings_vanish_for_a_reason(self, *, by_hand: bool) -> None:
        now = {each.id: each for mapping in MAPPINGS for each in self.world.couplings(mapping)}
        for side in Side:
            ids = [(each.mapping, each.record_id(side)) for each in now.values()]
            self.check(len(set(ids)) == len(ids), "a record is coupled twice")
        for coupling in [each for id, each in self.couplings.items() if id not in now]:
            self.moved_references |= {coupling.local_key or "", coupling.remote_id}
            tables = {side: TABLES[coupling.mapping, side] for side in Side}
            there = all(self.world.systems[s].record(tables[s], coupling.record_id(s)) is not None for s in Side)
            self.check(by_hand or not there, f"the coupling of {coupling.local_id} and {coupling.remote_id} is gone")
        self.couplings = now
        self.coupled |= {(side, each.record_id(side)) for each in now.values() for side in Side}

    def _bases_are_what_both_sides_held(self) -> None:
        """A version in a coupling vouches for its base, and where it is in step both sides agree."""
        for coupling in self.couplings.values():
            if coupling.state is not CouplingState.IN_STEP or coupling.base is None:
                continue
            base = decode_base(coupling.base, *(self.schema(coupling.mapping, side) for side in Side))
            assert base is not None
            current = set()
            for side, kept in ((Side.LOCAL, base.local), (Side.REMOTE, base.remote)):
                record = self.world.systems[side].record(TABLES[coupling.mapping, side], coupling.record_id(side))
                if record is None or record.version != coupling.version(side):
                    continue
                current.add(side)
                enabled = self._enabled(coupling.mapping, side)
                held = {name: record.values[name] for name in kept if name in enabled}
                wrong = {name: (kept[name], value) for name, value in held.items() if kept[name] != value}
                self.check(not wrong, f"{side} {record.id} differs from the base that its version vouches for: {wrong}")
            if len(current) == 2:
                covered = [
                    each
                    for each in TIED[coupling.mapping]
                    if (each.local is None or each.local in base.local)
                    and (each.remote is None or each.remote in base.remote)
                ]
                self.agreement(coupling, covered)

    def _cursors_move_forward(self) -> None:
        with self.world.store.begin() as unit:
            stored = {(mapping, side): unit.cursor(mapping, side) for mapping in MAPPINGS for side in Side}
        for key, cursor in stored.items():
            if cursor is None or cursor.cursor is None:
                continue
            position = msgspec.json.decode(cursor.cursor)
            inner = msgspec.json.decode(position["cursor"]) if position["cursor"] else {}
            now = (inner.get("epoch", 0), inner.get("version", 0), inner.get("since") or "", position["newest"] or "")
            before = self.cursors.get(key)
            self.check(before is None or before <= now, f"the cursor of {key} moves back from {before} to {now}")
            self.cursors[key] = now

    def _nothing_is_doubled(self, mapping: str) -> None:
        """Once no write is in doubt, all that we created has found its partner."""
        for (side, id), table in self.created.items():
            if _OF_TABLE[table] == mapping and (side, id) not in self.coupled:
                there = self.world.systems[side].record(table, id) is not None
                self.check(not there, f"{side} {id} was created and nobody knows of it")

    def _no_open_intents(self, mapping: str) -> None:
        """A job that ends leaves no write in doubt, but creates that only a later search can find."""
        for intent in self.world.intents(mapping):
            problems = {p.record for p in self.world.problems(mapping) if p.code == "busy"}
            known = intent.kind is WriteKind.CREATE and (intent.side.other, intent.source_id) in problems
            self.check(known, f"the job left an intent open: {intent}")

    def _nobody_is_asked_in_vain(self, mapping: str) -> None:
        """Where a policy settles deletions, the job just done has asked nobody about one, in whatever direction."""
        if self.world.mapping(mapping).deletion_conflict is DeletionConflictResolution.ASK:
            return
        last = max(job.id for job in self.world.jobs() if job.mapping == mapping and job.exclusive)
        asked = [p.name for p in self.world.problems(mapping) if p.code == "partner-deleted" and p.job_id == last]
        self.check(not asked, f"a person is asked about deletions that the policy settles: {asked}")

    def _nothing_is_lost(self, mapping: str) -> None:
        """Edits that we overwrote or deleted stand in the journal as lost."""
        left = []
        for done, name, value in self.overwritten:
            if _OF_TABLE[done.table] != mapping:
                left.append((done, name, value))
                continue
            schema = self.schema(mapping, done.side).fields[name]
            told = [
                value
                for entry in self.world.journal(mapping, done.side, done.id)
                for change in entry.changes
                for value in (change.before, change.lost)
                if change.field == name
            ]
            found = value in [normalise(each, schema) for each in told]
            self.check(found, f"{done.side} {done.id}: {name} {value!r} was overwritten and is in no journal: {told}")
        self.overwritten = left

    def _note_delivered(self) -> None:
        """Forget edits that have reached the other side: from now on they are not lost if they are overwritten."""
        for coupling in self.couplings.values():
            if coupling.state is not CouplingState.IN_STEP or not self.there(coupling):
                continue
            for each in TIED[coupling.mapping]:
                if self.agrees(coupling, each):
                    for side in Side:
                        table = TABLES[coupling.mapping, side]
                        self.world.edits.pop((side, table, coupling.record_id(side), each.on(side) or ""), None)

    # --- agreement --------------------------------------------------------------------------------------------

    def agreement(self, coupling: Coupling, fields: Any = None) -> None:
        """Check that both records agree in every field that is mapped and enabled, but for what people left so."""
        enabled = {row.label for row in self.world.mapping(coupling.mapping).fields if row.enabled}
        for each in fields or TIED[coupling.mapping]:
            if each.name in enabled and not self.agrees(coupling, each) and not self._left_so(coupling, each):
                values = [self._value(coupling, each, side) for side in Side]
                self.check(
                    False,
                    f"{each.name} of {coupling.local_id} and {coupling.remote_id} ({coupling.state}) differs: {values}",
                )

    def agrees(self, coupling: Coupling, each: Tied) -> bool:
        """Whether what one side holds is what the other side's value becomes there."""
        return any(
            self._becomes(coupling, each, source)
            for source in Side
            if self.direction(coupling.mapping, each).reaches(source.other) and each.on(source.other) is not None
        )

    def _becomes(self, coupling: Coupling, each: Tied, source: Side) -> bool:
        target = source.other
        given, held = self._value(coupling, each, source), self._value(coupling, each, target)
        name = each.on(target) or ""
        schema = self.schema(coupling.mapping, target).fields[name]
        if each.constant is not None:
            given = each.constant
        elif each.lookup is not None and given is not None:
            given = self._reference(each.lookup, source, str(given))
        sent = normalise(given, schema)
        forms = [sent]
        if isinstance(sent, str) and schema.max_length and len(sent) > schema.max_length:
            warns = self.world.mapping(coupling.mapping).on_finding is FindingPolicy.WARN
            forms = [normalise(sent[: schema.max_length].rstrip(), schema)] if warns or self.was_cut else []
        altered = self.altered.get((target, coupling.record_id(target), name), [])
        return held in forms or any(form == one and held == other for form in forms for one, other in altered)

    was_cut = False
    """Whether the mapping let values be cut at any time."""

    def _reference(self, mapping: str, source: Side, value: str) -> str | None:
        for found in self.world.couplings(mapping):
            if source is Side.LOCAL and found.local_key == value:
                return found.remote_id
            if source is Side.REMOTE and found.remote_id == value:
                return found.local_key
        return None

    def _left_so(self, coupling: Coupling, each: Tied) -> bool:
        """Whether people may expect the difference: one that they left when coupling, a change that does not count."""
        parted = max(self.parted.get(coupling.id, -1), self.turned.get((coupling.id, each.name), -1))
        direction = self.direction(coupling.mapping, each)
        edited = {side: self._edited(coupling, each, side) for side in Side}
        if direction is Direction.BIDIRECTIONAL:
            values = {str(self._value(coupling, each, side)) for side in Side}
            if each.lookup is not None and values & self.moved_references:
                return True
            return parted >= max(edited.values())
        source = Side.LOCAL if direction is Direction.TO_REMOTE else Side.REMOTE
        if (source, coupling.record_id(source)) in self.created and not self._value(coupling, each, source):
            # What nobody has filled in in a record of ours does not blank what it was made from.
            return True
        return edited[source.other] > edited[source] or parted >= edited[source]

    def direction(self, mapping: str, each: Tied) -> Direction:
        """Return the way in which a field flows as its mapping is now."""
        row = next(row for row in self.world.mapping(mapping).fields if row.label == each.name)
        return row.direction or each.direction

    def note_turned(self, name: str) -> None:
        """Note where the two sides of a field of customers differ before its direction is changed."""
        field = tied(CUSTOMER, name)
        for coupling in self.couplings.values():
            if coupling.mapping == CUSTOMER and self.there(coupling) and not self.agrees(coupling, field):
                self.turned[coupling.id, name] = self.world.moments

    # --- undo -------------------------------------------------------------------------------------------------

    def note_undone(self, job_id: int) -> None:
        """Note which couplings a job has to do with that undid another: both sides keep what they hold."""
        with self.world.store.begin() as unit:
            entries = unit.journal(job_id=job_id, limit=10_000)
        self.parted |= {each.coupling_id: self.world.moments for each in entries if each.coupling_id is not None}

    def as_before(self, written: Sequence[Written]) -> None:
        """Check that of these writes none has left a trace."""
        first: dict[tuple[Side, str, str, str], Scalar] = {}
        for done in written:
            record = self.world.systems[done.side].record(done.table, done.id)
            if done.kind is not WriteKind.UPDATE:
                was, now = done.before is not None, record is not None
                self.check(was is now, f"{done.side} {done.id}: there before the job {was}, after its undo {now}")
            if done.before is not None:
                names = done.values if done.kind is WriteKind.UPDATE else done.before
                first = {(done.side, done.table, done.id, n): v for n, v in done.before.items() if n in names} | first
        for (side, table, id, name), before in first.items():
            record = self.world.systems[side].record(table, id)
            if record is not None and name in self._enabled(_OF_TABLE[table], side):
                held = record.values[name]
                self.check(held == before, f"{side} {id}: {name} was {before!r}, is {held!r} after the undo")

    def _edited(self, coupling: Coupling, each: Tied, side: Side) -> int:
        name = each.on(side)
        return self.world.edits.get((side, TABLES[coupling.mapping, side], coupling.record_id(side), name or ""), (0,))[
            0
        ]

    def _value(self, coupling: Coupling, each: Tied, side: Side) -> Scalar:
        name = each.on(side)
        return None if name is None else self.world.values(side, coupling.record_id(side), coupling.mapping)[name]

    # --- what the checks stand on -----------------------------------------------------------------------------

    def there(self, coupling: Coupling) -> bool:
        """Whether both records exist."""
        systems = self.world.systems
        return all(
            systems[side].record(TABLES[coupling.mapping, side], coupling.record_id(side)) is not None for side in Side
        )

    def admitted(self, mapping: str, side: Side, id: str) -> bool:
        """Whether the mapping's filter admits a record."""
        text = self.world.mapping(mapping).filter(side)
        return not text or compile_filter(text, self.schema(mapping, side)).admits(self.world.values(side, id, mapping))

    def schema(self, mapping: str, side: Side) -> TableSchema:
        return self.world.systems[side]._tables[TABLES[mapping, side]].schema

    def check(self, holds: bool, words: str) -> None:
        """Raise AssertionError with the whole story unless it holds."""
        if not holds:
            self.world.tell(f"BROKEN: {words}")
            raise AssertionError(self.world.story())

    # --- no surprise ------------------------------------------------------------------------------------------

    def snapshot(self) -> Any:
        """Return all that store and systems hold."""
        with self.world.store._engine.connect() as connection:  # type: ignore[attr-defined]
            rows = {name: connection.execute(select(table)).all() for name, table in metadata.tables.items()}
        held = {
            (side, table): {id: (row.version, dict(row.values)) for id, row in system._tables[table].rows.items()}
            for side, system in self.world.systems.items()
            for table in system._tables
        }
        return rows, held

    def unchanged_by(self, work: Callable[[], object]) -> None:
        """Do something that must leave no trace."""
        before = self.snapshot()
        work()
        self.check(self.snapshot() == before, "a dry run left a trace")
