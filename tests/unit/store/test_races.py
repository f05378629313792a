"""Several threads and processes on one store: nothing is doubled, nothing is overwritten unseen."""

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TypeVar

import msgspec
import pytest

from crosstie.model.errors import AlreadyCoupled, JobRunning
from crosstie.model.records import Side
from crosstie.store import Store, open_store
from tests.unit.store.values import CUSTOMER, NOW, due, new_coupling, new_problem, start

THREADS = 6
T = TypeVar("T")


def at_once(work: Callable[[int], T]) -> list[T | Exception]:
    """Run `work` in several threads that begin together; return what each returned or raised."""
    barrier = threading.Barrier(THREADS)

    def run(number: int) -> T | Exception:
        barrier.wait()
        try:
            return work(number)
        except Exception as error:
            return error

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def test_of_many_who_couple_one_record_one_wins_and_the_others_are_told(store: Store) -> None:
    def couple(number: int) -> int:
        with store.begin() as unit:
            # Each has a page of its own records beside the one that all want.
            page = [new_coupling(f"{number}-{each}") for each in range(20)]
            unit.couplings.insert([*page, new_coupling(number, local_id="wanted")], NOW)
            return number

    results = at_once(couple)
    [winner] = [each for each in results if isinstance(each, int)]
    assert sum(isinstance(each, AlreadyCoupled) for each in results) == THREADS - 1
    with store.begin() as unit:
        assert unit.couplings.by_record(CUSTOMER, Side.LOCAL, ["wanted"])["wanted"].remote_id == f"remote-{winner}"
        assert len(unit.couplings.page(CUSTOMER)) == 21


def test_of_many_who_change_one_coupling_one_wins_and_the_others_know(store: Store) -> None:
    with store.begin() as unit:
        couplings = unit.couplings.insert([new_coupling(number) for number in range(30)], NOW)

    def change(number: int) -> set[int]:
        mine = [msgspec.structs.replace(each, local_name=f"thread {number}") for each in couplings]
        with store.begin() as unit:
            return unit.couplings.update(list(reversed(mine)) if number % 2 else mine)

    results = at_once(change)
    lost = [each for each in results if isinstance(each, set)]
    assert len(lost) == THREADS
    assert sorted(map(len, lost)) == [0] + [30] * (THREADS - 1)
    with store.begin() as unit:
        after = unit.couplings.page(CUSTOMER)
    assert {each.local_name for each in after} == {f"thread {results.index(set())}"}
    assert {each.revision for each in after} == {2}


def test_of_a_change_and_a_removal_one_wins(store: Store) -> None:
    with store.begin() as unit:
        [coupling] = unit.couplings.insert([new_coupling(1)], NOW)

    def change_or_remove(number: int) -> set[int]:
        with store.begin() as unit:
            return unit.couplings.delete([coupling]) if number % 2 else unit.couplings.update([coupling])

    results = at_once(change_or_remove)
    assert sorted(map(len, results)) == [0] + [1] * (THREADS - 1)  # type: ignore[arg-type]
    with store.begin() as unit:
        removed = results.index(set()) % 2 == 1
        assert len(unit.couplings.page(CUSTOMER)) == (0 if removed else 1)


def test_one_exclusive_job_of_a_mapping_starts(store: Store) -> None:
    def begin(number: int) -> int:
        with store.begin() as unit:
            return start(unit, owner=f"host-{number}")

    results = at_once(begin)
    assert sum(isinstance(each, int) for each in results) == 1
    assert sum(isinstance(each, JobRunning) for each in results) == THREADS - 1


def test_many_who_find_the_same_problem_have_one_with_all_attempts(store: Store) -> None:
    def find(number: int) -> int:
        with store.begin() as unit:
            [problem] = unit.put_problems([new_problem(1, remote_id="remote-1")], NOW)
            return problem.id

    results = at_once(find)
    assert len(set(results)) == 1
    with store.begin() as unit:
        [problem] = unit.problems()
    assert problem.attempts == THREADS


