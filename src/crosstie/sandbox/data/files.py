"""The data files, read once per process."""

import csv
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

_FAST_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def read_csv(name: str) -> tuple[dict[str, str], ...]:
    """The rows of ``demo/{name}.csv`` by column; every value a text, blank where nothing is."""
    text = (files(__package__) / "demo" / f"{name}.csv").read_text("utf-8")
    return tuple(csv.DictReader(text.splitlines()))


@cache
def read_yaml(name: str) -> Any:
    """The content of ``{name}.yaml``."""
    text = (files(__package__) / f"{name}.yaml").read_text("utf-8")
    return yaml.load(text, Loader=_FAST_LOADER)
