"""Conditions in the words of the Web API (wire-dataverse section 4).

What it has no words for (other functions, lists of no constants, its wildcards aside) is evaluated on our side.
"""

from datetime import date, datetime
from decimal import Decimal

from crosstie.model.conditions import (
    Comparison,
    Condition,
    Constant,
    Every,
    FieldOperand,
    Membership,
    Negation,
    Operator,
    Some,
    Test,
    TextTest,
)
from crosstie.model.schema import FieldType
from crosstie.model.values import Scalar
from crosstie.systems.dataverse.metadata import Table
from crosstie.systems.encoding import date_literal, datetime_literal, number_literal, text_literal
from crosstie.systems.querying import CannotSay

_WILDCARDS = str.maketrans({"%": "[%]", "_": "[_]", "[": "[[]"})


def wire_text(condition: Condition, table: Table) -> str:
    """Return the condition for `$filter`. Raises CannotSay."""
    match condition:
        case Every(parts):
            return " and ".join(_nested(part, table) for part in parts)
        case Some(parts):
            return " or ".join(_nested(part, table) for part in parts)
        case Negation(part):
            return f"not ({wire_text(part, table)})"
        case Membership(operand, values):
            alternatives = [Comparison(Operator.EQUAL, operand, Constant(value)) for value in values]
            return _nested(Some(tuple(alternatives)), table)
        case TextTest():
            return _text_test(condition, table)
        case Comparison():
            return _comparison(condition, table)


def _nested(part: Condition, table: Table) -> str:
    text = wire_text(part, table)
    return f"({text})" if isinstance(part, Every | Some) else text


def _text_test(condition: TextTest, table: Table) -> str:
    match condition:
        case TextTest(test, FieldOperand(name), Constant(str(text))) if text:
            return f"{test.value}({_name(name, table)},{text_literal(text.translate(_WILDCARDS))})"
    raise CannotSay(Test.CONTAINS)


def _comparison(condition: Comparison, table: Table) -> str:
    match condition:
        case Comparison(operator, FieldOperand(name), Constant(value)) if name in table.companions:
            return _points_at(operator, table.companions[name], value, table)
        case Comparison(operator, FieldOperand(name), Constant(value)):
            return f"{_name(name, table)} {operator.value} {literal(value, table.schema.fields[name].type)}"
        case Comparison(operator, FieldOperand(name), FieldOperand(other)):
            return f"{_name(name, table)} {operator.value} {_name(other, table)}"
    raise CannotSay(condition.operator)


def _points_at(operator: Operator, lookup: str, target: Scalar, table: Table) -> str:
    """Say that a lookup does or does not point at a table: there is a record at the end of that way, or none."""
    if target is None:
        return f"_{lookup}_value {operator.value} null"
    if operator is not Operator.EQUAL:
        # A lookup that is empty points at no other table either, which the Web API cannot say in one condition.
        raise CannotSay(lookup)
    field = table.lookups[lookup]
    if field.owner:
        return f"_owning{'team' if target == 'team' else 'user'}_value ne null"
    return f"{field.navigation[str(target)]}/{field.addresses[str(target)].key} ne null"


def _name(name: str, table: Table) -> str:
    if name in table.companions:
        raise CannotSay(name)
    return f"_{name}_value" if name in table.lookups else name


def literal(value: Scalar, kind: FieldType) -> str:
    """Return a canonical value as the Web API spells it in filters."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | Decimal():
            return number_literal(value)
        case datetime():
            return datetime_literal(value, 0)
        case date():
            return date_literal(value)
        case _ if kind in (FieldType.GUID, FieldType.LOOKUP):
            return value
        case _:
            return text_literal(value)
