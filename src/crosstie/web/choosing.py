"""Which problems a request is about: those that were selected, those of a group, or all that a filter admits."""

import asyncio
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

import msgspec

from crosstie.api.asking import StrictRequest
from crosstie.api.refusing import invalid
from crosstie.api.rooms import rooms_of
from crosstie.app.problems import chosen_problems
from crosstie.model.errors import NothingToDo
from crosstie.model.problems import Problem, ProblemClass, ProblemFilter, ProblemGroup, WaitsFor
from crosstie.model.records import Side
from crosstie.web.csrf import FIELD

_FIELDS = {"mapping": 200, "class": 20, "code": 100, "search": 200, "waits": 700, "of": 20}
"""The fields by which forms say what they are about, and the most characters of each; `problem` may come often."""
_MOST = 1000


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """What a request is about. Without `ids`, it is all that the filter admits."""

    ids: tuple[int, ...]
    filter: ProblemFilter

    @property
    def query(self) -> str:
        """What names the same problems in an address."""
        return urlencode(self.pairs)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """What names the same problems in a form."""
        if self.ids:
            return [("problem", str(each)) for each in self.ids]
        return filter_pairs(self.filter)


def filter_pairs(filter: ProblemFilter) -> list[tuple[str, str]]:
    """Return a filter as fields of a form."""
    found = [
        ("mapping", filter.mapping or ""),
        ("class", filter.problem_class.value if filter.problem_class else ""),
        ("code", filter.code or ""),
        ("search", filter.search),
        ("waits", waits_text(filter.waits_for) if filter.waits_for else ""),
    ]
    return [(name, value) for name, value in found if value]


def of_group(filter: ProblemFilter, group: ProblemGroup) -> ProblemFilter:
    """Return the filter that admits a group of what another filter admits."""
    return msgspec.structs.replace(filter, code=group.code, waits_for=group.waits_for)


def waits_text(awaited: WaitsFor) -> str:
    """Return a record that others wait for as addresses name it."""
    return f"{awaited.mapping}~{awaited.side.value}~{awaited.key}"


def read_waits(text: str) -> WaitsFor:
    """Return the record that an address names. Raises InvalidRequest."""
    mapping, _, rest = text.partition("~")
    side, _, key = rest.partition("~")
    if side not in ("local", "remote") or not mapping or not key:
        raise invalid(f"{text!r} names no record: it is MAPPING~SIDE~KEY.", "waits")
    return WaitsFor(mapping, Side(side), key)


def read_filter(given: Mapping[str, str]) -> ProblemFilter:
    """Return the filter that fields name. Raises InvalidRequest."""
    kind = given.get("class", "")
    if kind and kind not in {each.value for each in ProblemClass}:
        raise invalid(f"There is no class {kind!r}; there are: {', '.join(ProblemClass)}.", "class")
    return ProblemFilter(
        mapping=given.get("mapping") or None,
        problem_class=ProblemClass(kind) if kind else None,
        code=given.get("code") or None,
        search=given.get("search", "").strip(),
        waits_for=read_waits(text) if (text := given.get("waits")) else None,
    )


async def chosen_in_form(request: StrictRequest, more: Sequence[str] = ()) -> tuple[Chosen, dict[str, str]]:
    """Return what a form is about, and its other fields. Raises InvalidRequest, and NothingToDo if nothing is selected.

    `more` names the fields that it may have beside those.
    """
    form = await request.form()
    given: dict[str, str] = {}
    for name in form:
        values = form.getall(name)
        if name in (FIELD, "problem"):
            continue
        if name not in _FIELDS and name not in more:
            raise invalid(f"The form has no field {name!r}.", name)
        if len(values) != 1 or not isinstance(values[0], str) or len(values[0]) > _FIELDS.get(name, 700):
            raise invalid(f"The field {name} comes more than once, or is too long.", name)
        given[name] = values[0]
    return choice(given, [str(each) for each in form.getall("problem", [])]), given


def choice(given: Mapping[str, str], ids: Sequence[str]) -> Chosen:
    """Return what fields are about. Raises InvalidRequest, and NothingToDo if nothing of a list is selected."""
    if len(ids) > _MOST:
        raise invalid(f"{len(ids):,} records are more than the {_MOST:,} that one request takes.", "problem")
    if any(not each.isdecimal() or len(each) > 18 for each in ids):
        raise invalid("A problem is named by its number.", "problem")
    if given.get("of") == "selection" and not ids:
        raise NothingToDo("No record is selected.", next_step="Select records of the list first.")
    return Chosen(ids=tuple(dict.fromkeys(map(int, ids))), filter=read_filter(given))


async def problems_of(request: StrictRequest, chosen: Chosen) -> list[Problem]:
    """Return the problems that are open still. Raises NothingToDo if all of them have been solved meanwhile."""
    home = rooms_of(request).home
    filter = None if chosen.ids else chosen.filter
    found = await asyncio.to_thread(chosen_problems, home, chosen.ids, filter)
    if not found:
        raise NothingToDo("What was chosen is solved meanwhile.", next_step="Nothing needs to be done.")
    return found
