"""The filter builder: rows of a filter as a form shows them, and what comes back of the form. Pure.

Beside the rows the form carries the text from which they were made. Whichever of rows and text was changed against it
counts; if both were, the text.
"""

from collections.abc import Mapping, Sequence

import msgspec

from crosstie.app.filtering import FilterField
from crosstie.model.filter_rows import WITHOUT_VALUE, FilterRow, RowOperator
from crosstie.model.schema import FieldType

MOST_ROWS = 20
BETWEEN = "|"
"""Stands between the values of one row, as in Business Central's filters."""
BLANK = " "
"""The value of the tick that means a blank."""
OPERATORS = {
    RowOperator.IS: "is",
    RowOperator.IS_NOT: "is not",
    RowOperator.ONE_OF: "is one of",
    RowOperator.BLANK: "is blank",
    RowOperator.NOT_BLANK: "is not blank",
    RowOperator.CONTAINS: "contains",
    RowOperator.STARTS_WITH: "starts with",
    RowOperator.ENDS_WITH: "ends with",
    RowOperator.MORE: "is more than",
    RowOperator.AT_LEAST: "is at least",
    RowOperator.LESS: "is less than",
    RowOperator.AT_MOST: "is at most",
}
_HINTS = {FieldType.DATE.value: "2026-12-31", FieldType.DATETIME.value: "2026-12-31T14:00:00Z"}


class RowForm(msgspec.Struct, frozen=True, kw_only=True):
    """A row as the form shows it; `field` is empty until one is chosen. `at` is its number, which it keeps."""

    at: int
    field: str = ""
    operator: str = ""
    value: str = ""
    ticked: tuple[str, ...] = ()
    operators: tuple[RowOperator, ...] = ()
    options: dict[str, str] = {}
    hint: str = ""

    @property
    def takes(self) -> str:
        """Return by what its value is given: nothing, "select", "ticks" or "text"."""
        if not self.field or self.operator in WITHOUT_VALUE:
            return ""
        if not self.options:
            return "text"
        return "ticks" if self.operator == RowOperator.ONE_OF else "select"

    @property
    def finished(self) -> bool:
        """Whether field and value are there."""
        return bool(self.field) and (not self.takes or bool(self.row.values and self.row.values != ("",)))

    @property
    def row(self) -> FilterRow:
        """Return the row; of one that is not finished, one that is refused with what is missing."""
        operator, takes = RowOperator(self.operator), self.takes
        if not takes:
            return FilterRow(self.field, operator)
        if takes == "ticks":
            return FilterRow(self.field, operator, tuple("" if each == BLANK else each for each in self.ticked))
        if operator is RowOperator.ONE_OF:
            values = tuple(each.strip() for each in self.value.split(BETWEEN)) if self.value.strip() else ()
            return FilterRow(self.field, operator, values)
        return FilterRow(self.field, operator, (self.value if self.value.strip() else "",))


def forms_of(rows: Sequence[FilterRow] | None, fields: Sequence[FilterField]) -> list[RowForm] | None:
    """Return the rows of a filter for the form; None where it takes text."""
    if rows is None or len(rows) > MOST_ROWS:
        return None
    by_name = {field.name: field for field in fields}
    found = []
    for at, row in enumerate(rows):
        form = form_of(at, row.field, row.operator, BETWEEN.join(row.values), row.values, by_name)
        if form.row != row:
            return None
        found.append(form)
    return found


def typed_rows(
    given: Mapping[str, str], ticked: Mapping[int, Sequence[str]], prefix: str, fields: Sequence[FilterField]
) -> list[RowForm]:
    """Return the rows that a form brings along, in their order, finished or not."""
    by_name = {field.name: field for field in fields}
    return [
        form_of(
            at,
            given[f"{prefix}-{at}-field"],
            given[f"{prefix}-{at}-operator"],
            given[f"{prefix}-{at}-value"],
            ticked.get(at, ()),
            by_name,
        )
        for at in range(MOST_ROWS)
        if given[f"{prefix}-{at}-there"]
    ]


def with_another(rows: Sequence[RowForm]) -> list[RowForm]:
    """Return the rows and an empty one, if the form takes one more."""
    taken = {row.at for row in rows}
    free = [at for at in range(MOST_ROWS) if at not in taken]
    behind = [at for at in free if at > max(taken, default=-1)]
    return sorted([*rows, *(RowForm(at=at) for at in (behind or free)[:1])], key=lambda row: row.at)


def form_of(
    at: int, field: str, operator: str, value: str, ticked: Sequence[str], fields: Mapping[str, FilterField]
) -> RowForm:
    """Return a row with what its field offers; an operator or an option that the field does not have is put aside."""
    found = fields.get(field)
    if found is None:
        return RowForm(at=at)
    options = {"yes": "Yes", "no": "No"} if found.type == FieldType.BOOLEAN.value else found.options
    if options and value not in options:
        value = ""
    return RowForm(
        at=at,
        field=field,
        operator=operator if operator in found.operators else found.operators[0].value,
        value=value,
        ticked=tuple(each or BLANK for each in ticked if not each.strip() or each in options),
        operators=found.operators,
        options=options,
        hint=_HINTS.get(found.type, ""),
    )


def names_of(prefix: str) -> dict[str, int]:
    """Return the fields that a side's rows have in the form, with their greatest length."""
    parts = {"there": 1, "field": 200, "operator": 20, "value": 500}
    return {f"{prefix}-{at}-{part}": most for at in range(MOST_ROWS) for part, most in parts.items()}
