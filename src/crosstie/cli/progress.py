"""Progress of long work: one moving line on standard error for a person who waits, nothing for anybody else."""

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from crosstie.model.decisions import Decision
    from crosstie.model.mappings import Mapping


class Progress:
    """Shows what is being done and how far it is, while its context lasts. Watches a job as its observer."""

    def __init__(self) -> None:
        self._line: Any = None
        self._task: Any = None
        self._step = ""

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self._line = _moving_line()
            self._line.start()
            self._task = self._line.add_task("", total=None, start=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._line is not None:
            self._line.stop()

    def step(self, words: str) -> None:
        """Say what is done from now on."""
        self._step = words
        self._show(words)

    def begin(self, mapping: "Mapping") -> None:
        """Say whose records are worked on from now on."""
        self.step(mapping.name)

    def progress(self, done: int) -> None:
        """Say how many records the step has dealt with."""
        self._show(f"{self._step}: {done:,} records")

    def decided(self, decision: "Decision") -> None:
        """Take no notice: what a job decides is shown by its counters."""

    def _show(self, words: str) -> None:
        if self._line is not None:
            self._line.update(self._task, description=words)


def _moving_line() -> Any:
    from rich.console import Console
    from rich.progress import Progress as RichProgress
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    return RichProgress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
        console=Console(stderr=True, markup=False, highlight=False, emoji=False),
        transient=True,
    )
