"""What is to be undone: the entries of a job and of the jobs that are parts of it, or single entries."""

from collections import Counter
from collections.abc import Iterator, Sequence

from crosstie.app.session import Session
from crosstie.engine.undo import can_be_undone
from crosstie.model.errors import CannotUndo, InvalidOption, UnknownEntry, UnknownJob
from crosstie.model.jobs import Job, JournalEntry, Outcome
from crosstie.model.places import Place
from crosstie.store.base import Unit

_PAGE = 2000
_LOSES = (Outcome.INSERTED, Outcome.COUPLED)


class UndoSource:
    """The entries to undo, in pages; they are gone through once to know what they concern.

    Raises InvalidOption unless either a job or entries are given, UnknownJob, UnknownEntry, CannotUndo if a job still
    goes on, if there is nothing to take back, or if a mapping is gone.
    """

    def __init__(self, session: Session, job: int | None, entries: Sequence[int]) -> None:
        if (job is None) == (not entries):
            raise InvalidOption("Say what to undo: a job, or entries of the history.", next_step="Give one of the two.")
        self._session = session
        with session.store.begin() as unit:
            self._jobs = _jobs(unit, job) if job is not None else []
            self._entries = [_entry(unit, id) for id in dict.fromkeys(entries)]
        self._job = job
        self.mapping = next((each.mapping for each in self._jobs if each.id == job), None) or None
        """The mapping of the job itself; None of one that went through several, and of single entries."""
        self.total = 0
        """How many entries there are to take back."""
        self.losses = 0
        """How many records would be deleted or uncoupled at most."""
        self.mappings = self._survey()
        """The mappings whose records are concerned, that with the most entries first."""

    def why(self) -> str:
        """Return what the history says of it."""
        if self._job is not None:
            return f"undo of job {self._job}"
        ids = ", ".join(str(entry.id) for entry in self._entries[:5])
        more = f" and {len(self._entries) - 5} more" if len(self._entries) > 5 else ""
        return f"undo of entr{'y' if len(self._entries) == 1 else 'ies'} {ids}{more}"

    def pages(self) -> Iterator[list[JournalEntry]]:
        """Yield what can be undone, newest first; a page is of one job, or all of the single entries."""
        if self._entries:
            yield sorted(self._entries, key=lambda entry: -entry.id)
        for job in self._jobs:
            yield from self._pages_of(job)

    def _pages_of(self, job: Job) -> Iterator[list[JournalEntry]]:
        before: int | None = None
        while True:
            with self._session.store.begin() as unit:
                page = unit.journal(job_id=job.id, limit=_PAGE, before_id=before)
            if found := [entry for entry in page if can_be_undone(entry)]:
                yield found
            if len(page) < _PAGE:
                return
            before = page[-1].id

    def _survey(self) -> list[str]:
        counts: Counter[str] = Counter()
        for page in self.pages():
            counts.update(entry.mapping for entry in page)
            self.losses += sum(entry.outcome in _LOSES for entry in page)
        self.total = counts.total()
        if not counts:
            raise CannotUndo(
                f"Job {self._job} has written, coupled and uncoupled nothing.",
                next_step="There is nothing to undo.",
                job=self._job,
            )
        known = {mapping.name for mapping in self._session.mappings()}
        if lost := sorted(counts.keys() - known):
            raise CannotUndo(
                f"The mapping {lost[0]} is gone.",
                next_step="Restore it first.",
                place=Place.MAPPING_RESET,
                mapping=lost[0],
            )
        return [name for name, _ in counts.most_common()]


def _jobs(unit: Unit, id: int) -> list[Job]:
    """Return a job and its parts, newest first."""
    job = unit.background.job(id)
    if job is None:
        raise UnknownJob(f"There is no job {id}.", job=id)
    found = [*reversed(unit.background.parts(id)), job]
    if going := next((each for each in found if each.goes_on), None):
        raise CannotUndo(
            f"Job {going.id} is still {going.state.value}.",
            next_step="Wait until it has ended, or cancel it.",
            job=going.id,
        )
    return found


def _entry(unit: Unit, id: int) -> JournalEntry:
    found = unit.journal(limit=1, before_id=id + 1)
    if not found or found[0].id != id:
        raise UnknownEntry(f"There is no entry {id} in the history.", entry=id)
    if not can_be_undone(found[0]):
        told = f"{found[0].name} {found[0].outcome.value}"
        raise CannotUndo(f"Entry {id} says {told}: nothing was changed that could be put back.", entry=id)
    return found[0]
