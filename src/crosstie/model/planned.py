"""Plans for people: what is to become of each record, field by field, and the rows of a plan that is kept."""

from typing import Literal, TypeAlias

import msgspec

from crosstie.model.records import Side

FieldValue: TypeAlias = str | int | bool | None
"""A value of a field: numbers with decimals are text, so that no digit is lost; times are ISO 8601."""


class PlannedField(msgspec.Struct, frozen=True, kw_only=True):
    """What is to become of one field: a write to a side, a conflict, or a value that is held back."""

    field: str
    label: str
    action: Literal["write", "conflict", "hold"]
    side: str | None = None
    before: FieldValue = None
    after: FieldValue = None
    lost: FieldValue = None
    base_local: FieldValue = None
    base_remote: FieldValue = None
    local: FieldValue = None
    remote: FieldValue = None
    reason: str = ""


class PlannedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What is to become of one record."""

    mapping: str
    name: str
    local_id: str | None
    remote_id: str | None
    action: str
    reason: str
    fields: list[PlannedField]
    problem_code: str | None
    problem_words: str


class PlannedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A record of a plan that is kept until it is carried out, by its id on one side.

    `seen` stands for what was shown: the versions on which it rests, and what it writes.
    """

    job_id: int
    side: Side
    record_id: str
    group: str
    seen: str
    planned: PlannedRecord
    id: int = 0
