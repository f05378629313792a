"""Setting up the connections in steps that can be left and resumed; nothing is used before the last one (F01)."""

import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec

from crosstie.app.addresses import token_address
from crosstie.app.connecting import PreflightFinding, check_connection, preflight
from crosstie.app.connections import completed, impatient, put_working
from crosstie.app.fitting import misfit_of
from crosstie.app.home import Home
from crosstie.app.mappings import LaidDown, prepare_standard, standard_of
from crosstie.app.moving import of_company
from crosstie.app.session import KIND_OF, Session
from crosstie.app.systems import open_system
from crosstie.app.views import ConnectionView
from crosstie.model.connections import Connection
from crosstie.model.errors import InvalidConnection, InvalidOption
from crosstie.model.records import Side
from crosstie.standard import load_standard, standard_names
from crosstie.store.base import Unit

_DRAFT = "connection setup"
_NAMES = {Side.LOCAL: "business-central", Side.REMOTE: "dataverse"}


class Step(StrEnum):
    """The steps of the setup, in their order."""

    BUSINESS_CENTRAL = "business-central"
    DATAVERSE = "dataverse"
    OWNERSHIP = "ownership"
    PREFLIGHT = "preflight"
    MAPPINGS = "mappings"


SIDE_OF = {Step.BUSINESS_CENTRAL: Side.LOCAL, Step.DATAVERSE: Side.REMOTE}


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What has been entered so far. Kept encrypted, since it holds secrets."""

    connections: dict[Side, Connection] = {}
    ownership: str = ""
    findings: list[PreflightFinding] = []
    checked: str = ""
    """What the findings are about: a digest of the two connections."""
    checked_at: datetime | None = None

    @property
    def digest(self) -> str:
        """What stands for the two connections."""
        return hashlib.sha256(msgspec.json.encode(self.connections, order="deterministic")).hexdigest()

    @property
    def passed(self) -> bool:
        """Whether the connections as they are now have passed the preflight."""
        return self.checked == self.digest and bool(self.findings) and all(each.passed for each in self.findings)


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """How far the setup is, without secrets; `has_secret` are the sides whose secret is known."""

    connections: dict[Side, ConnectionView]
    token_urls: dict[Side, str]
    """Where tokens are issued, where that is not the tenant's own place."""
    has_secret: tuple[Side, ...]
    ownership: str
    findings: list[PreflightFinding]
    checked_at: datetime | None
    passed: bool
    done: tuple[Step, ...]
    begun: bool
    """Whether anything has been entered that is not in use yet."""
    mappings: list[str]
    """Those that there are already."""

    @property
    def warnings(self) -> list[PreflightFinding]:
        """What will not work although the preflight has passed."""
        return [each for each in self.findings if each.warning]

    @property
    def next_step(self) -> Step:
        """The first step that is not done."""
        return next((each for each in Step if each not in self.done), Step.MAPPINGS)


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """A mapping that there is, and in what it differs from the one that is shipped."""

    name: str
    differences: list[str]


def setup_state(home: Home) -> Setup:
    """Return how far the setup is; before it has begun, with the connections that there are."""
    with home.store.begin() as unit:
        draft, begun = _draft(unit)
        mappings = [each.name for each in unit.mappings()]
    done: list[Step] = [step for step, side in SIDE_OF.items() if side in draft.connections]
    if draft.ownership:
        done.append(Step.OWNERSHIP)
    if draft.passed:
        done.append(Step.PREFLIGHT)
    return Setup(
        connections={side: ConnectionView.of(each) for side, each in draft.connections.items()},
        token_urls={
            side: "" if each.token_url == token_address(each.tenant_id) else each.token_url
            for side, each in draft.connections.items()
        },
        has_secret=tuple(side for side, each in draft.connections.items() if each.secret),
        ownership=draft.ownership,
        findings=draft.findings if draft.checked == draft.digest else [],
        checked_at=draft.checked_at,
        passed=draft.passed,
        done=tuple(done),
        begun=begun,
        mappings=mappings,
    )


