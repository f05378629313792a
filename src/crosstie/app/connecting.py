"""Preflight: whether two systems can be connected, all at once and before anything is stored (F01, B1)."""

import asyncio
from collections.abc import Mapping, Sequence
from uuid import uuid4

import msgspec

from crosstie.app.connections import check_complete, impatient
from crosstie.app.fitting import Misfit, misfit_of
from crosstie.app.home import Home
from crosstie.app.session import KIND_OF, connection_of
from crosstie.app.systems import open_system
from crosstie.engine.planning import order_mappings
from crosstie.model.connections import Connection
from crosstie.model.errors import CrosstieError, Unreachable
from crosstie.model.mappings import Mapping as TableMapping
from crosstie.model.records import CheckFinding, Side, SystemInfo, Write, WriteKind, WriteStatus
from crosstie.standard import load_standard
from crosstie.systems.base import System

_CURRENCIES = {Side.LOCAL: ("currencies", "code"), Side.REMOTE: ("transactioncurrency", "isocurrencycode")}


_SIGN_IN = {
    **dict.fromkeys(("AADSTS50059", "AADSTS90002", "AADSTS900021", "AADSTS900023"), "tenant_id"),
    "AADSTS700016": "client_id",
}
"""Which field Microsoft's sign-in refuses, by the number of its error; a secret if it says nothing better."""


class PreflightFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a preflight. `code` names what was checked, `error` the error that was found, which has a page.

    A `warning` has passed: the systems can be connected, but not all of it will work, for the reason in `words`.
    `field` is what was entered for the connection and is wrong, if it is known.
    """

    code: str
    side: Side
    connection: str
    passed: bool
    words: str
    fix: str = ""
    error: str = ""
    warning: bool = False
    field: str = ""


async def preflight(
    local: Connection,
    remote: Connection,
    mappings: Sequence[TableMapping] | None = None,
    *,
    coupled_in: Mapping[Side, str] | None = None,
    in_use: bool = False,
) -> list[PreflightFinding]:
    """Check address, sign-in, company, rights, clocks, currencies and tables of two systems; nothing is written.

    `mappings` are those whose tables are looked at; else the standard ones. A mapping that cannot work is a warning,
    unless it is `in_use` or none can work. `coupled_in` are the environments in which records are coupled already.
    What cannot be looked at because of an earlier failure is left out.
    """
    pair = {Side.LOCAL: local, Side.REMOTE: remote}
    findings: list[PreflightFinding] = []
    systems: dict[Side, System] = {}
    try:
        for side, connection in pair.items():
            if (system := _opened(findings, side, connection)) is not None:
                systems[side] = system
        infos: dict[Side, SystemInfo] = {}
        for side, (lines, found) in zip(
            systems,
            await asyncio.gather(
                *(_checked(side, system, (coupled_in or {}).get(side, "")) for side, system in systems.items())
            ),
            strict=True,
        ):
            findings += lines
            if found is not None:
                infos[side] = found
        if len(infos) == len(pair):
            await _check_currencies(findings, systems, infos)
        wanted = order_mappings(load_standard() if mappings is None else mappings)
        fit = await _check_mappings(findings, {side: systems[side] for side in infos}, wanted, in_use)
        for side in infos:
            await _check_tables(findings, side, systems[side], fit)
    finally:
        for system in systems.values():
            await system.close()
    return findings


async def check_connections(home: Home) -> list[PreflightFinding]:
    """Check the stored pair of connections with the mappings that there are.

    Raises UnknownConnection or InvalidConnection if a side has no connection that is enabled, or several.
    """
    with home.store.begin() as unit:
        known, mappings = unit.connections(), [each for each in unit.mappings() if each.enabled]
    local, remote = (connection_of(known, side) for side in Side)
    coupled_in = {side: each.environment for side, each in ((Side.LOCAL, local), (Side.REMOTE, remote))}
    return await preflight(local, remote, mappings or None, coupled_in=coupled_in, in_use=bool(mappings))


async def check_connection(side: Side, connection: Connection) -> list[PreflightFinding]:
    """Test one connection by itself: address, sign-in, company, rights and clock."""
    findings: list[PreflightFinding] = []
    system = _opened(findings, side, connection)
    if system is not None:
        try:
            findings += (await _checked(side, system, ""))[0]
        finally:
            await system.close()
    return findings


def _opened(findings: list[PreflightFinding], side: Side, connection: Connection) -> System | None:
    try:
        check_complete(connection)
        if connection.kind is not KIND_OF[side]:
            connection = msgspec.structs.replace(connection, kind=KIND_OF[side])
        return open_system(impatient(connection))
    except CrosstieError as error:
        findings.append(_failed("settings", side, connection.name, error))
        return None


async def _checked(side: Side, system: System, coupled_in: str) -> tuple[list[PreflightFinding], SystemInfo | None]:
    """Return the lines of the system's own test, and who answers if all of them passed, but for the clock."""
    lines = await system.check()
    findings = [_line(side, system.name, each) for each in lines]
    if any(not each.passed and each.name != "clock" for each in lines):
        return findings, None
    try:
        info = await system.info()
    except CrosstieError as error:
        findings.append(_failed("company", side, system.name, error))
        return findings, None
    if coupled_in and info.environment != coupled_in:
        words = f"It answers as environment {info.environment}, but records are coupled in {coupled_in}."
        fix = "Name the company and environment of before, or remove all couplings first."
        findings.append(_finding("environment", side, system.name, words, fix, error="environment-changed"))
        return findings, None
    return findings, info


