"""The actions that change the options of choices (wire-dataverse section 15)."""

from collections.abc import Mapping
from typing import Any

from crosstie.sandbox.dataverse.environment import Call
from crosstie.sandbox.dataverse.errors import BAD_ARGUMENT, Refusal
from crosstie.sandbox.dataverse.records import json_body
from crosstie.sandbox.dataverse.schema import Column, Option, Table
from crosstie.sandbox.dataverse.storage import save_option
from crosstie.sandbox.http import Response, json_response

Choice = list[tuple[Table, Column]]
"""The columns that share a set of options; one, unless the set is global."""


def insert_option(call: Call) -> Response:
    """``InsertOptionValue``: adds an option and answers with its number, which the server chooses if none is given."""
    body = _body(call)
    choice = _choice(call, body)
    options = choice[0][1].options
    value = body.get("Value")
    if value is None:
        value = call.env.settings.number("first_option_value")
        while value in options:
            value += 1
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refusal(400, BAD_ARGUMENT, f"The option value '{value}' is not a whole number.")
    if value in options:
        raise Refusal(
            400, BAD_ARGUMENT, f"An option with the value {value} exists already in '{_name(choice)}': choose another."
        )
    _put(call, choice, Option(value, _label(body)))
    context = f"{call.root}/$metadata#Microsoft.Dynamics.CRM.InsertOptionValueResponse"
    return json_response({"@odata.context": context, "NewOptionValue": value})


def update_option(call: Call) -> Response:
    """``UpdateOptionValue``: gives an option another label."""
    body = _body(call)
    choice = _choice(call, body)
    option = _existing(choice, body)
    _put(call, choice, Option(option.value, _label(body), option.state))
    return Response(204)


def delete_option(call: Call) -> Response:
    """``DeleteOptionValue``: takes an option away; rows keep the number."""
    body = _body(call)
    choice = _choice(call, body)
    option = _existing(choice, body)
    with call.env.db.transaction():
        for table, column in choice:
            del column.options[option.value]
            save_option(call.env.db, table, column, option.value)
    call.env.schema_changed()
    return Response(204)


def publish(call: Call) -> Response:
    """``PublishXml`` and ``PublishAllXml``: changes of options show at once here, so there is nothing left to do."""
    if "PublishXml" in call.request.path and not str(_body(call).get("ParameterXml") or "").strip():
        raise Refusal(400, BAD_ARGUMENT, "The parameter 'ParameterXml' of PublishXml is missing.")
    return Response(204)


def _body(call: Call) -> Mapping[str, Any]:
    body = json_body(call)
    if not isinstance(body, dict):
        raise Refusal(400, BAD_ARGUMENT, "The request body must be a JSON object.")
    return body


def _choice(call: Call, body: Mapping[str, Any]) -> Choice:
    """The set that a body names: ``OptionSetName``, or ``EntityLogicalName`` with ``AttributeLogicalName``."""
    tables = call.env.schema.tables
    name = body.get("OptionSetName")
    if name:
        shared = [
            (table, column)
            for table in tables.values()
            for column in table.columns.values()
            if column.global_name == name
        ]
        if shared:
            return shared
        raise Refusal(404, BAD_ARGUMENT, f"There is no global option set with the name '{name}'.")
    table = tables.get(str(body.get("EntityLogicalName", "")))
    column = table.columns.get(str(body.get("AttributeLogicalName", ""))) if table else None
    if table is None or column is None:
        raise Refusal(
            404,
            BAD_ARGUMENT,
            f"There is no attribute '{body.get('AttributeLogicalName')}' in '{body.get('EntityLogicalName')}'.",
        )
    if column.type != "Picklist" or column.global_name:
        raise Refusal(
            400, BAD_ARGUMENT, f"The attribute '{column.name}' of '{table.name}' has no local set of options to change."
        )
    return [(table, column)]


def _existing(choice: Choice, body: Mapping[str, Any]) -> Option:
    option = next((item for item in choice[0][1].options.values() if item.value == body.get("Value")), None)
    if option is None:
        raise Refusal(404, BAD_ARGUMENT, f"There is no option with the value {body.get('Value')} in '{_name(choice)}'.")
    return option


def _name(choice: Choice) -> str:
    table, column = choice[0]
    return column.global_name or f"{table.name}.{column.name}"


def _label(body: Mapping[str, Any]) -> str:
    given = body.get("Label")
    labels = given.get("LocalizedLabels") if isinstance(given, dict) else None
    text = labels[0].get("Label") if isinstance(labels, list) and labels and isinstance(labels[0], dict) else None
    if not isinstance(text, str) or not text.strip():
        raise Refusal(400, BAD_ARGUMENT, "The parameter 'Label' needs a LocalizedLabels array with a Label text.")
    return text


def _put(call: Call, choice: Choice, option: Option) -> None:
    with call.env.db.transaction():
        for table, column in choice:
            column.options[option.value] = option
            save_option(call.env.db, table, column, option.value)
    call.env.schema_changed()
