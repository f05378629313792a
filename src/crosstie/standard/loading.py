"""Loading the standard mappings for an environment: ownership model, custom pages, company row.

A file holds rows and conditions with `if`: those that the environment does not meet are left out. `if` names one of
`company` (Dataverse has the row of the company), `person` and `team` (ownership model), `custom` and `standard`
(the pages of Business Central), or several of them in a list, which must all be met.
"""

from collections.abc import Collection, Iterable
from functools import cache
from importlib.resources import files
from typing import Final

import msgspec
import yaml

from crosstie.model.errors import InvalidOption, UnknownMapping
from crosstie.model.mappings import (
    Direction,
    FieldMapping,
    FindingPolicy,
    LocalReference,
    Lookup,
    Mapping,
)

_FOLDER: Final = "mappings"
_OWNERSHIP: Final = ("person", "team")


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A field mapping of a file. `custom` is the local field's name on the custom page where it is another."""

    label: str = ""
    local: str | None = None
    custom: str | None = None
    remote: str | None = None
    direction: Direction | None = None
    constant: str | int | bool | None = None
    create_only: bool = False
    lookup: str | None = None
    by: LocalReference = LocalReference.KEY
    rule: str | None = None
    enabled: bool = True
    not_null: bool = False
    clear: bool = False
    match: int | None = None
    on_finding: FindingPolicy | None = None
    condition: str | list[str] = msgspec.field(default_factory=list, name="if")


class _Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a filter; all parts are joined by `and`. `{company}` stands for the id of the company's row."""

    text: str
    condition: str | list[str] = msgspec.field(default_factory=list, name="if")


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One side of a mapping; `custom` is the page that carries every field."""

    table: str
    name: str
    key: str | None = None
    custom: str | None = None
    filter: list[str | _Condition] = []


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    label: str
    direction: Direction
    order: int
    local: _Table
    remote: _Table
    fields: list[_Row]
    depends_on: list[str] = []
    synchronise_after_match: bool = False
    create_if_no_match: bool = False
    only_coupled: bool = True
    only_if: str | list[str] = []
    """The mapping is switched off where this is not met."""


def standard_names() -> tuple[str, ...]:
    """Return the names of the standard mappings in their order."""
    return tuple(found.name for found in _files())


def load_standard(
    names: Collection[str] | None = None,
    *,
    custom_pages: bool = False,
    company_row_id: str | None = None,
    ownership: str = "person",
) -> list[Mapping]:
    """Return standard mappings, those named or all, in their order, fit for an environment.

    `custom_pages`: customers and vendors come from the custom pages that carry every field; contacts always do, since
    the standard page has no name parts. `company_row_id`: the row that stands for the company in Dataverse; without
    one nothing is stamped and filters do not ask for the company. `ownership`: "person" or "team" (who owns records
    in Dataverse). Raises UnknownMapping or InvalidOption.
    """
    if ownership not in _OWNERSHIP:
        raise InvalidOption(f"{ownership!r} is no ownership model: it is person or team.", ownership=ownership)
    known = {found.name: found for found in _files()}
    wanted = list(known) if names is None else [name for name in known if name in names]
    for name in names or ():
        if name not in known:
            raise UnknownMapping(f"{name!r} is not a standard mapping; those are: {', '.join(known)}.", mapping=name)
    loader = _Loader(ownership, "custom" if custom_pages else "standard", company_row_id)
    return [loader.mapping(known[name]) for name in wanted]


@cache
def _files() -> tuple[_File, ...]:
    folder = files("crosstie.standard").joinpath(_FOLDER)
    texts = [file.read_text("utf-8") for file in folder.iterdir() if file.name.endswith(".yaml")]
    found = [msgspec.convert(yaml.safe_load(text), _File) for text in texts]
    return tuple(sorted(found, key=lambda file: file.order))


class _Loader:
    """Turns files into mappings for one environment."""

    def __init__(self, ownership: str, pages: str, company: str | None) -> None:
        self._company = company
        self._pages = pages
        self._met = {ownership, pages} | ({"company"} if company else set())

    def mapping(self, file: _File) -> Mapping:
        """Return the mapping of a file."""
        depends_on = tuple(name for name in file.depends_on if name != "SALESPEOPLE" or "person" in self._met)
        is_custom = self._pages == "custom" and file.local.custom is not None
        return Mapping(
            name=file.name,
            label=file.label,
            local_table=file.local.custom if is_custom and file.local.custom else file.local.table,
            remote_table=file.remote.table,
            direction=file.direction,
            fields=tuple(self._field(row, file) for row in file.fields if self._meets(row.condition)),
            local_key_field=file.local.key or file.local.name,
            local_name_field=file.local.name,
            remote_key_field=file.remote.key,
            remote_name_field=file.remote.name,
            local_filter=self._filter(file.local.filter),
            remote_filter=self._filter(file.remote.filter),
            only_coupled=file.only_coupled,
            synchronise_after_match=file.synchronise_after_match,
            create_if_no_match=file.create_if_no_match,
            depends_on=depends_on,
            enabled=self._meets(file.only_if),
            order=file.order,
        )

    def _field(self, row: _Row, file: _File) -> FieldMapping:
        return FieldMapping(
            local_field=row.custom if row.custom and self._pages == "custom" else row.local,
            remote_field=row.remote,
            direction=row.direction or file.direction,
            label=row.label,
            constant=row.constant,
            create_only=row.create_only,
            lookup=Lookup(mapping=row.lookup, local_reference=row.by) if row.lookup else None,
            rule=row.rule,
            enabled=row.enabled,
            not_null=row.not_null,
            clear_value_on_failed_sync=row.clear,
            match_priority=row.match,
            on_finding=row.on_finding,
        )

    def _filter(self, parts: Iterable[str | _Condition]) -> str | None:
        texts = []
        for part in parts:
            if isinstance(part, str):
                texts.append(part)
            elif self._meets(part.condition):
                texts.append(part.text.replace("{company}", self._company or ""))
        return " and ".join(texts) or None

    def _meets(self, condition: str | list[str]) -> bool:
        return {condition} <= self._met if isinstance(condition, str) else set(condition) <= self._met
