"""``EntityDefinitions``, ``RelationshipDefinitions`` and ``GlobalOptionSetDefinitions`` (wire-dataverse section 15)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from crosstie.sandbox.dataverse import choices, definitions
from crosstie.sandbox.dataverse.address import NAMESPACE, Segment, pairs, unquoted
from crosstie.sandbox.dataverse.choices import Definition
from crosstie.sandbox.dataverse.environment import Call, Environment
from crosstie.sandbox.dataverse.errors import (
    UNKNOWN_NAME,
    UNSUPPORTED,
    Refusal,
    unknown_property,
    unknown_segment,
    unsupported,
)
from crosstie.sandbox.dataverse.filtering import guarded
from crosstie.sandbox.dataverse.keymaking import create_key, drop_key
from crosstie.sandbox.dataverse.predicate import evaluate
from crosstie.sandbox.dataverse.query import check_options, select_of
from crosstie.sandbox.dataverse.records import method_not_allowed
from crosstie.sandbox.dataverse.schema import Table
from crosstie.sandbox.dataverse.tracking import tracked
from crosstie.sandbox.dataverse.types import GUID
from crosstie.sandbox.filters import Expand, FilterError, parse_expand, parse_filter, parse_orderby
from crosstie.sandbox.http import Response, json_response

SETS: Final = ("EntityDefinitions", "RelationshipDefinitions", "GlobalOptionSetDefinitions")

_OPTIONS: Final = frozenset({"$select", "$filter", "$expand", "$orderby", "$count"})
_ROOT_TYPES: Final = {
    "EntityDefinitions": "EntityMetadata",
    "RelationshipDefinitions": "RelationshipMetadataBase",
    "GlobalOptionSetDefinitions": "OptionSetMetadata",
}
_EXPANDABLE: Final = {
    "Attributes": "AttributeMetadata",
    "Keys": "EntityKeyMetadata",
    "ManyToOneRelationships": "OneToManyRelationshipMetadata",
    "OneToManyRelationships": "OneToManyRelationshipMetadata",
    "ManyToManyRelationships": "ManyToManyRelationshipMetadata",
    "OptionSet": "OptionSetMetadata",
    "GlobalOptionSet": "OptionSetMetadata",
}
_BASES: Final = {
    "AttributeMetadata": definitions.BASE_ATTRIBUTE,
    "RelationshipMetadataBase": definitions.BASE_RELATIONSHIP,
}


def serves(name: str) -> bool:
    """Whether *name* is a set of definitions."""
    return name in SETS


def entity_definition(env: Environment, table: Table, tracks: bool) -> Definition:
    """The full definition of a table, made once."""
    made = env.remember(("definition", table.name), lambda: definitions.entity(env, table, tracks))
    made["ChangeTrackingEnabled"] = tracks
    return made


def answer(call: Call, segments: Sequence[Segment]) -> Response:
    """A request below one of the sets of definitions."""
    method = call.request.method
    if method != "GET":
        return _write(call, segments)
    node, kind = _follow(call, segments)
    check_options(call, _OPTIONS)
    context = f"{call.root}/$metadata#{'/'.join(segment.text for segment in segments)}"
    if isinstance(node, list):
        return json_response(_collection(call, node, kind, context))
    if isinstance(node, dict):
        shown = _shown(node, kind, select_of(call), _expands(call))
        return json_response({"@odata.context": f"{context}/$entity", **shown})
    return json_response({"@odata.context": context, "value": node})


def _roots(call: Call, name: str) -> list[Definition]:
    env = call.env
    if name == "EntityDefinitions":
        return [entity_definition(env, table, tracked(call, table)) for table in env.schema.tables.values()]
    if name == "GlobalOptionSetDefinitions":
        return choices.global_option_sets(env)
    relations = {relation.name: definitions.one_to_many(env, relation) for relation in env.schema.relations}
    return [*relations.values(), *(definitions.many_to_many(env, relation) for relation in env.schema.many)]


def _follow(call: Call, segments: Sequence[Segment]) -> tuple[Any, str]:
    """What the segments lead to, with the name of its metadata type."""
    first = segments[0]
    node: Any = _roots(call, first.name)
    kind = _ROOT_TYPES[first.name]
    if first.key is not None:
        node = _pick(node, first)
    for segment in segments[1:]:
        if segment.name.startswith(NAMESPACE):
            kind = segment.name.removeprefix(NAMESPACE)
            node = _cast(node, kind)
            continue
        if not isinstance(node, dict) or segment.name not in node:
            raise unknown_segment(segment.name)
        node = node[segment.name]
        kind = _EXPANDABLE.get(segment.name, kind)
        if segment.key is not None:
            node = _pick(node, segment)
    return node, kind


def _pick(nodes: Iterable[Definition], segment: Segment) -> Definition:
    """The definition of a key: its MetadataId, or a property by name."""
    text = segment.key or ""
    wanted: Mapping[str, str]
    if GUID.fullmatch(text):
        wanted = {"MetadataId": text.lower()}
    else:
        wanted = {name: unquoted(value) for name, value in (pairs(text) or {}).items()}
    for node in nodes:
        if wanted and all(str(node.get(name, "")).lower() == value.lower() for name, value in wanted.items()):
            return node
    named = next(iter(wanted.values()), text)
    raise Refusal(404, UNSUPPORTED, f"Could not find an object with the name or id '{named}' in '{segment.name}'.")


def _cast(node: Any, kind: str) -> Any:
    wanted = f"#{NAMESPACE}{kind}"
    if isinstance(node, list):
        return [item for item in node if item.get("@odata.type") in (wanted, None)]
    if isinstance(node, dict) and node.get("@odata.type") in (wanted, None):
        return node
    raise Refusal(404, UNKNOWN_NAME, f"Resource not found for the segment '{NAMESPACE}{kind}'.")


def _expands(call: Call) -> tuple[Expand, ...]:
    text = call.query.get("$expand", "").strip()
    return guarded(parse_expand, text) if text else ()


def _collection(call: Call, nodes: list[Definition], kind: str, context: str) -> Definition:
    select, expands = select_of(call), _expands(call)
    aliases = {name: value for name, value in call.query.items() if name.startswith("@")}
    nodes = _filtered(nodes, kind, call.query.get("$filter", "").strip(), aliases)
    orderby = call.query.get("$orderby", "").strip()
    for term in reversed(guarded(parse_orderby, orderby) if orderby else ()):
        nodes = sorted(nodes, key=_sorter(term.path), reverse=term.descending)
    body: Definition = {"@odata.context": context}
    if call.query.get("$count", "").lower() == "true":
        body["@odata.count"] = len(nodes)
    body["value"] = [_shown(node, kind, select, expands) for node in nodes]
    return body


def _sorter(path: Sequence[str]) -> Callable[[Definition], str]:
    def value(node: Definition) -> str:
        found: Any = node
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        return str(found)

    return value


def _filtered(nodes: list[Definition], kind: str, text: str, aliases: Mapping[str, str]) -> list[Definition]:
    if not text:
        return nodes
    try:
        tree = parse_filter(text, aliases)
        return [node for node in nodes if evaluate(tree, node, NAMESPACE + kind)]
    except FilterError as error:
        raise unsupported(str(error)) from error


def _shown(node: Definition, kind: str, select: Sequence[str] | None, expands: Sequence[Expand]) -> Definition:
    """A definition with what was asked for; its MetadataId always."""
    if select and "*" not in select:
        allowed = _BASES.get(kind) or node.keys()
        for name in select:
            if name not in allowed and not name.startswith("@"):
                raise unknown_property(name, NAMESPACE + kind)
        shown = {name: node[name] for name in ("@odata.type", *select) if name in node and name not in _EXPANDABLE}
        if "MetadataId" in node:
            shown.setdefault("MetadataId", node["MetadataId"])
    else:
        shown = {name: value for name, value in node.items() if name not in _EXPANDABLE}
    for expand in expands:
        if expand.name not in node or expand.name not in _EXPANDABLE:
            raise unknown_property(expand.name, NAMESPACE + kind)
        shown[expand.name] = _expanded(node[expand.name], expand)
    return shown


def _expanded(node: Any, expand: Expand) -> Any:
    kind = _EXPANDABLE[expand.name]
    if node is None:
        return None
    if isinstance(node, list):
        found = _filtered(node, kind, expand.filter or "", {})
        return [_shown(item, kind, expand.select, expand.expand) for item in found]
    return _shown(node, kind, expand.select, expand.expand)


def _write(call: Call, segments: Sequence[Segment]) -> Response:
    """The one thing that can be written here: alternate keys. (Options are changed through actions.)"""
    method = call.request.method
    if len(segments) == 2 and segments[0].name == "EntityDefinitions" and segments[1].name == "Keys":
        found = _pick(_roots(call, "EntityDefinitions"), segments[0])
        table = call.env.schema.table(found["LogicalName"])
        if method == "POST" and segments[1].key is None:
            return create_key(call, table)
        if method == "DELETE" and segments[1].key is not None:
            return drop_key(call, table, _pick(found["Keys"], segments[1])["SchemaName"])
    raise method_not_allowed(call, "/".join(segment.text for segment in segments))
