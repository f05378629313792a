"""Transformation rules on the way from one field to the other: per field, per direction, and with findings."""

import pytest

from crosstie.engine.transfer import transfer
from crosstie.model.errors import InvalidMapping
from crosstie.model.mappings import Lookup
from crosstie.model.records import Side
from crosstie.model.schema import FieldType
from crosstie.model.transformations import Rule, RuleKind, read_rule
from tests.unit.engine.pairs import NOTHING, TO_REMOTE, compiled, field, record, row, table


def rules(*texts: str) -> tuple[Rule, ...]:
    return tuple(map(read_rule, texts))


def test_each_direction_has_its_own_rules_and_other_fields_are_left_alone() -> None:
    """Two field mappings that read one field: only the one with the rule sees it transformed (W-19)."""
    things = compiled(
        [
            row("a", "x", transform_to_remote=rules("trim", "uppercase"), transform_to_local=rules("lowercase")),
            row("a", "y", TO_REMOTE),
        ]
    )
    source = record("1", {"a": " ab "})
    assert transfer(things, source, Side.LOCAL, NOTHING, creating=False).values == {0: "AB", 1: " ab "}
    assert source.values == {"a": " ab "}, "the record itself stays as it was read"
    assert transfer(things, record("2", {"x": "AB"}), Side.REMOTE, NOTHING, creating=False).values == {0: "ab"}


@pytest.mark.parametrize(
    ("rule", "kind", "value", "result"),
    [
        ("date format=dd.MM.yyyy", {"type": FieldType.DATE}, "31.12.2026", "2026-12-31"),
        ("decimal point=,", {"type": FieldType.DECIMAL, "scale": 2}, "1.234,50", "1234.50"),
        ("regex_match find=\\d+", {"type": FieldType.INTEGER}, "No. 17", "17"),
        ("replace find=A", {}, "A", "None"),
        ("substring length=3", {"type": FieldType.CODE, "max_length": 3}, "abcdef", "ABC"),
        ("uppercase", {}, None, "None"),
    ],
)
def test_what_a_rule_leaves_is_read_as_the_other_field_reads_a_text(
    rule: str, kind: dict[str, object], value: str | None, result: str
) -> None:
    things = compiled([row("a", "x", transform_to_remote=rules(rule))], remote=table("thing", field("x", **kind)))
    found = transfer(things, record("1", {"a": value}), Side.LOCAL, NOTHING, creating=False)
    assert (str(found.values[0]), found.holds) == (result, {})


def test_a_value_that_a_rule_cannot_take_holds_the_field_and_is_named() -> None:
    things = compiled([row("a", "x", transform_to_remote=rules("round precision=1"))])
    found = transfer(things, record("1", {"a": "much"}), Side.LOCAL, NOTHING, creating=False)
    assert found.holds[0].code == "unreadable-value"
    assert "'much' is no number, as a transformation rule for" in found.holds[0].words


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"lookup": Lookup(mapping="M")}, "transformation rules are for plain fields"),
        ({"transform_to_local": rules("trim") * 11}, "more than 10 transformation rules"),
        ({"transform_to_local": (Rule(kind=RuleKind.REPLACE),)}, "replace needs the parameter find"),
    ],
)
def test_rules_that_cannot_be_are_refused_with_the_mapping(more: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidMapping, match=words):
        compiled([row("a", "x", **{"transform_to_remote": rules("trim"), **more})])
