"""Winners: for single fields of two records that are being coupled, whose value both get, or that both keep theirs.

What a person chooses is laid over what the way to synchronise says, stored with the coupling, and carried out right
after it (F02, B2).
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from crosstie.engine.compiling import CompiledField, CompiledMapping
from crosstie.model.decisions import Preference
from crosstie.model.errors import InvalidOption
from crosstie.model.mapping_changes import field_named
from crosstie.model.records import Side

_SIDES = {Preference.SEND: Side.LOCAL, Preference.GET: Side.REMOTE}


class Winner(StrEnum):
    """Whose value of a field both records get."""

    LOCAL = "local"
    REMOTE = "remote"
    LEAVE = "leave"
    """Neither is written; the two differ until somebody edits one."""


def preference_of(winner: Winner) -> Preference | None:
    """Return the preference under which a field comes out as chosen; None if it is left as it is."""
    return {Winner.LOCAL: Preference.SEND, Winner.REMOTE: Preference.GET}.get(winner)


def read_winners(choices: Iterable[tuple[str, str]]) -> dict[str, Winner]:
    """Return what was chosen, by field. Raises InvalidOption for what is no side, and for a field with two."""
    found: dict[str, Winner] = {}
    for name, text in choices:
        name, text = name.strip(), text.strip()
        if text not in set(Winner) or not name:
            raise InvalidOption(
                f"{name}={text} is no choice for a field.", next_step="Choose local, remote or leave: FIELD=local."
            )
        winner = Winner(text)
        if found.setdefault(name, winner) is not winner:
            raise InvalidOption(f"Two sides are chosen for {name}.", next_step="Choose one.")
    return found


def by_position(compiled: CompiledMapping, winners: Mapping[str, Winner]) -> dict[int, Winner]:
    """Return what was chosen by the place of the field in the compiled mapping.

    Raises UnknownField, and InvalidOption for a field that is disabled or does not flow from the side chosen.
    """
    found: dict[int, Winner] = {}
    for name, winner in winners.items():
        row = compiled.mapping.fields[field_named(compiled.mapping, name)]
        field = next((each for each in compiled.fields if each.mapping is row), None)
        if field is None:
            raise InvalidOption(f"The field mapping of {row.label or row.name} is disabled.", field=row.name)
        _check_flow(field, winner)
        found[field.position] = winner
    return found


def _check_flow(field: CompiledField, winner: Winner) -> None:
    if winner is not Winner.LEAVE and not field.reaches(Side(winner.value).other):
        raise InvalidOption(
            f"{field.label} flows from the {Side(winner.value).other} side only: the {winner} value cannot be chosen.",
            next_step=f"Choose {Side(winner.value).other} or leave.",
            field=field.name,
        )


def sides_chosen(
    compiled: CompiledMapping, preference: Preference | None, winners: Mapping[int, Winner]
) -> dict[str, Side]:
    """Return the side whose value both records are to get, by field; fields of which both keep theirs are left out.

    `preference` is the way to synchronise, None for none; `winners` go before it.
    """
    found: dict[str, Side] = {}
    for field in compiled.fields:
        way = preference_of(winners[field.position]) if field.position in winners else preference
        side = _SIDES.get(way) if way is not None else None
        if side is not None and field.reaches(side.other):
            found[field.name] = side
    return found
