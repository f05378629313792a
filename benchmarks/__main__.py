"""`python -m benchmarks`: runs the benchmarks and prints their tables."""

import argparse
import sys
from importlib import import_module
from typing import Any

import msgspec

from benchmarks.machine import description
from benchmarks.scales import FULL, QUICK, TINY, Scale
from benchmarks.tables import Table, as_markdown, as_text

NAMES = ("engine", "matching", "first", "pages")


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmarks named, all without a name; return the exit code."""
    given = _parser().parse_args(arguments)
    scale = TINY if given.tiny else QUICK if given.quick else FULL
    found: list[Table] = []
    show = as_markdown if given.markdown else as_text
    if not given.json:
        print(f"{description()}\n")
    for name in given.names or NAMES:
        for table in run(name, scale):
            found.append(table)
            if not given.json:
                print(show(table), end="\n\n", flush=True)
    if given.json:
        print(msgspec.json.encode({"machine": description(), "scale": scale.name, "tables": found}).decode())
    return 0


def run(name: str, scale: Scale) -> list[Table]:
    """Run one benchmark and return its tables."""
    module: Any = import_module(f"benchmarks.{name}")
    tables: list[Table] = module.run(scale)
    return tables


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *NAMES], metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--quick", action="store_true", help="fewer records and rounds")
    parser.add_argument("--tiny", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--markdown", action="store_true", help="tables for a page instead of a terminal")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of tables")
    return parser


if __name__ == "__main__":
    sys.exit(main())
