"""Words and forms of values on pages: the same word for a thing wherever it is shown."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from markupsafe import Markup

from crosstie.app.matching import MatchReason
from crosstie.model.couplings import CouplingState
from crosstie.model.jobs import JobKind, JobState, Outcome
from crosstie.model.lists import NOT_COUPLED
from crosstie.model.mappings import DeletionConflictResolution, Direction, UpdateConflictResolution
from crosstie.model.problems import ProblemClass
from crosstie.model.undoing import UndoOutcome


class Badge(NamedTuple):
    """How a state is shown: a word, a tone that is a class of the styles, and an icon; never a colour alone."""

    word: str
    tone: str
    icon: str


STATES: dict[str, Badge] = {
    NOT_COUPLED: Badge("Not coupled", "none", "circle"),
    CouplingState.NEVER_SYNCHRONISED.value: Badge("Coupled, not synchronised yet", "info", "link"),
    CouplingState.IN_STEP.value: Badge("In step", "good", "check"),
    CouplingState.CONFLICT.value: Badge("Conflict", "bad", "conflict"),
    CouplingState.WAITING.value: Badge("Waiting", "fair", "clock"),
    CouplingState.FAILED.value: Badge("Failed", "bad", "warning"),
    CouplingState.SKIPPED.value: Badge("Skipped", "fair", "pause"),
    CouplingState.LOCAL_DELETED.value: Badge("Deleted in {local}", "bad", "trash"),
    CouplingState.REMOTE_DELETED.value: Badge("Deleted in {remote}", "bad", "trash"),
    CouplingState.OUT_OF_FILTER.value: Badge("Outside the filter", "none", "filter"),
}
JOB_STATES: dict[str, Badge] = {
    JobState.QUEUED.value: Badge("Waiting", "info", "clock"),
    JobState.RUNNING.value: Badge("Running", "info", "sync"),
    JobState.FINISHED.value: Badge("Finished", "good", "check"),
    JobState.FAILED.value: Badge("Failed", "bad", "warning"),
    JobState.STOPPED.value: Badge("Stopped by a guard", "fair", "pause"),
    JobState.INTERRUPTED.value: Badge("Interrupted", "fair", "warning"),
    JobState.CANCELLED.value: Badge("Cancelled", "none", "close"),
}
JOB_KINDS = {
    JobKind.SYNCHRONISATION.value: "Synchronisation",
    JobKind.FULL_SYNCHRONISATION.value: "Full synchronisation",
    JobKind.COUPLING.value: "Coupling",
    JobKind.UNCOUPLING.value: "Uncoupling",
    JobKind.UNDO.value: "Undo",
    JobKind.PLAN.value: "Plan",
}
OUTCOMES: dict[str, str] = {each.value: each.value.replace("_", " ").capitalize() for each in Outcome}
UNDO_OUTCOMES = {
    UndoOutcome.PUT_BACK.value: "its previous values are back",
    UndoOutcome.DELETED.value: "deleted again, and no longer coupled",
    UndoOutcome.CREATED.value: "created again",
    UndoOutcome.COUPLED.value: "coupled as before",
    UndoOutcome.UNCOUPLED.value: "no longer coupled",
    UndoOutcome.UNCHANGED.value: "was as before already",
}
PROBLEM_CLASSES = {
    ProblemClass.CONFLICT.value: "Conflict",
    ProblemClass.DATA.value: "Data",
    ProblemClass.WAITING.value: "Waiting",
    ProblemClass.TRANSIENT.value: "Transient",
    ProblemClass.SETUP.value: "Set-up",
}
PAUSED = Badge("Paused", "fair", "pause")
PASSED = Badge("Passed", "good", "check")
NOT_PASSED = Badge("Failed", "bad", "warning")
WARNED = Badge("Warning", "fair", "warning")
SOLVED = Badge("Solved", "good", "check")
STILL_OPEN = Badge("Still open", "bad", "warning")
_CLASS_LOOKS = {
    ProblemClass.CONFLICT.value: ("bad", "conflict"),
    ProblemClass.DATA.value: ("bad", "warning"),
    ProblemClass.WAITING.value: ("fair", "clock"),
    ProblemClass.TRANSIENT.value: ("info", "sync"),
    ProblemClass.SETUP.value: ("bad", "plug"),
}
BUSINESS_CENTRAL, DATAVERSE = "Business Central", "Dataverse"
SYSTEMS = {"local": BUSINESS_CENTRAL, "remote": DATAVERSE}
DIRECTIONS = {
    Direction.TO_REMOTE.value: f"To {DATAVERSE}",
    Direction.FROM_REMOTE.value: f"From {DATAVERSE}",
    Direction.BIDIRECTIONAL.value: "Bidirectional",
}
_SIDES = re.compile(r"(?P<on>\bon )?\b(?P<the>[Tt]he) (?P<side>local|remote) (?P<what>side|record|value)\b")
_THERE = re.compile(r"\b(local|remote)ly\b")
ARROWS = {Direction.TO_REMOTE.value: "→", Direction.FROM_REMOTE.value: "←", Direction.BIDIRECTIONAL.value: "↔"}
UPDATE_CONFLICTS = {
    UpdateConflictResolution.ASK.value: "Ask",
    UpdateConflictResolution.SEND.value: f"Send data update to {DATAVERSE}",
    UpdateConflictResolution.GET.value: f"Get data update from {DATAVERSE}",
    UpdateConflictResolution.NEWEST.value: "The newest wins",
}
DELETION_CONFLICTS = {
    DeletionConflictResolution.ASK.value: "Ask",
    DeletionConflictResolution.RESTORE.value: "Restore records",
    DeletionConflictResolution.UNCOUPLE.value: "Delete coupling",
    DeletionConflictResolution.DELETE.value: "Delete records",
}
_TABLES = {
    "customers": ("Customers", "Customer"),
    "vendors": ("Vendors", "Vendor"),
    "contacts": ("Contacts", "Contact"),
    "currencies": ("Currencies", "Currency"),
    "salespeople": ("Salespeople", "Salesperson"),
    "salespeoplePurchasers": ("Salespeople", "Salesperson"),
    "paymentTerms": ("Payment Terms", "Payment term"),
    "shipmentMethods": ("Shipment Methods", "Shipment method"),
    "syncCustomers": ("Customers", "Customer"),
    "syncVendors": ("Vendors", "Vendor"),
    "syncContacts": ("Contacts", "Contact"),
    "account": ("Accounts", "Account"),
    "contact": ("Contacts", "Contact"),
    "systemuser": ("Users", "User"),
    "transactioncurrency": ("Currencies", "Currency"),
    "account.paymenttermscode": ("Payment Terms options", "Option"),
    "account.address1_freighttermscode": ("Freight Terms options", "Option"),
    "account.address1_shippingmethodcode": ("Shipping Method options", "Option"),
}


def state(name: str) -> Badge:
    """Return how a record's coupling state is shown."""
    found = STATES[name]
    return found._replace(word=found.word.format(**SYSTEMS))


