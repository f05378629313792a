"""What happens when a store is opened: where it may be, what it may hold, and who else has it open."""

import os
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from crosstie.model.errors import StoreBusy, StoreError, StoreTooNew
from crosstie.store import Store, open_store
from crosstie.store.schema import HEAD
from tests.unit.store.conftest import Opener
from tests.unit.store.values import CUSTOMER, NOW, new_coupling, start

RunSql = Callable[[str], object]


@pytest.fixture
def run_sql(address: str) -> Iterator[RunSql]:
    """Runs a statement on the store's database from outside."""
    if "://" in address:
        with psycopg.connect(address, autocommit=True) as server:
            yield server.execute
        return
    with closing(sqlite3.connect(address, isolation_level=None, timeout=1)) as file:
        yield file.execute


@contextmanager
def unprivileged() -> Iterator[None]:
    """Run as a user whom permissions bind, if the tests run as root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_new_place_becomes_a_store_and_keeps_what_is_put_there(empty_address: str, opener: Opener) -> None:
    first = opener(empty_address)
    with first.begin() as unit:
        [coupling] = unit.couplings.insert([new_coupling(1)], NOW)
    first.close()
    with opener(empty_address).begin() as unit:
        assert unit.couplings.page(CUSTOMER) == [coupling]


@pytest.mark.parametrize("form", ["{}", "sqlite:///{}", "sqlite+pysqlite:///{}"])
def test_a_file_has_several_addresses_and_folders_are_made(tmp_path: Path, opener: Opener, form: str) -> None:
    path = tmp_path / "home of mine" / "100% #1?.db"
    text = str(path) if form == "{}" else str(path).replace("%", "%25").replace("#", "%23").replace("?", "%3F")
    opener(path).close()
    path.unlink()
    opener(form.format(text)).close()
    assert path.is_file()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_relative_path_is_relative_to_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opener: Opener
) -> None:
    monkeypatch.chdir(tmp_path)
    store = opener("store.db")
    monkeypatch.chdir("/")
    with store.begin() as unit:
        unit.put_setting("a", "b")
    assert (tmp_path / "store.db").is_file()


@pytest.mark.parametrize("form", ["postgresql://", "postgresql+psycopg://", "postgres://"])
def test_a_server_has_several_addresses(fresh_postgres: str, opener: Opener, form: str) -> None:
    opener(fresh_postgres.replace("postgresql://", form)).close()
    opener(fresh_postgres).close()


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", "address of the store is empty"),
        ("  ", "address of the store is empty"),
        ("mysql://me:hidden@host/db", "cannot be kept in 'mysql'"),
        ("https://me:hidden@host/db", "cannot be kept in 'https'"),
        ("://", "cannot be read"),
        ("postgresql://me:hidden@host:port/db", "cannot be read"),
        ("postgresql://me:hidden@host", "names no database"),
    ],
)
def test_a_wrong_address_is_refused_with_the_forms_that_are_right(address: str, words: str) -> None:
    with pytest.raises(StoreError, match=words) as caught:
        open_store(address)
    assert "postgresql://USER@HOST/DATABASE" in str(caught.value)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"/postgres?": "/nowhere?"}, 'cannot be reached: .*database "nowhere" does not exist'),
        ({"host=%2F": "host=%2Fnowhere", "host=/": "host=/nowhere/"}, "cannot be reached: .*No such file"),
        ({"postgres@": "nobody:hidden@"}, 'cannot be reached: .*role "nobody" does not exist'),
    ],
)
def test_a_server_that_cannot_be_used_is_told(fresh_postgres: str, change: dict[str, str], words: str) -> None:
    if "CROSSTIE_TEST_POSTGRES" in os.environ:
        pytest.skip("the addresses are made from that of our own server")
    address = fresh_postgres
    for old, new in change.items():
        address = address.replace(old, new)
    with pytest.raises(StoreError, match=words) as caught:
        open_store(address)
    assert "Check that the server runs, and that user, password and database" in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=f"{tmp_path} cannot be opened: Is a directory"):
        open_store(tmp_path)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    import crosstie.store.migrating  # noqa: F401  (the unprivileged user may not be able to read the sources)

    folder = tmp_path / "closed"
    folder.mkdir(mode=0o555)
    tmp_path.chmod(0o755)
    for parent in list(tmp_path.parents)[:3]:
        parent.chmod(0o755)
    with unprivileged(), pytest.raises(StoreError, match=r"closed/store\.db cannot be opened: Permission denied"):
        open_store(folder / "store.db")


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path, opener: Opener) -> None:
    opener(tmp_path / "store.db").close()
    (tmp_path / "store.db").chmod(0o444)
    for folder in [tmp_path, *list(tmp_path.parents)[:3]]:
        folder.chmod(0o755)
    with unprivileged(), pytest.raises(StoreError, match=r"store\.db cannot be opened: Permission denied"):
        open_store(tmp_path / "store.db")


@pytest.mark.parametrize("content", [b"no database, but long enough" * 80, b"SQLite format 3\0" + b"x" * 4096])
def test_a_file_that_is_no_database_is_told_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"store\.db is (not a store|damaged)") as caught:
        open_store(path)
    assert "backup" in str(caught.value)
    assert path.read_bytes() == content


def test_a_file_that_is_damaged_in_the_middle_is_told(tmp_path: Path, opener: Opener) -> None:
    path = tmp_path / "store.db"
    store = opener(path)
    with store.begin() as unit:
        unit.couplings.insert([new_coupling(number, base=b'"' + b"x" * 900 + b'"') for number in range(500)], NOW)
    store.close()
    content = bytearray(path.read_bytes())
    content[100_000:300_000] = b"\xaa" * 200_000
    path.write_bytes(content)
    with pytest.raises(StoreError, match="is damaged"), opener(path).begin() as unit:
        unit.couplings.page(CUSTOMER)


def test_an_empty_file_becomes_a_store(tmp_path: Path, opener: Opener) -> None:
    (tmp_path / "store.db").touch()
    with opener(tmp_path / "store.db").begin() as unit:
        assert unit.settings() == {}


def test_a_database_of_another_program_is_left_alone(tmp_path: Path, fresh_postgres: str) -> None:
    with closing(sqlite3.connect(tmp_path / "store.db")) as file:
        file.execute("CREATE TABLE recipes (id INTEGER)")
    with pytest.raises(StoreError, match="tables of another program: recipes"):
        open_store(tmp_path / "store.db")
    with psycopg.connect(fresh_postgres) as server:
        server.execute("CREATE TABLE jobs (id INTEGER)")
    with pytest.raises(StoreError, match="tables of another program: jobs"):
        open_store(fresh_postgres)


def test_other_tables_beside_ours_on_a_server_do_no_harm(fresh_postgres: str, opener: Opener) -> None:
    with psycopg.connect(fresh_postgres) as server:
        server.execute("CREATE TABLE recipes (id INTEGER)")
    opener(fresh_postgres).close()


def test_a_store_of_a_newer_version_is_refused_and_left_alone(address: str, run_sql: RunSql) -> None:
    run_sql("UPDATE crosstie_version SET version_num = '9999'")
    with pytest.raises(StoreTooNew, match=f"newer version of Crosstie .revision 9999, known are those up to {HEAD}"):
        open_store(address)
    run_sql(f"UPDATE crosstie_version SET version_num = '{HEAD}'")
    open_store(address).close()


def test_a_store_that_another_process_holds_is_busy_after_the_lock_timeout(
    address: str, opener: Opener, run_sql: RunSql
) -> None:
    store = opener(address, lock_timeout=0.2)
    with store.begin() as unit:
        start(unit)
    run_sql("BEGIN IMMEDIATE" if "://" not in address else "BEGIN")
    run_sql("LOCK TABLE settings" if "://" in address else "INSERT INTO settings VALUES ('theirs', '1')")
    started = time.monotonic()
    with pytest.raises(StoreBusy, match="is in use") as caught:
        _start_and_set(store)
    assert 0.15 < time.monotonic() - started < 5
    assert caught.value.code == "store-busy"
    run_sql("COMMIT")
    with store.begin() as unit:
        # What the refused unit did before it had to wait is undone.
        assert [job.mapping for job in unit.running_jobs()] == [CUSTOMER]
        unit.put_setting("mine", "2")


def _start_and_set(store: Store) -> None:
    with store.begin() as unit:
        start(unit, "CONTACT")
        unit.put_setting("mine", "1")


def test_reading_waits_for_nobody_and_holds_nobody_up(address: str, opener: Opener, run_sql: RunSql) -> None:
    store = opener(address, lock_timeout=0.2)
    with store.begin() as reader, store.begin() as writer:
        assert reader.settings() == {}
        writer.put_setting("a", "1")
        assert reader.settings() == {}
        assert reader.couplings.page(CUSTOMER) == []
    with store.begin() as unit:
        assert unit.settings() == {"a": "1"}


def test_units_beyond_the_pool_are_busy_not_stuck(address: str, opener: Opener) -> None:
    store = opener(address, lock_timeout=0.1)
    units = [store.begin() for _ in range(25)]
    for each in units:
        each.__enter__().settings()
    with pytest.raises(StoreBusy, match="connections of this process"), store.begin() as unit:
        unit.settings()
    for each in units:
        each.__exit__(None, None, None)


def test_a_lost_server_connection_is_told_and_the_next_unit_connects_again(fresh_postgres: str, opener: Opener) -> None:
    store = opener(f"{fresh_postgres}&application_name=doomed")
    with pytest.raises(StoreError, match="terminating connection"):
        _lose_connection_between_two_writes(store, fresh_postgres)
    with store.begin() as unit:
        assert unit.settings() == {}
    _end_connections(fresh_postgres)
    with store.begin() as unit:
        unit.put_setting("c", "1")


def _lose_connection_between_two_writes(store: Store, address: str) -> None:
    with store.begin() as unit:
        unit.put_setting("a", "1")
        _end_connections(address)
        unit.put_setting("b", "1")


def _end_connections(address: str) -> None:
    with psycopg.connect(address) as server:
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'doomed'")


def test_a_store_in_memory_is_its_own_and_gone_when_closed(opener: Opener) -> None:
    one, two = opener(":memory:"), opener("sqlite://", None)
    with one.begin() as unit, one.begin() as beside, two.begin() as other:
        unit.put_setting("a", "1")
        assert beside.settings() == {}
        other.put_setting("a", "2")
    with one.begin() as unit, two.begin() as other:
        assert unit.settings() == {"a": "1"}
        assert other.settings() == {"a": "2"}
    one.close()
    with opener(":memory:").begin() as unit:
        assert unit.settings() == {}


def test_a_store_in_memory_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crosstie.store.opening._MEMORY_FOLDER", tmp_path)
    store = open_store(":memory:")
    assert list(tmp_path.iterdir())
    store.close()
    store.close()
    assert not list(tmp_path.iterdir())


def test_opening_a_store_that_is_up_to_date_is_quick(address: str) -> None:
    times = []
    for _ in range(5):
        started = time.perf_counter()
        open_store(address).close()
        times.append(time.perf_counter() - started)
    assert min(times) < 0.08
