"""The interface of the store for kept answers: part of a unit of work (`store.base.Unit.answers`)."""

from datetime import datetime
from typing import Protocol

from crosstie.model.answers import Answer, Asked


class Answers(Protocol):
    """Requests with keys and what was answered."""

    def find(self, id: str) -> Asked | None: ...

    def begin(self, asked: Asked) -> bool:
        """Note a request before it is worked on; False if somebody has noted one of that id."""
        ...

    def take_over(self, found: Asked, owner: str, now: datetime) -> bool:
        """Work on a request that another process began and did not end; of several who try, one gets True."""
        ...

    def keep(self, id: str, owner: str, answer: Answer) -> None: ...

    def forget(self, id: str, owner: str) -> None:
        """Remove a request that its owner has not answered."""
        ...

    def forget_before(self, before: datetime) -> int:
        """Remove what was asked before that time; return how many."""
        ...
