"""The reference of the command line says what the help says."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("cli_reference", ROOT / "scripts" / "cli_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(reference: ModuleType) -> None:
    assert reference.PAGE.read_text() == reference.render(), "run python scripts/cli_reference.py"


def test_every_option_has_a_help(reference: ModuleType) -> None:
    import click

    from crosstie.cli.root import cli

    silent = [
        f"{context.command_path} {parameter.name}"
        for command, context in reference.commands(cli, click.Context(cli, info_name="crosstie"))
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.help
    ]
    assert silent == []
