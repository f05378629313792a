"""Parts of a batch and what becomes of each, in either system's form of batch."""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

import msgspec

from crosstie.model.errors import SystemFailure
from crosstie.systems.answers import Answer


class Part(msgspec.Struct, frozen=True):
    """One request inside a batch; `url` is in the form that the batch wants, `body` is JSON."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None


class Lost(msgspec.Struct, frozen=True):
    """No answer came: the part may or may not have been carried out."""

    reason: str


class Unsent(msgspec.Struct, frozen=True):
    """The part was certainly not carried out, because the system could not be worked with."""

    failure: SystemFailure


Outcome: TypeAlias = Answer | Lost | Unsent


class BatchForm(Protocol):
    """How a system spells a batch."""

    def encode(self, parts: Sequence[Part]) -> tuple[Mapping[str, str], bytes]:
        """Return headers and body of the batch."""
        ...

    def decode(self, answer: Answer, parts: Sequence[Part]) -> list[Answer | None]:
        """Return each part's own answer, None for parts that the batch's answer leaves out.

        Raises GarbledAnswer if it cannot be read or breaks off.
        """
        ...
