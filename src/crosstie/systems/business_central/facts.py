"""Facts of the pages that the metadata leave out, from `data/pages.yaml` and the connection's settings."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
import yaml

from crosstie.model.errors import InvalidConnection


class PageFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of an entity set; see the head of the data file."""

    page: int | None = None
    codes: tuple[str, ...] = ()
    read_only: tuple[str, ...] = ()
    not_allowed: tuple[str, ...] = ()
    shared: bool = False


class Facts(msgspec.Struct, frozen=True):
    """The whole data file."""

    references: Mapping[str, str]
    driving: tuple[str, ...]
    entity_sets: Mapping[str, PageFacts]

    def of(self, table: str) -> PageFacts:
        """Return the facts of a table; of one that is not listed nothing is known."""
        return self.entity_sets.get(table) or _UNKNOWN


_UNKNOWN = PageFacts(read_only=("lastModifiedDateTime",))


@cache
def standard_facts() -> Facts:
    """Return the facts that come with the product."""
    text = files("crosstie.systems.business_central").joinpath("data/pages.yaml").read_text("utf-8")
    return msgspec.convert(yaml.safe_load(text), Facts)


def facts_of(settings: Mapping[str, Any]) -> Facts:
    """Return the facts with what settings["fields"] adds. Raises InvalidConnection."""
    added = settings.get("fields") or {}
    facts = standard_facts()
    try:
        more = msgspec.convert(added, dict[str, PageFacts])
    except msgspec.ValidationError as error:
        raise InvalidConnection(f"The connection's setting fields is {added!r}: {error}.") from error
    return msgspec.structs.replace(facts, entity_sets={**facts.entity_sets, **more}) if more else facts