def enter_connection(
    home: Home,
    side: Side,
    *,
    address: str,
    tenant_id: str = "",
    client_id: str,
    secret: str = "",
    token_url: str = "",
    settings: Mapping[str, Any] | None = None,
) -> None:
    """Keep what was entered for a side; settings are added to those of before.

    An empty secret keeps the one of before, or takes that of the same application on the other side. Nothing is sent
    and nothing is used yet. Raises InvalidConnection, naming the field that is missing or wrong; nothing is kept then.
    """
    with home.store.begin() as unit:
        draft, _ = _draft(unit)
        before, other = draft.connections.get(side), draft.connections.get(side.other)
        if other is not None and (other.tenant_id, other.client_id) != (tenant_id.strip(), client_id.strip()):
            other = None
        merged = dict(before.settings if before is not None else {}) | dict(settings or {})
        connection = Connection(
            name=before.name if before is not None else _NAMES[side],
            kind=KIND_OF[side],
            address=address,
            tenant_id=tenant_id,
            client_id=client_id,
            secret=secret.strip() or next((each.secret for each in (before, other) if each is not None), ""),
            token_url=token_url,
            settings={name: value for name, value in merged.items() if value not in ("", None)},
            environment=before.environment if before is not None else "",
        )
        _keep(unit, msgspec.structs.replace(draft, connections=draft.connections | {side: completed(connection)}))


def choose_ownership(home: Home, ownership: str) -> None:
    """Keep who is to own records in Dataverse: person or team. Raises InvalidOption."""
    if ownership not in ("person", "team"):
        raise InvalidOption(f"{ownership!r} is no ownership model; there are person and team.", ownership=ownership)
    with home.store.begin() as unit:
        draft, _ = _draft(unit)
        _keep(unit, msgspec.structs.replace(draft, ownership=ownership))


async def check_entered(home: Home, side: Side) -> list[PreflightFinding]:
    """Test by itself what was entered for a side. Raises InvalidOption if nothing was."""
    with home.store.begin() as unit:
        draft, _ = _draft(unit)
    if side not in draft.connections:
        raise _lacking(next(step for step, each in SIDE_OF.items() if each is side))
    return await check_connection(side, draft.connections[side])


async def check_setup(home: Home) -> list[PreflightFinding]:
    """Run the preflight over what was entered, keep and return what it found. Raises InvalidOption if a side lacks."""
    with home.store.begin() as unit:
        draft, _ = _draft(unit)
        there = unit.mappings()
        coupled = any(unit.couplings.count(each.name) for each in there)
    names = {each.name for each in there}
    standard = load_standard(ownership=draft.ownership or "person")
    mappings = there + [each for each in standard if each.name not in names]
    _both(draft)
    coupled_in = {side: each.environment for side, each in draft.connections.items()} if coupled else {}
    local, remote = (draft.connections[side] for side in Side)
    found = await preflight(local, remote, mappings, coupled_in=coupled_in)
    with home.store.begin() as unit:
        now, _ = _draft(unit)
        if now.digest == draft.digest:  # else somebody has entered something else meanwhile
            kept = msgspec.structs.replace(now, findings=found, checked=now.digest, checked_at=datetime.now(UTC))
            _keep(unit, kept)
    return found


async def compare_mappings(home: Home) -> list[Compared]:
    """Return the mappings that there are, with what differs from those shipped for the ownership that was chosen."""
    with home.store.begin() as unit:
        draft, _ = _draft(unit)
    session = Session(home, home.store, {}, {})
    session.settings["ownership_model"] = draft.ownership or "person"
    found = []
    for mapping in session.mappings():
        standard = await standard_of(session, mapping)
        if standard is None:
            found.append(Compared(name=mapping.name, differences=["it is not one of those shipped"]))
            continue
        names = [
            name.replace("_", " ")
            for name in mapping.__struct_fields__
            if name not in ("fields", "local_filter", "remote_filter")
            and getattr(mapping, name) != getattr(standard, name)
        ]
        own, shipped = ({str(row.name): row for row in each.fields} for each in (mapping, standard))
        names += [f"field {each}" for each in own.keys() | shipped.keys() if own.get(each) != shipped.get(each)]
        found.append(Compared(name=mapping.name, differences=sorted(names)))
    return found


