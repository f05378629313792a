"""`mapping filter`: which records a mapping is about, put together from rows."""

from typing import TYPE_CHECKING, Any

import click

from crosstie.cli.invocation import Command, answered_in_json, in_session
from crosstie.cli.terminal import print_table, safe, say

if TYPE_CHECKING:
    from crosstie.app.filtering import FilterField, FilterPreview, SideFilter
    from crosstie.app.session import Session
    from crosstie.model.filter_rows import FilterRow

_SIDES = ("local", "remote")
_BETWEEN = "|"
_ROW: dict[str, Any] = {"nargs": 3, "multiple": True, "metavar": "FIELD OPERATOR VALUE"}


@click.command("filter", cls=Command)
@click.argument("mapping")
@click.option("--local", **_ROW, help="A row of the local filter; all rows must hold. It replaces the filter.")
@click.option("--remote", **_ROW, help="A row of the remote filter.")
@click.option("--fields", type=click.Choice(_SIDES), help="List the fields of a side and what they can be asked for.")
@click.option("--dry-run", is_flag=True, help="Say what would be admitted and which couplings would leave.")
def filter_(
    mapping: str,
    local: tuple[tuple[str, str, str], ...],
    remote: tuple[tuple[str, str, str], ...],
    fields: str | None,
    dry_run: bool,
) -> None:
    """Show the filters of MAPPING with what they admit, or replace them by rows.

    A row names a field by name or caption, an operator such as is, contains or at_least, and a value: '' for the
    operators blank and not_blank, A|B for one_of. Filters as text, and none: `crosstie mapping set`.
    """
    if fields is not None:
        _list_fields(mapping, fields)
        return
    given = {side: rows for side, rows in zip(_SIDES, (local, remote), strict=True) if rows}

    async def work(session: "Session") -> "FilterPreview":
        from crosstie.app.filtering import preview_filters
        from crosstie.app.mappings import change_mapping
        from crosstie.app.people.acting import command_line
        from crosstie.model.mapping_changes import MappingChanges
        from crosstie.model.records import Side

        rows = {Side(side): [_row(*each) for each in typed] for side, typed in given.items()}
        found = await preview_filters(session, mapping, rows=rows)
        if found.changed and not dry_run:
            changes = MappingChanges(local_filter=found.local.text, remote_filter=found.remote.text)
            await change_mapping(session, command_line(), mapping, changes)
        return found

    found = in_session(work)
    if answered_in_json(found):
        return
    for name, side in zip(_SIDES, (found.local, found.remote), strict=True):
        _say_side(name, side)
    for words in found.words:
        say(safe(words))
    for each in found.leaving_first:
        say(f"  {safe(each.name)}")
    if given:
        done = "Nothing was stored (dry run)." if dry_run else "Saved."
        say(done if found.changed else "Nothing changes: it is like that already.")


def _row(field: str, operator: str, value: str) -> "FilterRow":
    from crosstie.model.errors import InvalidFilter
    from crosstie.model.filter_rows import FilterRow, RowOperator

    try:
        known = RowOperator(operator.strip().lower().replace("-", "_").replace(" ", "_"))
    except ValueError as error:
        raise InvalidFilter(
            f"{operator!r} is no operator for {field}; there are: {', '.join(RowOperator)}.", field=field
        ) from error
    if known is RowOperator.ONE_OF:
        return FilterRow(field, known, tuple(each.strip() for each in value.split(_BETWEEN)))
    return FilterRow(field, known, (value,) if value else ())


def _say_side(name: str, side: "SideFilter") -> None:
    figures = ""
    if side.matching is not None:
        figures = f" ({side.matching:,}{f' of {side.total:,}' if side.total is not None else ''})"
    say(f"{name.capitalize().ljust(6)} {safe(side.table)}: {safe(side.words)}{figures}")
    if side.text:
        say(f"       {safe(side.text)}")


def _list_fields(mapping: str, side: str) -> None:
    async def work(session: "Session") -> "list[FilterField]":
        from crosstie.app.filtering import filter_fields
        from crosstie.model.records import Side

        return await filter_fields(session, mapping, Side(side))

    found = in_session(work)
    if not answered_in_json({"fields": found}):
        print_table(
            ("Field", "Name", "Type", "Operators", "Options"),
            [
                (each.label, each.name, each.type, ", ".join(each.operators), ", ".join(each.options.values()))
                for each in found
            ],
        )
