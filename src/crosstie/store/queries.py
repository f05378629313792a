"""What the groups of queries of a unit have in common."""

from crosstie.store.work import Work


class Queries:
    """A part of a unit. Each method is one named query and takes many records at once."""

    def __init__(self, work: Work) -> None:
        self._work = work