def tables(name: str) -> str:
    """Return what a page of many records of a table is called."""
    name = name.rsplit("/", 1)[-1]
    return _TABLES[name][0] if name in _TABLES else _spaced(name)


def tables_of(mapping: str, local_table: str) -> str:
    """Return what a mapping's list is called; one of an unknown table by the mapping."""
    name = local_table.rsplit("/", 1)[-1]
    return tables(name) if name in _TABLES else mapping.capitalize()


def table(name: str) -> str:
    """Return what one record of a table is called."""
    name = name.rsplit("/", 1)[-1]
    return _TABLES[name][1] if name in _TABLES else _spaced(name)


def system(side: str) -> str:
    """Return the system of a side as people call it."""
    return SYSTEMS[side]


def other(side: str) -> str:
    """Return the other side."""
    return "remote" if side == "local" else "local"


def sides(text: str) -> str:
    """Return words of the engine, which tells the sides apart, with the systems as people call them."""
    return _THERE.sub(lambda found: f"in {SYSTEMS[found[1]]}", _SIDES.sub(_of_side, text))


def _of_side(found: re.Match[str]) -> str:
    system = SYSTEMS[found["side"]]
    if found["what"] == "side":
        return f"in {system}" if found["on"] else system
    return f"{found['on'] or ''}{found['the']} {found['what']} in {system}"


