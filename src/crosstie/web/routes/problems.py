"""Coupled Data Synchronization Errors: what keeps records from being in step, by cause (P24, F11)."""

import asyncio
from typing import Annotated

import msgspec
from litestar import Response, get
from litestar.params import QueryParameter

from crosstie.api.asking import StrictRequest
from crosstie.api.paging import MOST_ID
from crosstie.api.rooms import rooms_of
from crosstie.app.home import Home
from crosstie.app.problems import Inbox, ProblemRow, problem_inbox, problem_rows
from crosstie.model.causes import CAUSES
from crosstie.model.problems import ProblemFilter, ProblemGroup
from crosstie.web import wording
from crosstie.web.choosing import filter_pairs, of_group, read_filter, waits_text
from crosstie.web.rendering import page

PAGE = 100

MappingText = Annotated[str, QueryParameter(name="mapping", max_length=200)]
ClassText = Annotated[str, QueryParameter(name="class", max_length=20)]
CodeText = Annotated[str, QueryParameter(name="code", max_length=100)]
SearchText = Annotated[str, QueryParameter(name="search", max_length=200)]
_Open = Annotated[str, QueryParameter(name="open", max_length=800)]
_After = Annotated[int, QueryParameter(name="after", ge=0, le=MOST_ID)]


class GroupShown(msgspec.Struct, frozen=True, kw_only=True):
    """A group as the page shows it; `rows` are those of the one that is open."""

    group: ProblemGroup
    key: str
    title: str
    next_step: str
    mappings: str
    pairs: list[tuple[str, str]]
    """What names its problems in a form."""
    open: bool
    rows: list[ProblemRow]
    following: int | None


@get("/problems")
async def inbox(
    request: StrictRequest,
    mapping_: MappingText = "",
    class_: ClassText = "",
    code_: CodeText = "",
    search_: SearchText = "",
    open_: _Open = "",
    after_: _After = 0,
) -> Response[str]:
    """Open problems by cause; one group shows its records."""
    given = {"mapping": mapping_, "class": class_, "code": code_, "search": search_}
    filter = read_filter(given)
    found, groups = await asyncio.to_thread(_read, rooms_of(request).home, filter, open_, after_)
    return await page(
        request,
        "problems.html",
        inbox=found,
        groups=groups,
        filter=filter,
        given=given,
        pairs=filter_pairs(filter),
        causes=CAUSES,
        after=after_,
    )


def _read(home: Home, filter: ProblemFilter, opened: str, after: int) -> tuple[Inbox, list[GroupShown]]:
    found = problem_inbox(home, filter)
    only = len(found.groups) == 1 and not opened
    return found, [_shown(home, filter, group, opened, after, only=only) for group in found.groups]


def _shown(
    home: Home, filter: ProblemFilter, group: ProblemGroup, opened: str, after: int, *, only: bool
) -> GroupShown:
    key = group.code if group.waits_for is None else waits_text(group.waits_for)
    mine = of_group(filter, group)
    is_open = only or key == opened
    rows = problem_rows(home, mine, limit=PAGE + 1, after_id=after) if is_open else []
    cause = CAUSES.get(group.code)
    return GroupShown(
        group=group,
        key=key,
        title=_title(group),
        next_step=cause.next_step if cause else "",
        mappings=", ".join(
            wording.plural(number, f"record of {name}", f"records of {name}") for name, number in group.mappings.items()
        ),
        pairs=filter_pairs(mine),
        open=is_open,
        rows=rows[:PAGE],
        following=rows[PAGE - 1].problem.id if len(rows) > PAGE else None,
    )


def _title(group: ProblemGroup) -> str:
    if group.waits_for is not None:
        return f"Waiting for {group.waits_for.mapping} {group.waits_for.key} to be coupled"
    cause = CAUSES.get(group.code)
    return cause.title if cause else group.code.replace("-", " ").capitalize()


HANDLERS = (inbox,)
