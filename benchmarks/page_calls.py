"""What is called of the pages, and the many records, problems and entries of the history that they have to show."""

from urllib.parse import quote

import msgspec

from crosstie.app.list_heads import head_of
from crosstie.app.lists import count_records
from crosstie.app.matching import match
from crosstie.app.selecting import Selection, ids_of
from crosstie.app.session import Session, utc_now
from crosstie.engine.context import Task
from crosstie.model.causes import CAUSES
from crosstie.model.couplings import Coupling
from crosstie.model.jobs import JournalEntry, Outcome
from crosstie.model.problems import NewProblem, ProblemClass
from crosstie.model.records import Side

NAME = "CUSTOMER"
LIST = f"/lists/{NAME}"
NEXT = "NEXT"
"""In place of an address: where the page before leads on to."""
REVIEW = "review of a filter"
_ON = (("displayName", "postalCode"), ("displayName",))
_KEPT = 1000
_FILTER = quote("city ne 'York'")


class Filled(msgspec.Struct, frozen=True, kw_only=True):
    """A store with many records to show: the job that coupled them, one of them, and the state that most are in."""

    coupled: int
    job: int
    record: str
    state: str
    columns: dict[str, list[str]]
    """The columns of the list, by side."""
    remote_filter: str


async def fill(session: Session) -> Filled:
    """Couple what can be matched of six in ten customers; one in twenty gets a problem, and was uncoupled once."""
    everything = await ids_of(await session.context(NAME, Task()), Selection(all=True))
    some = everything[: len(everything) * 6 // 10]
    report = await match(session, NAME, groups=_ON, local_ids=some, synchronise=False)
    with session.store.begin() as unit:
        couplings = unit.couplings.page(NAME, limit=len(everything) // 20)
    for start in range(0, len(couplings), _KEPT):
        _trouble(session, report.job_id or 0, couplings[start : start + _KEPT])
    counts = await count_records(session, NAME)
    return Filled(
        coupled=report.coupled,
        job=report.job_id or 0,
        record=couplings[0].local_id,
        state=max(counts.by_state, key=lambda each: counts.by_state[each]),
        columns={side.value: (await head_of(session, NAME, side)).columns for side in Side},
        remote_filter=session.mapping(NAME).filter(Side.REMOTE) or "",
    )


def _trouble(session: Session, job_id: int, couplings: list[Coupling]) -> None:
    causes = [each for each in CAUSES.values() if each.problem_class is ProblemClass.DATA][:8]
    problems, entries = [], []
    for at, each in enumerate(couplings):
        cause = causes[at % len(causes)]
        named = {"mapping": NAME, "local_id": each.local_id, "remote_id": each.remote_id, "coupling_id": each.id}
        problems.append(
            NewProblem(
                **named,
                name=each.name(),
                problem_class=cause.problem_class,
                code=cause.code,
                words=cause.title,
                next_step=cause.next_step,
            )
        )
        entries.append(
            JournalEntry(
                **named, job_id=job_id, name=each.name(), side=None, outcome=Outcome.UNCOUPLED, words="", at=utc_now()
            )
        )
    with session.store.begin() as unit:
        unit.put_problems(problems, utc_now())
        unit.add_journal(entries)


def calls(filled: Filled) -> dict[str, list[str]]:
    """Return the addresses that are called in turn for each line; after `POST` the fields of a form follow the `?`."""
    state, letters = filled.state, "abcdefghijklmnopqrst"
    sides = {"local": LIST, "remote": f"{LIST}/remote"}
    remote = quote(filled.remote_filter)
    review = f"POST /mappings/{NAME}/filters/review?local_shown=&remote_shown={remote}&remote_filter={remote}"
    return {
        "home": ["/"],
        "list": [LIST, f"{LIST}/remote"],
        "filter: not coupled": [f"{LIST}?state=not_coupled", f"{LIST}/remote?state=not_coupled"],
        "filter: coupled": [f"{LIST}?state={state}", f"{LIST}/remote?state={state}", f"{LIST}?state=conflict"],
        **{
            f"sort: {side} {column}": [f"{sides[side]}?sort={way}{column}" for way in ("", "-")]
            for side, columns in filled.columns.items()
            for column in columns
        },
        "filter and sort": [f"{LIST}?state={state}&sort={field}" for field in ("displayName", "-number")],
        "search": [
            *(f"{LIST}?search={a}{b}" for a, b in zip(letters, letters[4:], strict=False)),
            *(f"{LIST}/remote?search={quote(word)}" for word in ("Ber", "GmbH", "no such name", "100")),
            f"{LIST}?search=0123&sort=displayName",
            f"{LIST}?search=info%40",
        ],
        "search: remote phone or e-mail": [
            *(f"{LIST}/remote?search={quote(word)}" for word in ("0123", "98765", "info@", "nobody@nowhere")),
            f"{LIST}/remote?search=nobody%40nowhere&sort=-address1_city",
        ],
        "next page": [LIST, NEXT, NEXT, NEXT, f"{LIST}/remote?sort=-name", NEXT, NEXT],
        "next page of a filter": [f"{LIST}?state=not_coupled", NEXT, NEXT, f"{LIST}?state={state}"],
        "dialog: all that match": [f"{LIST}/local/synchronise?all=1", f"{LIST}/local/uncouple?all=1"],
        "dialog: all of a search": [f"{LIST}/{side}/uncouple?all=1&search=Ber" for side in sides],
        "dialog: all of a broad search": [f"{LIST}/{side}/synchronise?all=1&search=e" for side in sides],
        "card": [f"/records/{NAME}/local/{filled.record}"],
        "history of a record": [f"/records/{NAME}/local/{filled.record}/history"],
        "list of other records of the table": ["/lists/VENDOR/remote", "/lists/VENDOR/remote?sort=address1_city"],
        "jobs": ["/jobs"],
        "job of many records": [f"/jobs/{filled.job}", f"/jobs/{filled.job}?outcome=coupled", f"/jobs/{filled.job}"],
        "problems": ["/problems", f"/problems?mapping={NAME}"],
        "couplings removed": ["/couplings/removed", f"/couplings/removed?mapping={NAME}"],
        "filters of a mapping": [f"/mappings/{NAME}/filters"],
        REVIEW: [f"{review}&local_filter={_FILTER}"],
    }
