"""Browsing tables of Business Central: one page at a time, in the order asked for (wire-businesscentral 4)."""

from collections.abc import Sequence

from crosstie.model.browsing import Browsed, Sort
from crosstie.systems.browsing import browse_pages, page_size
from crosstie.systems.business_central.catalogue import Catalogue
from crosstie.systems.business_central.feeds import Feeds
from crosstie.systems.business_central.filter_text import wire_text
from crosstie.systems.encoding import query
from crosstie.systems.odata import ODataClient
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
    """Return one page. The server breaks ties by its own key."""
    table = await catalogue.table(name)
    names = known_fields(table.schema, fields)
    known_fields(table.schema, [term.field for term in order])
    bound = restriction(filter, table.schema, lambda condition: wire_text(condition, table))
    read = bound.fields(names)
    ordered = ",".join(f"{term.field} desc" if term.descending else term.field for term in order)
    url = f"{table.url}{query(select=','.join(table.selected(read)), filter=bound.text, orderby=ordered)}"
    prefer = f"odata.maxpagesize={page_size(size, bound, client)}"
    return await browse_pages(client, url, prefer, feeds.reader(table, read), bound, names, size, after)
