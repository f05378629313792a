"""The state machine: people at work on both sides, faults, dying processes, and jobs in between."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from crosstie.app.undoing import Undone
from crosstie.model.decisions import Preference
from crosstie.model.errors import CannotUndo, GuardStopped, SystemFailure
from crosstie.model.mappings import DeletionConflictResolution, Direction, FindingPolicy, UpdateConflictResolution
from crosstie.model.records import Side, Write, WriteKind
from crosstie.model.values import Scalar
from crosstie.store import open_store
from crosstie.systems.memory import FaultKind
from tests.scenarios.hands import Hands, habit_of
from tests.scenarios.healing import heal, run_until_quiet
from tests.scenarios.plans import carried_out, planned
from tests.scenarios.promises import MAPPINGS, Promises
from tests.scenarios.tables import CURRENCY, CUSTOMER, FILTERS, TABLES, TIED, tied
from tests.scenarios.world import Plan, World

PICKS = st.integers(0, 5)
SIDES = st.sampled_from(Side)
EDITED = st.sampled_from([each.name for each in TIED[CUSTOMER] if each.name != "number"])
SHAPES = st.sampled_from(["new", "new", "same", "blank", "long", "odd"])
PREFERENCES = st.sampled_from([None, None, Preference.SEND, Preference.GET])
WRITE_FAULTS = st.sampled_from(
    [
        FaultKind.UNKNOWN_BEFORE,
        FaultKind.UNKNOWN_AFTER,
        FaultKind.STALE,
        FaultKind.REFUSED,
        FaultKind.DENIED,
        FaultKind.THROTTLED,
    ]
)
TRIGGERS = st.sampled_from(["upper", "trim", "fill", "none"])
TURNED = st.sampled_from(["name", "phone", "city"])
SWITCHED = st.sampled_from(["name", "phone", "city", "currency", "credit", "rating"])


class Machine(RuleBasedStateMachine):
    """Whatever people, faults and deaths come in whatever order, the promises hold."""

    def __init__(self) -> None:
        super().__init__()
        self.store = open_store(":memory:")
        self.gone: list[tuple[Side, str, dict[str, Scalar]]] = []
        self.by_hand = False

    @initialize(
        delta=SIDES,
        client_ids=st.sets(SIDES),
        keeps_ids=st.booleans(),
        small=st.sampled_from([0, 3, 100]),
        only_coupled=st.booleans(),
        update=st.sampled_from(UpdateConflictResolution),
        deletion=st.sampled_from(DeletionConflictResolution),
    )
    def begin(
        self,
        delta: Side,
        client_ids: set[Side],
        keeps_ids: bool,
        small: int,
        only_coupled: bool,
        update: UpdateConflictResolution,
        deletion: DeletionConflictResolution,
    ) -> None:
        self.world = World(
            self.store,
            delta=delta,
            client_ids=frozenset(client_ids),
            keeps_ids=frozenset(Side) if keeps_ids else frozenset(),
            small=small,
        )
        self.hands = Hands(self.world)
        self.promises = Promises(self.world)
        self.world.tell(f"delta: {delta}; client ids: {sorted(client_ids)}; kept: {keeps_ids}")
        self.world.change_mapping(only_coupled=only_coupled, update_conflict=update, deletion_conflict=deletion)
        self.world.change_mapping(CURRENCY, only_coupled=only_coupled)

    # --- people: records -------------------------------------------------------------------------------------

    @rule(side=SIDES, fields=st.sets(EDITED, max_size=3), twin=st.booleans())
    def make(self, side: Side, fields: set[str], twin: bool) -> None:
        """A new record; with `twin`, also one with the same number on the other side."""
        number = self.hands.number()
        for at in (side, side.other) if twin else (side,):
            values = {name: self.hands.new(at, name) for name in sorted(fields) if tied(CUSTOMER, name).on(at)}
            self.world.make(at, **{"number": number, "name": self.hands.text("Name"), **values})

    @rule(side=SIDES)
    def make_currency(self, side: Side) -> None:
        if len(self.world.ids(side, CURRENCY)) < 3:
            self.world.make(side, CURRENCY, code=self.hands.number("CUR"), name=self.hands.text("Currency"))

    @rule(side=SIDES, pick=PICKS, name=EDITED, shape=SHAPES)
    def edit(self, side: Side, pick: int, name: str, shape: str) -> None:
        if id := self.hands.pick(side, pick):
            self.hands.edit(side, id, name, shape)

    @rule(pick=PICKS, names=st.tuples(EDITED, EDITED), shapes=st.tuples(SHAPES, SHAPES))
    def edit_both(self, pick: int, names: tuple[str, str], shapes: tuple[str, str]) -> None:
        """Both records of a coupled pair are edited, in one field or in two."""
        couplings = [each for each in self.world.couplings() if self.promises.there(each)]
        if couplings:
            coupling = couplings[pick % len(couplings)]
            self.hands.edit(Side.LOCAL, coupling.local_id, names[0], shapes[0])
            self.hands.edit(Side.REMOTE, coupling.remote_id, names[1], shapes[1])

    @rule(side=SIDES, pick=PICKS)
    def rename_currency(self, side: Side, pick: int) -> None:
        if id := self.hands.pick(side, pick, CURRENCY):
            self.world.edit(side, id, CURRENCY, name=self.hands.text("Currency"))

    @rule(side=SIDES, pick=PICKS)
    def delete(self, side: Side, pick: int) -> None:
        if id := self.hands.pick(side, pick):
            self.gone.append((side, id, self.world.delete(side, id)))

    @rule(pick=PICKS)
    def restore(self, pick: int) -> None:
        gone = [each for each in self.gone if each[1] not in self.world.ids(each[0])]
        if gone:
            self.world.restore(*gone[pick % len(gone)])

    @rule(side=SIDES, pick=PICKS, inside=st.booleans())
    def gate(self, side: Side, pick: int, inside: bool) -> None:
        if id := self.hands.pick(side, pick):
            self.world.gate(side, id, inside=inside)

    # --- people: couplings and mappings ----------------------------------------------------------------------

    @rule(picks=st.tuples(PICKS, PICKS), choice=st.sampled_from(["no", "to_remote", "from_remote"]))
    def couple(self, picks: tuple[int, int], choice: str) -> None:
        local, remote = (self.hands.free(*each) for each in zip(Side, picks, strict=True))
        if not local or not remote or not self._admitted((local, remote)):
            return
        self.by_hand = True
        self._calm(lambda: self.world.couple(local, remote, synchronise=choice))
        self._note_parted(choice)

    @rule(picks=st.tuples(PICKS, PICKS))
    def couple_currency(self, picks: tuple[int, int]) -> None:
        local, remote = (
            self.hands.free(Side.LOCAL, picks[0], CURRENCY),
            self.hands.free(Side.REMOTE, picks[1], CURRENCY),
        )
        if local and remote:
            self.by_hand = True
            self._calm(lambda: self.world.couple(local, remote, CURRENCY, synchronise="to_remote"))

    @rule(synchronise=st.booleans(), create=st.booleans())
    def match(self, synchronise: bool, create: bool) -> None:
        before = {each.id for each in self.world.couplings()}
        self.by_hand = True
        self._calm(lambda: self.world.match(CUSTOMER, ("number",), synchronise=synchronise, create=create))
        if not synchronise:
            self._note_parted("no", before)

    @rule(pick=PICKS)
    def uncouple(self, pick: int) -> None:
        if couplings := self.world.couplings():
            self.by_hand = True
            self._calm(lambda: self.world.uncouple(couplings[pick % len(couplings)].local_id))

    @rule(update=st.sampled_from(UpdateConflictResolution), deletion=st.sampled_from(DeletionConflictResolution))
    def change_policies(self, update: UpdateConflictResolution, deletion: DeletionConflictResolution) -> None:
        self.world.change_mapping(update_conflict=update, deletion_conflict=deletion)

    @rule(local=st.sampled_from(FILTERS[Side.LOCAL]), remote=st.sampled_from(FILTERS[Side.REMOTE]))
    def change_filters(self, local: str | None, remote: str | None) -> None:
        self.world.change_mapping(local_filter=local, remote_filter=remote)

    @rule(on_finding=st.sampled_from(FindingPolicy), only_coupled=st.booleans())
    def change_ways(self, on_finding: FindingPolicy, only_coupled: bool) -> None:
        self.promises.was_cut |= on_finding is FindingPolicy.WARN
        self.world.change_mapping(on_finding=on_finding, only_coupled=only_coupled)

    @rule(name=SWITCHED, on=st.booleans())
    def switch_field(self, name: str, on: bool) -> None:
        self.world.switch_field(name, on=on)

    @rule(name=TURNED, direction=st.sampled_from(Direction))
    def turn_field(self, name: str, direction: Direction) -> None:
        """The direction of a field changes."""
        self.promises.note_turned(name)
        self.world.turn_field(name, direction)

    # --- jobs ------------------------------------------------------------------------------------------------

    @rule(
        mapping=st.sampled_from([CUSTOMER, CUSTOMER, CURRENCY, None]),
        direction=PREFERENCES,
        full=st.booleans(),
        create=st.booleans(),
        patient=st.booleans(),
    )
    def synchronise(
        self, mapping: str | None, direction: Preference | None, full: bool, create: bool, patient: bool
    ) -> None:
        ended = self._calm(
            lambda: self.world.sync(mapping, direction=direction, full=full, create=create, patient=patient)
        )
        if ended:
            for name in [mapping] if mapping else MAPPINGS:
                self.promises.after_job(name)

    @rule(side=SIDES, pick=PICKS, direction=PREFERENCES)
    def synchronise_now(self, side: Side, pick: int, direction: Preference | None) -> None:
        if (id := self.hands.pick(side, pick)) and self.hands.coupled(side, id):
            self._calm(lambda: self.world.sync(CUSTOMER, id, direction=direction))

    @rule(side=SIDES, pick=PICKS)
    def create_partner(self, side: Side, pick: int) -> None:
        if (id := self.hands.free(side, pick)) and self._admitted((id,) if side is Side.LOCAL else (None, id)):
            self._calm(lambda: self.world.create(side, id))

    @rule(direction=PREFERENCES, full=st.booleans(), create=st.booleans())
    def try_then_do(self, direction: Preference | None, full: bool, create: bool) -> None:
        """A dry run leaves no trace, and says what the run right after it writes."""
        plan = Plan()
        options: dict[str, Any] = {"direction": direction, "full": full, "create": create}
        ended = []
        self.promises.unchanged_by(
            lambda: ended.append(self._calm(lambda: self.world.sync(CUSTOMER, dry_run=True, observer=plan, **options)))
        )
        sure = ended[0] and not self._disturbed() and not self.world.intents(CUSTOMER)
        before = {side: len(system.written) for side, system in self.world.systems.items()}
        done = self._calm(lambda: self.world.sync(CUSTOMER, **options))
        if done:
            self.promises.after_job(CUSTOMER)
        if sure:
            wrote = [w for side, system in self.world.systems.items() for w in system.written[before[side] :]]
            said, done_so = sorted(map(repr, planned(plan))), sorted(repr(carried_out(each)) for each in wrote)
            self.promises.check(said == done_so, f"planned {said}\nwritten {done_so}")

    # --- undo ------------------------------------------------------------------------------------------------

    @rule(pick=PICKS)
    def undo(self, pick: int) -> None:
        """One of the last jobs that did anything is undone."""
        jobs = list(dict.fromkeys(entry.job_id for name in MAPPINGS for entry in self.world.journal(name)))
        if jobs:
            self._undo(sorted(jobs)[-1 - pick % min(len(jobs), 4)])

    @rule(side=SIDES, pick=PICKS, names=st.sets(EDITED, min_size=1, max_size=2), new=st.booleans())
    def do_then_undo(self, side: Side, pick: int, names: set[str], new: bool) -> None:
        """What a job has just done is undone: nothing of it stays, and nothing follows."""
        for system in self.world.systems.values():
            system.faults.clear()
            system.triggers.clear()
            system.before_write = None
        run_until_quiet(self.world, self.promises)
        couplings = [each for each in self.world.couplings() if self.promises.there(each)]
        new = new or not couplings
        if new:
            self.world.make(side, number=self.hands.number(), name=self.hands.text("Name"))
        for name in () if new else sorted(names):
            self.hands.edit(side, couplings[pick % len(couplings)].record_id(side), name, "new")
        before = {at: len(system.written) for at, system in self.world.systems.items()}
        if not self._calm(lambda: self.world.sync(CUSTOMER, create=new)):
            return
        written = [done for at, system in self.world.systems.items() for done in system.written[before[at] :]]
        undone = self._undo(self.world.jobs()[0].id) if written else None
        if undone is None or undone.left_total:
            return
        self.promises.as_before(written)
        after = len(self.world.written())
        self._calm(lambda: self.world.sync(CUSTOMER))
        self.promises.check(len(self.world.written()) == after, "what was undone is synchronised again")

    def _undo(self, job_id: int) -> Undone | None:
        self.by_hand = True
        done: list[Undone] = []
        with suppress(CannotUndo):
            self._calm(lambda: done.append(self.world.undo(job_id)))
        self.promises.note_undone(self.world.jobs()[0].id)
        return done[0] if done else None

    # --- what goes wrong -------------------------------------------------------------------------------------

    @rule(side=SIDES, kind=WRITE_FAULTS, after=st.integers(0, 2), times=st.integers(1, 5))
    def fault(self, side: Side, kind: FaultKind, after: int, times: int) -> None:
        self.world.tell(f"{side}: {kind} after {after}, {times} times")
        self.world.systems[side].faults.add(kind, after=after, times=times)

    @rule(side=SIDES, after=st.integers(0, 6))
    def unreachable(self, side: Side, after: int) -> None:
        self.world.tell(f"{side}: unreachable after {after} calls")
        self.world.systems[side].faults.add(FaultKind.UNREACHABLE, after=after)

    @rule()
    def faults_end(self) -> None:
        for system in self.world.systems.values():
            system.faults.clear()
        self.world.tell("faults end")

    @rule(side=SIDES)
    def cursors_expire(self, side: Side) -> None:
        self.world.systems[side].expire_cursors()
        self.world.tell(f"{side}: cursors expire")

    @rule(side=SIDES, habit=TRIGGERS)
    def habit(self, side: Side, habit: str) -> None:
        """A system takes up a habit of changing what it stores."""
        self.world.tell(f"{side}: habit {habit}")
        self.world.systems[side].triggers[:] = [] if habit == "none" else [habit_of(side, habit)]

    @rule(side=SIDES, name=EDITED, shape=SHAPES)
    def edit_at_the_moment_of_writing(self, side: Side, name: str, shape: str) -> None:
        """Somebody edits the record that we are about to write, once."""
        system = self.world.systems[side]

        def at_that_moment(table: str, write: Write) -> None:
            if table == TABLES[CUSTOMER, side] and write.kind is WriteKind.UPDATE and write.id in self.world.ids(side):
                system.before_write = None
                self.hands.edit(side, str(write.id), name, shape)

        self.world.tell(f"{side}: somebody will edit {name} when we write")
        system.before_write = at_that_moment

    @rule(
        point=st.integers(1, 40),
        direction=PREFERENCES,
        create=st.booleans(),
        mapping=st.sampled_from([CUSTOMER, CUSTOMER, CURRENCY]),
    )
    def die_while_synchronising(self, point: int, direction: Preference | None, create: bool, mapping: str) -> None:
        self.world.killed_at(
            point, lambda: self._calm(lambda: self.world.sync(mapping, direction=direction, create=create))
        )

    @rule(point=st.integers(1, 20), synchronise=st.booleans(), create=st.booleans())
    def die_while_matching(self, point: int, synchronise: bool, create: bool) -> None:
        before = {each.id for each in self.world.couplings()}
        self.by_hand = True
        self.world.killed_at(
            point,
            lambda: self._calm(lambda: self.world.match(CUSTOMER, ("number",), synchronise=synchronise, create=create)),
        )
        if not synchronise:
            self._note_parted("no", before)

    # --- promises --------------------------------------------------------------------------------------------

    @invariant()
    @precondition(lambda self: hasattr(self, "promises"))
    def promises_hold(self) -> None:
        self.promises.after_step(by_hand=self.by_hand)
        self.by_hand = False

    def teardown(self) -> None:
        try:
            if hasattr(self, "promises") and not any("BROKEN" in line for line in self.world.told):
                for system in self.world.systems.values():
                    system.before_write = None
                heal(self.world, self.promises)
        finally:
            if hasattr(self, "world"):
                note(self.world.story())
            self.store.close()

    # --- inside ----------------------------------------------------------------------------------------------

    def _calm(self, work: Callable[[], object]) -> bool:
        """Do something that faults on order may stop; whether it came to its end."""
        try:
            work()
        except SystemFailure as failure:
            self.promises.check(self._disturbed(), f"{type(failure).__name__} without a fault: {failure}")
            return False
        except GuardStopped:
            return False
        return True

    def _disturbed(self) -> bool:
        return any(
            system.faults._faults or system.triggers or system.before_write for system in self.world.systems.values()
        )

    def _admitted(self, pair: tuple[str | None, ...]) -> bool:
        return all(
            self.promises.admitted(CUSTOMER, side, id) for side, id in zip(Side, pair, strict=False) if id is not None
        )

    def _note_parted(self, choice: str, before: set[int] | None = None) -> None:
        for coupling in self.world.couplings():
            new = coupling.id not in (before if before is not None else self.promises.couplings)
            if new and choice == "no":
                self.promises.parted[coupling.id] = self.world.moments
