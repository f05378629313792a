"""Every page and dialog, by a name that says what is seen: what walks through all of them goes by this list."""

from collections.abc import Callable

from crosstie.app.coupling import list_couplings
from crosstie.app.history import list_jobs
from crosstie.app.lists import list_records
from crosstie.app.plans import make_plan
from crosstie.app.selecting import Selection
from crosstie.model.couplings import CouplingState
from crosstie.model.lists import NOT_COUPLED
from crosstie.model.records import Side
from tests.web.conftest import Site

Address = Callable[[Site], str]


def coupled(site: Site, state: CouplingState = CouplingState.IN_STEP, mapping: str = "CUSTOMER") -> str:
    """Return the local id of a coupled record of the demo in that state."""
    return list_couplings(site.home, mapping, states=(state,), limit=1).couplings[0].local_id


def remote(site: Site) -> str:
    """Return the remote id of a coupled record of the demo."""
    return list_couplings(site.home, "CUSTOMER", states=(CouplingState.IN_STEP,), limit=1).couplings[0].remote_id


def uncoupled(site: Site, side: Side, mapping: str = "CUSTOMER") -> str:
    """Return the id of a record of the demo that is not coupled, and that the mapping's filter admits."""
    found = site.do(lambda session: list_records(session, mapping, side, states=(NOT_COUPLED,), within_filter=True))
    return found.rows[0].id


def free(site: Site) -> str:
    """Return the card of a local record of the demo that is not coupled."""
    return f"/records/CURRENCY/local/{uncoupled(site, Side.LOCAL, 'CURRENCY')}"


