"""What to do on the pages about an error or a cause, where its documentation speaks of commands."""

import re
from collections.abc import Mapping

_MAPPINGS = "[Integration Table Mappings](/mappings)"
_CONNECTIONS = "[Connections](/connections)"
_SETUP = "[Assisted setup](/connections/setup)"
_JOBS = "[Integration Synchronization Jobs](/jobs)"
_HISTORY = "The record's card leads to its *History*, with each value before and after"
_ADMINISTRATOR = "Ask an administrator; users and tokens are looked after on the command line of the server."


def _errors(code: str) -> str:
    return f"[Coupled Data Synchronization Errors](/problems?code={code})"


ON_PAGES: Mapping[str, str] = {
    "already-coupled": (
        "The record's card shows its partner. If that is the wrong one, choose *Set Up Coupling* there and another "
        "partner: it is asked before the coupling is replaced, and *Undo* brings it back."
    ),
    "cannot-undo": (
        f"Wait for a job that runs, or cancel it under {_JOBS}. {_HISTORY}, so that it can be entered by hand."
    ),
    "changed-since": "Open the dialog again: it shows what both records hold now.",
    "conflict": (
        f"Under {_errors('conflict')} choose *Synchronise* and the side whose values are to win, or *Compare* to "
        "choose field by field. *Undo* brings the losing values back. To have such conflicts decided by rule, set "
        f"*Resolve Update Conflicts* on the mapping's card or with its fields under {_MAPPINGS}. If one side is "
        "edited to the other's value, the problem closes by itself."
    ),
    "creation-undone": (
        "If a partner is wanted after all, choose *Create* or *Set Up Coupling* on the record's card. Else nothing "
        f"has to be done. To keep it without partner for good, leave it out by the mapping's filter under {_MAPPINGS}."
    ),
    "credentials-refused": (
        f"Make a new secret and enter it under {_SETUP}; the preflight there says whether it is taken. In Business "
        "Central, check the page *Microsoft Entra Applications*; in Dataverse, the application user of the environment."
    ),
    "cursor-expired": (
        "Nothing, as a rule: the whole table is read once. If you want it now, open the mapping under "
        f"{_MAPPINGS} and choose *Run Full Synchronization*."
    ),
    "forbidden": _ADMINISTRATOR,
    "invalid-connection": f"Correct it under {_SETUP}. *Test* under {_CONNECTIONS} checks each part in turn.",
    "invalid-filter": (
        f"Open the mapping under {_MAPPINGS} and choose *Edit the filters*: fields, operators and values can be "
        "chosen row by row, with the number of records that match beside them."
    ),
    "invalid-link": _ADMINISTRATOR,
    "invalid-mapping": (
        f"Open the mapping under {_MAPPINGS} and correct what the message names; *Use Default Synchronization Setup* "
        "restores it as shipped. Couplings stay."
    ),
    "job-running": (
        f"Wait: {_JOBS} says how far it is, and it can be cancelled there. If the process that ran it died, it goes "
        "on by itself from where it was."
    ),
    "missing-privilege": (
        "Give the user the role or permission set that the message names, then choose *Check everything* under "
        f"{_CONNECTIONS} and *Retry* under {_errors('missing-privilege')}."
    ),
    "not-coupled": "Choose *Set Up Coupling* on the record's card: with a record that is there, or with *Create New*.",
    "not-unique": (
        "If they are the same, choose *Set Up Coupling* on the record's card and the other one. Otherwise change the "
        "number of one of them."
    ),
    "nothing-to-do": f"Usually nothing is left to do. {_HISTORY}.",
    "partner-deleted": (
        f"Under {_errors('partner-deleted')} choose *Restore Records*, *Delete Records* or *Delete Couplings*; each "
        "shows first what it does, and can be undone. *Resolve Deletion Conflicts* on the mapping's card does one of "
        "them always."
    ),
    "refused": (
        "Correct the record as the words say: it is then tried again by itself. *Retry* under "
        f"{_errors('refused')} tries at once."
    ),
    "sign-in-refused": f"Type both again. {_ADMINISTRATOR}",
    "system-refused": (
        f"The message holds the system's own words. Correct the mapping's *Fields* under {_MAPPINGS}, and choose "
        f"*Retry* under {_errors('system-refused')}."
    ),
    "unknown-connection": f"See {_CONNECTIONS}; {_SETUP} adds what is missing.",
    "unknown-entry": f"{_HISTORY}, and with *Undo*.",
    "unknown-field": (
        f"Open the mapping's *Fields* under {_MAPPINGS}. If the system lost the field, disable the field mapping, or "
        "restore the mapping with *Use Default Synchronization Setup*."
    ),
    "unknown-job": f"See {_JOBS}: jobs are kept for a time only.",
    "unknown-mapping": f"See {_MAPPINGS}. If there is none, {_SETUP} lays the standard mappings down.",
    "unknown-option": (
        f"Add the option there and synchronise the mapping of that list under {_MAPPINGS}, "
        "or choose another value here."
    ),
    "unknown-record": "Look the record up in its list here, or in its own system.",
    "unknown-table": (
        "Install the extension or solution that has the table, or give the application user a role that may read it. "
        f"*Check everything* under {_CONNECTIONS} shows what is still missing."
    ),
    "unreachable": (
        f"Choose *Test* under {_CONNECTIONS}, and check the address. Nothing was lost: a connection that answers "
        "again is used again by itself."
    ),
}
"""Markdown, by code."""


_OTHER_CODE = re.compile(r"\]\(([a-z-]+)\.md\)")
_ELSEWHERE = re.compile(r"\[([^\]]+)\]\(\.\./[^)]+\)")


def for_pages(code: str, text: str) -> str:
    """Return the documentation of a code as pages show it: first what is done on them, then what commands do.

    Links to other codes lead to their pages; what else the documentation has is not served here, and is only named.
    """
    text = _ELSEWHERE.sub(r"\1", _OTHER_CODE.sub(r"](/help/errors/\1)", text))
    here = ON_PAGES.get(code)
    if here is None:
        return text
    return text.replace("## What to do\n", f"## What to do\n\n{here}\n\n## On the command line\n", 1)
