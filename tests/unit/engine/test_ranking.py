"""How well two records fit, and why."""

import pytest

from crosstie.engine.ranking import Compared, Evidence, compared_fields, reasons_for, score_of
from crosstie.model.records import Side
from tests.unit.engine.couples import CUSTOMER, LOCAL_TABLES, REMOTE_TABLES

COMPARED = [
    Compared(evidence=evidence, label=evidence.value, local_field=evidence.value, remote_field=f"r_{evidence.value}")
    for evidence in Evidence
]


@pytest.mark.parametrize(
    ("field", "one", "other", "words"),
    [
        ("name", "Adatum Corporation", "ADATUM CORPORATION ", "same name"),
        ("name", "Adatum Corporation", "Adatum Ltd.", "same name but for the legal form"),
        ("name", "Müller & Söhne GmbH", "Muller Sohne", "same name but for the legal form"),
        ("name", "Trey Research", "Trey Resaerch", "similar name"),
        ("name", "Relecloud", "Relecloud Northwest", "similar name"),
        ("name", "School of Fine Art", "Fine Art School", "similar name"),
        ("name", "Adatum", "Contoso", None),
        ("name", "The Company", "The Company", "same name"),
        ("email", "Kim@Adatum.example", "kim@adatum.example", "same e-mail"),
        ("email", "kim@adatum.example", "info@adatum.example", "same e-mail domain"),
        ("email", "kim@gmail.com", "lee@gmail.com", None),
        ("email", "kim", "lee", None),
        ("phone", "+44 1223 496 000", "(01223) 496000", "same phone number"),
        ("phone", "01223 496 000", "01223 496 001", None),
        ("phone", "123", "123", None),
        ("phone", "000 000 000", "111 222 333", None),
        ("number", "c10", "C10", "same number"),
        ("number", "10", "100", None),
        ("home_page", "https://www.adatum.example/en", "adatum.example", "same home page"),
        ("home_page", "https://", "", None),
        ("post_code", "CB1 2AB", "cb12ab", "same post code"),
        ("address", "192 Market Square", "192, Market Square", "same address"),
        ("city", "Köln", "Koln", "same city"),
        ("city", "-", "-", None),
    ],
)
def test_what_two_values_say(field: str, one: str, other: str, words: str | None) -> None:
    for side, record, candidate in (
        (Side.LOCAL, {field: one}, {f"r_{field}": other}),
        (Side.REMOTE, {f"r_{field}": other}, {field: one}),
    ):
        found = reasons_for(COMPARED, side, record, candidate)
        assert [reason.words for reason in found] == ([words] if words else [])
        assert all(0 < reason.weight < 1 for reason in found)


def test_more_evidence_weighs_more_and_none_is_certain() -> None:
    record = {"name": "Adatum", "email": "a@adatum.example", "phone": "01223 496 000", "city": "Ely", "number": "1"}
    candidate = {f"r_{name}": value for name, value in record.items()}
    scores = []
    for known in range(1, len(record) + 1):
        names = list(record)[:known]
        reasons = reasons_for(COMPARED, Side.LOCAL, {name: record[name] for name in names}, candidate)
        scores.append(score_of(reasons))
    assert scores == sorted(scores)
    assert 60 <= scores[0] <= 80
    assert 95 <= scores[-1] <= 100
    assert score_of([]) == 0


def test_the_best_reason_comes_first_and_one_of_a_kind() -> None:
    twice = [
        *COMPARED,
        Compared(evidence=Evidence.PHONE, label="Mobile", local_field="mobile", remote_field="r_mobile"),
    ]
    record = {"phone": "01223 496 000", "mobile": "01223 496 001", "name": "Adatum", "city": "Ely"}
    candidate = {"r_phone": "01223 496 000", "r_mobile": "01223 496 001", "r_name": "Adatum", "r_city": "Ely"}
    found = reasons_for(twice, Side.LOCAL, record, candidate)
    assert [reason.evidence for reason in found] == [Evidence.NAME, Evidence.PHONE, Evidence.CITY]


def test_blank_values_say_nothing() -> None:
    assert reasons_for(COMPARED, Side.LOCAL, {"name": None, "city": None}, {"r_name": None, "r_city": "Ely"}) == []


def test_the_fields_that_tell_are_found_in_the_mapping_also_those_switched_off() -> None:
    found = {each.evidence: (each.local_field, each.remote_field) for each in _compared()}
    assert found == {
        Evidence.NAME: ("displayName", "name"),
        Evidence.NUMBER: ("number", "accountnumber"),
        Evidence.EMAIL: ("email", "emailaddress1"),
        Evidence.PHONE: ("phoneNumber", "telephone1"),
        Evidence.CITY: ("city", "address1_city"),
    }


def _compared() -> list[Compared]:
    local = next(each for each in LOCAL_TABLES if each.name == "customers")
    remote = next(each for each in REMOTE_TABLES if each.name == "account")
    return compared_fields(CUSTOMER, local, remote)
