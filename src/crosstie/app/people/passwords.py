"""Passwords: which are good enough, and their hashes."""

import secrets
import threading
import unicodedata
from typing import TYPE_CHECKING, Any

from crosstie.model.errors import WeakPassword
from crosstie.model.people import name_key

if TYPE_CHECKING:
    from argon2 import PasswordHasher

LEAST = 12
MOST = 1024
"""Characters of a password."""


def checked_password(password: str, name: str) -> str:
    """Return the password if it may be that of the user `name`. Raises WeakPassword, saying why not."""
    if len(password) > MOST:
        step = f"Choose one of at most {MOST:,} characters."
        raise WeakPassword(f"The password has {len(password):,} characters.", next_step=step, field="password")
    length = len(_normalised(password))
    if length < LEAST:
        raise WeakPassword(f"The password has {length} characters.", field="password")
    if name_key(password) == name_key(name):
        raise WeakPassword("The password is the name.", field="password")
    return password


class Passwords:
    """Hashes and verifies passwords by argon2id, a few at a time, so that a flood of sign-ins cannot take all memory.

    The parameters are those that RFC 9106 recommends where memory is scarce: 64 MiB and a tenth of a second each.
    """

    def __init__(self, *, time_cost: int = 3, memory_kib: int = 65536, parallelism: int = 4, at_once: int = 4) -> None:
        self._costs: dict[str, Any] = {"time_cost": time_cost, "memory_cost": memory_kib, "parallelism": parallelism}
        self._turn = threading.BoundedSemaphore(at_once)
        self._making = threading.Lock()
        self._made: tuple[PasswordHasher, str] | None = None

    def hash(self, password: str) -> str:
        """Return what is stored of a password."""
        hasher, _ = self._ready()
        with self._turn:
            return hasher.hash(_bytes(password))

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether `password` is the one of which `stored` is the hash; with None it takes as long to say no."""
        from argon2.exceptions import InvalidHashError, VerificationError

        hasher, of_nobody = self._ready()
        with self._turn:
            try:
                return hasher.verify(stored or of_nobody, _bytes(password)) and stored is not None
            except (VerificationError, InvalidHashError):
                return False

    def is_outdated(self, stored: str) -> bool:
        """Whether a hash was made with other parameters than those of today."""
        return self._ready()[0].check_needs_rehash(stored)

    def _ready(self) -> "tuple[PasswordHasher, str]":
        with self._making:
            if self._made is None:
                from argon2 import PasswordHasher  # 30 ms that only those who sign in pay

                hasher = PasswordHasher(**self._costs)
                self._made = hasher, hasher.hash(secrets.token_bytes(32))
            return self._made


def _normalised(password: str) -> str:
    return unicodedata.normalize("NFKC", password[: MOST + 1])


def _bytes(password: str) -> bytes:
    # What is longer than any password stays longer and so is none; the rest of it need not be worked on.
    return _normalised(password).encode("utf-8", "surrogatepass")
