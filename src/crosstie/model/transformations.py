"""Transformation rules: what a field mapping does to a value on its way (engine section 8). Pure: text in, text out.

A rule is written as its kind and its parameters, such as `substring start=4 length=3`; a parameter with blanks stands
in quotes. Rules follow one another, each taking what the one before left.
"""

import re
import shlex
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal, InvalidOperation
from enum import StrEnum

import msgspec

from crosstie.model.errors import InvalidOption

MOST_RULES = 10
_MOST_PATTERN = 200
_SHOWN = 80
_PATTERN_SECONDS = 0.1
"""CPU time that a pattern may take for one value: some take longer than anybody lives, and values come from outside."""


class RuleKind(StrEnum):
    """What a rule does."""

    UPPERCASE = "uppercase"
    LOWERCASE = "lowercase"
    TITLE_CASE = "title_case"
    TRIM = "trim"
    SUBSTRING = "substring"
    REPLACE = "replace"
    REGEX_REPLACE = "regex_replace"
    REGEX_MATCH = "regex_match"
    ALPHANUMERIC = "alphanumeric"
    DATE = "date"
    DATETIME = "datetime"
    DECIMAL = "decimal"
    ROUND = "round"
    DATE_PART = "date_part"
    UNIX_TIME = "unix_time"


class Rule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One rule. Only parameters of its kind are given (`PARAMETERS`); positions count from 1."""

    kind: RuleKind
    start: int = 0
    length: int = 0
    after: str = ""
    before: str = ""
    find: str = ""
    replace: str = ""
    format: str = ""
    point: str = ""
    precision: str = ""
    direction: str = ""
    part: str = ""


PARAMETERS: dict[RuleKind, tuple[str, ...]] = {
    RuleKind.SUBSTRING: ("start", "length", "after", "before"),
    RuleKind.REPLACE: ("find", "replace"),
    RuleKind.REGEX_REPLACE: ("find", "replace"),
    RuleKind.REGEX_MATCH: ("find",),
    RuleKind.DATE: ("format",),
    RuleKind.DATETIME: ("format",),
    RuleKind.DECIMAL: ("point",),
    RuleKind.ROUND: ("precision", "direction"),
    RuleKind.DATE_PART: ("part",),
}
_NEEDED = {
    RuleKind.REPLACE: "find",
    RuleKind.REGEX_REPLACE: "find",
    RuleKind.REGEX_MATCH: "find",
    RuleKind.DATE: "format",
    RuleKind.DATETIME: "format",
    RuleKind.DECIMAL: "point",
    RuleKind.ROUND: "precision",
    RuleKind.DATE_PART: "part",
}
_ONE_OF = {
    "point": (".", ","),
    "direction": ("nearest", "up", "down"),
    "part": ("day", "month", "year"),
}
_ROUNDING = {"": ROUND_HALF_UP, "nearest": ROUND_HALF_UP, "up": ROUND_CEILING, "down": ROUND_FLOOR}
_TOKENS = {
    "yyyy": r"(?P<year>\d{4})",
    "yy": r"(?P<short>\d{2})",
    "MM": r"(?P<month>\d{2})",
    "M": r"(?P<month>\d{1,2})",
    "dd": r"(?P<day>\d{2})",
    "d": r"(?P<day>\d{1,2})",
    "HH": r"(?P<hour>\d{2})",
    "H": r"(?P<hour>\d{1,2})",
    "mm": r"(?P<minute>\d{2})",
    "ss": r"(?P<second>\d{2})",
}
_TOKEN = re.compile("|".join(sorted(_TOKENS, key=len, reverse=True)))


# --- reading and writing --------------------------------------------------------------------------------------


def read_rule(text: str) -> Rule:
    """Return the rule that a text means. Raises InvalidOption naming what is wrong with it."""
    try:
        kind, *parts = _split(text) or [""]
    except ValueError as error:
        raise InvalidOption(f"The rule {text!r} cannot be read: a quotation mark has no partner.") from error
    values: dict[str, str | int] = {"kind": _kind(kind)}
    for part in parts:
        name, equals, value = part.partition("=")
        if not equals:
            raise InvalidOption(f"The rule {text!r}: {part!r} is no parameter; one is written as name=value.")
        if name in values:
            raise InvalidOption(f"The rule {text!r} names {name} twice.")
        if name in ("start", "length"):
            if not value.isascii() or not value.isdecimal():
                raise InvalidOption(f"The rule {text!r}: {name} is a whole number from 1 on, not {value!r}.")
            values[name] = int(value)
        else:
            values[name] = value
    unknown = [name for name in values if name not in Rule.__struct_fields__]
    if unknown:
        raise _unknown(values["kind"], unknown[0])
    rule = msgspec.convert(values, Rule)
    check_rule(rule)
    return rule


def _split(text: str) -> list[str]:
    """Return the words of a rule. A backslash is one: patterns have many."""
    lexer = shlex.shlex(text, posix=True)
    lexer.whitespace_split, lexer.escape, lexer.commenters = True, "", ""
    return list(lexer)


def rule_text(rule: Rule) -> str:
    """Return a rule as it is written; `read_rule` reads it back."""
    given = [name for name in PARAMETERS.get(rule.kind, ()) if getattr(rule, name)]
    return " ".join([rule.kind.value, *(f"{name}={shlex.quote(str(getattr(rule, name)))}" for name in given)])


def check_rule(rule: Rule) -> None:
    """Raise InvalidOption, naming kind and parameter, if a rule cannot be carried out."""
    known = PARAMETERS.get(rule.kind, ())
    for name in Rule.__struct_fields__:
        value = getattr(rule, name)
        if name != "kind" and value and name not in known:
            raise _unknown(rule.kind, name)
        if value and name in _ONE_OF and value not in _ONE_OF[name]:
            raise InvalidOption(f"{rule.kind}: {name} is one of {', '.join(_ONE_OF[name])}, not {value!r}.")
    needed = _NEEDED.get(rule.kind)
    if needed and not getattr(rule, needed):
        raise InvalidOption(f"{rule.kind} needs the parameter {needed}.")
    if (rule.start and rule.after) or (rule.length and rule.before):
        raise InvalidOption(f"{rule.kind} takes start or after, and length or before, not both.")
    if rule.start < 0 or rule.length < 0:
        raise InvalidOption(f"{rule.kind}: start and length are whole numbers from 1 on.")
    if rule.kind in (RuleKind.REGEX_MATCH, RuleKind.REGEX_REPLACE):
        _checked_pattern(rule)
    if rule.kind is RuleKind.ROUND and _precision(rule.precision) is None:
        raise InvalidOption(f"round: precision is a number above 0, such as 0.05, not {rule.precision!r}.")
    if rule.kind in (RuleKind.DATE, RuleKind.DATETIME):
        _checked_format(rule)


def _kind(text: str) -> RuleKind:
    try:
        return RuleKind(text.strip().lower())
    except ValueError as error:
        raise InvalidOption(f"There is no transformation rule {text!r}; there are: {', '.join(RuleKind)}.") from error


def _unknown(kind: object, name: str) -> InvalidOption:
    known = ", ".join(PARAMETERS.get(RuleKind(str(kind)), ())) or "none"
    return InvalidOption(f"{kind} has no parameter {name}; it has: {known}.")


def _checked_pattern(rule: Rule) -> None:
    if len(rule.find) > _MOST_PATTERN:
        raise InvalidOption(f"{rule.kind}: a pattern has {_MOST_PATTERN} characters at most.")
    import regex  # only where a rule has a pattern

    try:
        groups = regex.compile(rule.find).groups
    except regex.error as error:
        raise InvalidOption(f"{rule.kind}: the pattern {rule.find!r} cannot be read: {error}.") from error
    if any(int(number) > groups for number in re.findall(r"\$(\d+)", rule.replace)):
        raise InvalidOption(f"{rule.kind}: {rule.replace!r} names a group that {rule.find!r} does not have.")


def _checked_format(rule: Rule) -> None:
    names = re.findall(r"\(\?P<(\w+)>", _pattern_of(rule.format))
    if len(names) != len(set(names)) or not {"month", "day"} <= set(names) or not {"year", "short"} & set(names):
        raise InvalidOption(
            f"{rule.kind}: the format {rule.format!r} needs year (yyyy or yy), month (MM) and day (dd), each once."
        )


# --- carrying out ---------------------------------------------------------------------------------------------


def transformed(rules: Sequence[Rule], text: str) -> str:
    """Return what rules make of a text, one after the other.

    Raises ValueError, saying what cannot be done with which value.
    """
    for rule in rules:
        text = _APPLY[rule.kind](rule, text)
    return text


def _title_case(rule: Rule, text: str) -> str:
    # A word that is in capitals already stays: it may be an abbreviation.
    return re.sub(r"[^\W\d_]+(?:['’][^\W\d_]+)*", lambda m: m[0] if m[0].isupper() else m[0].capitalize(), text)


def _substring(rule: Rule, text: str) -> str:
    begin = max(rule.start - 1, 0)
    if rule.after:
        found = text.find(rule.after)
        if found < 0:
            return ""
        begin = found + len(rule.after)
    if rule.before:
        end = text.find(rule.before, begin)
        return text[begin:end] if end >= 0 else ""
    return text[begin : begin + rule.length] if rule.length else text[begin:]


def _in_time(search: Callable[[Rule, str], str]) -> Callable[[Rule, str], str]:
    """Return a search by a pattern that says of which pattern and value it is that it takes too long."""

    def searched(rule: Rule, text: str) -> str:
        try:
            return search(rule, text)
        except TimeoutError as error:
            shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
            raise ValueError(f"the pattern {rule.find!r} takes too long for {shown!r}") from error

    return searched


def _regex_match(rule: Rule, text: str) -> str:
    import regex

    found = regex.finditer(rule.find, text, regex.IGNORECASE, timeout=_PATTERN_SECONDS)
    return "".join("".join(group or "" for group in match.groups()) if match.groups() else match[0] for match in found)


def _regex_replace(rule: Rule, text: str) -> str:
    import regex

    with_ = _replacement(rule.replace)
    return str(regex.sub(rule.find, with_, text, flags=regex.IGNORECASE, timeout=_PATTERN_SECONDS))


def _replacement(text: str) -> str:
    return re.sub(r"\$(\d+)", r"\\g<\1>", text.replace("\\", "\\\\"))


def _pattern_of(format: str) -> str:
    found, at = "", 0
    for token in _TOKEN.finditer(format):
        found += re.escape(format[at : token.start()]) + _TOKENS[token[0]]
        at = token.end()
    return found + re.escape(format[at:])


def _read(rule: Rule, text: str) -> datetime | None:
    match = re.fullmatch(_pattern_of(rule.format), text.strip())
    if match is None:
        return None
    parts = {name: int(value) for name, value in match.groupdict().items()}
    # A year of two digits lies in the hundred years up to 2049.
    short = parts.get("short", 0)
    year = parts.get("year") or short + (2000 if short < 50 else 1900)
    clock = (parts.get("hour", 0), parts.get("minute", 0), parts.get("second", 0))
    try:
        return datetime(year, parts["month"], parts["day"], *clock, tzinfo=UTC)
    except ValueError:
        return None


def _date(rule: Rule, text: str) -> str:
    found = _read(rule, text)
    return text if found is None else found.date().isoformat()


def _datetime(rule: Rule, text: str) -> str:
    found = _read(rule, text)
    return text if found is None else found.strftime("%Y-%m-%dT%H:%M:%SZ")


def _decimal(rule: Rule, text: str) -> str:
    thousands = "," if rule.point == "." else "."
    plain = re.sub(r"[\s'\u00a0\u202f]", "", text).replace(thousands, "").replace(rule.point, ".")
    return _plain(_number(plain, text))


def _round(rule: Rule, text: str) -> str:
    unit = _precision(rule.precision) or Decimal(1)
    number = (_number(text, text) / unit).quantize(Decimal(1), _ROUNDING[rule.direction]) * unit
    return _plain(number)


def _precision(text: str) -> Decimal | None:
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() and found > 0 else None


def _number(text: str, said: str) -> Decimal:
    try:
        found = Decimal(text.strip())
    except InvalidOperation as error:
        raise ValueError(f"{said!r} is no number") from error
    if not found.is_finite():
        raise ValueError(f"{said!r} is no number")
    return found


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _date_part(rule: Rule, text: str) -> str:
    try:
        found = date.fromisoformat(text.strip()[:10])
    except ValueError as error:
        raise ValueError(f"{text!r} is no date") from error
    return str(getattr(found, rule.part))


def _unix_time(rule: Rule, text: str) -> str:
    try:
        return datetime.fromtimestamp(int(text.strip()), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError(f"{text!r} is no number of seconds since 1970") from error


_APPLY: dict[RuleKind, Callable[[Rule, str], str]] = {
    RuleKind.UPPERCASE: lambda rule, text: text.upper(),
    RuleKind.LOWERCASE: lambda rule, text: text.lower(),
    RuleKind.TITLE_CASE: _title_case,
    RuleKind.TRIM: lambda rule, text: text.strip(),
    RuleKind.SUBSTRING: _substring,
    RuleKind.REPLACE: lambda rule, text: text.replace(rule.find, rule.replace),
    RuleKind.REGEX_REPLACE: _in_time(_regex_replace),
    RuleKind.REGEX_MATCH: _in_time(_regex_match),
    RuleKind.ALPHANUMERIC: lambda rule, text: re.sub(r"[\W_]", "", text),
    RuleKind.DATE: _date,
    RuleKind.DATETIME: _datetime,
    RuleKind.DECIMAL: _decimal,
    RuleKind.ROUND: _round,
    RuleKind.DATE_PART: _date_part,
    RuleKind.UNIX_TIME: _unix_time,
}
