"""The key that encrypts the secrets of connections, kept outside the database, so that a copy of that is no use.

A key file holds one Fernet key a line: the first encrypts, all decrypt. A key is changed by writing a new one above it.
"""

import os
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from crosstie.model.errors import StoreError
from crosstie.model.places import Place

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

_KEY_BYTES = 32


def load_or_make_key(path: str | Path) -> bytes:
    """Return the content of the key file at `path`; where there is none, make one that only its owner can read.

    Two processes that make it at once end up with the same key. Raises StoreError if the file cannot be read or
    made, or holds something else.
    """
    path = Path(path)
    try:
        if not path.exists():
            _make(path)
        key = path.read_bytes()
    except OSError as error:
        raise StoreError(
            f"The key file {path} cannot be read or made: {error.strerror}.",
            next_step="Check the folder and its permissions.",
            path=str(path),
        ) from error
    _split(key, f"The key file {path}")
    return key


def make_key() -> bytes:
    """Return a new key."""
    return urlsafe_b64encode(secrets.token_bytes(_KEY_BYTES)) + b"\n"


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}-{os.getpid()}-{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(make_key())
            file.flush()
            os.fsync(file.fileno())
        if not path.exists():
            _publish(draft, path)
    finally:
        draft.unlink()


def _publish(draft: Path, path: Path) -> None:
    # A link fails where the name is taken, so the first of two makers wins and nobody sees half a key.
    try:
        os.link(draft, path)
    except FileExistsError:
        return


def _split(key: bytes, called: str) -> list[bytes]:
    lines = [line.strip() for line in key.splitlines() if line.strip()]
    if not lines or not all(_is_key(line) for line in lines):
        raise StoreError(
            f"{called} holds no key (44 characters of URL-safe base64 a line).",
            next_step="Put the right key file there; it was made by the first connection that was added.",
        )
    return lines


def _is_key(line: bytes) -> bool:
    try:
        return len(urlsafe_b64decode(line)) == _KEY_BYTES
    except ValueError:
        return False


class Secrets:
    """Encrypts and decrypts secrets. The key is asked for when it is first needed; nothing here shows it."""

    def __init__(self, key: Callable[[], bytes], kept_in: str) -> None:
        self._key = key
        self._kept_in = kept_in
        self._fernet: MultiFernet | None = None

    def __repr__(self) -> str:
        return f"<Secrets by the key in {self._kept_in}>"

    def encrypt(self, secret: str) -> str:
        """Return what may be stored of `secret`."""
        return self._ready().encrypt(secret.encode()).decode()

    def decrypt(self, stored: str, owner: str) -> str:
        """Return the secret of the connection `owner`.

        Raises StoreError if the key is not the one that encrypted it.
        """
        from cryptography.fernet import InvalidToken

        try:
            return self._ready().decrypt(stored.encode()).decode()
        except InvalidToken as error:
            raise StoreError(
                f"The secret of connection {owner!r} cannot be read: the key in {self._kept_in} is not the one "
                "that encrypted it.",
                next_step=f"Put the lost key back as a line of {self._kept_in}, or enter the secret again.",
                place=Place.CONNECTION_NEW,
                connection=owner,
                key=self._kept_in,
            ) from error

    def _ready(self) -> "MultiFernet":
        if self._fernet is None:
            from cryptography.fernet import Fernet, MultiFernet  # 50 ms that only those who need a secret pay

            keys = _split(self._key(), f"The key in {self._kept_in}")
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        return self._fernet
