"""`store.base_background.Background` by SQL."""

from crosstie.store.forgetting import ForgettingQueries
from crosstie.store.processes import ProcessQueries, ScheduleQueries
from crosstie.store.queueing import QueueQueries
from crosstie.store.tallies import TallyQueries


class SqlBackground(QueueQueries, ProcessQueries, ScheduleQueries, TallyQueries, ForgettingQueries):
    """The queue of jobs for workers, and all that goes with it."""
