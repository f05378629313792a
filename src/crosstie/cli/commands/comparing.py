"""`differences`: a coupled record side by side, and bringing it in step as chosen."""

from typing import TYPE_CHECKING, Any

import click

from crosstie.cli.invocation import Command, answered_in_json, in_session, leave
from crosstie.cli.results import exit_code, print_reports, report_document
from crosstie.cli.terminal import BLANK, Column, moment, print_table, safe, say, words_of
from crosstie.model.errors import ChangedSince, InvalidOption

if TYPE_CHECKING:
    from crosstie.app.differences import Applied
    from crosstie.app.session import Session
    from crosstie.model.differences import FieldDifference, Shown
    from crosstie.model.records import Side

_WAYS = ("to_remote", "from_remote", "merge")
_COLUMNS = (Column("Field", short=True), "Local", "Remote", "Last agreed", "Send", "Get", "Merge")


@click.command("differences", cls=Command)
@click.argument("mapping")
@click.argument("record")
@click.option("--every", is_flag=True, help="Show also the fields that agree.")
@click.option("--apply", "preference", type=click.Choice(_WAYS), help="Bring the record in step: send, get, or merge.")
@click.option(
    "--choose",
    "choices",
    multiple=True,
    metavar="FIELD=SIDE",
    help="With --apply: this field takes the value of the local or remote side. May be repeated.",
)
@click.option(
    "--seen", metavar="TOKEN", help="With --apply: write only if the record still is as it was shown with this token."
)
def differences_(
    mapping: str, record: str, every: bool, preference: str | None, choices: tuple[str, ...], seen: str | None
) -> None:
    """Show a coupled RECORD side by side, with what sending, getting and merging would write; or do one of them.

    Nothing is written without --apply, and with it only what differs, in the versions that were looked at.

    \b
    crosstie differences CUSTOMER 10000
    crosstie differences CUSTOMER 10000 --apply merge --choose City=local
    """
    if preference is None:
        if choices or seen:
            raise InvalidOption("--choose and --seen go with --apply only.", next_step="Say what to apply.")
        _show(mapping, record, every)
        return
    picked = dict(_choice(text) for text in choices)
    applied = in_session(lambda session: _apply(session, mapping, record, preference, picked, seen))
    if applied.again is not None:
        raise ChangedSince(
            f"{applied.again.name} has been changed since it was shown.",
            report=report_document(applied.report) if applied.report is not None else None,
            differences=applied.again,
        )
    reports = [applied.report] if applied.report is not None else []
    if not answered_in_json({"applied": preference, "mappings": [report_document(report) for report in reports]}):
        print_reports(reports)
    leave(exit_code(reports))


def _choice(text: str) -> "tuple[str, Side]":
    from crosstie.model.records import Side

    name, found, side = text.rpartition("=")
    if not found or not name or side not in ("local", "remote"):
        raise InvalidOption(f"{text!r} is no choice: write FIELD=local or FIELD=remote.")
    return name.strip(), Side(side)


async def _apply(
    session: "Session", mapping: str, record: str, preference: str, choices: "dict[str, Side]", seen: str | None
) -> "Applied":
    from crosstie.app.differences import apply_differences, differences
    from crosstie.model.decisions import Preference

    token = seen or (await differences(session, mapping, record)).seen
    return await apply_differences(session, mapping, record, Preference(preference), seen=token, choices=choices)


def _show(mapping: str, record: str, every: bool) -> None:
    from crosstie.app.differences import differences

    found = in_session(lambda session: differences(session, mapping, record))
    if answered_in_json(found):
        return
    when = moment(found.coupling.last_synchronised) or "never"
    say(f"{safe(found.label)} {safe(found.name)}: {words_of(found.coupling.state)}, last synchronised {when}")
    for side in found.missing:
        say(f"The {side} record no longer exists. Restore or delete it, or remove the coupling.")
    if found.problem is not None:
        say(f"{found.problem.code}: {safe(found.problem.words)}")
    shown = [field for field in found.fields if field.differs or every]
    if shown:
        print_table(_COLUMNS, [_row(field) for field in shown])
    elif not found.missing:
        say("Both records agree.")
    for preset in found.presets if shown else ():
        proposed = " (proposed)" if preset.preference is found.preselected else ""
        say(f"  {preset.preference}{proposed}: {_summed(preset)}")


def _row(field: "FieldDifference") -> tuple[object, ...]:
    base = field.base_local or field.base_remote
    return (
        field.label,
        _marked(field, "local", field.local),
        _marked(field, "remote", field.remote),
        _words(base) if base is not None else "",
        *(_proposed(field, way) for way in _WAYS),
    )


def _marked(field: "FieldDifference", side: str, shown: "Shown") -> str:
    return _words(shown) + ("*" if side in field.changed else "")


def _proposed(field: "FieldDifference", way: str) -> str:
    proposal = next((found for name, found in field.proposals.items() if name == way), None)
    if proposal is None:
        return ""
    if proposal.action in ("to_remote", "to_local"):
        arrow = "→" if proposal.action == "to_remote" else "←"
        return f"{arrow} {_words(proposal.value) if proposal.value is not None else BLANK}"
    return "choose" if proposal.action == "conflict" else "held" if proposal.action == "hold" else ""


def _words(shown: "Shown") -> str:
    return shown.words or BLANK


def _summed(preset: Any) -> str:
    figures = (
        (preset.writes_remote, "to remote"),
        (preset.writes_local, "to local"),
        (preset.loses, "edits lost"),
        (preset.conflicts, "to choose"),
        (preset.held, "held"),
    )
    words = ", ".join(f"{number} {name}" for number, name in figures if number)
    problem = f"; {preset.problem}: {safe(preset.problem_words)}" if preset.problem else ""
    return (words or "nothing to write") + problem
