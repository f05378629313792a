"""``$metadata``: the model as CSDL, complete enough for clients that check every name against it (section 15)."""

from collections.abc import Iterator
from xml.sax.saxutils import quoteattr

from crosstie.sandbox.dataverse.environment import Call, Environment
from crosstie.sandbox.dataverse.metadata import SETS
from crosstie.sandbox.dataverse.records import method_not_allowed
from crosstie.sandbox.dataverse.schema import OWNER, Column, ManyToMany, Relation, Schema, Table
from crosstie.sandbox.dataverse.tracking import tracked
from crosstie.sandbox.dataverse.types import edm_type
from crosstie.sandbox.http import Response

_HEAD = """<?xml version="1.0" encoding="utf-8"?>
<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">
<edmx:Reference Uri="http://vocabularies.odata.org/OData.Community.Keys.V1.xml">\
<edmx:Include Namespace="OData.Community.Keys.V1" Alias="Keys"/></edmx:Reference>
<edmx:Reference Uri="https://oasis-tcs.github.io/odata-vocabularies/vocabularies/Org.OData.Capabilities.V1.xml">\
<edmx:Include Namespace="Org.OData.Capabilities.V1"/></edmx:Reference>
<edmx:DataServices>
<Schema Namespace="Microsoft.Dynamics.CRM" Alias="mscrm" xmlns="http://docs.oasis-open.org/odata/ns/edm">
<EntityType Name="crmbaseentity" Abstract="true"/>
<EntityType Name="principal" BaseType="mscrm.crmbaseentity" Abstract="true">
<Key><PropertyRef Name="ownerid"/></Key>
<Property Name="ownerid" Type="Edm.Guid" Nullable="false"/>
</EntityType>
"""

_DEFINITION_TYPES = {
    "EntityDefinitions": "EntityMetadata",
    "RelationshipDefinitions": "RelationshipMetadataBase",
    "GlobalOptionSetDefinitions": "OptionSetMetadataBase",
}

_COMPLEX = """<ComplexType Name="WhoAmIResponse">
<Property Name="BusinessUnitId" Type="Edm.Guid" Nullable="false"/>
<Property Name="UserId" Type="Edm.Guid" Nullable="false"/>
<Property Name="OrganizationId" Type="Edm.Guid" Nullable="false"/>
</ComplexType>
<ComplexType Name="CreateMultipleResponse">
<Property Name="Ids" Type="Collection(Edm.Guid)" Nullable="false"/>
</ComplexType>
<Function Name="WhoAmI"><ReturnType Type="mscrm.WhoAmIResponse" Nullable="false"/></Function>
"""

_TAIL = "</Schema>\n</edmx:DataServices>\n</edmx:Edmx>\n"


def answer(call: Call) -> Response:
    """The CSDL document; ``?annotations=true`` adds what the entity sets can do."""
    if call.request.method != "GET":
        raise method_not_allowed(call, "$metadata")
    annotated = call.query.get("annotations", "").lower() == "true"
    document = call.env.remember(
        ("csdl", str(annotated), str(call.env.settings["untracked_tables"])),
        lambda: "".join(_document(call, call.env.schema, annotated)),
    )
    return Response(200, [("Content-Type", "application/xml")], document.encode())


def _document(call: Call, schema: Schema, annotated: bool) -> Iterator[str]:
    yield _HEAD
    tables = [table for table in schema.tables.values() if not table.intersect]
    for table in tables:
        yield from _entity_type(call.env, table)
    for name in _DEFINITION_TYPES.values():
        yield f'<EntityType Name="{name}" BaseType="mscrm.crmbaseentity" OpenType="true">'
        yield '<Key><PropertyRef Name="MetadataId"/></Key>'
        yield '<Property Name="MetadataId" Type="Edm.Guid" Nullable="false"/></EntityType>\n'
    yield _COMPLEX
    for table in tables:
        yield from _bulk_actions(table)
    yield '<EntityContainer Name="System">\n'
    for table in tables:
        yield from _entity_set(call, table, annotated)
    for name in SETS:
        yield f'<EntitySet Name="{name}" EntityType="mscrm.{_DEFINITION_TYPES[name]}"/>\n'
    yield '<FunctionImport Name="WhoAmI" Function="mscrm.WhoAmI"/>\n</EntityContainer>\n'
    yield _TAIL


