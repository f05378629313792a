"""What the figures were measured on, without saying whose it is."""

import os
import platform
import sqlite3


def description() -> str:
    """Return cores, Python and SQLite in words."""
    return (
        f"{os.cpu_count()} cores ({platform.machine()}, {platform.system()}), "
        f"{platform.python_implementation()} {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )
