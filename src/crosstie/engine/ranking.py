"""Ranking: how well a record of the other side fits, and for which reasons. Pure.

Each field that both records fill in and that says the same is evidence of some weight; evidences add up as chances
do, so that several weak ones make a good one and none makes certain.
"""

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Final

import msgspec

from crosstie.engine.converting import as_text
from crosstie.model.conditions import fold
from crosstie.model.mappings import Mapping
from crosstie.model.records import Side
from crosstie.model.schema import FieldType, TableSchema
from crosstie.model.values import Values


class Evidence(StrEnum):
    """What two records can have in common."""

    NUMBER = "number"
    NAME = "name"
    EMAIL = "email"
    PHONE = "phone"
    HOME_PAGE = "home_page"
    ADDRESS = "address"
    POST_CODE = "post_code"
    CITY = "city"


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """A pair of fields that is compared, and as what."""

    evidence: Evidence
    label: str
    local_field: str
    remote_field: str

    def field(self, side: Side) -> str:
        return self.local_field if side is Side.LOCAL else self.remote_field


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why a record fits. `weight` is between 0 and 1."""

    evidence: Evidence
    words: str
    value: str
    weight: float


_TELLTALE: Final = (
    (Evidence.EMAIL, ("mail",)),
    (Evidence.PHONE, ("phone", "telephone", "mobile")),
    (Evidence.HOME_PAGE, ("website", "homepage", "home page", "url")),
    (Evidence.POST_CODE, ("postalcode", "postal code", "post code", "postcode", "zip")),
    (Evidence.CITY, ("city",)),
    (Evidence.ADDRESS, ("addressline1", "address1_line1", "street")),
)
"""Parts of names and labels of fields by what they hold; the first that fits counts."""
_TEXTS: Final = (FieldType.TEXT, FieldType.CODE)
# fmt: off
_LEGAL_FORMS: Final = frozenset((
    "ab", "ag", "as", "aps", "bv", "co", "company", "corp", "corporation", "gmbh", "inc", "incorporated", "kg",
    "kft", "limited", "llc", "llp", "ltd", "nv", "oy", "oyj", "plc", "pty", "sa", "sarl", "sas", "sl", "spa",
    "srl", "sro", "the", "und", "and",
))
_ANYBODYS: Final = frozenset((
    "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "yahoo.com", "icloud.com", "aol.com",
    "gmx.net", "gmx.de", "web.de",
))
# fmt: on
_WORDS: Final = re.compile(r"\w+")
_LEAST_DIGITS: Final = 6
_SAME_END: Final = 9


def compared_fields(mapping: Mapping, local: TableSchema, remote: TableSchema) -> list[Compared]:
    """Return the pairs of text fields by which records can be told, also those that are not synchronised."""
    found: dict[tuple[str, str], Compared] = {}

    def add(evidence: Evidence, label: str, near: str | None, far: str | None) -> None:
        if near is None or far is None or near not in local.fields or far not in remote.fields:
            return
        if local.fields[near].type in _TEXTS and remote.fields[far].type in _TEXTS:
            compared = Compared(evidence=evidence, label=label, local_field=near, remote_field=far)
            found.setdefault((near, far), compared)

    name = next((row.label for row in mapping.fields if row.local_field == mapping.local_name_field), "")
    add(Evidence.NAME, name or "Name", mapping.local_name_field, mapping.remote_name_field)
    add(Evidence.NUMBER, "No.", mapping.local_key_field, mapping.remote_key_field)
    for row in mapping.fields:
        if row.lookup is not None or row.rule is not None:
            continue
        if row.local_field == mapping.local_key_field:
            add(Evidence.NUMBER, row.label or row.name, row.local_field, row.remote_field)
        elif (evidence := _evidence(row.label, row.local_field, row.remote_field)) is not None:
            add(evidence, row.label or row.name, row.local_field, row.remote_field)
    return list(found.values())


def _evidence(*names: str | None) -> Evidence | None:
    known = [name.lower() for name in names if name]
    for evidence, parts in _TELLTALE:
        if any(part in name for part in parts for name in known):
            return evidence
    return None


def reasons_for(compared: Iterable[Compared], side: Side, record: Values, candidate: Values) -> list[Reason]:
    """Return why `candidate`, of the other side, fits a record of `side`; the best first, one of a kind."""
    best: dict[Evidence, Reason] = {}
    for each in compared:
        one, other = record.get(each.field(side)), candidate.get(each.field(side.other))
        if one is None or other is None:
            continue
        reason = _compare(each, as_text(one), as_text(other))
        if reason is not None and (each.evidence not in best or best[each.evidence].weight < reason.weight):
            best[each.evidence] = reason
    return sorted(best.values(), key=lambda reason: -reason.weight)


def score_of(reasons: Sequence[Reason]) -> int:
    """Return how well a record fits, from 0 to 100."""
    left = 1.0
    for reason in reasons:
        left *= 1 - reason.weight
    return round(100 * (1 - left))


def _compare(each: Compared, one: str, other: str) -> Reason | None:
    match each.evidence:
        case Evidence.NAME:
            words, weight = _names(one, other)
        case Evidence.EMAIL:
            words, weight = _emails(one, other)
        case Evidence.PHONE:
            words, weight = "same phone number", 0.55 if _same_phone(one, other) else 0.0
        case Evidence.NUMBER:
            words, weight = "same number", 0.7 if fold(one.strip()) == fold(other.strip()) else 0.0
        case Evidence.HOME_PAGE:
            words, weight = "same home page", 0.4 if host(one) and host(one) == host(other) else 0.0
        case Evidence.ADDRESS:
            words, weight = "same address", 0.25 if _bare(one) and _bare(one) == _bare(other) else 0.0
        case Evidence.POST_CODE:
            words, weight = "same post code", 0.2 if _bare(one) and _bare(one) == _bare(other) else 0.0
        case Evidence.CITY:
            words, weight = "same city", 0.1 if _bare(one) and _bare(one) == _bare(other) else 0.0
    return Reason(evidence=each.evidence, words=words, value=other, weight=weight) if weight else None


def _names(one: str, other: str) -> tuple[str, float]:
    if fold(one.strip()) == fold(other.strip()):
        return "same name", 0.7
    mine, theirs = name_words(one), name_words(other)
    if not mine or not theirs:
        return "", 0.0
    if mine == theirs:
        return "same name but for the legal form", 0.6
    shared = 2 * len(set(mine) & set(theirs)) / (len(set(mine)) + len(set(theirs)))
    alike = SequenceMatcher(None, "".join(mine), "".join(theirs)).ratio()
    if shared >= 0.5 or alike >= 0.8:
        return "similar name", round(0.5 * max(shared, alike), 2)
    return "", 0.0


def _emails(one: str, other: str) -> tuple[str, float]:
    mine, theirs = fold(one.strip()), fold(other.strip())
    if mine == theirs:
        return "same e-mail", 0.75
    domain = mine.rpartition("@")[2]
    if domain and domain == theirs.rpartition("@")[2] and domain not in _ANYBODYS and "@" in mine:
        return "same e-mail domain", 0.3
    return "", 0.0


def _same_phone(one: str, other: str) -> bool:
    """Whether two numbers end in the same digits, whatever country and trunk prefix they begin with."""
    mine, theirs = (digits(number)[-_SAME_END:].lstrip("0") for number in (one, other))
    return min(len(mine), len(theirs)) >= _LEAST_DIGITS and (mine.endswith(theirs) or theirs.endswith(mine))


def name_words(name: str) -> list[str]:
    """Return the words of a name that tell it from others: without case, accents, legal forms."""
    words = _WORDS.findall(fold(name))
    return [word for word in words if word not in _LEGAL_FORMS] or words


def telling_word(name: str) -> str:
    """Return the word of a name that is worth looking for, as it is spelled: of the first two, the longer one."""
    words = _WORDS.findall(name)
    telling = [word for word in words if fold(word) not in _LEGAL_FORMS] or words
    return max(telling[:2], key=len, default="")


def digits(text: str) -> str:
    """Return the digits of a phone number."""
    return "".join(character for character in text if character.isdecimal())


def host(address: str) -> str:
    """Return the host that a home page names, without www."""
    return fold(address.strip()).rpartition("://")[2].partition("/")[0].removeprefix("www.")


def domain_of(email: str) -> str:
    """Return the domain of an e-mail address that only one organisation uses; empty for those of anybody."""
    domain = email.strip().rpartition("@")[2]
    return "" if "@" not in email or fold(domain) in _ANYBODYS else domain


def _bare(text: str) -> str:
    return "".join(_WORDS.findall(fold(text)))
