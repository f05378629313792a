"""Every page and dialog, by a name that says what is seen: what walks through all of them goes by this list."""

from collections.abc import Callable

from crosstie.app.coupling import list_couplings
from crosstie.app.history import list_jobs
from crosstie.model.couplings import CouplingState
from tests.web.conftest import Site

Address = Callable[[Site], str]


def coupled(site: Site, state: CouplingState = CouplingState.IN_STEP, mapping: str = "CUSTOMER") -> str:
    """Return the local id of a coupled record of the demo in that state."""
    return list_couplings(site.home, mapping, states=(state,), limit=1).couplings[0].local_id


def remote(site: Site) -> str:
    """Return the remote id of a coupled record of the demo."""
    return list_couplings(site.home, "CUSTOMER", states=(CouplingState.IN_STEP,), limit=1).couplings[0].remote_id


PAGES: dict[str, Address] = {
    "home": lambda site: "/",
    "nothing-there": lambda site: "/nothing-there",
}


def job(site: Site) -> int:
    """Return the id of a job of the demo."""
    return list_jobs(site.home, "CUSTOMER", limit=1)[0].id
