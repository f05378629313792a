"""Writes docs/reference/behaviours.md: which behaviours of the original engine are tested, different, or not yet there.

The ids stand in tests/behaviours.yaml; what is tested is read from the docstrings of the tests themselves.
Run `python scripts/behaviours.py` to write the page, with `--check` to see whether it is up to date.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "behaviours.md"
_CITED = re.compile(r"behaviours?:\s*([A-Za-z0-9_]+/[A-Za-z0-9_]+)")


def load() -> dict[str, Any]:
    """Return the register: ids by area, variants by id, and the reasons of deliberate differences by id."""
    register = yaml.safe_load((ROOT / "tests" / "behaviours.yaml").read_text())
    return {
        "areas": register["areas"],
        "variants": register.get("variants") or {},
        "different": register.get("different") or {},
    }


def cited() -> dict[str, list[str]]:
    """Return the tests that name each behaviour, as `path::test`."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name, text in _docstrings(path):
            for id in _CITED.findall(text):
                found.setdefault(id, []).append(f"{path.relative_to(ROOT)}::{name}")
    return found


def _docstrings(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the tests of a file with their docstrings; parametrised cases count by the text of their decorators."""
    source = path.read_text()
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            decorators = "\n".join(ast.get_source_segment(source, item) or "" for item in node.decorator_list)
            yield node.name, f"{ast.get_docstring(node) or ''}\n{decorators}"
        elif isinstance(node, ast.ClassDef) and "Test" in node.name:
            yield node.name, ast.get_docstring(node) or ""


def render() -> str:
    """Return the page."""
    register, tests = load(), cited()
    different = register["different"]
    lines = [
        "# Behaviours of the original engine",
        "",
        "Business Central's own test suite describes how its engine behaves. This table says for each of those",
        "behaviours whether a test of ours covers it, whether Crosstie differs on purpose and why, or whether the part",
        "of the product that it belongs to is not there yet. It is made from the tests by `scripts/behaviours.py`.",
        "",
        "| area | tested | different | not yet |",
        "|---|---|---|---|",
    ]
    for area, ids in sorted(register["areas"].items()):
        done = sum(id in tests for id in ids)
        other = sum(id in different and id not in tests for id in ids)
        lines.append(f"| {area} | {done} | {other} | {len(ids) - done - other} |")
    for area, ids in sorted(register["areas"].items()):
        lines += ["", f"## {area}", "", "| behaviour | state |", "|---|---|"]
        for id in ids:
            variants = register["variants"].get(id, [])
            also = f" (and {len(variants)} variants)" if variants else ""
            lines.append(f"| {id}{also} | {_state(id, tests, different)} |")
    return "\n".join(lines) + "\n"


def _state(id: str, tests: dict[str, list[str]], different: dict[str, str]) -> str:
    named = ", ".join(f"`{name}`" for name in tests.get(id, [])[:3])
    if id in different:
        return f"different: {different[id]}" + (f" ({named})" if named else "")
    return f"tested: {named}" if named else "not yet"


def main(arguments: list[str]) -> int:
    """Write the page, or with `--check` compare it; return the exit code."""
    page = render()
    if "--check" in arguments:
        return 0 if PAGE.exists() and PAGE.read_text() == page else 1
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
