"""What holds for every rule."""

import pytest

from crosstie.model.records import Side
from crosstie.rules import all_rules
from crosstie.rules.base import FieldRule
from crosstie.rules.reading import MOST_ALTERNATIVES, any_of, quoted
from tests.unit.rules.world import World, row

RULES = all_rules()


def test_names_are_unique() -> None:
    names = [rule.name for rule in RULES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@pytest.mark.parametrize("side", list(Side))
async def test_without_records_nothing_is_asked(rule: FieldRule, side: Side) -> None:
    world = World()
    await rule.prepare(row("code", "name"), [], side, world)
    assert (world.requests, world.queries) == (0, 0)


def test_filters_are_cut_so_that_addresses_stay_short() -> None:
    values = [f"{n:03}" for n in range(MOST_ALTERNATIVES * 2 + 1)]
    parts = list(any_of("code", values))
    assert len(parts) == 3
    assert parts[2] == "(code eq '100')"


def test_quotes_are_doubled() -> None:
    assert quoted("O'Hara") == "'O''Hara'"
    assert list(any_of("code", ["O'X", "A", "A"])) == ["(code eq 'A' or code eq 'O''X')"]
