"""Synchronise Now for one record: its differences before anything is written, then only what was shown."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import get, post
from litestar.params import JSONBody, QueryParameter
from msgspec import Struct

from crosstie.api.asking import InPath, StrictRequest
from crosstie.api.bodies import ApplyBody
from crosstie.api.rooms import session_of
from crosstie.api.shapes import FieldValue, ReportShape
from crosstie.app.differences import RecordDifferences, apply_differences, differences
from crosstie.app.views import CouplingView, ProblemView
from crosstie.model.decisions import Preference
from crosstie.model.people import Permission
from crosstie.model.records import Side

_PATH = "/api/v1/mappings/{mapping:str}/differences"


class ShownValue(Struct, frozen=True, kw_only=True):
    """A value, and how people read it."""

    value: FieldValue
    words: str


class ProposalShape(Struct, frozen=True, kw_only=True):
    """What becomes of a field under a preference."""

    action: str
    reason: str
    value: ShownValue | None
    lost: ShownValue | None


class DifferenceShape(Struct, frozen=True, kw_only=True):
    """One field on both sides; `proposals` by preference, `choices` the sides that can be chosen."""

    name: str
    label: str
    local_field: str | None
    remote_field: str | None
    direction: str
    local: ShownValue
    remote: ShownValue
    base_local: ShownValue | None
    base_remote: ShownValue | None
    changed: list[Side]
    differs: bool
    choices: list[Side]
    newer: Side | None
    proposals: dict[str, ProposalShape]


class PresetShape(Struct, frozen=True, kw_only=True):
    """What a preference comes to for the whole record."""

    preference: Preference
    writes_local: int
    writes_remote: int
    loses: int
    conflicts: int
    held: int
    problem: str | None
    problem_words: str


class SideShape(Struct, frozen=True, kw_only=True):
    """One of the two records."""

    side: Side
    id: str
    exists: bool
    words: str
    in_filter: bool
    modified_at: datetime | None
    version: str | None
    address: str | None


class DifferencesShape(Struct, frozen=True, kw_only=True):
    """A coupled record side by side. `seen` is sent back to apply what is shown here."""

    mapping: str
    label: str
    name: str
    coupling: CouplingView
    sides: dict[str, SideShape]
    missing: list[Side]
    problem: ProblemView | None
    fields: list[DifferenceShape]
    presets: list[PresetShape]
    preselected: Preference | None
    conflicts: int
    seen: str

    @classmethod
    def of(cls, found: RecordDifferences) -> "DifferencesShape":
        """Return the differences of a record as the API shows them."""
        return msgspec.convert(msgspec.to_builtins(found, str_keys=True), cls)


class AppliedShape(Struct, frozen=True, kw_only=True):
    """What applying came to; if the record had moved since it was shown, `again` shows it anew."""

    report: ReportShape | None
    again: DifferencesShape | None


@get(_PATH, operation_id="showDifferences", tags=["synchronising"])
async def show(
    request: StrictRequest,
    mapping: InPath,
    record: Annotated[str, QueryParameter(min_length=1, max_length=500, description="Number, code, name or id.")],
) -> DifferencesShape:
    """A coupled record side by side, with what sending, getting and merging would write."""
    async with session_of(request) as session:
        return DifferencesShape.of(await differences(session, mapping, record))


@post(
    f"{_PATH}/apply",
    operation_id="applyDifferences",
    tags=["synchronising"],
    status_code=200,
    opt={"permission": Permission.SYNCHRONISE},
)
async def apply(
    request: StrictRequest,
    mapping: InPath,
    record: Annotated[str, QueryParameter(min_length=1, max_length=500, description="Number, code, name or id.")],
    data: JSONBody[ApplyBody],
) -> AppliedShape:
    """Bring a record in step as chosen, if it still is as it was shown; else show it again."""
    async with session_of(request) as session:
        done = await apply_differences(session, mapping, record, data.preference, seen=data.seen, choices=data.choices)
    return AppliedShape(
        report=ReportShape.of(done.report) if done.report else None,
        again=DifferencesShape.of(done.again) if done.again else None,
    )


HANDLERS = (show, apply)
