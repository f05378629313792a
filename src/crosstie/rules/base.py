"""The interface of a rule: what is special about a field, kept apart from the engine.

A rule supplies the value of a field mapping that names it. It reads what it needs for a whole page of records in
`prepare`, in as few requests as it can, and answers for each record in `transfer`, which does no I/O.
"""

from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from datetime import date
from typing import Any, Protocol, TypeAlias, runtime_checkable

import msgspec

from crosstie.model.couplings import Coupling
from crosstie.model.decisions import Hold
from crosstie.model.mappings import FieldMapping
from crosstie.model.mappings import Mapping as TableMapping
from crosstie.model.records import Record, Side
from crosstie.model.values import Scalar
from crosstie.systems.base import System


class Value(msgspec.Struct, frozen=True):
    """The field gets this value, canonical for the side it goes to; None blanks it."""

    value: Scalar


class LeaveAlone(msgspec.Struct, frozen=True):
    """The field keeps what it holds."""


class Ineligible(msgspec.Struct, frozen=True):
    """The record is none that the mapping synchronises."""

    words: str


RuleResult: TypeAlias = Value | LeaveAlone | Ineligible | Hold


class RuleAccess(Protocol):
    """What a rule may use while it prepares. One object serves a whole job."""

    @property
    def settings(self) -> Mapping[str, str]:
        """Settings of the set-up, among them `company_id` (of the Business Central company)."""
        ...

    def remember(self, name: str, value: str) -> None:
        """Store a setting for good."""
        ...

    @property
    def cache(self) -> MutableMapping[str, Any]:
        """What rules have found out; lives as long as the job. Names begin with the rule's name."""
        ...

    @property
    def today(self) -> date:
        """The work date: rates are taken as they are on it."""
        ...

    def system(self, side: Side) -> System: ...

    def coupled(self, mapping: str, side: Side, values: Iterable[str], by_key: bool) -> Mapping[str, Coupling]:
        """Return the couplings of these keys (`by_key`) or ids under `mapping`, in one query."""
        ...

    def mapping(self, name: str) -> TableMapping | None:
        """Return a mapping by its name, None if there is none."""
        ...

    def maps(self, mapping: str) -> bool:
        """Whether there is an enabled mapping of that name."""
        ...


class FieldRule(Protocol):
    """Supplies the values of field mappings that name it."""

    @property
    def name(self) -> str: ...

    @property
    def volatile(self) -> bool:
        """Whether the value may change although the record does not: it is compared whenever the record is seen."""
        ...

    def reads(self, field: FieldMapping, side: Side) -> tuple[str, ...]:
        """Return the fields of `side` that the rule looks at, besides those that the field mapping itself names."""
        ...

    async def prepare(self, field: FieldMapping, records: Sequence[Record], source: Side, access: RuleAccess) -> Any:
        """Return the facts for a page of records of `source`; asks nothing if there are no records.

        For a field that is written on creation only, the records are those that are to be created.
        """
        ...

    def transfer(self, field: FieldMapping, record: Record, source: Side, facts: Any, *, creating: bool) -> RuleResult:
        """Return the value for the other side, or why there is none. Pure."""
        ...


@runtime_checkable
class Moving(FieldRule, Protocol):
    """A rule whose values move although no record does, as exchange rates do, and that can tell whether they have."""

    async def moved(self, field: FieldMapping, mark: str | None, access: RuleAccess) -> tuple[bool, str]:
        """Return whether values may have moved since `mark` (None: nobody knows), and the mark of now.

        Called before anything else of a job is read.
        """
        ...


@runtime_checkable
class Releasing(FieldRule, Protocol):
    """A rule that cleans up when a coupling is removed (engine rule U-12)."""

    def release(self, field: FieldMapping, remote: Record, facts: Any) -> dict[str, Scalar]:
        """Return what to write to the remote record of a coupling that is removed; `facts` are those of `prepare`."""
        ...


@runtime_checkable
class Belonging(FieldRule, Protocol):
    """A rule that ties records to those of another mapping, with whose coupling their own goes (engine rule U-12)."""

    async def belonging(
        self, field: FieldMapping, mapping: str, parent: str, parents: Sequence[Coupling], access: RuleAccess
    ) -> list[Coupling]:
        """Return the couplings of `mapping`, to which the field belongs, whose records belong to both records of one
        of the couplings `parents` of the mapping `parent`.
        """
        ...


def pointing_at(table: str, id: str) -> str:
    """Return the value of a lookup that may point at several tables. Such values equal the plain id."""
    return f"{table}:{id}"


def caption(field: FieldMapping) -> str:
    """Return how people call the field."""
    return field.label or field.name
