"""The preview of a coupling: `couple --dry-run`."""

from typing import TYPE_CHECKING

from crosstie.cli.invocation import answered_in_json, in_session
from crosstie.cli.terminal import BLANK, Column, print_table, safe, say, words_of

if TYPE_CHECKING:
    from crosstie.app.previewing import CouplingPreview
    from crosstie.app.session import Session
    from crosstie.app.winners import Winner
    from crosstie.model.differences import FieldPreview

_COLUMNS = (Column("Field", short=True), "Local", "Remote", "Local after", "Remote after")


def show_preview(mapping: str, record: str, remote: str, synchronise: str | None, winners: "dict[str, Winner]") -> None:
    """Print what coupling two records would come to, and write nothing."""
    from crosstie.app.previewing import preview

    async def work(session: "Session") -> "CouplingPreview":
        return await preview(session, mapping, record, remote, synchronise=synchronise, winners=winners)

    found = in_session(work)
    if not answered_in_json({"dry_run": True, "preview": found}):
        _print(found)


def _print(found: "CouplingPreview") -> None:
    here, there = (safe(found.sides[side].words) for side in found.sides)
    say(f"{here} with {there}, synchronise: {words_of(found.synchronise)} (nothing was written)")
    if found.blocked is not None:
        say(f"Cannot be coupled: {safe(found.blocked.words)} {safe(found.blocked.next_step)}".rstrip())
    for each in found.replaces:
        partner = each.remote_name or each.remote_key or each.remote_id
        say(f"Takes the place of the coupling with {safe(partner)}; give --replace.")
    differing = [field for field in found.fields if field.difference.differs]
    if differing:
        print_table(_COLUMNS, [_row(field) for field in differing])
    else:
        say("Both records agree in every field.")
    for wait in found.waits_for:
        say(f"Waits for {safe(wait.key)} of {wait.mapping}: couple or create that one as well.")
    if found.problem is not None and not found.waits_for:
        say(f"{found.problem}: {safe(found.problem_words)}")


def _row(field: "FieldPreview") -> tuple[object, ...]:
    found = field.difference
    local, remote = found.local.words or BLANK, found.remote.words or BLANK
    return (
        found.label,
        local,
        remote,
        (field.after_local.words or BLANK) if field.writes == "local" else "",
        (field.after_remote.words or BLANK) if field.writes == "remote" else "",
    )
