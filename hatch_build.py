"""At build time: put the script library that the pages use, as its package brings it, beside their own scripts."""

from importlib.resources import files
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SCRIPT = "htmx.min.js"


class ScriptsHook(BuildHookInterface[Any]):
    """Copies htmx into the package; it is part of the wheel and not of the repository."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Copy the script before anything is packed."""
        source = files("django_htmx") / "static" / "django_htmx" / "htmx-2.min.js"
        folder = Path(self.root) / "src" / "crosstie" / "web" / "static" / "vendor"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / SCRIPT).write_bytes(source.read_bytes())
        build_data.setdefault("artifacts", []).append(f"src/crosstie/web/static/vendor/{SCRIPT}")
