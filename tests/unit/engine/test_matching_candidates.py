"""Who matches whom: reasons, fallback from group to group, ambiguity on either side."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crosstie.engine.candidates import MOST_NAMED, KeyRow, MatchReason, MatchRow, Named, match_records
from crosstie.model.records import Side

R = MatchReason


def rows(**values: Any) -> list[KeyRow]:
    """Records by id; a string stands for one criterion, `coupled` for a record that has a partner already."""
    found = []
    for id, given_values in values.items():
        parts = given_values if isinstance(given_values, tuple) else (given_values,)
        coupled = parts[-1] if parts and isinstance(parts[-1], Named) else None
        parts = tuple(part for part in parts if not isinstance(part, Named))
        found.append(KeyRow(Named(id), tuple(part or None for part in parts), coupled))
    return found


def outcome(found: list[MatchRow]) -> dict[str, tuple[MatchReason, int, list[str]]]:
    return {row.record.id: (row.reason, row.group, [each.id for each in row.candidates]) for row in found}


OTHER = Named("other")
CASES: dict[str, tuple[Any, Any, Any, Any]] = {
    "a unique pair is coupled": (
        [(0,)],
        {"l": "5"},
        {"r": "5"},
        {"l": (R.COUPLED, 1, ["r"]), "r": (R.COUPLED, 1, ["l"])},
    ),
    "nothing fits": ([(0,)], {"l": "5"}, {"r": "6"}, {"l": (R.NO_MATCH, 0, []), "r": (R.NO_MATCH, 0, [])}),
    "a blank fits nothing, not even a blank": (
        [(0,)],
        {"l": ""},
        {"r": ""},
        {"l": (R.BLANK_CRITERIA, 0, []), "r": (R.BLANK_CRITERIA, 0, [])},
    ),
    "several candidates": (
        [(0,)],
        {"l": "5"},
        {"r1": "5", "r2": "5"},
        {
            "l": (R.SEVERAL_CANDIDATES, 1, ["r1", "r2"]),
            "r1": (R.CLAIMED_BY_SEVERAL, 1, ["l"]),
            "r2": (R.CLAIMED_BY_SEVERAL, 1, ["l"]),
        },
    ),
    "several local records claim one": (
        [(0,)],
        {"l1": "5", "l2": "5"},
        {"r": "5"},
        {
            "l1": (R.CLAIMED_BY_SEVERAL, 1, ["r"]),
            "l2": (R.CLAIMED_BY_SEVERAL, 1, ["r"]),
            "r": (R.SEVERAL_CANDIDATES, 1, ["l1", "l2"]),
        },
    ),
    "a candidate that is coupled to another record": (
        [(0,)],
        {"l": "5"},
        {"r": ("5", OTHER)},
        {"l": (R.CANDIDATE_TAKEN, 1, ["r"]), "r": (R.ALREADY_COUPLED, 0, ["other"])},
    ),
    "a coupled record counts among the candidates": (
        [(0,)],
        {"l": "5"},
        {"r1": "5", "r2": ("5", OTHER)},
        {
            "l": (R.SEVERAL_CANDIDATES, 1, ["r1", "r2"]),
            "r1": (R.CLAIMED_BY_SEVERAL, 1, ["l"]),
            "r2": (R.ALREADY_COUPLED, 0, ["other"]),
        },
    ),
    "a coupled local record counts among those that claim": (
        [(0,)],
        {"l1": "5", "l2": ("5", OTHER)},
        {"r": "5"},
        {
            "l1": (R.CLAIMED_BY_SEVERAL, 1, ["r"]),
            "l2": (R.ALREADY_COUPLED, 0, ["other"]),
            "r": (R.SEVERAL_CANDIDATES, 1, ["l1", "l2"]),
        },
    ),
    "all fields of a group must be filled": (
        [(0, 1)],
        {"l": ("5", "")},
        {"r": ("5", "x")},
        {"l": (R.BLANK_CRITERIA, 0, []), "r": (R.NO_MATCH, 0, [])},
    ),
    "all fields of a group must be equal": (
        [(0, 1)],
        {"l1": ("5", "x"), "l2": ("5", "y")},
        {"r": ("5", "y")},
        {"l1": (R.NO_MATCH, 0, []), "l2": (R.COUPLED, 1, ["r"]), "r": (R.COUPLED, 1, ["l2"])},
    ),
    "a later group looks afresh where the earlier one found nothing": (
        [(0,), (1,)],
        {"l": ("5", "x")},
        {"r": ("6", "x")},
        {"l": (R.COUPLED, 2, ["r"]), "r": (R.COUPLED, 2, ["l"])},
    ),
    "a later group looks afresh where the earlier one was blank": (
        [(0,), (1,)],
        {"l": ("", "x")},
        {"r": ("6", "x")},
        {"l": (R.COUPLED, 2, ["r"]), "r": (R.COUPLED, 2, ["l"])},
    ),
    "a later group tells apart what the earlier one could not": (
        [(0,), (0, 1)],
        {"l1": ("5", "x"), "l2": ("5", "y")},
        {"r1": ("5", "y"), "r2": ("5", "x")},
        {
            "l1": (R.COUPLED, 2, ["r2"]),
            "l2": (R.COUPLED, 2, ["r1"]),
            "r1": (R.COUPLED, 2, ["l2"]),
            "r2": (R.COUPLED, 2, ["l1"]),
        },
    ),
    "what an earlier group coupled is taken in a later one": (
        [(0,), (1,)],
        {"l1": ("5", "x"), "l2": ("6", "z")},
        {"r": ("5", "z")},
        {"l1": (R.COUPLED, 1, ["r"]), "l2": (R.CANDIDATE_TAKEN, 2, ["r"]), "r": (R.COUPLED, 1, ["l1"])},
    ),
    "the first group that had candidates gives the reason": (
        [(0,), (1,)],
        {"l": ("5", "x")},
        {"r1": ("5", "a"), "r2": ("5", "b"), "r3": ("", "x"), "r4": ("", "x")},
        {
            "l": (R.SEVERAL_CANDIDATES, 1, ["r1", "r2"]),
            "r1": (R.CLAIMED_BY_SEVERAL, 1, ["l"]),
            "r2": (R.CLAIMED_BY_SEVERAL, 1, ["l"]),
            "r3": (R.CLAIMED_BY_SEVERAL, 2, ["l"]),
            "r4": (R.CLAIMED_BY_SEVERAL, 2, ["l"]),
        },
    ),
}


@pytest.mark.parametrize(("groups", "locals", "remotes", "expected"), CASES.values(), ids=CASES)
def test_every_record_gets_its_reason(groups: Any, locals: Any, remotes: Any, expected: Any) -> None:
    assert outcome(match_records(groups, rows(**locals), rows(**remotes))) == expected


def test_a_row_names_at_most_five_candidates_and_says_how_many_there_are() -> None:
    remotes = rows(**{f"r{n}": "5" for n in range(8)})
    local, *others = match_records([(0,)], rows(l="5"), remotes)
    assert ([each.id for each in local.candidates], local.found) == (["r0", "r1", "r2", "r3", "r4"], 8)
    assert ([each.id for each in others[7].rivals], others[7].found) == (["r0", "r1", "r2", "r3", "r4"], 7)
    assert [each.id for each in others[0].rivals] == ["r1", "r2", "r3", "r4", "r5"]


def test_a_taken_candidate_tells_whom_it_is_coupled_to() -> None:
    before, during = rows(r=("5", OTHER)), rows(r=("5", "z"))
    (row, *_) = match_records([(0,)], rows(l="5"), before)
    assert row.rivals == (OTHER,)
    found = match_records([(0,), (1,)], rows(l1=("5", "x"), l2=("6", "z")), during)
    assert [each.id for each in found[1].rivals] == ["l1"]


def test_only_chosen_records_are_matched_and_told_of_but_all_others_count() -> None:
    locals = rows(l1="5", l2="5", l3="6", l4="7")
    found = match_records([(0,)], locals, rows(r1="5", r2="6", r3="7"), chosen={"l1", "l3"})
    assert outcome(found) == {"l1": (R.CLAIMED_BY_SEVERAL, 1, ["r1"]), "l3": (R.COUPLED, 1, ["r2"])}


# --- against a plain reading of the rules, with all combinations ----------------------------------------------


class Plain:
    """The rules word by word, every record compared with every other."""

    def __init__(self, groups: list[tuple[int, ...]], locals: list[KeyRow], remotes: list[KeyRow]) -> None:
        self.sides = (locals, remotes)
        self.groups = groups
        self.partners: tuple[dict[int, Named], dict[int, Named]] = ({}, {})
        self.rows: tuple[dict[int, tuple[Any, ...]], dict[int, tuple[Any, ...]]] = ({}, {})

    def fits(self, one: KeyRow, other: KeyRow, group: tuple[int, ...]) -> bool:
        return all(one.values[at] is not None and one.values[at] == other.values[at] for at in group)

    def fitting(self, side: int, at: int, group: tuple[int, ...]) -> list[int]:
        row = self.sides[side][at]
        return [n for n, other in enumerate(self.sides[1 - side]) if self.fits(row, other, group)]

    def coupled(self, side: int, at: int) -> bool:
        return at in self.partners[side] or self.sides[side][at].coupled_to is not None

    def run(self) -> list[tuple[Any, ...]]:
        for number, group in enumerate(self.groups, 1):
            pairs = []
            for at in range(len(self.sides[0])):
                found = self.fitting(0, at, group)
                unique = len(found) == 1 and self.fitting(1, found[0], group) == [at]
                if unique and not self.coupled(0, at) and not self.coupled(1, found[0]):
                    pairs.append((at, found[0]))
            for at, other in pairs:
                self.partners[0][at], self.partners[1][other] = self.sides[1][other].record, self.sides[0][at].record
                self.rows[0][at] = (R.COUPLED, number, [self.partners[0][at].id], [], 1)
                self.rows[1][other] = (R.COUPLED, number, [self.partners[1][other].id], [], 1)
            for side in (0, 1):
                for at in range(len(self.sides[side])):
                    if not self.coupled(side, at) and at not in self.rows[side]:
                        self.fail(side, at, number, group)
        return [self.row(side, at) for side in (0, 1) for at in range(len(self.sides[side]))]

    def fail(self, side: int, at: int, number: int, group: tuple[int, ...]) -> None:
        mine, theirs = self.sides[side], self.sides[1 - side]
        found = self.fitting(side, at, group)
        if len(found) > 1:
            named = [theirs[n].record.id for n in found[:MOST_NAMED]]
            self.rows[side][at] = (R.SEVERAL_CANDIDATES, number, named, [], len(found))
        elif found and self.coupled(1 - side, found[0]):
            to = self.partners[1 - side].get(found[0]) or theirs[found[0]].coupled_to
            assert to is not None
            self.rows[side][at] = (R.CANDIDATE_TAKEN, number, [theirs[found[0]].record.id], [to.id], 1)
        elif found:
            rivals = [n for n in self.fitting(1 - side, found[0], group) if n != at]
            named = [mine[n].record.id for n in rivals[:MOST_NAMED]]
            self.rows[side][at] = (R.CLAIMED_BY_SEVERAL, number, [theirs[found[0]].record.id], named, len(rivals))

    def row(self, side: int, at: int) -> tuple[Any, ...]:
        row = self.sides[side][at]
        if row.coupled_to is not None:
            return (row.record.id, R.ALREADY_COUPLED, 0, [row.coupled_to.id], [], 1)
        blank = all(any(row.values[n] is None for n in group) for group in self.groups)
        return (row.record.id, *self.rows[side].get(at, (R.BLANK_CRITERIA if blank else R.NO_MATCH, 0, [], [], 0)))


def told(found: list[MatchRow]) -> list[tuple[Any, ...]]:
    return [
        (r.record.id, r.reason, r.group, [c.id for c in r.candidates], [c.id for c in r.rivals], r.found) for r in found
    ]


VALUES = st.tuples(*(st.sampled_from([None, "a", "b", "c"]) for _ in range(3)))
RECORDS = st.lists(st.tuples(VALUES, st.integers(0, 5)), max_size=9)
GROUPS = st.lists(
    st.lists(st.integers(0, 2), min_size=1, max_size=3, unique=True).map(tuple), min_size=1, max_size=3, unique=True
)


def some(prefix: str, drawn: list[tuple[tuple[str | None, ...], int]]) -> list[KeyRow]:
    return [
        KeyRow(Named(f"{prefix}{n}"), values, Named(f"x{n}") if luck == 0 else None)
        for n, (values, luck) in enumerate(drawn)
    ]


@settings(max_examples=300, deadline=None)
@given(groups=GROUPS, here=RECORDS, there=RECORDS)
def test_it_does_what_a_plain_reading_of_the_rules_does(groups: Any, here: Any, there: Any) -> None:
    locals, remotes = some("l", here), some("r", there)
    assert told(match_records(groups, locals, remotes)) == Plain(groups, locals, remotes).run()


@settings(max_examples=100, deadline=None)
@given(groups=GROUPS, here=RECORDS, there=RECORDS, seed=st.integers(0, 1000))
def test_neither_the_order_of_records_nor_the_naming_of_sides_matters(
    groups: Any, here: Any, there: Any, seed: int
) -> None:
    def essence(found: list[MatchRow]) -> dict[str, tuple[MatchReason, int, int]]:
        return {row.record.id: (row.reason, row.group, row.found) for row in found}

    locals, remotes = some("l", here), some("r", there)
    expected = essence(match_records(groups, locals, remotes))
    order = random.Random(seed)
    order.shuffle(locals)
    order.shuffle(remotes)
    assert essence(match_records(groups, locals, remotes)) == expected
    assert essence(match_records(groups, remotes, locals)) == expected


@settings(max_examples=100, deadline=None)
@given(groups=GROUPS, here=RECORDS, there=RECORDS)
def test_groups_one_after_the_other_couple_what_they_couple_together(groups: Any, here: Any, there: Any) -> None:
    locals, remotes = some("l", here), some("r", there)
    together = {row.record.id for row in match_records(groups, locals, remotes) if row.reason is R.COUPLED}
    singly: dict[str, Named] = {}
    for group in groups:
        sides = [
            [KeyRow(row.record, row.values, row.coupled_to or singly.get(row.record.id)) for row in side]
            for side in (locals, remotes)
        ]
        found = match_records([group], *sides)
        singly |= {row.record.id: row.candidates[0] for row in found if row.reason is R.COUPLED}
    assert set(singly) == together


def test_rows_say_which_side_they_belong_to() -> None:
    found = match_records([(0,)], rows(l="5"), rows(r="6"))
    assert [row.side for row in found] == [Side.LOCAL, Side.REMOTE]


def test_records_that_all_match_all_cost_no_more_than_their_number() -> None:
    """Comparing them with one another would be four hundred million comparisons."""
    locals = [KeyRow(Named(f"l{n}"), ("5",)) for n in range(20_000)]
    remotes = [KeyRow(Named(f"r{n}"), ("5",)) for n in range(20_000)]
    found = match_records([(0,)], locals, remotes)
    assert {row.reason for row in found} == {R.SEVERAL_CANDIDATES}
    assert {row.found for row in found} == {20_000}
