"""Opens stores: makes the connections to a file, a server or memory, with the settings that the store rests on."""

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from weakref import finalize

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import QueuePool

from crosstie.model.errors import StoreError
from crosstie.store.addresses import MEMORY, parse_address
from crosstie.store.database import SqlStore
from crosstie.store.failures import told
from crosstie.store.keys import Secrets, load_or_make_key, make_key
from crosstie.store.versions import bring_up, make_at_once

_CONNECT_SECONDS = 10
_POOL = {"pool_size": 5, "max_overflow": 20}
_MEMORY_FOLDER = Path("/dev/shm")


def open_at(address: str | Path, *, key: bytes | None, lock_timeout: float) -> SqlStore:
    """See `crosstie.store.open_store`."""
    parsed = parse_address(address)
    if parsed.server is not None:
        engine = _server_engine(parsed.server, lock_timeout)
        return _ready(engine, _secrets(key, parsed.shown), parsed.shown, bring_up)
    if parsed.file is not None:
        _prepare_file(parsed.file)
        engine = _file_engine(parsed.file, lock_timeout, synchronous="NORMAL")
        return _ready(engine, _secrets(key, parsed.shown, beside=parsed.file), parsed.shown, bring_up)
    return _open_in_memory(_secrets(key or make_key(), MEMORY), lock_timeout)


def _open_in_memory(secrets: Secrets, lock_timeout: float) -> SqlStore:
    """Open a store that behaves like a file's in all respects, but is gone when closed.

    SQLite's own stores in memory have no write-ahead log, so that readers and writers would block one another.
    """
    where = _MEMORY_FOLDER if os.access(_MEMORY_FOLDER, os.W_OK) else None
    folder = tempfile.mkdtemp(prefix="crosstie-", dir=where)
    engine = _file_engine(Path(folder, "store.db"), lock_timeout, synchronous="OFF")
    remove = finalize(engine, shutil.rmtree, folder, ignore_errors=True)
    return _ready(engine, secrets, MEMORY, make_at_once, remove)


def _ready(
    engine: Engine,
    secrets: Secrets,
    shown: str,
    make_tables: Callable[[Connection, str], None],
    on_close: Callable[[], object] = lambda: None,
) -> SqlStore:
    store = SqlStore(engine, secrets, shown, on_close)
    try:
        with told(shown), engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                _use_write_ahead_log(connection)
            make_tables(connection, shown)
    except BaseException:
        store.close()
        raise
    return store


def _secrets(key: bytes | None, shown: str, *, beside: Path | None = None) -> Secrets:
    if key is not None:
        return Secrets(lambda: key, "the key file")
    if beside is not None:
        path = beside.with_name("key")
        return Secrets(lambda: load_or_make_key(path), str(path))

    def no_key() -> bytes:
        raise StoreError(
            f"The store {shown} was opened without a key, so secrets can be neither kept nor read.",
            next_step="Open it with the key file of the home folder.",
        )

    return Secrets(no_key, "no file")


def _prepare_file(file: Path) -> None:
    """Make the file and its folder if they are not there, readable by their owner only."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StoreError(
            f"The store {file} cannot be opened: {error.strerror}.",
            next_step="Give the path of a file in a folder that can be written.",
            path=str(file),
        ) from error


def _file_engine(file: Path, lock_timeout: float, *, synchronous: str) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(file)),
        connect_args={"timeout": lock_timeout, "isolation_level": None},
        poolclass=QueuePool,
        pool_timeout=lock_timeout,
        hide_parameters=True,
        **_POOL,
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: sqlite3.Connection, record: object) -> None:
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA cache_size = -16384")  # KiB
        connection.execute("PRAGMA wal_autocheckpoint = 4096")  # pages
        # SQLite's own knows capitals of ASCII only.
        connection.create_function("lower", 1, _lower, deterministic=True)

    return engine


def _lower(value: str | None) -> str | None:
    return None if value is None else value.lower()


def _use_write_ahead_log(connection: Connection) -> None:
    """Switch the file to WAL, for good. While several processes try that at once, SQLite refuses without waiting."""
    for pause in (0.01, 0.05, 0.2, 0.5, 1.0):
        try:
            if connection.exec_driver_sql("PRAGMA journal_mode").scalar() != "wal":
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            return
        except OperationalError as error:
            if getattr(error.orig, "sqlite_errorname", "") != "SQLITE_BUSY":
                raise
        time.sleep(pause)
    connection.exec_driver_sql("PRAGMA journal_mode = WAL")


def _server_engine(url: URL, lock_timeout: float) -> Engine:
    given = url.query.get("options", "")
    options = [given] if isinstance(given, str) else list(given)
    options += ["-c timezone=UTC", f"-c lock_timeout={int(lock_timeout * 1000)}"]
    return create_engine(
        url.difference_update_query(["options", "application_name"]),
        connect_args={
            "connect_timeout": _CONNECT_SECONDS,
            "application_name": url.query.get("application_name", "crosstie"),
            "options": " ".join(options).strip(),
        },
        pool_pre_ping=True,
        pool_timeout=lock_timeout,
        hide_parameters=True,
        **_POOL,
    )
