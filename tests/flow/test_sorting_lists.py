"""Lists are sorted by an index of the system, so that a page costs the same however many records there are."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from crosstie.app.list_heads import head_of
from crosstie.app.lists import list_records
from crosstie.model.records import Side
from crosstie.sandbox.database import Database
from crosstie.sandbox.dataverse import query
from crosstie.sandbox.launch import Sandbox

from .flow import Flow

LARGE = ("CUSTOMER", "VENDOR", "CONTACT")
"""Mappings of tables that grow with the business; those of codes, users and currencies stay small."""


@contextmanager
def sorting(database: Database) -> Iterator[list[str]]:
    """Collect the statements that sort."""
    found: list[str] = []
    database.connection.set_trace_callback(lambda sql: found.append(sql) if " ORDER BY " in sql else None)
    try:
        yield found
    finally:
        database.connection.set_trace_callback(None)


def plan_of(database: Database, sql: str) -> list[str]:
    try:
        return [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {sql}")]
    except sqlite3.Error as error:
        raise AssertionError(f"{sql} cannot be explained") from error


async def sorts_of_lists(flow: Flow, sandbox: Sandbox) -> tuple[int, list[str]]:
    """Sort the lists of `LARGE` by each column both ways; return how many statements that took, and which are slow."""
    session = await flow.session()
    number, slow = 0, []
    for name in LARGE:
        for side, host in ((Side.LOCAL, sandbox.business_central), (Side.REMOTE, sandbox.dataverse)):
            for column in (await head_of(session, name, side)).columns:
                for way in ("", "-"):
                    with sorting(host.database) as statements:
                        await list_records(session, name, side, sort=f"{way}{column}")
                    number += len(statements)
                    plans = [plan_of(host.database, sql) for sql in statements]
                    slow += [f"{name} {side} {way}{column}" for plan in plans if any("TEMP B-TREE" in p for p in plan)]
    return number, slow


@pytest.fixture(autouse=True)
def as_with_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rows that a filter admits are found first and sorted then; here it is many that matter."""
    monkeypatch.setattr(query, "_found_first", lambda *_: None)


async def test_every_column_of_a_large_list_is_sorted_along_an_index(flow: Flow, flow_sandbox: Sandbox) -> None:
    number, slow = await sorts_of_lists(flow, flow_sandbox)
    assert number >= 2 * 2 * len(LARGE) * 3, "each list has columns, and each of them was sorted both ways"
    assert slow == []


async def test_so_is_every_column_of_the_lists_of_custom_pages(custom_flow: Flow, flow_sandbox: Sandbox) -> None:
    number, slow = await sorts_of_lists(custom_flow, flow_sandbox)
    assert number >= 2 * 2 * len(LARGE) * 3
    assert slow == []
