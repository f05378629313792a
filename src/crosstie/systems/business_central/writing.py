"""Writing rows of Business Central in JSON `$batch` requests (wire-businesscentral sections 5 and 6)."""

from collections.abc import Sequence

import msgspec

from crosstie.model.records import Write, WriteKind, WriteResult, WriteStatus
from crosstie.systems.batch_json import MOST_PARTS, JsonBatch
from crosstie.systems.batches import send_parts
from crosstie.systems.business_central.catalogue import Catalogue
from crosstie.systems.business_central.codes import CODES
from crosstie.systems.business_central.feeds import Feeds
from crosstie.systems.business_central.tables import Table
from crosstie.systems.odata import ODataClient
from crosstie.systems.outcomes import settle
from crosstie.systems.parts import Part
from crosstie.systems.querying import known_fields

_encode = msgspec.json.Encoder(decimal_format="number").encode


class Writer:
    """Writes the tables of one company."""

    def __init__(self, client: ODataClient, catalogue: Catalogue, feeds: Feeds) -> None:
        self._client = client
        self._catalogue = catalogue
        self._feeds = feeds

    async def write(self, name: str, writes: Sequence[Write], fields: Sequence[str]) -> list[WriteResult]:
        """Carry out the writes; answer each in order. Raises SystemFailure only if nothing was carried out."""
        table = await self._catalogue.table(name)
        read = self._feeds.reader(table, known_fields(table.schema, fields)).record
        for write in writes:
            known_fields(table.schema, write.values)
        outcomes = await send_parts(
            self._client,
            f"{table.root}/$batch",
            [_part(table, write) for write in writes],
            JsonBatch(),
            min(self._client.limits.batch_size, MOST_PARTS),
        )
        results = [
            settle(outcome, write, table.schema, CODES, read) for outcome, write in zip(outcomes, writes, strict=True)
        ]
        if any(_has_another_id(write, result) for write, result in zip(writes, results, strict=True)):
            self._catalogue.without_client_ids(table)
        return results


def _part(table: Table, write: Write) -> Part:
    address = table.collection if write.kind is WriteKind.CREATE else f"{table.collection}({write.id})"
    if write.kind is WriteKind.DELETE:
        return Part("DELETE", address, {"If-Match": write.expected_version or "*"})
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    body = table.body(write.values)
    if write.kind is WriteKind.UPDATE:
        headers["If-Match"] = write.expected_version or "*"
        return Part("PATCH", address, headers, _encode(body))
    if write.id is not None and table.schema.client_ids:
        body = {table.schema.key: write.id, **body}
    return Part("POST", address, headers, _encode(body))


def _has_another_id(write: Write, result: WriteResult) -> bool:
    return (
        write.kind is WriteKind.CREATE
        and write.id is not None
        and result.status is WriteStatus.WRITTEN
        and result.record is not None
        and result.record.id != write.id.lower()
    )
