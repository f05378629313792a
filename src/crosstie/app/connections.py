"""Connections: adding, testing, enabling and removing; and connecting the standard pair."""

from collections.abc import Mapping
from typing import Any

import msgspec

from crosstie.app.addresses import api_address, token_address, token_url
from crosstie.app.home import Home
from crosstie.app.mappings import reset_mappings
from crosstie.app.moving import moved
from crosstie.app.session import open_session
from crosstie.app.systems import open_system
from crosstie.app.views import ConnectionTest, ConnectionView
from crosstie.model.connections import Connection, SystemKind
from crosstie.model.errors import EnvironmentChanged, InvalidConnection, UnknownConnection
from crosstie.model.places import Place
from crosstie.store.base import Unit

_REQUIRED = ("name", "address", "token_url", "client_id", "secret")


def list_connections(home: Home) -> list[ConnectionView]:
    """Return all connections, without their secrets."""
    with home.store.begin() as unit:
        return [ConnectionView.of(connection) for connection in unit.connections(with_secrets=False)]


def find_connection(home: Home, name: str) -> Connection:
    """Return a connection by its name. Raises UnknownConnection with the names there are."""
    with home.store.begin() as unit:
        known = unit.connections()
    for connection in known:
        if connection.name.casefold() == name.strip().casefold():
            return connection
    names = ", ".join(connection.name for connection in known) or "none yet"
    raise UnknownConnection(f"There is no connection {name!r}; there are: {names}.", connection=name)


async def add_connection(home: Home, connection: Connection, *, check: bool = True) -> ConnectionTest:
    """Store a connection, or replace the one of its name, once its test has passed.

    With `check` off it is stored untested. Raises InvalidConnection, naming what is missing, before anything is
    sent; a failed test is returned and nothing is stored. Where it answers as another environment than before, filters
    of mappings that name the company go along, and the test says so. Raises EnvironmentChanged as `put_working` does.
    """
    connection = completed(connection)
    if not check:
        with home.store.begin() as unit:
            known = {each.name: each for each in unit.connections(with_secrets=False)}
            before = known.get(connection.name, connection)
            unit.put_connection(msgspec.structs.replace(connection, environment=before.environment))
        return ConnectionTest(name=connection.name, passed=True, findings=[])
    test, environment = await _test(connection)
    if not test.passed:
        return test
    along = await moved(home, impatient(connection), environment)
    with home.store.begin() as unit:
        put_working(unit, connection, environment)
        along.store(unit)
    return msgspec.structs.replace(test, findings=[*test.findings, *along.told])


async def test_connection(home: Home, name: str) -> ConnectionTest:
    """Test address, sign-in, rights, company and clock of a connection; one that paused itself and passes is resumed.

    Raises UnknownConnection.
    """
    connection = find_connection(home, name)
    test, _ = await _test(connection)
    if test.passed and connection.paused:
        _store(home, msgspec.structs.replace(connection, paused_reason=""))
    return test


async def pause_refused(home: Home) -> list[str]:
    """Pause the enabled connections whose system refuses the sign-in, and return their names.

    What runs by itself leaves a paused connection alone, so that nobody is locked out by it; people can still use it.
    """
    paused = []
    with home.store.begin() as unit:
        known = unit.connections()
    for connection in known:
        if connection.enabled and not connection.paused:
            test, _ = await _test(connection)
            refused = next((each for each in test.findings if each.name == "sign-in" and not each.passed), None)
            if refused is not None:
                _store(home, msgspec.structs.replace(connection, paused_reason=refused.detail))
                paused.append(connection.name)
    return paused


async def test_paused(home: Home) -> list[str]:
    """Test the connections that paused themselves and return the names of those that are used again."""
    with home.store.begin() as unit:
        paused = [each.name for each in unit.connections(with_secrets=False) if each.paused]
    return [name for name in paused if (await test_connection(home, name)).passed]


def impatient(connection: Connection) -> Connection:
    """Return the connection for a test: somebody waits for the answer, and can ask again."""
    given = connection.settings.get("limits") or {}
    if not isinstance(given, dict):
        return connection  # what is wrong with it is said when the system is opened
    limits = {**given, "attempts": 2, "patience": 30.0, "first_pause": 0.2}
    return msgspec.structs.replace(connection, settings={**connection.settings, "limits": limits})


async def _test(connection: Connection) -> tuple[ConnectionTest, str]:
    system = open_system(impatient(connection))
    try:
        findings = await system.check()
        passed = all(finding.passed for finding in findings)
        environment = (await system.info()).environment if passed else ""
    finally:
        await system.close()
    return ConnectionTest(name=connection.name, passed=passed, findings=findings), environment


async def enable_connection(home: Home, name: str) -> None:
    """Use the connection again, once its test has passed; why it was disabled is forgotten.

    Raises UnknownConnection, EnvironmentChanged, and InvalidConnection for what is missing and for the first failed
    line of the test: the connection stays as it was then.
    """
    connection = find_connection(home, name)
    check_complete(connection)
    test, environment = await _test(connection)
    _require_passed(test)
    with home.store.begin() as unit:
        put_working(unit, msgspec.structs.replace(connection, enabled=True, paused_reason=""), environment)


