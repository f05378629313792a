"""No query walks through a table that grows with the number of records."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from crosstie.model.couplings import CouplingState
from crosstie.model.problems import WaitsFor
from crosstie.model.records import Side
from crosstie.store.base import Unit
from crosstie.store.base_lists import Column, Place
from tests.unit.store.conftest import Opener
from tests.unit.store.values import CUSTOMER, NOW, due, new_coupling, new_problem

IDS = ["local-1", "local-2"]
RECORDS = [(Side.LOCAL, "local-1")]

QUERIES: dict[str, Callable[[Unit], object]] = {
    "by record": lambda unit: unit.couplings.by_record(CUSTOMER, Side.REMOTE, IDS),
    "by key": lambda unit: unit.couplings.by_key(CUSTOMER, Side.LOCAL, IDS),
    "elsewhere": lambda unit: unit.couplings.elsewhere([CUSTOMER, "CONTACT"], Side.REMOTE, IDS),
    "page": lambda unit: unit.couplings.page(CUSTOMER, after_id=5),
    "page by state": lambda unit: unit.couplings.page(CUSTOMER, states=[CouplingState.FAILED]),
    "list": lambda unit: unit.lists.couplings(CUSTOMER, after=Place(5)),
    "list by key": lambda unit: unit.lists.couplings(CUSTOMER, column=Column.KEY, after=Place(5, "1")),
    "list by name": lambda unit: unit.lists.couplings(
        CUSTOMER, column=Column.NAME, side=Side.REMOTE, descending=True, after=Place(5, "1")
    ),
    "states": lambda unit: unit.lists.states(CUSTOMER, Side.REMOTE, IDS),
    "count couplings": lambda unit: unit.lists.count_couplings(CUSTOMER, 3),
    "selection": lambda unit: unit.lists.selection("a"),
    "keep a selection": lambda unit: unit.lists.keep_selection("a", IDS, NOW),
    "forget selections": lambda unit: unit.lists.forget_selections(NOW),
    "list of few by key": lambda unit: unit.lists.couplings(
        CUSTOMER, column=Column.KEY, states=[CouplingState.FAILED], after=Place(5, "1")
    ),
    "count": lambda unit: unit.couplings.count(CUSTOMER),
    "update": lambda unit: unit.couplings.update(unit.couplings.page(CUSTOMER, limit=3)),
    "delete": lambda unit: unit.couplings.delete(unit.couplings.page(CUSTOMER, limit=3)),
    "marks": lambda unit: unit.couplings.marks(CUSTOMER, Side.REMOTE, IDS),
    "marks of all": lambda unit: unit.couplings.marks(CUSTOMER, Side.LOCAL),
    "bases": lambda unit: unit.couplings.bases(CUSTOMER, Side.LOCAL, IDS),
    "coupled": lambda unit: unit.couplings.coupled(CUSTOMER, Side.LOCAL, IDS),
    "unseen": lambda unit: list(unit.couplings.unseen(CUSTOMER, list, NOW)),
    "intents": lambda unit: unit.intents(CUSTOMER, [1]),
    "close intents": lambda unit: unit.close_intents(["1"]),
    "running jobs": lambda unit: unit.running_jobs(CUSTOMER),
    "journal of a record": lambda unit: unit.journal(mapping=CUSTOMER, side=Side.REMOTE, record_id="remote-1"),
    "journal of a job": lambda unit: unit.journal(job_id=1, before_id=100),
    "journal of a mapping": lambda unit: unit.journal(mapping=CUSTOMER),
    "put problems": lambda unit: unit.put_problems([new_problem(1, remote_id="remote-1")], NOW),
    "close problems": lambda unit: unit.close_problems(CUSTOMER, Side.REMOTE, IDS, NOW),
    "problems of a mapping": lambda unit: unit.problems(CUSTOMER, after_id=3),
    "problems of records": lambda unit: unit.problems(CUSTOMER, records=RECORDS),
    "waiting for": lambda unit: unit.waiting_for("CURRENCY", Side.LOCAL, ["EUR"]),
    "add due": lambda unit: unit.add_due([due(1)]),
    "due": lambda unit: unit.due(CUSTOMER, NOW),
    "remove due": lambda unit: unit.remove_due(CUSTOMER, Side.LOCAL, IDS),
}


@pytest.fixture
def explained(sqlite_template: Path, tmp_path: Path) -> Iterator[list[str]]:
    """Collects the plans of all statements, as SQLite explains them."""
    plans: list[str] = []
    explaining = sqlite3.connect(sqlite_template)

    def explain(connection: object, cursor: object, statement: str, parameters: object, *rest: object) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE", "INSERT")):
            one: tuple[object, ...] = parameters[0] if isinstance(parameters, list) else parameters  # type: ignore[assignment]
            plans.extend(row[3] for row in explaining.execute(f"EXPLAIN QUERY PLAN {statement}", one))

    with closing(explaining):
        event.listen(Engine, "before_cursor_execute", explain)
        yield plans
        event.remove(Engine, "before_cursor_execute", explain)


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_finds_its_rows_by_an_index(tmp_path: Path, opener: Opener, explained: list[str], name: str) -> None:
    with opener(tmp_path / "store.db").begin() as unit:
        unit.couplings.insert([new_coupling(number) for number in range(5)], NOW)
        unit.put_problems([new_problem(9, waits_for=(WaitsFor("CURRENCY", Side.LOCAL, "EUR"),))], NOW)
        explained.clear()
        QUERIES[name](unit)
    small = ("SCAN sqlite_sequence", "SCAN json_each VIRTUAL TABLE INDEX 1:")
    walks = [plan for plan in explained if plan.startswith("SCAN") and plan not in small]
    assert walks == []
    sorts = [plan for plan in explained if plan.startswith("USE TEMP B-TREE")]
    assert sorts == [] or name in ("put problems", "list of few by key"), "only what keys have found may be sorted"
    whole = [plan for plan in explained if "(mapping=?)" in plan]
    assert all(any(index in plan for index in IN_ORDER) for plan in whole)


IN_ORDER = ("couplings_state", "couplings_page", "intents_mapping", "journal_mapping", "jobs_running", "problems_page")
"""Indexes in whose order a page is read, or a figure counted: there the mapping alone is enough."""
