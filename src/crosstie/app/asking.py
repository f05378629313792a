"""Who asks: known where a request or command comes in, and noted with every job that begins because of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from crosstie.model.people import Principal, PrincipalKind

_asker: ContextVar[Principal | None] = ContextVar("crosstie_asker", default=None)


@contextmanager
def asked_by(principal: Principal) -> Iterator[None]:
    """Note `principal` with the jobs that begin, or are put into the queue, within."""
    before = _asker.set(principal)
    try:
        yield
    finally:
        _asker.reset(before)


def asker() -> Principal:
    """Return who asks; where no request came in, it is whoever runs this process."""
    found = _asker.get()
    if found is None:
        from crosstie.app.people.acting import command_line

        found = command_line()
    return found


def asker_words() -> str:
    """Return who asks, in words."""
    found = asker()
    match found.kind:
        case PrincipalKind.TOKEN:
            return f"API token {found.name}"
        case PrincipalKind.COMMAND_LINE:
            return f"{found.name} (command line)"
        case PrincipalKind.NOBODY | PrincipalKind.LINK:
            return "somebody who was not signed in"
        case _:
            return found.name
