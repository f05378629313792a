"""Match-Based Coupling: what would match, with reasons; and coupling it."""

from itertools import islice

from litestar import Response, post
from litestar.params import JSONBody

from crosstie.api.asking import InPath, StrictRequest
from crosstie.api.bodies import MatchBody
from crosstie.api.queueing import ACCEPTED, chosen, is_long, queued
from crosstie.api.rooms import session_of
from crosstie.api.shapes import CandidateShape, Matched, MatchRowShape, ReportShape
from crosstie.app.matching import MatchReport, explained, match
from crosstie.model.people import Permission

MOST_ROWS = 1000
"""Rows that an answer shows."""


@post(
    "/api/v1/mappings/{mapping:str}/match",
    operation_id="match",
    tags=["couplings"],
    status_code=200,
    opt={"permission": Permission.COUPLE},
    responses=ACCEPTED,
)
async def match_(request: StrictRequest, mapping: InPath, data: JSONBody[MatchBody]) -> Response[Matched]:
    """Couple what matches uniquely, of the records named or of the whole mapping; a dry run shows what would match.

    The whole mapping, a selection, or more than 50 records, is work for a worker: 202 with the job's address.
    """
    selection = await chosen(request, data.records, data.selection)
    ids = [id.strip("{}").lower() for id in data.records] or None
    if is_long(data.records) and not data.dry_run:
        return await queued(
            request,
            "match",
            mapping=mapping,
            groups=data.groups,
            local_ids=ids,
            selection=selection,
            create=data.create,
            synchronise=data.synchronise,
            case_sensitive=data.case_sensitive,
            winner=data.winner,
        )
    async with session_of(request) as session:
        report = await match(
            session,
            mapping,
            groups=data.groups,
            local_ids=ids,
            selection=selection,
            dry_run=data.dry_run,
            create=data.create,
            synchronise=data.synchronise,
            case_sensitive=data.case_sensitive,
            winner=data.winner,
        )
    return Response(_matched(report))


def _matched(report: MatchReport) -> Matched:
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
