"""Where next steps are taken on pages: the page of each place, as a link."""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote

from crosstie.model.errors import CrosstieError
from crosstie.model.places import Place


class Way(NamedTuple):
    """A link to the page on which something is done."""

    label: str
    address: str


_MAPPINGS = Way("Integration Table Mappings", "/mappings")
_CONNECTIONS = Way("Connections", "/connections")
_JOBS = Way("Jobs", "/jobs")
WAYS: Mapping[Place, tuple[Way, ...]] = {
    Place.MAPPINGS: (_MAPPINGS,),
    Place.MAPPING: (Way("The mapping", "/mappings/{mapping}"), _MAPPINGS),
    Place.MAPPING_RESET: (_MAPPINGS,),
    Place.FIELDS: (Way("The field mappings", "/mappings/{mapping}/fields"), _MAPPINGS),
    Place.CONNECTIONS: (_CONNECTIONS,),
    Place.CONNECTION_NEW: (Way("Connection setup", "/connections/setup"),),
    Place.CONNECTION_TEST: (_CONNECTIONS,),
    Place.CONNECTION_ENABLE: (_CONNECTIONS,),
    Place.CONNECTION_DISABLE: (_CONNECTIONS,),
    Place.COUPLE: (Way("The list", "/lists/{mapping}"),),
    Place.COUPLE_LOCAL: (Way("Set Up Coupling", "/records/{mapping}/local/{id}/couple"),),
    Place.COUPLE_REMOTE: (Way("Set Up Coupling", "/records/{mapping}/remote/{id}/couple"),),
    Place.UNCOUPLE: (Way("The list", "/lists/{mapping}"),),
    Place.HALF: (Way("The record", "/records/{mapping}/{side}/{id}"),),
    Place.PROBLEMS: (Way("Coupled Data Synchronization Errors", "/problems"),),
    Place.PROBLEMS_DELETED: (Way("Coupled Data Synchronization Errors", "/problems?code=partner-deleted"),),
    Place.JOBS: (_JOBS,),
    Place.JOB: (Way("The job", "/jobs/{job}"), _JOBS),
    Place.HISTORY: (Way("The job", "/jobs/{job}"), _JOBS),
    Place.START: (Way("Home", "/"),),
}
"""The most telling way first: the one of which all parts are known is shown."""
NOT_ON_PAGES = frozenset(Place) - WAYS.keys()
"""Places without a page: users and tokens, what is said when starting, and what the form at hand offers itself."""


def way_of(error: CrosstieError) -> Way | None:
    """Return the link to where an error's next step is taken; None if that is here, or on no page."""
    facts = {name: quote(str(value), safe="") for name, value in error.details.items() if value not in (None, "")}
    for each in WAYS.get(error.taken_at, ()) if error.taken_at is not None else ():
        try:
            return each._replace(address=each.address.format_map(facts))
        except KeyError:
            continue
    return None
