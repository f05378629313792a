"""Building small mappings, records and pairs for tests of deciding, and carrying decisions out on plain values."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from crosstie.engine.compiling import CompiledMapping, compile_mapping
from crosstie.engine.decision import decide
from crosstie.engine.transfer import Resolved, transfer
from crosstie.model.base import Base
from crosstie.model.couplings import Coupling
from crosstie.model.decisions import Decision, Pair, RecordAction, Request
from crosstie.model.mappings import Direction, FieldMapping
from crosstie.model.mappings import Mapping as TableMapping
from crosstie.model.records import Record, Side
from crosstie.model.references import Reference
from crosstie.model.schema import ChangeFeed, FieldSchema, FieldType, TableSchema
from crosstie.model.values import Scalar
from crosstie.rules.base import FieldRule

LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)
NOTHING = Resolved({}, {})
BOTH_WAYS, TO_REMOTE, FROM_REMOTE = Direction.BIDIRECTIONAL, Direction.TO_REMOTE, Direction.FROM_REMOTE


def field(name: str, type: FieldType = FieldType.TEXT, **traits: Any) -> FieldSchema:
    """A field of a table."""
    return FieldSchema(name=name, type=type, **traits)


def table(name: str, *fields: FieldSchema, **traits: Any) -> TableSchema:
    """A table with a key `id`."""
    traits = {"feed": ChangeFeed.MODIFIED, "client_ids": True, "conditional_writes": True, **traits}
    known = {f.name: f for f in (field("id", FieldType.GUID), *fields)}
    return TableSchema(name=name, key="id", fields=known, **traits)


def row(local: str | None, remote: str | None, direction: Direction = BOTH_WAYS, **traits: Any) -> FieldMapping:
    """A field mapping."""
    return FieldMapping(local_field=local, remote_field=remote, direction=direction, **traits)


def mapping(*rows: FieldMapping, **traits: Any) -> TableMapping:
    """A mapping; key and name of both sides are their ids unless said otherwise."""
    traits = {
        "name": "THINGS",
        "label": "Things",
        "local_table": "things",
        "remote_table": "thing",
        "direction": BOTH_WAYS,
        "local_key_field": "id",
        "local_name_field": "id",
        "remote_name_field": "id",
        **traits,
    }
    return TableMapping(fields=rows, **traits)


def compiled(
    rows: Sequence[FieldMapping],
    *,
    local: TableSchema | None = None,
    remote: TableSchema | None = None,
    rules: Collection[FieldRule] = (),
    **traits: Any,
) -> CompiledMapping:
    """A compiled mapping; without tables every field is a text of any length."""
    local = local or table("things", *(field(r.local_field) for r in rows if r.local_field))
    remote = remote or table("thing", *(field(r.remote_field) for r in rows if r.remote_field))
    return compile_mapping(mapping(*rows, **traits), local, remote, rules)


def record(id: str, values: Mapping[str, Scalar], modified_at: datetime | None = None) -> Record:
    """A record."""
    return Record(id, "1", dict(values), modified_at)


def coupling(id: int = 1, *, local_id: str = "L", remote_id: str = "R", **traits: Any) -> Coupling:
    """A stored coupling."""
    traits = {"mapping": "THINGS", "revision": 1, "created_at": LONG_AGO, **traits}
    return Coupling(id=id, local_id=local_id, remote_id=remote_id, **traits)


def resolved(mapping: str, side: Side, by_key: bool, couplings: Mapping[str, Coupling]) -> Resolved:
    """Couplings as transfer looks them up."""
    return Resolved({Reference(mapping, side, by_key, key): found for key, found in couplings.items()}, {})


def decided(
    compiled: CompiledMapping,
    local: Record | Mapping[str, Scalar] | None,
    remote: Record | Mapping[str, Scalar] | None,
    base: Base | None = None,
    request: Request | None = None,
    *,
    sent: Resolved = NOTHING,
    fetched: Resolved = NOTHING,
    **traits: Any,
) -> Decision:
    """Transfer both sides and decide, as the engine does; coupled unless `coupling=None` is given."""
    here = record("L", local) if isinstance(local, Mapping) else local
    there = record("R", remote) if isinstance(remote, Mapping) else remote
    pair = Pair(**{"coupling": coupling(), "local": here, "remote": there, **traits})
    reaches = compiled.mapping.reaches
    return decide(
        compiled,
        pair,
        base,
        transfer(compiled, here, Side.LOCAL, sent, creating=there is None) if here and reaches(Side.REMOTE) else None,
        transfer(compiled, there, Side.REMOTE, fetched, creating=here is None)
        if there and reaches(Side.LOCAL)
        else None,
        request or Request(),
    )


def carried_out(decision: Decision) -> tuple[Record, Record]:
    """Both records as they are once the decision was carried out by systems that change nothing by themselves."""
    assert decision.action not in (RecordAction.DELETE_LOCAL, RecordAction.DELETE_REMOTE)
    local, remote = decision.pair.local or record("L", {}), decision.pair.remote or record("R", {})
    return (
        Record(local.id, local.version, {**local.values, **_plain(decision.to_local)}, local.modified_at),
        Record(remote.id, remote.version, {**remote.values, **_plain(decision.to_remote)}, remote.modified_at),
    )


def _plain(values: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Values as a system gives them back: a lookup does not say at which table it points."""
    return {name: value.rpartition(":")[2] if isinstance(value, str) else value for name, value in values.items()}
