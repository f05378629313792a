"""What takes back what a job has done: entries folded by record, and values put back only where untouched."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from crosstie.engine.undo import Done, fold, made_anew, put_back, untouched
from crosstie.model.jobs import FieldChange, JournalEntry, Outcome
from crosstie.model.records import Side
from crosstie.model.schema import FieldType
from tests.unit.engine.pairs import field, table

AT = datetime(2026, 1, 1, tzinfo=UTC)
INSERTED, MODIFIED, DELETED = Outcome.INSERTED, Outcome.MODIFIED, Outcome.DELETED
TABLE = table(
    "account",
    field("name"),
    field("phone"),
    field("limit", FieldType.DECIMAL, scale=2, nullable=False),
    field("since", FieldType.DATE),
    field("parent", FieldType.LOOKUP, targets=("account", "contact")),
    field("stamp", updatable=False, creatable=False),
)


def entries(*steps: tuple[Outcome, dict[str, tuple[Any, Any]]], side: Side | None = Side.REMOTE) -> list[JournalEntry]:
    """Entries on one record, newest first; the steps are given oldest first."""
    made = [
        JournalEntry(
            id=number,
            job_id=1,
            mapping="CUSTOMER",
            coupling_id=7,
            local_id="L",
            remote_id="R",
            name="10000 Adatum",
            side=side,
            outcome=outcome,
            changes=tuple(FieldChange(field=name, before=b, after=a) for name, (b, a) in changes.items()),
            at=AT + timedelta(seconds=number),
        )
        for number, (outcome, changes) in enumerate(steps)
    ]
    return made[::-1]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([(MODIFIED, {"name": ("a", "b")})], (MODIFIED, {"name": ("a", "b")})),
        (
            [(MODIFIED, {"name": ("a", "b")}), (MODIFIED, {"name": ("b", "c"), "phone": (None, "1")})],
            (MODIFIED, {"name": ("a", "c"), "phone": (None, "1")}),
        ),
        (
            [(INSERTED, {"name": (None, "a")}), (MODIFIED, {"name": ("a", "b")})],
            (INSERTED, {"name": (None, "b")}),
        ),
        (
            [(MODIFIED, {"name": ("a", "b")}), (DELETED, {"name": ("b", None), "phone": ("1", None)})],
            (DELETED, {"name": ("a", None), "phone": ("1", None)}),
        ),
        ([(INSERTED, {"name": (None, "a")}), (DELETED, {"name": ("a", None)})], None),
        (
            [(DELETED, {"name": ("a", None)}), (INSERTED, {"name": (None, "b")})],
            (MODIFIED, {"name": ("a", "b")}),
        ),
        ([(Outcome.FAILED, {}), (Outcome.SKIPPED, {})], None),
    ],
)
def test_steps_on_one_record_are_one(steps: list[Any], expected: tuple[Outcome, dict[str, Any]] | None) -> None:
    done, ties = fold(entries(*steps))
    assert ties == []
    assert [(each.outcome, each.changes) for each in done] == ([expected] if expected else [])
    if done:
        assert (done[0].side, done[0].id, done[0].partner_id()) == (Side.REMOTE, "R", "L")


@pytest.mark.parametrize(
    ("outcomes", "left"),
    [
        ([Outcome.COUPLED], [Outcome.COUPLED]),
        ([Outcome.UNCOUPLED], [Outcome.UNCOUPLED]),
        ([Outcome.COUPLED, Outcome.UNCOUPLED], []),
        ([Outcome.UNCOUPLED, Outcome.COUPLED, Outcome.UNCOUPLED], [Outcome.UNCOUPLED]),
    ],
)
def test_a_pair_is_coupled_or_uncoupled_in_the_end(outcomes: list[Outcome], left: list[Outcome]) -> None:
    done, ties = fold(entries(*((outcome, {}) for outcome in outcomes), side=None))
    assert done == []
    assert [each.outcome for each in ties] == left


def done(changes: dict[str, tuple[Any, Any]], outcome: Outcome = MODIFIED) -> Done:
    return fold(entries((outcome, changes)))[0][0]


@pytest.mark.parametrize(
    ("changes", "now", "values"),
    [
        ({"name": ("a", "b")}, {"name": "b"}, {"name": "a"}),
        ({"name": ("a", "b")}, {"name": "a"}, {}),
        ({"name": (None, "b"), "phone": ("1", None)}, {"name": "b", "phone": None}, {"name": None, "phone": "1"}),
        ({"name": ("a", "b"), "phone": ("1", "2")}, {"name": "a", "phone": "2"}, {"phone": "1"}),
        ({"limit": (0, 10)}, {"limit": Decimal("10.00")}, {"limit": Decimal("0.00")}),
        ({"since": ("2026-01-01", "2026-02-01")}, {"since": datetime(2026, 2, 1).date()}, {"since": AT.date()}),
        ({"parent": ("p1", "account:p2")}, {"parent": "p2"}, {"parent": "p1"}),
    ],
)
def test_values_that_are_as_the_job_left_them_are_put_back(
    changes: dict[str, Any], now: dict[str, Any], values: dict[str, Any]
) -> None:
    found = put_back(TABLE, done(changes), now, {"phone": "Telephone"})
    assert (found.values, found.words) == (values, "")


@pytest.mark.parametrize(
    ("changes", "now", "words"),
    [
        ({"name": ("a", "b")}, {"name": "c"}, "It was changed since: name is 'c' by now."),
        ({"name": ("a", "b"), "phone": ("1", "2")}, {"name": "b", "phone": None}, "Telephone is '' by now"),
        ({"fax": ("1", "2")}, {}, "no longer has the field fax"),
        ({"stamp": ("1", "2")}, {"stamp": "2"}, "stamp cannot be written any more"),
    ],
)
def test_a_record_of_which_one_field_was_touched_is_left_whole(
    changes: dict[str, Any], now: dict[str, Any], words: str
) -> None:
    found = put_back(TABLE, done(changes), now, {"phone": "Telephone"})
    assert found.values == {}
    assert words in found.words


def test_what_was_created_is_untouched_while_it_holds_what_was_written() -> None:
    made = done({"name": (None, "a"), "limit": (None, 5)}, INSERTED)
    assert untouched(TABLE, made, {"name": "a", "limit": Decimal(5), "phone": "somebody's"}, {}) == ""
    assert untouched(TABLE, made, {"name": "b", "limit": Decimal(5)}, {}) == (
        "It was changed since it was created: name is 'b' by now."
    )


def test_a_record_is_made_anew_from_what_it_held_as_far_as_that_can_be_written() -> None:
    gone = done({"id": ("R", None), "name": ("a", None), "limit": (5, None), "stamp": ("x", None)}, DELETED)
    assert made_anew(TABLE, gone) == {"name": "a", "limit": Decimal("5.00")}
