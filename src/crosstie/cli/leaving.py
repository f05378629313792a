"""What was left as it is, in words and for the exit code."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from crosstie.cli.terminal import is_terminal, safe, say

if TYPE_CHECKING:
    from crosstie.model.leaving import Left

_SCREEN = 20
"""So many records of one reason are named to a person; a pipe gets all of them."""


def print_left(left: "Sequence[Left]", total: int | None = None) -> None:
    """Print the records that were left as they are, those with one reason and next step together."""
    if not left:
        return
    say()
    say("Left as they are:")
    groups: dict[tuple[str, str], list[Left]] = {}
    for each in left:
        groups.setdefault((each.code, each.next_step), []).append(each)
    for (code, next_step), records in groups.items():
        say(f"  {code} ({len(records):,})" + (f"  Next step: {safe(next_step)}" if next_step else ""))
        shown = records[:_SCREEN] if is_terminal() else records
        for each in shown:
            say(f"    {safe(each.name)}: {safe(each.words)}")
        if len(shown) < len(records):
            say(f"    and {len(records) - len(shown):,} more: see them with --json.")
    if total is not None and total > len(left):
        say(f"  and {total - len(left):,} more.")
