"""Who may import whom: the floors of the house, from the ground up."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "crosstie"

MAY_IMPORT = {
    "model": set(),
    "store": {"model"},
    "systems": {"model"},
    "engine": {"model", "store.base", "systems.base", "rules.base"},
    "rules": {"model", "systems.base"},
    "standard": {"model"},
    "jobs": {"model", "store", "systems.base", "engine", "rules", "standard"},
    "app": {"model", "store", "systems", "engine", "rules", "standard", "jobs"},
    "api": {"model", "app"},
    "cli": {
        "model",
        "app",
        "api",
        "web",
        "engine.context",
        "engine.matching",
        "engine.planning",
        "sandbox",
        "store.base",
    },
    "web": {"model", "app", "api", "engine.context", "engine.matching"},
    "sandbox": set(),
}
"""Each folder and what of the others it may use; a name with a point is a single module of that folder."""


def imports() -> Iterator[tuple[str, str, str]]:
    """Yield (file, folder, imported module without the package's name) for every import of the package itself."""
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).parts
        if len(parts) < 2:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names: list[str] = []
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}: relative import"
                names = [node.module or ""]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            for name in names:
                if name.startswith("crosstie."):
                    yield str(path.relative_to(SOURCE)), parts[0], name.removeprefix("crosstie.")


def test_every_folder_has_its_floor() -> None:
    folders = {path.name for path in SOURCE.iterdir() if path.is_dir() and not path.name.startswith("__")}
    assert folders <= set(MAY_IMPORT)


def test_no_folder_imports_what_stands_above_it() -> None:
    breaches = [
        f"{file} imports crosstie.{module}"
        for file, folder, module in imports()
        if module.split(".")[0] != folder
        and module.split(".")[0] not in MAY_IMPORT[folder]
        and ".".join(module.split(".")[:2]) not in MAY_IMPORT[folder]
    ]
    assert breaches == []


@pytest.mark.parametrize("folder", ["engine", "rules", "jobs"])
def test_no_concrete_system_is_known_below_the_composition_root(folder: str) -> None:
    concrete = [
        f"{file} imports crosstie.{module}"
        for file, at, module in imports()
        if at == folder and module.startswith("systems.") and module != "systems.base"
    ]
    assert concrete == []


def test_modules_stay_below_four_hundred_lines() -> None:
    long = {
        str(path.relative_to(SOURCE)): lines
        for path in SOURCE.rglob("*.py")
        if (lines := len(path.read_text().splitlines())) > 400
    }
    assert long == {}
