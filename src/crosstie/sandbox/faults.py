"""Faults on order: what a client must survive, at a moment that the order names."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crosstie.sandbox.http import Response, error_response

KINDS: Mapping[str, str] = {
    "throttle": "answer 429 with Retry-After, before anything is done",
    "refuse": "answer 401 as if the token were worthless (or another status)",
    "status": "answer with the given status and an error body, before anything is done (default 503)",
    "html": "answer with a gateway's HTML page, before anything is done (default 502)",
    "slow": "wait, then do the work and answer",
    "late": "do the work, wait, then answer",
    "drop_before": "close the connection before anything is done",
    "drop_after": "do the work, then close the connection without an answer",
    "tear": "do the work, then deliver half of the answer and close",
}

PRESETS: Mapping[str, Sequence[Mapping[str, object]]] = {
    "transient_timeout": (
        {"kind": "status", "status": 504, "method": "POST|PATCH", "path": r"^(?!.*/oauth2/)", "times": 1},
    ),
    "busy_hour": ({"kind": "throttle", "retry_after": 1, "path": r"^(?!.*/oauth2/)", "times": 3},),
    "outage": ({"kind": "drop_before", "times": None},),
}

_PAGE = b"""<!DOCTYPE html>
<html><head><title>502 - Web server received an invalid response while acting as a gateway</title></head>
<body><h1>Server Error</h1><h2>502 - Web server received an invalid response while acting as a gateway or
proxy server.</h2><p>There is a problem with the page you are looking for.</p></body></html>
"""


class FaultError(ValueError):
    """An order for a fault names something that does not exist or make sense."""


@dataclass(slots=True)
class Fault:
    """One order. It hits requests whose method and path match, skips *after* of them, then acts *times* times."""

    kind: str
    times: int | None = 1
    """How often it still acts; None is without end."""
    after: int = 0
    """How many matching requests it still lets pass first."""
    method: re.Pattern[str] | None = None
    path: re.Pattern[str] | None = None
    status: int | None = None
    retry_after: float | None = 1
    seconds: float = 0.0

    @classmethod
    def from_order(cls, order: Mapping[str, object]) -> "Fault":
        """Check an order as it came in JSON; raises :class:`FaultError` naming the field."""
        unknown = set(order) - {
            "kind", "times", "after", "method", "path", "status", "retry_after", "seconds"
        }  # fmt: skip
        if unknown:
            raise FaultError(f"unknown field {sorted(unknown)[0]!r} in a fault")
        kind = order.get("kind")
        if not isinstance(kind, str) or kind not in KINDS:
            raise FaultError(f"field 'kind' is {kind!r}; it must be one of {', '.join(KINDS)}")
        after = _number(order, "after", 0)
        return cls(
            kind=kind,
            times=None if order.get("times", 1) is None else _number(order, "times", 1),
            after=after,
            method=_pattern(order, "method"),
            path=_pattern(order, "path"),
            status=None if order.get("status") is None else _number(order, "status", 0),
            retry_after=None if order.get("retry_after", 1) is None else _seconds(order, "retry_after", 1.0),
            seconds=_seconds(order, "seconds", 1.0 if kind in ("slow", "late") else 0.0),
        )

    def matches(self, method: str, path: str) -> bool:
        """Whether a request is of the kind that this fault is for."""
        return (self.method is None or self.method.fullmatch(method) is not None) and (
            self.path is None or self.path.search(path) is not None
        )

    def describe(self) -> dict[str, object]:
        """The order with what remains of it."""
        return {
            "kind": self.kind,
            "times": self.times,
            "after": self.after,
            "method": self.method.pattern if self.method else None,
            "path": self.path.pattern if self.path else None,
            "status": self.status,
            "retry_after": self.retry_after,
            "seconds": self.seconds,
        }


class Faults:
    """The faults in force of one system. The first one that matches a request hits it."""

    def __init__(self, system: str = "") -> None:
        self._system = system
        self._faults: list[Fault] = []

    def add(self, orders: Sequence[Mapping[str, object]]) -> None:
        """Take orders, all or none."""
        self._faults.extend([Fault.from_order(order) for order in orders])

    def add_preset(self, name: str) -> None:
        """Take the orders of a named preset."""
        if name not in PRESETS:
            raise FaultError(f"unknown preset {name!r}; known: {', '.join(PRESETS)}")
        self.add(PRESETS[name])

    def clear(self) -> None:
        """Forget all orders."""
        self._faults.clear()

    def describe(self) -> list[dict[str, object]]:
        """The orders still in force, with what remains of each."""
        return [fault.describe() for fault in self._faults]

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that hits this request, if any; each call uses up what it matches."""
        if not self._faults:
            return None
        for fault in self._faults:
            if not fault.matches(method, path):
                continue
            if fault.after > 0:
                fault.after -= 1
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self._faults.remove(fault)
            return fault
        return None

    def answer(self, fault: object) -> Response | None:
        """The answer a fault puts in place of the system's own; None for those that let the system work."""
        if not isinstance(fault, Fault):
            return None
        if fault.kind == "throttle":
            return self._throttled(fault)
        if fault.kind == "refuse":
            return self._refused(fault.status or 401)
        if fault.kind == "status":
            return self._failed(fault)
        if fault.kind == "html":
            return Response(fault.status or 502, [("Content-Type", "text/html; charset=utf-8")], _PAGE)
        return None

    def _throttled(self, fault: Fault) -> Response:
        """The limits of wire-dataverse section 14 and wire-businesscentral section 8."""
        headers = [] if fault.retry_after is None else [("Retry-After", f"{fault.retry_after:g}")]
        if self._system == "dataverse":
            text = "Number of requests exceeded the limit of 6000 over time window of 300 seconds."
            return error_response(fault.status or 429, "0x80072322", text, headers)
        text = "Too many requests reached. Actual (6001). Maximum (6000)."
        return error_response(fault.status or 429, "Application_TooManyRequests", text, headers)

    def _refused(self, status: int) -> Response:
        if self._system == "dataverse":
            headers = [("WWW-Authenticate", "Bearer")]
            return error_response(status, "0x80041d1f", "The token was refused.", headers)
        text = "The server has rejected the client credentials."
        return error_response(status, "Authentication_InvalidCredentials", text)

    def _failed(self, fault: Fault) -> Response:
        code = "0x80044151" if self._system == "dataverse" else "Internal_ServerError"
        text = f"The server could not complete the request (status {fault.status or 503})."
        headers = [] if fault.status not in (502, 503) else [("Retry-After", f"{fault.retry_after or 1:g}")]
        return error_response(fault.status or 503, code, text, headers)


def _number(order: Mapping[str, object], name: str, default: int) -> int:
    value = order.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise FaultError(f"field {name!r} is {value!r}; it must be a whole number from 0")
    return value


def _seconds(order: Mapping[str, object], name: str, default: float) -> float:
    value = order.get(name, default)
    try:
        seconds = float(str(value))
    except ValueError:
        seconds = -1
    if not 0 <= seconds < 86_400:
        raise FaultError(f"field {name!r} is {value!r}; it must be a number of seconds below a day")
    return seconds


def _pattern(order: Mapping[str, object], name: str) -> re.Pattern[str] | None:
    value = order.get(name)
    if value is None:
        return None
    try:
        return re.compile(str(value))
    except re.error as error:
        raise FaultError(f"field {name!r} is {value!r}, not a regular expression: {error}") from error
