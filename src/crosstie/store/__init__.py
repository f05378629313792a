"""Our own database: couplings with their base, intents, jobs, journal, problems, cursors, mappings and connections.

`base` is the interface that the engine sees; `open_store` gives one. May import `model` only.
SQLAlchemy is loaded by the first store that is opened, not by importing this package.
"""

from pathlib import Path

from crosstie.store.base import Store
from crosstie.store.keys import load_or_make_key

__all__ = ["Store", "load_or_make_key", "open_store"]


def open_store(address: str | Path, *, key: bytes | None = None, lock_timeout: float = 30.0) -> Store:
    """Open the store at `address`, making or migrating its tables where needed.

    `address` is the path of a SQLite file, `sqlite:///…`, `postgresql://…` (or `postgresql+psycopg://…`), or
    `:memory:` for one that is gone when it is closed. `key` encrypts the secrets of connections (see
    `load_or_make_key`); without it, that of a SQLite file is the file `key` beside it, made when first needed.
    `lock_timeout` is how many seconds a statement waits for another process before StoreBusy.

    Raises StoreTooNew if a newer version made the store, StoreError if it cannot be opened.
    """
    from crosstie.store.opening import open_at  # SQLAlchemy takes half a second to import

    return open_at(address, key=key, lock_timeout=lock_timeout)
