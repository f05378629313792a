"""Conditions in the words of Business Central (wire-businesscentral section 4).

It knows no `not`, no `in`, no `or` across fields, and compares a field with values only; the rest is evaluated on
our side. Before schema version 2.1 an unknown operator may be passed over in silence, so none is tried.
"""

import re
from datetime import date, datetime
from decimal import Decimal

from crosstie.model.conditions import (
    OPPOSITE,
    Comparison,
    Condition,
    Constant,
    Every,
    FieldOperand,
    Membership,
    Negation,
    Operator,
    Some,
    TextTest,
    fields_of,
)
from crosstie.model.schema import FieldType
from crosstie.model.values import Scalar
from crosstie.systems.business_central.tables import Table
from crosstie.systems.encoding import number_literal, text_literal
from crosstie.systems.querying import CannotSay

_LIVE = re.compile(r"[*?@&|<>=()\"%]")
"""Characters that mean something in the filters that the server makes of contains and its kin."""


def wire_text(condition: Condition, table: Table) -> str:
    """Return the condition for `$filter`. Raises CannotSay."""
    match condition:
        case Every(parts):
            return " and ".join(_nested(part, table) for part in parts)
        case Some(parts):
            if len(fields_of(condition)) != 1:
                raise CannotSay("or")
            return " or ".join(_nested(part, table) for part in parts)
        case Negation(part):
            return _nested(_opposite(part), table)
        case Membership(operand, values):
            return _nested(Some(tuple(Comparison(Operator.EQUAL, operand, Constant(value)) for value in values)), table)
        case TextTest(test, FieldOperand(name), Constant(str(text))) if text and not _LIVE.search(text):
            return f"{test.value}({name},{text_literal(text)})"
        case Comparison(operator, FieldOperand(name), Constant(value)):
            return f"{name} {operator.value} {literal(name, value, table)}"
    raise CannotSay(type(condition).__name__)


def _nested(part: Condition, table: Table) -> str:
    text = wire_text(part, table)
    return f"({text})" if isinstance(part, Every | Some) else text


def _opposite(condition: Condition) -> Condition:
    match condition:
        case Every(parts):
            return Some(tuple(_opposite(part) for part in parts))
        case Some(parts):
            return Every(tuple(_opposite(part) for part in parts))
        case Negation(part):
            return part
        case Membership(operand, values):
            return Every(tuple(Comparison(Operator.NOT_EQUAL, operand, Constant(value)) for value in values))
        case Comparison(operator, left, right):
            return Comparison(OPPOSITE[operator], left, right)
        case TextTest():
            raise CannotSay("not")


def literal(name: str, value: Scalar, table: Table) -> str:
    """Return a canonical value as filters spell it."""
    spelled = table.spelled(name, value)
    match spelled:
        case bool():
            return "true" if spelled else "false"
        case int() | Decimal():
            return number_literal(spelled)
        case date() | datetime():
            return str(spelled)
    kind = table.schema.fields[name].type
    bare = kind in (FieldType.GUID, FieldType.LOOKUP, FieldType.DATE, FieldType.DATETIME)
    return str(spelled) if bare else text_literal(str(spelled))
