"""`mapping`: listing, showing and restoring integration table mappings."""

from typing import TYPE_CHECKING

import click

from crosstie.cli.invocation import Group, answered_in_json, in_session, opened_home
from crosstie.cli.terminal import Column, print_table, safe, say, value_text, words_of

if TYPE_CHECKING:
    from crosstie.app.session import Session
    from crosstie.app.views import FieldMappingView, MappingView

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

    async def work(session: "Session") -> list[str]:
        return await reset_mappings(session, mappings, ownership=ownership, custom_pages=custom_pages)

    names = in_session(work)
    if not answered_in_json({"mappings": names}):
        say(f"Restored: {', '.join(names)}.")


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
            ("on create only", field.create_only),
            ("not blank", field.not_null),
            ("cleared on failure", field.clear_value_on_failed_sync),
        )
        if holds
    ]
    arrow = _ARROWS.get(field.direction, field.direction)
    return field.label, field.local_field, arrow, field.remote_field, ", ".join(notes)


def _yes(holds: bool) -> str:
    return "yes" if holds else "no"
