"""The causes of problems: one code, one wording and one next step each, wherever they show."""

import msgspec

from crosstie.model.problems import ProblemClass


class Cause(msgspec.Struct, frozen=True):
    """A cause. `next_step` tells the person what resolves it, or that nothing needs to be done."""

    code: str
    problem_class: ProblemClass
    title: str
    next_step: str


_ALL = (
    Cause(
        "conflict",
        ProblemClass.CONFLICT,
        "The same field was changed on both sides",
        "Choose a side: synchronise the record and say whose values are to win.",
    ),
    Cause(
        "partner-deleted",
        ProblemClass.CONFLICT,
        "The record is coupled to a deleted record",
        "Restore the deleted record, delete this one too, or remove the coupling.",
    ),
    Cause(
        "creation-undone",
        ProblemClass.CONFLICT,
        "The partner that was created for the record was deleted again by an undo",
        "Create its partner, or leave it: it is looked at again when it changes.",
    ),
    Cause(
        "waiting-for-partner",
        ProblemClass.WAITING,
        "A record that it refers to is not coupled yet",
        "Couple or create that record; this one then follows by itself.",
    ),
    Cause(
        "too-long",
        ProblemClass.DATA,
        "A value is too long for the other side",
        "Shorten the value, or let the mapping cut it.",
    ),
    Cause(
        "not-exact",
        ProblemClass.DATA,
        "A value cannot be kept exactly on the other side",
        "Change the value, or let the mapping round it.",
    ),
    Cause(
        "unreadable-value",
        ProblemClass.DATA,
        "A value does not fit the type of the other field",
        "Correct the value or the field mapping.",
    ),
    Cause(
        "unknown-option",
        ProblemClass.DATA,
        "The other side has no such option",
        "Correct the value, or add the option on the other side.",
    ),
    Cause(
        "refused",
        ProblemClass.DATA,
        "A rule of the other system refused the record",
        "Read the system's words and correct the record.",
    ),
    Cause(
        "unknown-code",
        ProblemClass.DATA,
        "A code does not exist in the other system",
        "Create the code there, or change it here.",
    ),
    Cause(
        "not-unique",
        ProblemClass.DATA,
        "Another record has the same key already",
        "Couple with that record, or change the key.",
    ),
    Cause(
        "not-eligible",
        ProblemClass.DATA,
        "The record is not of the kind that the mapping synchronises",
        "Change the record, or leave it uncoupled.",
    ),
    Cause(
        "no-exchange-rate",
        ProblemClass.DATA,
        "The currency has no exchange rate",
        "Enter an exchange rate for the currency in Business Central.",
    ),
    Cause(
        "write-denied",
        ProblemClass.DATA,
        "The connection's user may not write the record",
        "Give the application user the privilege, or leave the record out by the mapping's filter.",
    ),
    Cause(
        "busy",
        ProblemClass.TRANSIENT,
        "The system could not take the record just now",
        "Nothing: the next job tries again.",
    ),
    Cause(
        "keeps-changing",
        ProblemClass.TRANSIENT,
        "The record changed again each time it was about to be written",
        "Nothing: the next job tries again.",
    ),
    Cause(
        "both-deleted",
        ProblemClass.CONFLICT,
        "Both records of the coupling are deleted",
        "Nothing: the coupling is removed.",
    ),
)

CAUSES = {cause.code: cause for cause in _ALL}