def test_many_who_note_the_same_records_note_each_once(store: Store) -> None:
    def note(number: int) -> None:
        with store.begin() as unit:
            unit.add_due([due(each) for each in range(20)])

    assert at_once(note) == [None] * THREADS
    with store.begin() as unit:
        assert len(unit.due(CUSTOMER, NOW)) == 20


def test_ids_are_given_once_whoever_asks(store: Store) -> None:
    def insert(number: int) -> list[int]:
        ids: list[int] = []
        for round_ in range(5):
            with store.begin() as unit:
                new = [new_coupling(f"{number}-{round_}-{each}") for each in range(7)]
                ids += [each.id for each in unit.couplings.insert(new, NOW)]
        return ids

    results = at_once(insert)
    given = [id_ for ids in results if isinstance(ids, list) for id_ in ids]
    assert len(given) == len(set(given)) == THREADS * 35
    with store.begin() as unit:
        assert sorted(given) == [each.id for each in unit.couplings.page(CUSTOMER)]


WRITER = """
import sys
from crosstie.model.errors import AlreadyCoupled
from crosstie.store import open_store
from tests.unit.store.values import KEY, NOW, new_coupling

address, name = sys.argv[1:]
store = open_store(address, key=KEY)
refused = 0
for number in range(60):
    with store.begin() as unit:
        unit.couplings.insert([new_coupling(f"{name}-{number}")], NOW)
    with store.begin() as unit:
        try:
            unit.couplings.insert([new_coupling(number, remote_id=f"{name}-shared-{number}")], NOW)
        except AlreadyCoupled:
            refused += 1
store.close()
print(refused)
"""


def test_several_processes_make_and_fill_one_store(empty_address: str) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", WRITER, empty_address, name], stdout=subprocess.PIPE, text=True)
        for name in ("a", "b", "c")
    ]
    refused = [int(process.communicate(timeout=120)[0]) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sum(refused) == 120
    with closing(open_store(empty_address)) as store, store.begin() as unit:
        couplings = unit.couplings.page(CUSTOMER)
    assert len(couplings) == 3 * 60 + 60
    assert len({each.local_id for each in couplings}) == len(couplings)


class Failed(Exception):
    """An error in the middle of a unit."""


def test_an_error_that_leaves_the_unit_undoes_all_of_it(store: Store) -> None:
    with pytest.raises(Failed):
        _write_everything_and_fail(store)
    with store.begin() as unit:
        assert unit.couplings.page(CUSTOMER) == []
        assert unit.problems() == []
        assert unit.jobs() == []
        assert unit.due(CUSTOMER, NOW) == []


def _write_everything_and_fail(store: Store) -> None:
    with store.begin() as unit:
        write_everything(unit)
        raise Failed


def write_everything(unit: object) -> None:
    unit.couplings.insert([new_coupling(1)], NOW)  # type: ignore[attr-defined]
    unit.put_problems([new_problem(1)], NOW)  # type: ignore[attr-defined]
    unit.add_due([due(1)])  # type: ignore[attr-defined]
    start(unit)  # type: ignore[arg-type]


DIES = """
import os, sys
from crosstie.store import open_store
from tests.unit.store.test_races import write_everything
from tests.unit.store.values import KEY, NOW, new_coupling

store = open_store(sys.argv[1], key=KEY)
with store.begin() as unit:
    unit.couplings.insert([new_coupling("kept")], NOW)
with store.begin() as unit:
    write_everything(unit)
    os._exit(9)
"""


def test_a_process_that_dies_in_a_unit_leaves_what_it_had_committed_and_no_lock(address: str) -> None:
    died = subprocess.run([sys.executable, "-c", DIES, address], check=False)
    assert died.returncode == 9
    with closing(open_store(address, lock_timeout=10)) as store:
        with store.begin() as unit:
            assert [each.local_id for each in unit.couplings.page(CUSTOMER)] == ["local-kept"]
            assert unit.problems() == []
            assert unit.jobs() == []
            write_everything(unit)
        with store.begin() as unit:
            assert len(unit.couplings.page(CUSTOMER)) == 2
