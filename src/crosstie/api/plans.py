"""Plans: what a dry run decides for each record, as the API shows it."""

from crosstie.app.planned import planned
from crosstie.model.decisions import Decision, RecordAction
from crosstie.model.mappings import Mapping
from crosstie.model.planned import PlannedRecord

MOST_PLANNED = 1000
"""Records of a plan that an answer shows."""
_UNEVENTFUL = frozenset({RecordAction.UNCHANGED, RecordAction.AGREE, RecordAction.IGNORE})


class Planner:
    """An observer that keeps the decisions of a dry run that change something, or are in the way of it."""

    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        self.records: list[PlannedRecord] = []
        self.left_out = 0

    def decided(self, decision: Decision) -> None:
        """Keep a record's decision, as far as there is room."""
        if decision.action in _UNEVENTFUL and decision.problem_code is None:
            return
        if len(self.records) < MOST_PLANNED:
            self.records.append(planned(self._mapping, decision))
        else:
            self.left_out += 1

    def progress(self, done: int, phase: object = None) -> None:
        """Take no notice."""
