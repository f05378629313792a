"""Lines of a connection test that both systems share."""

from crosstie.model.errors import CrosstieError, SystemRefused
from crosstie.model.records import CheckFinding

_TOLERATED_SKEW = 120.0


def failed(name: str, error: CrosstieError) -> CheckFinding:
    """Return the line for a test that an error ended."""
    wrong_place = name == "address" and isinstance(error, SystemRefused)
    step = "Check the address, and the tenant and environment in it." if wrong_place else error.advice
    return CheckFinding(name, False, error.words, step, error.code)


def clock_finding(offset: float) -> CheckFinding:
    """Return the line about the two clocks; `offset` is by how many seconds the system's is ahead."""
    detail = f"the system's clock is {abs(offset):.0f} s {'ahead of' if offset > 0 else 'behind'} this machine's"
    if abs(offset) <= _TOLERATED_SKEW:
        return CheckFinding("clock", True, detail)
    return CheckFinding("clock", False, detail, "Set this machine's clock by a time server.")
