"""Errors as problem details (RFC 9457): one status, one code and the words of the command line for each."""

from collections.abc import Mapping
from typing import Any

import msgspec
import structlog

from crosstie.api.shapes import Problem
from crosstie.model import errors
from crosstie.model.errors import CrosstieError

MEDIA_TYPE = "application/problem+json"

_STATUS: Mapping[type[CrosstieError], int] = {
    errors.UsageError: 422,
    errors.UnknownMapping: 404,
    errors.UnknownConnection: 404,
    errors.UnknownRecord: 404,
    errors.UnknownJob: 404,
    errors.UnknownEntry: 404,
    errors.UnknownUser: 404,
    errors.UnknownToken: 404,
    errors.UnknownAddress: 404,
    errors.InvalidLink: 404,
    errors.AmbiguousRecord: 409,
    errors.AlreadyCoupled: 409,
    errors.NotCoupled: 409,
    errors.CannotCouple: 409,
    errors.JobRunning: 409,
    errors.NothingToDo: 409,
    errors.ChangedSince: 409,
    errors.CannotUndo: 409,
    errors.NameTaken: 409,
    errors.LastAdministrator: 409,
    errors.RequestRunning: 409,
    errors.MethodNotAllowed: 405,
    errors.RequestTooLarge: 413,
    errors.JsonNeeded: 415,
    errors.AccessRefused: 403,
    errors.SignInNeeded: 401,
    errors.SignInRefused: 401,
    errors.TokenRefused: 401,
    errors.TooManyAttempts: 429,
    errors.SystemFailure: 502,
    errors.Throttled: 503,
    errors.GuardStopped: 409,
    errors.JobCancelled: 409,
    errors.StoreError: 503,
    errors.CrosstieError: 500,
}
"""The status of each branch of the error tree; the nearest ancestor counts."""


def status_of(error: CrosstieError) -> int:
    """Return the status with which an error is answered."""
    return next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)


def codes(root: type[CrosstieError] = CrosstieError) -> list[str]:
    """Return the codes of all errors, sorted."""
    found = {root.code}
    for child in root.__subclasses__():
        found.update(codes(child))
    return sorted(found)


def problem_of(error: CrosstieError, request_id: str) -> Problem:
    """Return an error as the API tells it."""
    return Problem(
        type=f"/docs/errors/{error.code}.md",
        title=error.code.replace("-", " ").capitalize(),
        status=status_of(error),
        detail=error.words,
        code=error.code,
        next_step=error.advice,
        details=msgspec.to_builtins(error.details, str_keys=True, enc_hook=str),
        instance=f"urn:crosstie:request:{request_id}",
    )


def headers_of(error: CrosstieError, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the headers that go with an error's answer."""
    found = dict(more or {})
    match error:
        case errors.SignInNeeded() | errors.TokenRefused():
            found["WWW-Authenticate"] = "Bearer"
        case errors.TooManyAttempts():
            found["Retry-After"] = str(error.details.get("retry_after", 60))
        case errors.Throttled() | errors.StoreBusy():
            found["Retry-After"] = "10"
        case errors.RequestRunning():
            found["Retry-After"] = "1"
    return found


def cause_of(error: BaseException) -> BaseException:
    """Return what a group of errors is about: an error of ours before any other, else its first."""
    while isinstance(error, BaseExceptionGroup):
        inner = error.exceptions
        error = next((each for each in inner if isinstance(each, CrosstieError)), inner[0])
    return error


def as_ours(error: BaseException) -> CrosstieError:
    """Return an error of ours for any other one; what nobody expected goes into the log and not into the answer."""
    found = cause_of(error)
    if isinstance(found, CrosstieError):
        return found
    structlog.get_logger(__name__).error("unexpected", exc_info=error)
    return errors.Unexpected("Something went wrong inside Crosstie.")


def encoded(problem: Problem) -> bytes:
    """Return problem details as the body of an answer."""
    return msgspec.json.encode(problem)


def invalid(words: str, path: str, **details: Any) -> errors.InvalidRequest:
    """Return the error for a part of a request that is not what is expected."""
    return errors.InvalidRequest(words, path=path, **details)