async def finish_setup(home: Home, *, mappings: str = "keep") -> LaidDown:
    """Use the connections from now on, and lay down the standard mappings; return those laid down.

    `mappings` is "keep", which adds only what is missing, or "defaults", which restores all as shipped. Couplings stay.
    What cannot work in the two systems is disabled, and said with its reason; filters that name the company of another
    environment, which was connected before, name the one that is now. Everything is stored, or nothing.
    Raises InvalidOption if a step is missing, InvalidConnection if the preflight has not passed, EnvironmentChanged,
    SystemFailure.
    """
    if mappings not in ("keep", "defaults"):
        raise InvalidOption(f"{mappings!r} is none of keep and defaults.", mappings=mappings)
    with home.store.begin() as unit:
        draft, _ = _draft(unit)
        there = unit.mappings()
    _both(draft)
    _require_checked(draft, draft)
    kept = [each for each in there if mappings == "keep" or each.name not in standard_names()]
    wanted = [name for name in standard_names() if name not in {each.name for each in kept}]
    async with _trying(home, draft) as session:
        environments = {side: (await system.info()).environment for side, system in session.systems.items()}
        ready = await prepare_standard(session, wanted, ownership=draft.ownership or "person")
        if any(each.environment not in ("", environments[side]) for side, each in draft.connections.items()):
            kept = [of_company(each, ready.company) for each in kept]
        misfits = [(each, await misfit_of(each, session.systems)) for each in kept if each.enabled]
    off = {each.name: found.error.words for each, found in misfits if found is not None and found.lacking}
    with home.store.begin() as unit:
        _require_checked(draft, _draft(unit)[0])  # else another window has entered something else meanwhile
        for side, connection in draft.connections.items():
            put_working(unit, msgspec.structs.replace(connection, enabled=True, paused_reason=""), environments[side])
        done = ready.store(unit)
        for mapping in kept:
            changed = msgspec.structs.replace(mapping, enabled=mapping.enabled and mapping.name not in off)
            if changed not in there:
                unit.put_mapping(changed)
        unit.put_secret(_DRAFT, None)
    return msgspec.structs.replace(done, off=done.off | off)


def _require_checked(draft: Draft, now: Draft) -> None:
    if not draft.passed or now.digest != draft.digest:
        raise InvalidConnection(
            "The connections have not passed the preflight as they are now.", next_step="Run the preflight again."
        )


def drop_setup(home: Home) -> None:
    """Forget what was entered; connections that are in use stay as they are."""
    with home.store.begin() as unit:
        unit.put_secret(_DRAFT, None)


@asynccontextmanager
async def _trying(home: Home, draft: Draft) -> AsyncIterator[Session]:
    """Open the systems that were entered, for what has to be looked at before they are used."""
    systems = {side: open_system(impatient(each)) for side, each in draft.connections.items()}
    try:
        yield Session(home, home.store, systems, {})
    finally:
        for system in systems.values():
            await system.close()


def _both(draft: Draft) -> None:
    for step, side in SIDE_OF.items():
        if side not in draft.connections:
            raise _lacking(step)


def _lacking(step: Step) -> InvalidOption:
    return InvalidOption(f"The step {step.value} has not been done.", next_step="Go back to it.", step=step.value)


def _draft(unit: Unit) -> tuple[Draft, bool]:
    """Return what was entered; where nothing was, the connections that there are."""
    kept = unit.secret(_DRAFT)
    if kept is not None:
        return msgspec.json.decode(kept, type=Draft), True
    known = unit.connections()
    by_kind = {side: [each for each in known if each.kind is kind] for side, kind in KIND_OF.items()}
    found = {
        side: next((each for each in connections if each.enabled), connections[0])
        for side, connections in by_kind.items()
        if connections
    }
    ownership = unit.settings().get("ownership_model", "") if found else ""
    return Draft(connections=found, ownership=ownership), False


def _keep(unit: Unit, draft: Draft) -> None:
    unit.put_secret(_DRAFT, msgspec.json.encode(draft).decode())
