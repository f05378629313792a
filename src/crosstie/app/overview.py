"""The overview: what is in step, what is not, what runs and what comes next, in one look at the store (P01)."""

from datetime import UTC, datetime

import msgspec

from crosstie.app.home import Home
from crosstie.app.jobs import ScheduleView, list_schedules
from crosstie.app.problems import Inbox, problem_inbox
from crosstie.app.views import ConnectionView
from crosstie.engine.planning import order_mappings
from crosstie.model.couplings import CouplingState
from crosstie.model.jobs import Job, JobState
from crosstie.model.records import Side

_RECENT = 8


class MappingFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How a mapping is: couplings by state, open problems, and those of records that are not coupled."""

    name: str
    local_table: str
    remote_table: str
    enabled: bool
    coupled: int
    in_step: int
    by_state: dict[str, int]
    problems: int


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """How all of it is. `last_run` is when the last job ended that looked at what changed; None before the first."""

    mappings: list[MappingFigures]
    inbox: Inbox
    running: list[Job]
    recent: list[Job]
    schedules: list[ScheduleView]
    workers: int
    hindrance: str
    """Why nothing is synchronised by itself."""
    connections: list[ConnectionView]
    last_run: datetime | None

    @property
    def coupled(self) -> int:
        return sum(each.coupled for each in self.mappings)

    @property
    def in_step_now(self) -> int:
        """How many coupled records are in step."""
        return sum(each.in_step for each in self.mappings)

    @property
    def in_step(self) -> bool:
        """Whether something is coupled and nothing is in the way of anything."""
        return bool(self.coupled) and not self.inbox.total and not self.hindrance

    @property
    def connected(self) -> bool:
        """Whether both sides have a connection, used or not."""
        return len({each.kind for each in self.connections}) >= len(Side)


def overview(home: Home, now: datetime | None = None) -> Overview:
    """Return how all mappings are. Asks neither system, so that it is there when one of them is not."""
    with home.store.begin() as unit:
        problems = unit.count_problems()
        figures = []
        for mapping in order_mappings(unit.mappings()):
            states = {state.value: number for state, number in unit.couplings.count(mapping.name).items()}
            figures.append(
                MappingFigures(
                    name=mapping.name,
                    local_table=mapping.local_table,
                    remote_table=mapping.remote_table,
                    enabled=mapping.enabled,
                    coupled=sum(states.values()),
                    in_step=states.get(CouplingState.IN_STEP.value, 0),
                    by_state=states,
                    problems=sum(problems.get(mapping.name, {}).values()),
                )
            )
        running = unit.background.going_on()
        recent = [each for each in unit.jobs(limit=_RECENT * 4) if not each.goes_on]
        connections = [ConnectionView.of(each) for each in unit.connections(with_secrets=False)]
    schedules = list_schedules(home)
    ended = [each.finished_at for each in recent if each.state is JobState.FINISHED and each.finished_at]
    return Overview(
        mappings=figures,
        inbox=problem_inbox(home, now=now or datetime.now(UTC)),
        running=running,
        recent=[each for each in recent if each.parent_id is None][:_RECENT],
        schedules=schedules.schedules,
        workers=schedules.workers,
        hindrance=schedules.hindrance,
        connections=connections,
        last_run=max(ended, default=None),
    )