def _field_of(line: CheckFinding) -> str:
    """Return the field of the connection that a failed line of a test is about, empty where it is none."""
    if line.passed:
        return ""
    if line.name == "sign-in":
        return next((field for code, field in _SIGN_IN.items() if f"{code}:" in line.detail), "secret")
    if line.name == "address":
        return "token_url" if "token address" in line.detail else "address"
    return "company" if line.name == "company" else ""


def _line(side: Side, name: str, line: CheckFinding) -> PreflightFinding:
    return PreflightFinding(
        code=line.name,
        side=side,
        connection=name,
        passed=line.passed,
        words=line.detail,
        fix=line.next_step,
        error=line.code,
        field=_field_of(line),
    )


async def _check_currencies(
    findings: list[PreflightFinding], systems: Mapping[Side, System], infos: Mapping[Side, SystemInfo]
) -> None:
    """Look for the currency of each side's books on the other side: amounts cannot be told without it."""
    own = {Side.LOCAL: str(infos[Side.LOCAL].details.get("local_currency_code") or "")}
    codes: dict[Side, set[str]] = {}
    for side, (table, field) in _CURRENCIES.items():
        try:
            codes[side] = await _codes(systems[side], table, field)
            if side is Side.REMOTE:
                base = str(infos[side].details.get("base_currency_id") or "")
                found = (await systems[side].get(table, [base], (field,))).get(base)
                own[side] = str(found.values.get(field) or "") if found else ""
        except CrosstieError as error:
            findings.append(_failed("currencies", side, systems[side].name, error))
            return
    codes[Side.LOCAL].add(own[Side.LOCAL])  # no list of Business Central names the currency of its own books
    for side, code, called in ((Side.LOCAL, "local-currency", "local"), (Side.REMOTE, "base-currency", "base")):
        name, other = systems[side].name, systems[side.other].name
        if not own[side]:
            fix = "Enter the LCY Code in General Ledger Setup." if side is Side.LOCAL else "Set the base currency."
            findings.append(_finding(code, side, name, f"It names no {called} currency.", fix))
        elif own[side] in codes[side.other]:
            words = f"The {called} currency {own[side]} is in {other} too."
            findings.append(PreflightFinding(code=code, side=side, connection=name, passed=True, words=words))
        else:
            words = f"The {called} currency {own[side]} is not in {other}."
            findings.append(_finding(code, side, name, words, f"Create the currency {own[side]} in {other}."))


async def _codes(system: System, table: str, field: str) -> set[str]:
    return {str(each.values.get(field)) async for page in system.scan(table, (field,)) for each in page.records}


async def _check_mappings(
    findings: list[PreflightFinding], systems: Mapping[Side, System], mappings: Sequence[TableMapping], in_use: bool
) -> list[TableMapping]:
    """Return the mappings whose tables and fields are all there; say of each other one what it lacks."""
    misfits: dict[str, Misfit] = {}
    for mapping in mappings:
        misfit = await misfit_of(mapping, systems)
        if misfit is not None and misfit.lacking:
            misfits[mapping.name] = misfit
        elif misfit is not None:
            break  # the check of the tables says what keeps the system from answering
    warning = not in_use and len(misfits) < len(mappings)
    for name, misfit in misfits.items():
        side, error = misfit.side, misfit.error
        step = "Until then it stays disabled; enable it afterwards." if warning else "Or disable the mapping."
        found = _failed(f"mapping {name}", side, systems[side].name, error)
        fix = f"{error.advice} {step}".strip()
        findings.append(msgspec.structs.replace(found, passed=warning, warning=warning, fix=fix))
    return [each for each in mappings if each.name not in misfits]


async def _check_tables(
    findings: list[PreflightFinding], side: Side, system: System, mappings: Sequence[TableMapping]
) -> None:
    """Count the records of each table, and ask whether they could be written, by an update of a record that is none."""
    for table in dict.fromkeys(each.table(side) for each in mappings):
        using = [each for each in mappings if each.table(side) == table]
        try:
            number = await system.count(table)
            denied = await _write_denied(system, side, table, using)
        except CrosstieError as error:
            findings.append(_failed(f"table {table}", side, system.name, error))
            if isinstance(error, Unreachable):
                return  # nor will it answer for the other tables
            continue
        words = f"{table}: {'many' if number is None else f'{number:,}'} records"
        if denied:
            fix = f"Give the application user the right to write {table}."
            found = _finding(f"table {table}", side, system.name, denied, fix, error="missing-privilege")
        else:
            found = PreflightFinding(
                code=f"table {table}", side=side, connection=system.name, passed=True, words=f"{words}."
            )
        findings.append(found)


async def _write_denied(system: System, side: Side, table: str, using: Sequence[TableMapping]) -> str:
    """Return the system's words if records of a table may not be written; empty if they may, or need not be."""
    fields = (
        (each.local_field if side is Side.LOCAL else each.remote_field)
        for mapping in using
        if mapping.reaches(side)
        for each in mapping.fields
        if each.enabled and each.direction.reaches(side) and each.lookup is None and each.rule is None
    )
    field = next((each for each in fields if each), None)
    if field is None or "." in table:
        return ""
    nobody = Write(kind=WriteKind.UPDATE, id=str(uuid4()), values={field: None})
    answer = (await system.write(table, [nobody], (field,)))[0]
    return answer.message or "denied" if answer.status is WriteStatus.DENIED else ""


def _failed(code: str, side: Side, name: str, error: CrosstieError) -> PreflightFinding:
    found = _finding(code, side, name, error.words, error.advice, error=error.code)
    return msgspec.structs.replace(found, field=str(error.details.get("field") or ""))


def _finding(code: str, side: Side, name: str, words: str, fix: str, error: str = "") -> PreflightFinding:
    return PreflightFinding(code=code, side=side, connection=name, passed=False, words=words, fix=fix, error=error)
