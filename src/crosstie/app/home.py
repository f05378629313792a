"""The home: the folder in which Crosstie keeps its store and the key of its secrets."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from crosstie.model.errors import StoreError
from crosstie.model.places import Place
from crosstie.store.base import Store


@dataclass(frozen=True, slots=True)
class Home:
    """An opened home. `store_address` says where the store is: a file of the home, or a PostgreSQL database."""

    folder: Path
    store: Store
    store_address: str


def home_folder(folder: Path | None = None) -> Path:
    """Return the folder: the argument, else CROSSTIE_HOME, else one in the user's data folder."""
    if folder is not None:
        return folder
    if named := os.environ.get("CROSSTIE_HOME"):
        return Path(named)
    from platformdirs import user_data_path

    return user_data_path("crosstie")


@contextmanager
def open_home(folder: Path | None = None, store_address: str | None = None) -> Iterator[Home]:
    """Open the home, making folder, key and store on first use.

    Raises StoreError, naming the folder, if it cannot be made or written.
    """
    from crosstie.store import load_or_make_key, open_store

    found = home_folder(folder)
    try:
        found.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"The home {found} cannot be made: {error.strerror}.",
            next_step="Name another folder.",
            place=Place.HOME_FOLDER,
        ) from error
    address = store_address or os.environ.get("CROSSTIE_STORE") or str(found / "crosstie.db")
    store = open_store(address, key=load_or_make_key(found / "key"))
    try:
        yield Home(found, store, address)
    finally:
        store.close()
