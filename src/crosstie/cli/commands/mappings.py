"""`mapping`: listing, showing, changing and restoring integration table mappings."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from crosstie.cli.commands.filters import filter_
from crosstie.cli.invocation import Group, answered_in_json, in_session, opened_home
from crosstie.cli.terminal import Column, print_table, safe, say, value_text, words_of

if TYPE_CHECKING:
    from crosstie.app.mappings import ChangedMapping, LaidDown
    from crosstie.app.session import Session
    from crosstie.app.views import FieldMappingView, MappingView
    from crosstie.model.transformations import Rule

_ARROWS = {"to_remote": "→", "from_remote": "←", "bidirectional": "↔"}
_LIST_COLUMNS = (
    Column("Name", short=True),
    "Local table",
    Column("", short=True),
    "Remote table",
    Column("Couplings", right=True),
    Column("Problems", right=True),
    "Notes",
)
_FIELD_COLUMNS = ("Field", "Local", Column("", short=True), "Remote", "Notes")


@click.group("mapping", cls=Group)
def mapping_() -> None:
    """Integration table mappings: which tables and fields are tied, in which direction."""


@mapping_.command("list")
def list_() -> None:
    """List the mappings with the number of their couplings and open problems."""
    from crosstie.app.mappings import list_mappings

    with opened_home() as home:
        found = list_mappings(home)
    if answered_in_json({"mappings": found}):
        return
    if found:
        print_table(_LIST_COLUMNS, [_row(view) for view in found])
    else:
        say("No mappings yet. Load the standard ones: `crosstie mapping reset`.")


@mapping_.command()
@click.argument("mapping")
def show(mapping: str) -> None:
    """Show one mapping: tables, filters, policies, figures."""
    from crosstie.app.mappings import show_mapping

    with opened_home() as home:
        view = show_mapping(home, mapping)
    if not answered_in_json(view):
        _print_card(view)


@mapping_.command()
@click.argument("mapping")
def fields(mapping: str) -> None:
    """List the field mappings of one mapping."""
    from crosstie.app.mappings import show_mapping

    with opened_home() as home:
        view = show_mapping(home, mapping)
    if not answered_in_json({"mapping": view.name, "fields": view.fields}):
        print_table(_FIELD_COLUMNS, [_field_row(field) for field in view.fields])


@mapping_.command()
@click.argument("mappings", nargs=-1)
@click.option(
    "--ownership",
    type=click.Choice(["person", "team"]),
    default="person",
    show_default=True,
    help="Who owns coupled records in Dataverse: the salesperson's user, or the company's team.",
)
@click.option("--custom-pages", is_flag=True, help="Use the custom API pages, which carry every field.")
def reset(mappings: tuple[str, ...], ownership: str, custom_pages: bool) -> None:
    """Restore the standard MAPPINGS, or all of them, as shipped. Couplings stay."""
    from crosstie.app.mappings import reset_mappings
    from crosstie.app.people.acting import command_line

    async def work(session: "Session") -> "LaidDown":
        return await reset_mappings(
            session, mappings, ownership=ownership, custom_pages=custom_pages, by=command_line()
        )

    done = in_session(work)
    if not answered_in_json(done):
        say(f"Restored: {', '.join(done.mappings)}.")
        for name, why in done.off.items():
            say(f"{name} is disabled, because it cannot work: {safe(why)}")
            say(f"        Enable it once that is there: `crosstie mapping set {name} --enabled`.")


mapping_.add_command(filter_)

_DIRECTIONS = click.Choice(["to_remote", "from_remote", "bidirectional"])
_UPDATE_CONFLICTS = ["ask", "send", "get", "newest"]
_DELETION_CONFLICTS = ["ask", "restore", "uncouple", "delete"]


def _dry_run(command: Callable[..., None]) -> Callable[..., None]:
    return click.option("--dry-run", is_flag=True, help="Show what would change; store nothing.")(command)


@mapping_.command("set")
@click.argument("mapping")
@click.option("--direction", type=_DIRECTIONS, help="Field mappings go along as far as they can.")
@click.option("--local-filter", metavar="FILTER", help="Which local records; '' for all.")
@click.option("--remote-filter", metavar="FILTER", help="Which remote records; '' for all.")
@click.option("--only-coupled/--not-only-coupled", default=None, help="Whether only coupled records are synchronised.")
@click.option("--enabled/--disabled", default=None, help="Whether it is synchronised at all.")
@click.option("--update-conflict", type=click.Choice(_UPDATE_CONFLICTS), help="If both sides changed a field.")
@click.option("--deletion-conflict", type=click.Choice(_DELETION_CONFLICTS), help="If a record was deleted.")
@click.option(
    "--synchronise-after-match/--no-synchronise-after-match", default=None, help="After match-based coupling."
)
@click.option("--create-if-no-match/--no-create-if-no-match", default=None, help="In match-based coupling.")
@_dry_run
def set_(mapping: str, dry_run: bool, **given: Any) -> None:
    """Change MAPPING; the next synchronisation looks at every record that the change touches."""
    _change(mapping, {name: value for name, value in given.items() if value is not None}, dry_run)


@mapping_.command("set-field")
@click.argument("mapping")
@click.argument("field")
@click.option("--enabled/--disabled", default=None, help="Whether values go through it.")
@click.option("--direction", type=_DIRECTIONS, help="The way in which values go.")
@click.option("--constant", metavar="VALUE", help="What is written instead of a field's value.")
@click.option("--not-null/--no-not-null", default=None, help="Whether a blank overwrites nothing; for ids only.")
@click.option(
    "--clear-value-on-failed-sync/--no-clear-value-on-failed-sync",
    default=None,
    help="Whether a field that refers to a record that is not coupled is cleared meanwhile.",
)
@click.option("--match-priority", type=int, help="The group of criteria in which records are matched on it.")
@click.option("--no-match", is_flag=True, help="Records are not matched on it.")
@click.option("--case-sensitive-match/--no-case-sensitive-match", default=None, help="When records are matched.")
@click.option("--update-conflict", type=click.Choice([*_UPDATE_CONFLICTS, "mapping"]), help="mapping: as its mapping.")
@click.option("--to-remote", multiple=True, metavar="RULE", help="A transformation rule for values to the remote side.")
@click.option("--to-local", multiple=True, metavar="RULE", help="A transformation rule for values to the local side.")
@click.option("--no-rules", is_flag=True, help="Take all transformation rules away.")
@_dry_run
def set_field(
    mapping: str, field: str, no_match: bool, update_conflict: str | None, no_rules: bool, dry_run: bool, **given: Any
) -> None:
    """Change the field mapping FIELD of MAPPING: named by label, either field, or LOCAL/REMOTE.

    A RULE is a kind with its parameters, such as uppercase or 'substring start=4 length=3'; rules given one after the
    other follow one another, and replace those of that direction. A wrong kind is answered with those there are.
    """
    from crosstie.model.transformations import read_rule

    for name in ("to_remote", "to_local"):
        texts = given.pop(name)
        given[f"transform_{name}"] = tuple(map(read_rule, texts)) if texts or no_rules else None
    changes = {name: value for name, value in given.items() if value is not None}
    if no_match:
        changes["match_priority"] = None
    if update_conflict is not None:
        changes["conflict_resolution"] = None if update_conflict == "mapping" else update_conflict
    _change(mapping, {"fields": {field: changes}} if changes else {}, dry_run)


def _change(mapping: str, given: dict[str, Any], dry_run: bool) -> None:
    import msgspec

    from crosstie.app.mappings import change_mapping
    from crosstie.app.people.acting import command_line
    from crosstie.model.mapping_changes import MappingChanges

    if not given:
        raise click.UsageError("Say what to change; --help lists it.")
    changes = msgspec.convert(given, MappingChanges)

    async def work(session: "Session") -> "ChangedMapping":
        return await change_mapping(session, command_line(), mapping, changes, dry_run=dry_run)

    done = in_session(work)
    if answered_in_json(done):
        return
    for each in done.changes:
        place = f"{each.field}: " if each.field else ""
        say(f"{safe(place)}{words_of(each.setting)}: {_told(each.before)} -> {_told(each.after)}")
    for warning in done.warnings:
        say(f"Note: {safe(warning)}")
    if not done.changes:
        say("Nothing changes: it is like that already.")
    else:
        say("Nothing was stored (dry run)." if dry_run else "Saved.")


def _told(value: object) -> str:
    if isinstance(value, tuple):
        return _rules(value) or "none"
    return _yes(value) if isinstance(value, bool) else "none" if value is None else safe(value)


def _row(view: "MappingView") -> tuple[object, ...]:
    notes = [
        words for words, holds in (("disabled", not view.enabled), ("creates partners", not view.only_coupled)) if holds
    ]
    return (
        view.name,
        view.local_table,
        _ARROWS.get(view.direction, view.direction),
        view.remote_table,
        f"{view.couplings:,}",
        f"{view.problems:,}",
        ", ".join(notes),
    )


def _print_card(view: "MappingView") -> None:
    lines = (
        ("Name", f"{view.name}  {view.label}" if view.label and view.label != view.name else view.name),
        ("Local table", view.local_table),
        ("Local filter", view.local_filter or "none"),
        ("Direction", words_of(view.direction)),
        ("Remote table", view.remote_table),
        ("Remote filter", view.remote_filter or "none"),
        ("Synchronise only coupled records", _yes(view.only_coupled)),
        ("If both sides changed a field", view.update_conflict),
        ("If a record was deleted", view.deletion_conflict),
        ("Synchronise after matching", _yes(view.synchronise_after_match)),
        ("Create what has no match", _yes(view.create_if_no_match)),
        ("After", ", ".join(view.depends_on) or "none"),
        ("Enabled", _yes(view.enabled)),
        ("Couplings", f"{view.couplings:,}"),
        ("Open problems", f"{view.problems:,}"),
        ("Field mappings", f"{len(view.fields)}: see `crosstie mapping fields {view.name}`"),
    )
    width = max(len(title) for title, _ in lines)
    for title, value in lines:
        say(f"{title.ljust(width)}  {safe(value)}")


def _field_row(field: "FieldMappingView") -> tuple[object, ...]:
    notes = [
        words
        for words, holds in (
            ("disabled", not field.enabled),
            (f"constant {value_text(field.constant)}", field.constant is not None),
            (f"lookup {field.lookup}", field.lookup is not None),
            (f"rule {field.rule}", field.rule is not None),
            (f"match group {field.match_priority}", field.match_priority is not None),
            ("case-sensitive match", field.case_sensitive_match),
            (f"to remote: {_rules(field.transform_to_remote)}", bool(field.transform_to_remote)),
            (f"to local: {_rules(field.transform_to_local)}", bool(field.transform_to_local)),
            ("on create only", field.create_only),
            ("not blank", field.not_null),
            ("cleared on failure", field.clear_value_on_failed_sync),
        )
        if holds
    ]
    arrow = _ARROWS.get(field.direction, field.direction)
    return field.label, field.local_field, arrow, field.remote_field, ", ".join(notes)


def _rules(rules: "Sequence[Rule]") -> str:
    from crosstie.model.transformations import rule_text

    return ", then ".join(map(rule_text, rules))


def _yes(holds: bool) -> str:
    return "yes" if holds else "no"
