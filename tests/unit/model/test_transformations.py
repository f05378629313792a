"""Transformation rules: what each makes of a text, how they are written, and what is wrong with them in words."""

from time import process_time

import pytest

from crosstie.model.errors import InvalidOption
from crosstie.model.transformations import Rule, RuleKind, check_rule, read_rule, rule_text, transformed


@pytest.mark.parametrize(
    ("rule", "text", "result"),
    [
        ("uppercase", "straße 1", "STRASSE 1"),
        ("lowercase", "ÄB", "äb"),
        ("title_case", "john o'neill of the IBM-lab", "John O'neill Of The IBM-Lab"),
        ("trim", "  a b \t", "a b"),
        ("substring start=4 length=3", "ABCDEFGH", "DEF"),
        ("substring start=4", "ABCDEFGH", "DEFGH"),
        ("substring length=2", "ABCD", "AB"),
        ("substring start=9", "ABCD", ""),
        ("substring after='No. ' before=/", "Order No. 17/2", "17"),
        ("substring after=:", "no colon", ""),
        ("substring before=:", "no colon", ""),
        ("replace find=St. replace=Street", "St. 1 St. 2 st.", "Street 1 Street 2 st."),
        ("replace find=-", "1-2-3", "123"),
        ("regex_replace find='(\\d+)-(\\d+)' replace='$2/$1'", "12-34 x 5-6", "34/12 x 6/5"),
        ("regex_replace find=notprovided", "NOTPROVIDED", ""),
        ("regex_replace find=a replace='\\n'", "bab", "b\\nb"),
        ("regex_match find='([A-Z]{2})(\\d)'", "de1 at2 x", "de1at2"),
        ("regex_match find='\\d+'", "a1b22", "122"),
        ("alphanumeric", "+44 (0)20_7-1", "4402071"),
        ("date format=dd.MM.yyyy", "31.12.2026", "2026-12-31"),
        ("date format=M/d/yy", "1/2/49", "2049-01-02"),
        ("date format=M/d/yy", "1/2/50", "1950-01-02"),
        ("date format=dd.MM.yyyy", "31.02.2026", "31.02.2026"),
        ("date format=dd.MM.yyyy", "tomorrow", "tomorrow"),
        ("datetime format=yyyyMMddHHmmss", "20261231140500", "2026-12-31T14:05:00Z"),
        ("decimal point=,", "1.234.567,50", "1234567.5"),
        ("decimal point=.", "1,234.5", "1234.5"),
        ("round precision=0.05", "1.024", "1"),
        ("round precision=0.05", "1.025", "1.05"),
        ("round precision=10 direction=up", "101", "110"),
        ("round precision=10 direction=down", "109", "100"),
        ("date_part part=year", "2026-12-31T14:00:00Z", "2026"),
        ("date_part part=month", "2026-02-03", "2"),
        ("unix_time", "0", "1970-01-01T00:00:00Z"),
    ],
)
def test_what_a_rule_makes_of_a_text(rule: str, text: str, result: str) -> None:
    read = read_rule(rule)
    assert transformed([read], text) == result
    assert read_rule(rule_text(read)) == read


def test_rules_follow_one_another() -> None:
    rules = [read_rule(each) for each in ("trim", "substring start=2", "uppercase")]
    assert transformed(rules, "  xabc ") == "ABC"
    assert transformed([], "as it is") == "as it is"


@pytest.mark.parametrize(
    ("rule", "text", "words"),
    [
        ("decimal point=,", "a lot", "'a lot' is no number"),
        ("round precision=1", "NaN", "'NaN' is no number"),
        ("date_part part=day", "31.12.2026", "'31.12.2026' is no date"),
        ("unix_time", "now", "'now' is no number of seconds"),
        ("unix_time", "9" * 30, "is no number of seconds"),
    ],
)
def test_a_value_that_a_rule_cannot_take_is_named(rule: str, text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        transformed([read_rule(rule)], text)


@pytest.mark.parametrize("kind", ["regex_match", "regex_replace"])
def test_a_pattern_that_would_take_for_ever_is_given_up_for_that_value(kind: str) -> None:
    rule = read_rule(f"{kind} find='(a|a)*$'")
    before = process_time()
    with pytest.raises(ValueError, match=r"the pattern '\(a\|a\)\*\$' takes too long for 'a{80}\.\.\.'"):
        transformed([rule], "a" * 100 + "!")
    assert process_time() - before < 5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "There is no transformation rule ''; there are: uppercase, lowercase"),
        ("shout", "There is no transformation rule 'shout'"),
        ("uppercase find=a", "uppercase has no parameter find; it has: none."),
        ("replace wanted=a", "replace has no parameter wanted; it has: find, replace."),
        ("replace find", "'find' is no parameter; one is written as name=value."),
        ("replace find=a find=b", "names find twice"),
        ("replace replace=a", "replace needs the parameter find."),
        ("replace find='a", "a quotation mark has no partner"),
        ("substring start=x", "start is a whole number from 1 on, not 'x'."),
        ("substring start=1 after=a", "takes start or after, and length or before, not both."),
        ("regex_match find='('", "the pattern '(' cannot be read"),
        ("regex_replace find=a replace=$1", "names a group that 'a' does not have"),
        ("date format=dd.MM", "needs year (yyyy or yy), month (MM) and day (dd), each once."),
        ("date format=yyyy-MM-dd-dd", "each once."),
        ("decimal point=;", "point is one of ., ,, not ';'."),
        ("decimal", "decimal needs the parameter point."),
        ("round precision=0", "precision is a number above 0, such as 0.05, not '0'."),
        ("round precision=1 direction=sideways", "direction is one of nearest, up, down"),
        ("date_part part=week", "part is one of day, month, year"),
    ],
)
def test_what_is_wrong_with_a_rule_is_said(text: str, words: str) -> None:
    with pytest.raises(InvalidOption) as refused:
        read_rule(text)
    assert words in refused.value.words


def test_a_rule_that_comes_as_values_is_checked_alike() -> None:
    with pytest.raises(InvalidOption, match="from 1 on"):
        check_rule(Rule(kind=RuleKind.SUBSTRING, start=-1))
    with pytest.raises(InvalidOption, match="trim has no parameter find"):
        check_rule(Rule(kind=RuleKind.TRIM, find="a"))