PAGES: dict[str, Address] = {
    "home": lambda site: "/",
    "list": lambda site: "/lists/CUSTOMER",
    "list-remote": lambda site: "/lists/CUSTOMER/remote",
    "list-conflict": lambda site: "/lists/CUSTOMER?state=conflict",
    "list-nothing": lambda site: "/lists/VENDOR?search=nobody",
    "list-options": lambda site: "/lists/PAYMENT%20TERMS/remote",
    "many-synchronise": lambda site: (
        f"/lists/CUSTOMER/local/synchronise?ids={coupled(site, CouplingState.CONFLICT)}%20{coupled(site)}"
    ),
    "many-synchronise-all": lambda site: "/lists/CUSTOMER/local/synchronise?all=1",
    "many-create": lambda site: "/lists/CUSTOMER/remote/create?all=1&states=not_coupled",
    "many-uncouple": lambda site: (
        f"/lists/CUSTOMER/local/uncouple?ids={coupled(site, CouplingState.CONFLICT)}%20{coupled(site)}"
    ),
    "record": lambda site: f"/records/CUSTOMER/local/{coupled(site, CouplingState.CONFLICT)}",
    "record-remote": lambda site: f"/records/CUSTOMER/remote/{remote(site)}",
    "record-skipped": lambda site: f"/records/CUSTOMER/local/{coupled(site, CouplingState.SKIPPED)}",
    "record-deleted": lambda site: f"/records/CUSTOMER/local/{coupled(site, CouplingState.LOCAL_DELETED)}",
    "record-uncoupled": lambda site: free(site),
    "record-option": lambda site: "/records/PAYMENT%20TERMS/remote/1",
    "record-history": lambda site: f"/records/CUSTOMER/local/{coupled(site, CouplingState.CONFLICT)}/history",
    "record-related": lambda site: f"/records/CUSTOMER/local/{coupled(site, CouplingState.CONFLICT)}/related",
    "record-related-records": lambda site: (
        f"/records/CUSTOMER/local/{coupled(site, CouplingState.CONFLICT)}/related/opportunities"
    ),
    "record-couple": lambda site: f"{free(site)}/couple",
    "record-couple-replace": lambda site: (
        f"/records/CUSTOMER/local/{coupled(site)}/couple?to={uncoupled(site, Side.REMOTE)}&all=1"
    ),
    "record-couple-create": lambda site: f"{free(site)}/couple?create=1",
    "record-couple-remote": lambda site: f"/records/CUSTOMER/remote/{uncoupled(site, Side.REMOTE)}/couple",
    "record-choose": lambda site: f"/records/CUSTOMER/local/{coupled(site)}/choose",
    "record-differences": lambda site: (
        f"/records/CUSTOMER/local/{coupled(site, CouplingState.CONFLICT)}/differences?all=1"
    ),
    "record-differences-deleted": lambda site: (
        f"/records/CUSTOMER/local/{coupled(site, CouplingState.REMOTE_DELETED)}/differences"
    ),
    "record-not-coupled": lambda site: f"{free(site)}/differences",
    "record-uncouple": lambda site: f"/records/CUSTOMER/local/{coupled(site)}/uncouple",
    "landing": lambda site: f"/open/dataverse/account/{uncoupled(site, Side.REMOTE)}",
    "landing-nothing": lambda site: "/open/dataverse/account/nobody",
    "progress": lambda site: f"/jobs/{job(site)}/progress",
    "nothing-there": lambda site: "/nothing-there",
    "problems": lambda site: "/problems",
    "problems-conflict": lambda site: "/problems?code=conflict",
    "problems-deleted": lambda site: "/problems?code=partner-deleted",
    "problems-waiting": lambda site: "/problems?open=CURRENCY~local~ISK",
    "problems-none": lambda site: "/problems?search=nobody",
    "problems-synchronise": lambda site: "/problems/synchronise?code=conflict",
    "problems-restore": lambda site: "/problems/restore?code=partner-deleted",
    "problems-delete": lambda site: "/problems/delete?code=partner-deleted",
    "problems-uncouple": lambda site: "/problems/uncouple?code=partner-deleted",
    "problems-partner": lambda site: "/problems/partner?waits=CURRENCY~local~ISK",
    "help": lambda site: "/help/errors/conflict",
    "connections": lambda site: "/connections",
    "connection-remove": lambda site: "/connections/dataverse/remove",
    "setup-business-central": lambda site: "/connections/setup/business-central",
    "setup-dataverse": lambda site: "/connections/setup/dataverse",
    "setup-ownership": lambda site: "/connections/setup/ownership",
    "setup-preflight": lambda site: "/connections/setup/preflight",
    "setup-mappings": lambda site: "/connections/setup/mappings",
    "mappings": lambda site: "/mappings",
    "mapping": lambda site: "/mappings/CUSTOMER",
    "mapping-fields": lambda site: "/mappings/CUSTOMER/fields",
    "mapping-filters": lambda site: "/mappings/CUSTOMER/filters",
    "removed-couplings": lambda site: "/couplings/removed?mapping=CUSTOMER",
    "mapping-field-rules": lambda site: "/mappings/CUSTOMER/fields/rules?field=city/address1_city",
    "mapping-direction": lambda site: "/mappings/CUSTOMER/direction?direction=to_remote",
    "mapping-synchronise": lambda site: "/mappings/CUSTOMER/synchronise",
    "mapping-full": lambda site: "/mappings/CUSTOMER/full",
    "mapping-uncouple": lambda site: "/mappings/CUSTOMER/uncouple",
    "mapping-reset": lambda site: "/mappings/CUSTOMER/reset",
    "match": lambda site: "/mappings/CUSTOMER/match",
    "match-selected": lambda site: "/lists/CUSTOMER/local/match?all=1&states=not_coupled",
    "jobs": lambda site: "/jobs",
    "jobs-none": lambda site: "/jobs?state=stopped",
    "job": lambda site: f"/jobs/{job(site)}",
    "job-failed": lambda site: f"/jobs/{job(site)}?outcome=failed",
    "plan": lambda site: f"/jobs/{plan(site)}/plan",
    "job-undo": lambda site: f"/jobs/{job(site)}/undo",
}


def plan(site: Site) -> int:
    """Make a plan of all customers of the demo, and return the id of its job."""
    return site.do(lambda session: make_plan(session, "CUSTOMER", Selection(all=True))).job.id


def job(site: Site) -> int:
    """Return the id of a job of the demo that changed records, some of which failed."""
    jobs = list_jobs(site.home, "CUSTOMER")
    return next(each.id for each in jobs if each.to_remote.modified and each.to_remote.failed)
