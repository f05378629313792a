"""Notes of an undo: what was created and deleted again is not created once more by itself."""

from crosstie.engine.context import Context
from crosstie.engine.outcomes import called
from crosstie.model.causes import CAUSES
from crosstie.model.problems import NewProblem
from crosstie.model.records import Record, Side
from crosstie.store.base import Unit

_CODE = "creation-undone"


def not_again(ctx: Context, unit: Unit, side: Side, record: Record, why: str) -> None:
    """Note that a record is not to be given a partner anew by itself, until it changes or a person asks for one."""
    mapping = ctx.compiled.mapping
    if not mapping.only_coupled and mapping.reaches(side.other):
        unit.put_problems([_note(ctx, side, record, why)], ctx.now())


def _note(ctx: Context, side: Side, record: Record, why: str) -> NewProblem:
    cause = CAUSES[_CODE]
    local, remote = (record, None) if side is Side.LOCAL else (None, record)
    return NewProblem(
        mapping=ctx.mapping_name,
        local_id=local.id if local else None,
        remote_id=remote.id if remote else None,
        coupling_id=None,
        name=called(ctx, local, remote, None),
        problem_class=cause.problem_class,
        code=cause.code,
        words=f"The record that was created for it was deleted again ({why}).",
        next_step=cause.next_step,
        local_version=local.version if local else None,
        remote_version=remote.version if remote else None,
        job_id=ctx.job_id or None,
    )


def renew(ctx: Context, unit: Unit, side: Side, record: Record) -> None:
    """Let a note on a record, if there is one, hold for the version that an undo has just written."""
    for note in unit.problems(ctx.mapping_name, records=[(side, record.id)], code=_CODE, limit=1):
        values = {name: getattr(note, name) for name in NewProblem.__struct_fields__}
        values["local_version" if side is Side.LOCAL else "remote_version"] = record.version
        unit.put_problems([NewProblem(**values)], ctx.now())
