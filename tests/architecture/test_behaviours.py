"""The register of behaviours and the page made from it."""

import importlib.util
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("behaviours", ROOT / "scripts" / "behaviours.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_tests_cite_only_behaviours_of_the_register() -> None:
    behaviours = script()
    register = behaviours.load()
    known = {id for ids in (*register["areas"].values(), *register["variants"].values()) for id in ids}
    assert set(behaviours.cited()) - known == set()
    assert set(register["different"]) - known == set()


def test_the_page_is_up_to_date() -> None:
    behaviours = script()
    assert behaviours.PAGE.read_text() == behaviours.render(), "run python scripts/behaviours.py"