def _entity_type(env: Environment, table: Table) -> Iterator[str]:
    base = "principal" if table.principal else "crmbaseentity"
    yield f'<EntityType Name="{table.name}" BaseType="mscrm.{base}">\n'
    if not table.principal:
        yield f'<Key><PropertyRef Name="{table.id}"/></Key>\n'
    for column in table.columns.values():
        yield _property(table, column)
    for name, relation in table.navigations.items():
        yield _single(env.schema, name, relation)
    for name, backwards in table.collections.items():
        yield _many(name, backwards.source, backwards.navigation)
    for name, many in table.many.items():
        yield _many(name, many.other(table.name), name)
    yield from _alternate_keys(table)
    yield "</EntityType>\n"


def _property(table: Table, column: Column) -> str:
    kind = edm_type(column)
    more = ' Nullable="false"' if column.name == table.id and not table.principal else ""
    if kind == "Edm.Decimal":
        more += ' Scale="Variable"'
    if kind == "Edm.String":
        more += ' Unicode="false"' + (f' MaxLength="{column.max}"' if column.max else "")
    computed = '<Annotation Term="Org.OData.Core.V1.Computed" Bool="true"/>'
    if column.lookup or column.access == "read":
        return f'<Property Name="{column.wire}" Type="{kind}"{more}>{computed}</Property>\n'
    return f'<Property Name="{column.wire}" Type="{kind}"{more}/>\n'


def _single(schema: Schema, name: str, relation: Relation) -> str:
    target, key = relation.target, "ownerid"
    if target == OWNER:
        target = "principal"
    elif not schema.table(target).principal:
        key = schema.table(target).id
    partner = "" if relation.target == OWNER else f" Partner={quoteattr(relation.collection)}"
    return (
        f'<NavigationProperty Name="{name}" Type="mscrm.{target}" Nullable="true"{partner}>'
        f'<ReferentialConstraint Property="_{relation.column}_value" ReferencedProperty="{key}"/>'
        "</NavigationProperty>\n"
    )


def _many(name: str, target: str, partner: str) -> str:
    return f'<NavigationProperty Name="{name}" Type="Collection(mscrm.{target})" Partner="{partner}"/>\n'


def _alternate_keys(table: Table) -> Iterator[str]:
    if not table.keys:
        return
    yield '<Annotation Term="OData.Community.Keys.V1.AlternateKeys"><Collection>'
    for key in table.keys.values():
        yield '<Record Type="OData.Community.Keys.V1.AlternateKey"><PropertyValue Property="Key"><Collection>'
        for name in key.columns:
            wire = table.columns[name].wire
            yield '<Record Type="OData.Community.Keys.V1.PropertyRef">'
            yield f'<PropertyValue Property="Alias" String="{wire}"/>'
            yield f'<PropertyValue Property="Name" PropertyPath="{wire}"/></Record>'
        yield "</Collection></PropertyValue></Record>"
    yield "</Collection></Annotation>\n"


def _bulk_actions(table: Table) -> Iterator[str]:
    bound = f'<Parameter Name="entityset" Type="Collection(mscrm.{table.name})" Nullable="false"/>'
    targets = f'<Parameter Name="Targets" Type="Collection(mscrm.{table.name})" Nullable="false"/>'
    for message in ("CreateMultiple", "UpdateMultiple", "UpsertMultiple"):
        result = '<ReturnType Type="mscrm.CreateMultipleResponse"/>' if message == "CreateMultiple" else ""
        yield f'<Action Name="{message}" IsBound="true">{bound}{targets}{result}</Action>\n'


def _entity_set(call: Call, table: Table, annotated: bool) -> Iterator[str]:
    yield f'<EntitySet Name="{table.set}" EntityType="mscrm.{table.name}">\n'
    schema = call.env.schema
    for name, relation in table.navigations.items():
        for target in schema.targets(relation):
            path = f"{name}/mscrm.{target.name}" if relation.target == OWNER else name
            yield f'<NavigationPropertyBinding Path="{path}" Target="{target.set}"/>\n'
    backwards: dict[str, Relation | ManyToMany] = {**table.collections, **table.many}
    for name, other in backwards.items():
        far = other.source if isinstance(other, Relation) else other.other(table.name)
        yield f'<NavigationPropertyBinding Path="{name}" Target="{schema.table(far).set}"/>\n'
    if annotated:
        supported = str(tracked(call, table)).lower()
        yield '<Annotation Term="Org.OData.Capabilities.V1.ChangeTracking"><Record>'
        yield f'<PropertyValue Property="Supported" Bool="{supported}"/></Record></Annotation>\n'
    yield "</EntitySet>\n"
