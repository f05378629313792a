"""Records of both sides with what couples each, and who might be the partner of one."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import get
from litestar.params import PathParameter, QueryParameter
from msgspec import Struct

from crosstie.api.asking import InPath, StrictRequest
from crosstie.api.paging import Limit
from crosstie.api.rooms import session_of
from crosstie.api.shapes import FieldValue, Page
from crosstie.app.candidates import candidates
from crosstie.app.lists import count_records, list_records
from crosstie.model.lists import ListColumn, Partner, RecordCounts
from crosstie.model.records import Side

_RECORDS = "/api/v1/mappings/{mapping:str}/records/{side:str}"
_Search = Annotated[str, QueryParameter(max_length=250, description="Part of a number, code or name.")]
_Side = Annotated[Side, PathParameter(description="The side of the mapping.")]


class RecordShape(Struct, frozen=True, kw_only=True):
    """A record with its coupling; `state` is not_coupled or that of the coupling."""

    id: str
    key: str | None
    name: str | None
    values: dict[str, FieldValue]
    state: str
    exists: bool
    in_filter: bool
    modified_at: datetime | None
    coupling_id: int | None
    partner: Partner | None
    last_synchronised: datetime | None
    problem: str | None
    problem_words: str


class RecordsPage(Struct, frozen=True, kw_only=True):
    """A page of records. One that is shorter than asked for, and has a next one, has looked at as many as it may."""

    items: list[RecordShape]
    next: str | None
    columns: list[ListColumn]


class ReasonShape(Struct, frozen=True, kw_only=True):
    """Why a record fits; `weight` from 0 to 1."""

    evidence: str
    words: str
    value: str
    weight: float


class CandidateRow(Struct, frozen=True, kw_only=True):
    """A record that may be the partner; `score` from 0 to 100, `coupled_to` who holds it."""

    id: str
    key: str | None
    name: str | None
    score: int
    reasons: list[ReasonShape]
    values: dict[str, FieldValue]
    in_filter: bool
    coupled_to: Partner | None
    current: bool


@get(_RECORDS, operation_id="listRecords", tags=["records"])
async def list_(
    request: StrictRequest,
    mapping: InPath,
    side: _Side,
    limit: Limit = 50,
    after: Annotated[str | None, QueryParameter(max_length=4000, description="`next` of the page before.")] = None,
    search: _Search = "",
    states: Annotated[
        list[str] | None, QueryParameter(name="state", description="not_coupled, or states of couplings.")
    ] = None,
    sort: Annotated[str, QueryParameter(max_length=100, description="A field; with - before it downwards.")] = "",
    within_filter: Annotated[
        bool | None,
        QueryParameter(description="Only what the mapping's filter admits; so by itself on the remote side."),
    ] = None,
    fields: Annotated[
        list[str] | None, QueryParameter(name="field", description="Columns; else the mapped ones.")
    ] = None,
) -> RecordsPage:
    """The records of one side with coupling state, partner and problem."""
    async with session_of(request) as session:
        found = await list_records(
            session,
            mapping,
            side,
            search=search,
            states=states or (),
            sort=sort,
            within_filter=within_filter,
            fields=fields or (),
            size=limit,
            after=after,
        )
    rows = msgspec.convert(msgspec.to_builtins(found.rows), list[RecordShape])
    return RecordsPage(items=rows, next=found.following, columns=found.columns)


@get(f"{_RECORDS}/counts", operation_id="countRecords", tags=["records"])
async def count(request: StrictRequest, mapping: InPath, side: _Side) -> RecordCounts:
    """How many records of one side there are by state; null where the system does not say exactly."""
    async with session_of(request) as session:
        return await count_records(session, mapping, side)


@get("/api/v1/mappings/{mapping:str}/candidates", operation_id="listCandidates", tags=["records"])
async def candidates_(
    request: StrictRequest,
    mapping: InPath,
    record: Annotated[str, QueryParameter(min_length=1, max_length=500, description="Number, code, name or id.")],
    side: Annotated[Side, QueryParameter(description="The side of the record.")] = Side.LOCAL,
    search: _Search = "",
    limit: Annotated[int, QueryParameter(ge=1, le=100, description="Most candidates.")] = 20,
) -> Page[CandidateRow]:
    """Records of the other side with which one may be coupled, the best first, with reasons."""
    async with session_of(request) as session:
        found = await candidates(session, mapping, record, search, side=side, limit=limit)
    return Page(items=msgspec.convert(msgspec.to_builtins(found), list[CandidateRow]))


HANDLERS = (list_, count, candidates_)