def disable_connection(home: Home, name: str) -> None:
    """Stop using the connection; couplings stay. Raises UnknownConnection."""
    _store(
        home, msgspec.structs.replace(find_connection(home, name), enabled=False, paused_reason="disabled by a person")
    )


def remove_connection(home: Home, name: str, *, forced: bool = False) -> None:
    """Forget a connection and its secret.

    Raises UnknownConnection, and InvalidConnection if records are coupled and it is not `forced` (engine rule U-17).
    """
    connection = find_connection(home, name)
    with home.store.begin() as unit:
        coupled = sum(sum(unit.couplings.count(mapping.name).values()) for mapping in unit.mappings())
        if coupled and not forced:
            raise InvalidConnection(
                f"{coupled} records are coupled through {connection.name}.",
                next_step="Uncouple them first, or remove it all the same.",
                place=Place.FORCE,
                connection=connection.name,
                couplings=coupled,
            )
        unit.remove_connection(connection.name)
        _start_over(unit)


async def connect_pair(home: Home, business_central: Connection, dataverse: Connection) -> list[str]:
    """Test and store the two connections and load the standard mappings; return their names.

    Raises the first failed finding as InvalidConnection; nothing is stored then.
    """
    tested = []
    for connection in (business_central, dataverse):
        connection = completed(connection)
        test, environment = await _test(connection)
        _require_passed(test)
        tested.append((connection, environment))
    with home.store.begin() as unit:
        for connection, environment in tested:
            put_working(unit, connection, environment)
    async with open_session(home) as session:
        return (await reset_mappings(session)).mappings


def completed(connection: Connection) -> Connection:
    """Return a connection as it is stored, from what a person entered: the API's address, where tokens are issued.

    Raises InvalidConnection, naming the field, if something is missing or cannot be.
    """
    found = msgspec.structs.replace(
        connection,
        name=connection.name.strip(),
        address=api_address(connection.kind, connection.address),
        tenant_id=connection.tenant_id.strip(),
        client_id=connection.client_id.strip(),
        secret=connection.secret.strip(),
        token_url=token_url(connection.token_url) or token_address(connection.tenant_id),
    )
    check_complete(found)
    return found


def check_complete(connection: Connection) -> None:
    """Raise InvalidConnection, naming the field, if something is missing."""
    for field in _REQUIRED:
        if not getattr(connection, field):
            known = "tenant_id" if field == "token_url" else field
            raise InvalidConnection(
                f"The connection {connection.name or '(without a name)'} has no {known.replace('_', ' ')}.",
                next_step="Give it one.",
                place=Place.CONNECTION_NEW,
                field=known,
            )


def put_working(unit: Unit, connection: Connection, environment: str) -> None:
    """Store a connection that has just answered as `environment`.

    Raises EnvironmentChanged if it answered as another one before and records are coupled in that. Without couplings,
    both sides are read from the start: how far they were read says nothing about another environment.
    """
    known = {each.name: each.environment for each in unit.connections(with_secrets=False)}
    before = known.get(connection.name, "")
    if before and before != environment:
        if any(unit.couplings.count(mapping.name) for mapping in unit.mappings()):
            raise EnvironmentChanged(
                f"{connection.name} answers as environment {environment}, but its records were coupled in {before}.",
                connection=connection.name,
            )
        _start_over(unit)
    unit.put_connection(msgspec.structs.replace(connection, environment=environment))


def _start_over(unit: Unit) -> None:
    for mapping in unit.mappings():
        unit.forget_cursors(mapping.name)


def _require_passed(test: ConnectionTest) -> None:
    """Raise InvalidConnection with the first line of a test that failed."""
    failed = next((finding for finding in test.findings if not finding.passed), None)
    if failed is not None:
        raise InvalidConnection(
            f"{test.name}: {failed.name}: {failed.detail}", next_step=failed.next_step, findings=test.findings
        )


def _store(home: Home, connection: Connection) -> None:
    with home.store.begin() as unit:
        unit.put_connection(connection)


def pair_from_sandbox(sandbox: Mapping[str, Any]) -> tuple[Connection, Connection]:
    """Return the two connections to a running sandbox, from its ready line."""
    common: dict[str, Any] = {
        "tenant_id": sandbox["tenant_id"],
        "client_id": sandbox["client_id"],
        "secret": sandbox["client_secret"],
        "token_url": sandbox["token_url"],
    }
    local, remote = sandbox["business_central"], sandbox["dataverse"]
    return (
        Connection(
            name="business-central",
            kind=SystemKind.BUSINESS_CENTRAL,
            address=local["api"],
            settings={"company": local["company_id"], "ca": sandbox["ca"]},
            **common,
        ),
        Connection(
            name="dataverse",
            kind=SystemKind.DATAVERSE,
            address=remote["api"],
            settings={"ca": sandbox["ca"]},
            **common,
        ),
    )