def capitalize_first(text: str) -> str:
    """Return a text with a capital at its beginning, and all else as it is."""
    return text[:1].upper() + text[1:]


def moment(at: datetime | None) -> Markup | str:
    """Return a time; the browser shows it in its own zone."""
    if at is None:
        return "never"
    at = at.astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(timespec="seconds"), f"{at:%d %b %Y %H:%M} UTC")


def ago(at: datetime | None, now: datetime | None = None) -> str:
    """Return how long ago something was, in words of one unit."""
    if at is None:
        return "never"
    seconds = max(0, int(((now or datetime.now(UTC)) - at).total_seconds()))
    for size, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            return f"{plural(seconds // size, word)} ago"
    return "just now"


def number(value: int | None) -> str:
    """Return a count with its thousands told apart; one that nobody knows as a dash."""
    return "–" if value is None else f"{value:,}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def value(found: Any) -> str:
    """Return a field's value as a list or card shows it; a blank is an empty text."""
    match found:
        case None:
            return ""
        case bool():
            return "Yes" if found else "No"
        case Decimal():
            return f"{found:,f}"
        case datetime():
            return f"{found.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        case date():
            return found.isoformat()
        case _:
            return str(found)


def done(outcome: str, side: str | None, fields: int) -> str:
    """Return what was done to a record."""
    place = f" in {SYSTEMS[side]}" if side else ""
    match outcome:
        case Outcome.INSERTED.value:
            return f"Created{place}"
        case Outcome.MODIFIED.value:
            return f"{plural(fields, 'field')} changed{place}"
        case _:
            return f"{OUTCOMES[outcome]}{place if outcome == Outcome.DELETED.value else ''}"


def check(name: str) -> str:
    """Return what a line of a connection test is called."""
    kind, _, of = name.partition(" ")
    if kind == "table":
        return f"Table {tables(of)}"
    if kind == "mapping":
        return f"Mapping {of}"
    return "Sign-in" if name == "sign-in" else name.replace("-", " ").capitalize()


def connection_state(enabled: bool, reason: str) -> Badge:
    """Return how a connection's state is shown."""
    if not enabled:
        return Badge("Disabled", "none", "close")
    return Badge("Paused", "bad", "pause") if reason else Badge("Enabled", "good", "check")


def problem_class(name: str) -> Badge:
    """Return how a class of problems is shown."""
    tone, icon = _CLASS_LOOKS[name]
    return Badge(PROBLEM_CLASSES[name], tone, icon)


def _spaced(name: str) -> str:
    return "".join(f" {each}" if each.isupper() else each for each in name).replace("_", " ").strip().capitalize()


def setting(name: str, found: Any) -> str:
    """Return the value of a setting of a mapping or field mapping."""
    known = {
        "direction": DIRECTIONS,
        "update_conflict": UPDATE_CONFLICTS,
        "conflict_resolution": UPDATE_CONFLICTS,
        "deletion_conflict": DELETION_CONFLICTS,
    }.get(name, {})
    if name == "enabled":
        return "Enabled" if found else "Disabled"
    return known.get(str(found), value(found)) or "none"


def duration(seconds: float | None) -> str:
    """Return how long something took, in its two largest units."""
    if seconds is None:
        return ""
    whole = int(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


_MATCH_REASONS = {
    MatchReason.COUPLED: Badge("Matches uniquely", "good", "check"),
    MatchReason.ALREADY_COUPLED: Badge("Already coupled", "none", "link"),
    MatchReason.NO_MATCH: Badge("No match", "none", "circle"),
    MatchReason.SEVERAL_CANDIDATES: Badge("Several match", "fair", "warning"),
    MatchReason.CANDIDATE_TAKEN: Badge("Match is taken", "fair", "link"),
    MatchReason.CLAIMED_BY_SEVERAL: Badge("Match is claimed by several", "fair", "warning"),
    MatchReason.BLANK_CRITERIA: Badge("Criteria are blank", "none", "circle"),
    MatchReason.OUT_OF_FILTER: Badge("Outside the filter", "none", "filter"),
    MatchReason.REFUSED: Badge("Refused", "bad", "warning"),
}


def match_reason(name: str) -> Badge:
    """Return how the reason is shown for which a record was matched or not."""
    return _MATCH_REASONS[MatchReason(name)]
