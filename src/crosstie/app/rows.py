"""Rows of lists: records joined with their couplings and problems, a page in one look at the store."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from crosstie.engine.context import Context
from crosstie.model.couplings import Coupling
from crosstie.model.lists import NOT_COUPLED, Partner, RecordRow
from crosstie.model.problems import Problem
from crosstie.model.records import Record, Side


def rows_of_records(ctx: Context, side: Side, records: Sequence[Record], columns: Sequence[str]) -> list[RecordRow]:
    """Return the rows of a page of records."""
    ids = [record.id for record in records]
    with ctx.store.begin() as unit:
        couplings = unit.couplings.by_record(ctx.mapping_name, side, ids) if ids else {}
        problems = unit.problems(ctx.mapping_name, records=[(side, id) for id in ids], limit=len(ids)) if ids else []
    by_id = _by_id(side, problems, couplings.values())
    return [_row(ctx, side, record, couplings.get(record.id), by_id.get(record.id), columns) for record in records]


def rows_of_couplings(
    ctx: Context, side: Side, couplings: Sequence[Coupling], records: Mapping[str, Record], columns: Sequence[str]
) -> list[RecordRow]:
    """Return the rows of a page of couplings, of which `records` are those that still exist."""
    ids = [coupling.record_id(side) for coupling in couplings]
    with ctx.store.begin() as unit:
        problems = unit.problems(ctx.mapping_name, records=[(side, id) for id in ids], limit=len(ids)) if ids else []
    by_id = _by_id(side, problems, couplings)
    rows = []
    for id, coupling in zip(ids, couplings, strict=True):
        record = records.get(id)
        rows.append(
            _row(ctx, side, record, coupling, by_id.get(id), columns)
            if record is not None
            else _gone(side, coupling, by_id.get(id))
        )
    return rows


def _by_id(side: Side, problems: Sequence[Problem], couplings: Iterable[Coupling]) -> dict[str, Problem]:
    """Return problems by the record of a side, also those kept under the other one alone."""
    found: dict[str, Problem] = {}
    partners = {c.record_id(side.other): c.record_id(side) for c in couplings}
    for problem in problems:
        own, other = (
            (problem.local_id, problem.remote_id) if side is Side.LOCAL else (problem.remote_id, problem.local_id)
        )
        if id := own or partners.get(other or ""):
            found[id] = problem
    return found


def _row(
    ctx: Context,
    side: Side,
    record: Record,
    coupling: Coupling | None,
    problem: Problem | None,
    columns: Sequence[str],
) -> RecordRow:
    mapping = ctx.compiled.mapping
    key, name = mapping.key_field(side), mapping.name_field(side)
    return RecordRow(
        id=record.id,
        key=_text(record.values.get(key)) if key else None,
        name=_text(record.values.get(name)),
        values={column: record.values.get(column) for column in columns},
        in_filter=ctx.in_filter(side, record.values),
        modified_at=record.modified_at,
        **_coupled(side, coupling, problem),
    )


def row_of_coupling(side: Side, coupling: Coupling) -> RecordRow:
    """Return the row of a coupled record as far as its coupling knows it."""
    return msgspec.structs.replace(_gone(side, coupling, None), exists=True)


def _gone(side: Side, coupling: Coupling, problem: Problem | None) -> RecordRow:
    return RecordRow(
        id=coupling.record_id(side),
        key=coupling.local_key if side is Side.LOCAL else coupling.remote_key,
        name=coupling.local_name if side is Side.LOCAL else coupling.remote_name,
        values={},
        exists=False,
        **_coupled(side, coupling, problem),
    )


def _coupled(side: Side, coupling: Coupling | None, problem: Problem | None) -> dict[str, Any]:
    found: dict[str, Any] = {"state": NOT_COUPLED}
    if coupling is not None:
        found |= {
            "state": coupling.state.value,
            "coupling_id": coupling.id,
            "partner": partner_of(coupling, side.other),
            "last_synchronised": coupling.last_synchronised,
        }
    if problem is not None:
        found |= {"problem": problem.code, "problem_words": problem.words}
    return found


def partner_of(coupling: Coupling, side: Side) -> Partner:
    """Return the record of a side as a coupling knows it."""
    if side is Side.LOCAL:
        return Partner(id=coupling.local_id, key=coupling.local_key, name=coupling.local_name)
    return Partner(id=coupling.remote_id, key=coupling.remote_key, name=coupling.remote_name)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
