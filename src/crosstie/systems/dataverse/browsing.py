"""Browsing tables of Dataverse: one page at a time, in the order asked for (wire-dataverse 4)."""

from collections.abc import Sequence

from crosstie.model.browsing import Browsed, Sort
from crosstie.model.conditions import fold
from crosstie.model.errors import InvalidOption
from crosstie.model.records import Record
from crosstie.systems.browsing import browse_pages, page_size
from crosstie.systems.dataverse.catalogue import Catalogue
from crosstie.systems.dataverse.feeds import Feeds
from crosstie.systems.dataverse.filter_text import wire_text
from crosstie.systems.dataverse.metadata import Table
from crosstie.systems.encoding import query
from crosstie.systems.odata import ODataClient
from crosstie.systems.places import slice_of
from crosstie.systems.querying import known_fields, restriction


async def browse(
    client: ODataClient,
    catalogue: Catalogue,
    feeds: Feeds,
    name: str,
    fields: Sequence[str],
    *,
    filter: str | None,
    order: Sequence[Sort],
    size: int,
    after: str | None,
) -> Browsed:
    """Return one page. The primary id breaks ties, without which pages could overlap.

    It goes the way of what it follows, so that one walk along an index gives the order.
    """
    table = await catalogue.table(name)
    names = known_fields(table.schema, fields)
    known_fields(table.schema, [term.field for term in order])
    bound = restriction(filter, table.schema, lambda condition: wire_text(condition, table))
    read = bound.fields(names)
    terms = [_wire(table, term) for term in order]
    if all(term.field != table.schema.key for term in order):
        terms.append(_wire(table, Sort(table.schema.key, bool(order) and order[-1].descending)))
    select = ",".join(table.selected(read))
    options = query(select=select, filter=bound.text, orderby=",".join(terms) if order else "")
    url = f"{client.address}/{table.entity_set}{options}"
    targets = table.preference(read)
    prefer = f"odata.maxpagesize={page_size(size, bound, client)}" + (f",{targets}" if targets else "")
    return await browse_pages(client, url, prefer, feeds.reader(table, read), bound, names, size, after)


def browse_options(records: list[Record], order: Sequence[Sort], size: int, after: str | None) -> Browsed:
    """Return one page of an option set, which comes as a whole."""
    for term in reversed(order):
        records.sort(key=lambda record: _comparable(record, term.field), reverse=term.descending)
    return slice_of(records, size, after)


def _wire(table: Table, term: Sort) -> str:
    if term.field in table.companions:
        raise InvalidOption(f"{table.schema.name} cannot be sorted by {term.field}.", field=term.field)
    return table.column(term.field).wire + (" desc" if term.descending else "")


def _comparable(record: Record, field: str) -> tuple[bool, int, str]:
    value = record.values.get(field)
    return value is not None, value if isinstance(value, int) else 0, fold(value) if isinstance(value, str) else ""
