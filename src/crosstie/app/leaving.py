"""Saying why a record that was asked for is left as it is."""

from collections.abc import Sequence

from crosstie.app.coupled import Found
from crosstie.app.records import listed
from crosstie.engine.context import Context
from crosstie.model.couplings import Coupling
from crosstie.model.errors import CrosstieError, NothingToDo
from crosstie.model.leaving import Left


def left_coupling(coupling: Coupling, code: str, words: str, next_step: str = "") -> Left:
    """Return that a coupled record is left as it is, and why."""
    return Left(
        mapping=coupling.mapping,
        local_id=coupling.local_id,
        remote_id=coupling.remote_id,
        name=coupling.name(),
        code=code,
        words=words,
        next_step=next_step,
    )


def left_found(ctx: Context, found: Found, code: str, words: str, next_step: str = "") -> Left:
    """Return that a record which was named is left as it is, and why."""
    if found.coupling is not None:
        return left_coupling(found.coupling, code, words, next_step)
    return Left(
        mapping=ctx.mapping_name,
        local_id=found.id if found.side == "local" else None,
        remote_id=found.id if found.side == "remote" else None,
        name=found.text,
        code=code,
        words=words,
        next_step=next_step,
    )


def nothing_left(left: Sequence[Left]) -> CrosstieError:
    """Return the error that all that was named is left as it is: the reason where it is one, else all of them."""
    names = listed([each.name for each in left])
    reasons = list(dict.fromkeys(each.words for each in left))
    return NothingToDo(
        f"{names}: {' '.join(reasons[:3])}",
        next_step=left[0].next_step if len({each.next_step for each in left}) == 1 else "",
        left=left,
    )
