"""Transforming: the transformation rules of a field mapping as a conversion (engine section 8).

A rule sees the value as text, an option by its label. What comes out is read as the other field reads a text. Nothing
but that field is touched, and only in the direction that the rules are for (engine rules F-30 and F-31, W-19).
"""

from collections.abc import Sequence
from typing import Final

from crosstie.engine.converting import Convert, Unfit, as_text, blank, converter
from crosstie.model.errors import InvalidOption
from crosstie.model.mappings import FieldMapping
from crosstie.model.schema import FieldSchema, FieldType
from crosstie.model.transformations import MOST_RULES, Rule, check_rule, transformed
from crosstie.model.values import Scalar

_TEXT: Final = FieldSchema(name="", type=FieldType.TEXT)


def transforming(rules: Sequence[Rule], source: FieldSchema, destination: FieldSchema) -> Convert:
    """Return what turns values of `source`, other than a blank, into values of `destination` by way of rules.

    It raises Unfit for a value that a rule cannot take or that does not fit afterwards.
    """
    then, empty = converter(_TEXT, destination), blank(destination)
    options = source.options if source.type is FieldType.CHOICE else {}

    def convert(value: Scalar) -> Scalar:
        text = as_text(value)
        try:
            text = transformed(rules, options.get(text, text))
        except ValueError as error:
            called = destination.label or destination.name
            raise Unfit("unreadable-value", f"{error}, as a transformation rule for {called} needs it.") from error
        if not text:
            return empty
        return text if then is None else then(text)

    return convert


def what_is_wrong(row: FieldMapping) -> str:
    """Return why a field mapping cannot have its transformation rules, empty if it can."""
    both = (row.transform_to_remote, row.transform_to_local)
    if not any(both):
        return ""
    if row.rule is not None or row.lookup is not None or row.constant is not None:
        return (
            "transformation rules are for plain fields, not for constants, lookups and fields with a rule of their own"
        )
    if max(map(len, both)) > MOST_RULES:
        return f"it has more than {MOST_RULES} transformation rules"
    try:
        for rule in (*row.transform_to_remote, *row.transform_to_local):
            check_rule(rule)
    except InvalidOption as error:
        return error.words.rstrip(".")
    return ""
