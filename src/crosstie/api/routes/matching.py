"""Match-Based Coupling: what would match, with reasons; and coupling it."""

from itertools import islice

from litestar import post
from litestar.params import JSONBody

from crosstie.api.asking import InPath, StrictRequest
from crosstie.api.bodies import MatchBody
from crosstie.api.rooms import session_of
from crosstie.api.shapes import CandidateShape, Matched, MatchRowShape, ReportShape
from crosstie.app.matching import explained, match
from crosstie.model.errors import RequestRefused
from crosstie.model.people import Permission

MOST_ROWS = 1000
"""Rows that an answer shows."""


@post(
    "/api/v1/mappings/{mapping:str}/match",
    operation_id="match",
    tags=["couplings"],
    status_code=200,
    opt={"permission": Permission.COUPLE},
)
async def match_(request: StrictRequest, mapping: InPath, data: JSONBody[MatchBody]) -> Matched:
    """Couple the records named that match uniquely; or, as a dry run, show what would match in the whole mapping."""
    async with session_of(request) as session:
        found = session.mapping(mapping)
        if not data.records and not data.dry_run:
            raise RequestRefused(
                "Matching a whole mapping takes longer than a request may.",
                next_step=f"Name up to 1,000 records by id, ask for a dry run, or run `crosstie match {found.name}`.",
            )
        report = await match(
            session,
            found.name,
            groups=data.groups,
            local_ids=[id.strip("{}").lower() for id in data.records] if data.records else None,
            dry_run=data.dry_run,
            create=data.create,
            synchronise=data.synchronise,
        )
    rows = [
        MatchRowShape(
            side=row.side.value,
            id=row.record.id,
            key=row.record.key,
            name=row.record.name,
            reason=row.reason.value,
            words=words,
            candidates=[CandidateShape(id=each.id, key=each.key, name=each.name) for each in row.candidates],
        )
        for row, words in islice(explained(report), MOST_ROWS)
    ]
    return Matched(
        mapping=report.mapping,
        dry_run=report.dry_run,
        job_id=report.job_id,
        groups=report.groups,
        local={reason.value: number for reason, number in report.local.items()},
        remote={reason.value: number for reason, number in report.remote.items()},
        rows=rows,
        rows_left_out=len(report.rows) - len(rows),
        synchronised=ReportShape.of(report.synchronised) if report.synchronised else None,
    )


HANDLERS = (match_,)
