"""Functions and actions that belong to no table, and those bound to a row."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from crosstie.sandbox.dataverse.address import Segment, pairs, reference, unquoted
from crosstie.sandbox.dataverse.changes import retrieve_metadata_changes
from crosstie.sandbox.dataverse.choices import ENGLISH
from crosstie.sandbox.dataverse.environment import ORGANIZATION, Call
from crosstie.sandbox.dataverse.errors import BAD_ARGUMENT, Refusal, unknown_segment
from crosstie.sandbox.dataverse.jobs import bulk_delete
from crosstie.sandbox.dataverse.optionsets import delete_option, insert_option, publish, update_option
from crosstie.sandbox.dataverse.records import json_body, method_not_allowed
from crosstie.sandbox.dataverse.schema import Table
from crosstie.sandbox.dataverse.types import GUID
from crosstie.sandbox.dataverse.writing import associate, disassociate
from crosstie.sandbox.http import Response, json_response

VERSION: Final = "9.2.24112.00163"

Parameters = Mapping[str, str]


def unbound(call: Call, segments: Sequence[Segment]) -> Response:
    """A function (GET) or action (POST) by name; raises :class:`Refusal` 404 on an unknown one."""
    first = segments[0]
    name = first.name.removeprefix("Microsoft.Dynamics.CRM.")
    function, action = _FUNCTIONS.get(name), _ACTIONS.get(name)
    if len(segments) > 1 or (function is None and action is None):
        raise unknown_segment(first.text)
    if function is not None and call.request.method == "GET":
        return function(call, _parameters(call, first))
    if action is not None and call.request.method == "POST":
        return action(call)
    raise method_not_allowed(call, name)


def _parameters(call: Call, segment: Segment) -> Parameters:
    """The parameters of a function, in parentheses or as aliases ``@p1``, as they were written."""
    given = pairs(segment.key) if segment.key else {}
    if given is None:
        raise Refusal(400, BAD_ARGUMENT, f"The parameters of '{segment.text}' cannot be read.")
    return {name: call.query.get(value, "") if value.startswith("@") else value for name, value in given.items()}


def _who_am_i(call: Call, parameters: Parameters) -> Response:
    found = call.env.db.execute(
        "SELECT businessunitid FROM systemuser WHERE systemuserid = ?", (call.caller,)
    ).fetchone()
    return json_response(
        {
            "@odata.context": f"{call.root}/$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse",
            "BusinessUnitId": found[0] if found else None,
            "UserId": call.caller,
            "OrganizationId": ORGANIZATION,
        }
    )


def _total_record_count(call: Call, parameters: Parameters) -> Response:
    names = [unquoted(part.strip().strip('"')) for part in parameters.get("EntityNames", "").strip("[]").split(",")]
    tables = [call.env.schema.tables.get(name) for name in names]
    unknown = [name for name, table in zip(names, tables, strict=True) if table is None]
    if unknown:
        raise Refusal(404, BAD_ARGUMENT, f"The entity with a name = '{unknown[0]}' was not found.")
    counts = [call.env.db.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0] for name in names]
    kind = "Microsoft.Dynamics.CRM.EntityRecordCountCollection"
    collection = {"Count": len(names), "IsReadOnly": False, "Keys": names, "Values": counts}
    context = f"{call.root}/$metadata#Microsoft.Dynamics.CRM.RetrieveTotalRecordCountResponse"
    return json_response(
        {"@odata.context": context, "EntityRecordCountCollection": {"@odata.type": f"#{kind}", **collection}}
    )


def _version(call: Call, parameters: Parameters) -> Response:
    context = f"{call.root}/$metadata#Microsoft.Dynamics.CRM.RetrieveVersionResponse"
    return json_response({"@odata.context": context, "Version": VERSION})


def _languages(call: Call, parameters: Parameters) -> Response:
    context = f"{call.root}/$metadata#Microsoft.Dynamics.CRM.RetrieveAvailableLanguagesResponse"
    return json_response({"@odata.context": context, "LocaleIds": [ENGLISH]})


def _metadata_changes(call: Call, parameters: Parameters) -> Response:
    return retrieve_metadata_changes(call, parameters.get("Query", ""))


_FUNCTIONS: Final[Mapping[str, Callable[[Call, Parameters], Response]]] = {
    "WhoAmI": _who_am_i,
    "RetrieveTotalRecordCount": _total_record_count,
    "RetrieveVersion": _version,
    "RetrieveAvailableLanguages": _languages,
    "RetrieveMetadataChanges": _metadata_changes,
}
_ACTIONS: Final[Mapping[str, Callable[[Call], Response]]] = {
    "BulkDelete": bulk_delete,
    "InsertOptionValue": insert_option,
    "UpdateOptionValue": update_option,
    "DeleteOptionValue": delete_option,
    "PublishXml": publish,
    "PublishAllXml": publish,
}


def bound(call: Call, table: Table, row_id: str, segment: Segment) -> Response:
    """An action on a row: adding members to a team and removing them."""
    name = segment.name.removeprefix("Microsoft.Dynamics.CRM.")
    if table.name != "team" or name not in ("AddMembersTeam", "RemoveMembersTeam"):
        raise unknown_segment(segment.name)
    if call.request.method != "POST":
        raise method_not_allowed(call, name)
    users = call.env.schema.table("systemuser")
    relation = table.many["teammembership_association"]
    present = _members(call, row_id)
    with call.env.db.transaction():
        for user in _named_users(call, users):
            if name == "RemoveMembersTeam":
                disassociate(call, table, row_id, relation, users, user)
            elif user not in present:
                associate(call, table, row_id, relation, users, user)
    return Response(204)


def _members(call: Call, team: str) -> set[str]:
    rows = call.env.db.execute("SELECT systemuserid FROM teammembership WHERE teamid = ?", (team,))
    return {str(user) for (user,) in rows}


def _named_users(call: Call, users: Table) -> list[str]:
    body = json_body(call)
    members: Any = body.get("Members") if isinstance(body, dict) else None
    if not isinstance(members, list) or not all(isinstance(member, dict) for member in members):
        raise Refusal(400, BAD_ARGUMENT, "The parameter 'Members' must be an array of users.")
    found = []
    for member in members:
        named = member.get("@odata.id") or member.get("systemuserid") or member.get("ownerid")
        text = f"{users.set}({named})" if isinstance(named, str) and GUID.fullmatch(named) else named
        found.append(reference(call, text, (users,), users.set)[1])
    return found
