"""One SQLite connection with nestable transactions and one row version counter for everything that is written."""

import re
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

Parameters = Sequence[Any]

_FIRST_VERSION = 1_000_000


def fold(text: str) -> str:
    """*text* without case, accents and trailing blanks: how Dataverse's collation compares."""
    if text.isascii():
        return text.lower().rstrip(" ")
    stripped = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return stripped.casefold().rstrip(" ")


def _sql_fold(value: Any) -> Any:
    return fold(value) if isinstance(value, str) else value


@lru_cache(maxsize=256)
def _wildcard_pattern(pattern: str) -> re.Pattern[str]:
    """A SQL Server LIKE pattern (``%``, ``_``, ``[a-f]``, ``[^a]``) as a regular expression."""
    out, i = [], 0
    while i < len(pattern):
        c = pattern[i]
        end = pattern.find("]", i + 2) if c == "[" else -1
        if end > 0:
            body = pattern[i + 1 : end]
            negated = body.startswith("^")
            body = re.sub(r"([\\\]\[^])", r"\\\1", body[1:] if negated else body)
            out.append(f"[{'^' if negated else ''}{body}]")
            i = end
        else:
            out.append({"%": ".*", "_": "."}.get(c) or re.escape(c))
        i += 1
    return re.compile("".join(out), re.DOTALL)


def _sql_matches(pattern: str, value: object) -> bool | None:
    return None if value is None else _wildcard_pattern(pattern).fullmatch(str(value)) is not None


class Database:
    """A SQLite database, in a file or in memory.

    Offers SQL two functions beside SQLite's own: ``fold(text)`` (see :func:`fold`; deterministic, so an index on
    ``fold(column)`` works) and ``matches(pattern, text)`` for LIKE patterns with character sets.
    """

    def __init__(self, path: str | Path = ":memory:") -> None:
        self.path = str(path)
        self.connection = sqlite3.connect(
            self.path, check_same_thread=False, isolation_level=None, cached_statements=512
        )
        self.execute("PRAGMA journal_mode=WAL")
        self.execute("PRAGMA synchronous=OFF")
        self.execute("PRAGMA temp_store=MEMORY")
        self.execute("PRAGMA cache_size=-65536")
        self.connection.create_function("fold", 1, _sql_fold, deterministic=True)
        self.connection.create_function("matches", 2, _sql_matches, deterministic=True)
        self._depth = 0
        self._make_counter()

    def execute(self, sql: str, params: Parameters = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self.connection.execute(sql, params)

    def executemany(self, sql: str, rows: Iterable[Parameters]) -> sqlite3.Cursor:
        """Run one statement for each row of parameters."""
        return self.connection.executemany(sql, rows)

    def script(self, sql: str) -> None:
        """Run several statements separated by semicolons (schema only: it ends an open transaction)."""
        self.connection.executescript(sql)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing: rolls back on any exception. May be nested; an inner one rolls back alone."""
        depth, self._depth = self._depth, self._depth + 1
        self.execute(f"SAVEPOINT s{depth}" if depth else "BEGIN IMMEDIATE")
        try:
            yield
            if not depth:
                self._save_counter()
        except BaseException:
            if depth:
                self.execute(f"ROLLBACK TO s{depth}")
                self.execute(f"RELEASE s{depth}")
            elif self.connection.in_transaction:
                self.execute("ROLLBACK")
            raise
        else:
            self.execute(f"RELEASE s{depth}" if depth else "COMMIT")
        finally:
            self._depth = depth

    @property
    def version(self) -> int:
        """The row version given out last."""
        return self._version

    def next_version(self) -> int:
        """The next row version. Versions only grow, also across resets; a rolled back one leaves a gap.

        Call it inside a transaction, which stores the counter.
        """
        self._version += 1
        return self._version

    def reserve_versions(self, count: int) -> range:
        """*count* row versions at once."""
        first = self._version + 1
        self._version += count
        return range(first, self._version + 1)

    def reset(self) -> None:
        """Drop every table, index and view; the row version goes on where it was."""
        names = self.execute(
            "SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' AND name <> 'sandbox_counter'"
            " AND type IN ('table', 'view')"
        ).fetchall()
        with self.transaction():
            for kind, name in names:
                self.execute(f'DROP {kind} IF EXISTS "{name}"')

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def _make_counter(self) -> None:
        self.execute("CREATE TABLE IF NOT EXISTS sandbox_counter (version INTEGER NOT NULL)")
        row = self.execute("SELECT version FROM sandbox_counter").fetchone()
        if row is None:
            self.execute("INSERT INTO sandbox_counter VALUES (?)", (_FIRST_VERSION,))
        self._version = self._saved = int(row[0]) if row else _FIRST_VERSION

    def _save_counter(self) -> None:
        if self._version != self._saved:
            self.execute("UPDATE sandbox_counter SET version = ?", (self._version,))
            self._saved = self._version
