"""Addresses of stores: what a person may write, told apart and checked before anything is opened."""

from pathlib import Path

import msgspec
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from crosstie.model.errors import StoreError

MEMORY = ":memory:"

_FORMS = "Give the path of a file, sqlite:///PATH or postgresql://USER@HOST/DATABASE."


class Address(msgspec.Struct, frozen=True):
    """A checked address: of `file` and `server` one is set, neither for a store in memory.

    `shown` is how it is called in words, without a password.
    """

    shown: str
    file: Path | None = None
    server: URL | None = None


def parse_address(address: str | Path) -> Address:
    """Return the checked `address`. Raises StoreError if it is none, naming the forms that are."""
    if isinstance(address, Path) or "://" not in address:
        return _file(str(address))
    try:
        url = make_url(address)
    except (ArgumentError, ValueError) as error:
        # The words of the library repeat the address, which may hold a password.
        raise StoreError("The address of the store cannot be read.", next_step=_FORMS) from error
    match url.drivername:
        case "sqlite" | "sqlite+pysqlite":
            return _file(url.database or MEMORY)
        case "postgresql" | "postgres" | "postgresql+psycopg":
            return _server(url.set(drivername="postgresql+psycopg"))
        case other:
            raise StoreError(f"A store cannot be kept in {other!r}.", next_step=_FORMS)


def _file(path: str) -> Address:
    if path == MEMORY:
        return Address(MEMORY)
    if not path.strip():
        raise StoreError("The address of the store is empty.", next_step=_FORMS)
    return Address(path, file=Path(path).expanduser().absolute())


def _server(url: URL) -> Address:
    shown = url.set(drivername="postgresql").render_as_string(hide_password=True)
    if not url.database:
        raise StoreError(f"The address {shown} names no database.", next_step=_FORMS)
    return Address(shown, server=url)
