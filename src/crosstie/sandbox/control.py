"""The orders under ``/_sandbox/`` of each system's port. They need no token and come from this machine only.

===========================  ================================================================================
``GET  /_sandbox/``          what the system is, its record counts and its clock
``GET  /_sandbox/info``      the addresses and credentials of the whole sandbox
``GET  /_sandbox/planted``   the troubles that the data set holds, with the records they hit
``POST /_sandbox/reset``     ``{}`` empties the tables; ``{"all": true}`` also forgets faults, counts, switches, clock
``POST /_sandbox/load``      ``{"data": "demo" | "empty" | "generate:N[:local|:remote]", "seed": n}`` after emptying
``*    /_sandbox/clock``     ``{"now": iso}``, ``{"advance_seconds": n}``, ``{"real": true}``
``*    /_sandbox/faults``    ``{"faults": [...]}`` or ``{"preset": name}``; DELETE clears
``*    /_sandbox/requests``  counts since the last DELETE
``*    /_sandbox/settings``  ``{name: value}``
``POST /_sandbox/tokens``    ``{"revoke": "all"}``
===========================  ================================================================================
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Protocol

from crosstie.sandbox.clock import Clock
from crosstie.sandbox.counting import Counters
from crosstie.sandbox.faults import KINDS, PRESETS, FaultError, Faults
from crosstie.sandbox.http import CONTROL_ROOT, HttpError, Request, Response, error_response, json_response
from crosstie.sandbox.settings import Setting, SettingError, Settings
from crosstie.sandbox.tokens import Tokens


class System(Protocol):
    """What the launcher and the orders ask of a system."""

    name: str

    def handle(self, request: Request) -> Response:
        """Answer a request to the system's API, batches included; checks the token."""

    def reset(self) -> None:
        """Drop all records and make the tables anew."""

    def counts(self) -> dict[str, int]:
        """Records by table."""

    def insert_many(self, table: str, rows: Iterable[dict[str, object]]) -> None:
        """Put records in, values in wire form, without HTTP."""

    @classmethod
    def settings_schema(cls) -> Iterable[Setting]:
        """The switches the system reads."""


class Host(Protocol):
    """A system with what stands around it."""

    system: System
    settings: Settings
    faults: Faults
    counters: Counters
    planted: list[dict[str, object]]

    def load(self, data: str, seed: int | None = None) -> None:
        """Empty the system and fill it with a data set."""


class Control:
    """Carries out the orders for one system."""

    def __init__(self, host: Host, clock: Clock, tokens: Tokens, info: Callable[[], Mapping[str, object]]) -> None:
        self._host = host
        self._clock = clock
        self._tokens = tokens
        self._info = info
        self._routes: dict[str, Callable[[Request], object]] = {
            "": self._about,
            "info": lambda request: self._info(),
            "planted": lambda request: {"planted": self._host.planted},
            "reset": self._reset,
            "load": self._load_data,
            "clock": self._set_clock,
            "faults": self._set_faults,
            "requests": self._requests,
            "settings": self._set_settings,
            "tokens": self._revoke,
        }

    def handle(self, request: Request) -> Response:
        """Answer a request under ``/_sandbox``; a wrong order is a 400 that names the field and the value."""
        if request.client and not (request.client.startswith("127.") or request.client == "::1"):
            return error_response(403, "NotFromHere", "Orders are taken from this machine only.")
        name = request.path[len(CONTROL_ROOT) :].strip("/")
        route = self._routes.get(name)
        if route is None:
            known = ", ".join(filter(None, self._routes))
            return error_response(404, "UnknownOrder", f"There is no order {name!r}; known: {known}.")
        try:
            return json_response(route(request), content_type="application/json")
        except (FaultError, SettingError, ValueError) as error:
            return error_response(400, "BadOrder", str(error))

    def _about(self, request: Request) -> object:
        return {
            "system": self._host.system.name,
            "records": self._host.system.counts(),
            "clock": self._clock_state(),
            "orders": sorted(f"{CONTROL_ROOT}/{name}" for name in self._routes),
        }

    def _reset(self, request: Request) -> object:
        _only(request, "POST")
        order = _order(request, "all")
        self._host.system.reset()
        if order.get("all"):
            self._host.faults.clear()
            self._host.counters.reset()
            self._host.settings.reset()
            self._tokens.settings.reset()
            self._clock.real()
        return {"records": self._host.system.counts()}

    def _load_data(self, request: Request) -> object:
        _only(request, "POST")
        order = _order(request, "data", "seed")
        data, seed = order.get("data"), order.get("seed")
        if not isinstance(data, str):
            raise ValueError(f"field 'data' is {data!r}; it must be demo, empty or generate:N")
        if seed is not None and not isinstance(seed, int):
            raise ValueError(f"field 'seed' is {seed!r}; it must be a whole number")
        self._host.load(data, seed)
        return {"records": self._host.system.counts()}

    def _set_clock(self, request: Request) -> object:
        if request.method == "POST":
            order = _order(request, "now", "advance_seconds", "real")
            if "now" in order:
                self._clock.set(datetime.fromisoformat(str(order["now"])))
            if "advance_seconds" in order:
                self._clock.advance(float(str(order["advance_seconds"])))
            if order.get("real"):
                self._clock.real()
        return self._clock_state()

    def _clock_state(self) -> dict[str, object]:
        return {"now": self._clock.milliseconds(), "stopped": self._clock.stopped}

    def _set_faults(self, request: Request) -> object:
        if request.method == "DELETE":
            self._host.faults.clear()
        elif request.method == "POST":
            order = _order(request, "faults", "preset")
            orders = order.get("faults", [])
            if not isinstance(orders, list) or not all(isinstance(item, dict) for item in orders):
                raise FaultError(f"field 'faults' is {orders!r}; it must be a list of objects")
            self._host.faults.add(orders)
            if "preset" in order:
                self._host.faults.add_preset(str(order["preset"]))
        return {"faults": self._host.faults.describe(), "kinds": KINDS, "presets": list(PRESETS)}

    def _requests(self, request: Request) -> object:
        if request.method == "DELETE":
            self._host.counters.reset()
        return self._host.counters.describe()

    def _set_settings(self, request: Request) -> object:
        if request.method == "POST":
            order = _order(request, *self._host.settings.schema, *self._tokens.settings.schema)
            of_tokens = {name: value for name, value in order.items() if name in self._tokens.settings}
            self._host.settings.change({name: value for name, value in order.items() if name not in of_tokens})
            self._tokens.settings.change(of_tokens)
        return {"settings": {**self._host.settings.describe(), **self._tokens.settings.describe()}}

    def _revoke(self, request: Request) -> object:
        _only(request, "POST")
        order = _order(request, "revoke")
        if order.get("revoke") != "all":
            raise ValueError(f"field 'revoke' is {order.get('revoke')!r}; the one value is 'all'")
        return {"revoked": self._tokens.revoke_all()}


def _only(request: Request, method: str) -> None:
    if request.method != method:
        raise HttpError(error_response(405, "WrongMethod", f"{request.path} takes {method}."))


def _order(request: Request, *names: str) -> dict[str, object]:
    """The fields of an order; raises on a body that is no object and on an unknown field."""
    order = request.json() if request.body.strip() else {}
    if not isinstance(order, dict):
        raise ValueError(f"the body must be a JSON object with {', '.join(names)}")
    unknown = sorted(set(order) - set(names))
    if unknown:
        raise ValueError(f"unknown field {unknown[0]!r}; known: {', '.join(sorted(names))}")
    return order
