"""Data sets: what the sandbox can be filled with.

``empty``
    what an installed system has: a company, its setup tables, an organisation, the base currency
``demo``
    a furniture maker's customers, vendors, contacts, items and orders on both sides, which overlap and differ
``generate:N``
    N customers and N accounts that match pairwise, N/5 contacts on each side, and a few currencies;
    ``generate:N:local`` leaves Dataverse, ``generate:N:remote`` leaves Business Central without them

Ids are the same on every machine and at every load. The demo company is in readable files under ``demo``.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from crosstie.sandbox.data import demo, generate, setup
from crosstie.sandbox.data.ids import COMPANY_ID, identity
from crosstie.sandbox.data.order import DataError, Order, parse
from crosstie.sandbox.data.rows import Row

__all__ = ["COMPANY_ID", "DataError", "Order", "identity", "parse", "planted", "settings_of", "tables"]


def tables(system: str, order: Order, now: datetime) -> Iterator[tuple[str, Iterable[Row]]]:
    """The tables of *system* (``business_central`` or ``dataverse``) with their rows, in an order in which they can
    be inserted. Times in the rows lie before *now*."""
    yield from setup.tables(system, now)
    if order.kind == "demo":
        yield from demo.tables(system, now)
    elif order.kind == "generate":
        yield from generate.tables(system, order, now)


def settings_of(system: str, order: Order) -> Mapping[str, object]:
    """The switches that a data set sets, by name."""
    return demo.settings(system) if order.kind == "demo" else {}


def planted(system: str, order: Order) -> list[dict[str, object]]:
    """The troubles planted in a data set, with the records of *system* that they hit."""
    return demo.planted(system) if order.kind == "demo" else []
