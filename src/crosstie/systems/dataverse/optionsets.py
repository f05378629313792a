"""Option sets as tables: `account.paymenttermscode` has one record for each option (engine rules C-8 to C-12).

They are metadata: no versions, no ids of the client's, one request to read all, one to write each.
"""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from crosstie.model.errors import SystemFailure, UnknownTable
from crosstie.model.filters import compile_filter
from crosstie.model.records import Record, Write, WriteKind, WriteResult, WriteStatus
from crosstie.model.schema import ChangeFeed, FieldSchema, FieldType, TableSchema
from crosstie.systems.answers import from_json
from crosstie.systems.dataverse.catalogue import Catalogue
from crosstie.systems.dataverse.codes import CODES
from crosstie.systems.dataverse.metadata import OPTIONS, label_of, language_of, options_of
from crosstie.systems.odata import ODataClient
from crosstie.systems.outcomes import refused, settle
from crosstie.systems.parts import Lost, Outcome, Unsent
from crosstie.systems.transport import AnswerLost

_NAME = re.compile(r"(?P<table>[a-z0-9_]+)\.(?P<attribute>[a-z0-9_]+)")
_ENGLISH = 1033
_LABEL_LENGTH = 100


def is_option_set(table: str) -> bool:
    """Whether a table's name is that of an option set."""
    return "." in table


class OptionSet(msgspec.Struct, frozen=True):
    """The options of one attribute as they were read."""

    records: dict[str, Record]
    language: int
    global_name: str | None


class OptionSets:
    """Reads and writes the option sets of one environment."""

    def __init__(self, client: ODataClient, catalogue: Catalogue) -> None:
        self._client = client
        self._catalogue = catalogue

    async def describe(self, name: str) -> TableSchema:
        """Return the table of an option set. Raises UnknownTable if there is no such choice."""
        table, attribute = _parts(name)
        owner = await self._catalogue.table(table)
        field = owner.schema.fields.get(attribute)
        if field is None or field.type is not FieldType.CHOICE or not field.numeric_options:
            raise UnknownTable(f"{self._client.name} has no choice {attribute!r} in the table {table!r}.", table=name)
        value = FieldSchema(
            name="value", type=FieldType.INTEGER, label="Value", nullable=False, updatable=False, minimum=0
        )
        label = FieldSchema(name="label", type=FieldType.TEXT, label="Label", max_length=_LABEL_LENGTH, required=True)
        return TableSchema(
            name=name,
            label=field.label or attribute,
            key="value",
            name_field="label",
            fields={"value": value, "label": label},
            feed=ChangeFeed.FULL,
            client_ids=False,
            conditional_writes=False,
            alternate_keys=(("label",),),
            filters_in_feed=False,
            case_sensitive=False,
        )

    async def read(self, name: str) -> OptionSet:
        """Return all options, by id, in one request."""
        table, attribute = _parts(name)
        url = (
            f"{self._client.address}/EntityDefinitions(LogicalName='{table}')/Attributes(LogicalName='{attribute}')"
            f"/Microsoft.Dynamics.CRM.PicklistAttributeMetadata?{OPTIONS}"
        )
        found, _ = await self._client.get(url, from_json)
        options = options_of(found)
        shared = None if found.get("OptionSet") else found.get("GlobalOptionSet")
        languages = [code for option in options if (code := language_of(option.get("Label")))]
        return OptionSet(
            {str(option["Value"]): _record(int(option["Value"]), label_of(option.get("Label"))) for option in options},
            languages[0] if languages else _ENGLISH,
            str(shared["Name"]) if shared else None,
        )

    async def select(self, name: str, filter: str | None) -> list[Record]:
        """Return the options that the filter admits."""
        records = list((await self.read(name)).records.values())
        if not filter:
            return records
        admits = compile_filter(filter, await self.describe(name)).admits
        return [record for record in records if admits(record.values)]

    async def write(self, name: str, writes: Sequence[Write]) -> list[WriteResult]:
        """Carry out the writes one after the other, then publish the table so that its pages show them."""
        schema = await self.describe(name)
        known = await self.read(name)
        results: list[WriteResult] = []
        unsent: list[Unsent] = []
        for write in writes:
            early = _foreseen(write, known)
            if early is None:
                action, body = _action(name, write, known)
                outcome = await self._post(action, body)
                unsent += [outcome] if isinstance(outcome, Unsent) else []
                early = _settled(outcome, write, schema, known)
            results.append(early)
        if unsent and len(unsent) == len(results):
            raise unsent[0].failure
        if any(result.status is WriteStatus.WRITTEN for result in results):
            await self._publish(_parts(name)[0])
        return results

    async def _post(self, action: str, body: dict[str, Any]) -> Outcome:
        headers = {"Content-Type": "application/json"}
        try:
            return await self._client.send(
                "POST", f"{self._client.address}/{action}", headers, msgspec.json.encode(body)
            )
        except AnswerLost as error:
            return Lost(str(error))
        except SystemFailure as failure:
            return Unsent(failure)

    async def _publish(self, table: str) -> None:
        xml = f"<importexportxml><entities><entity>{table}</entity></entities></importexportxml>"
        outcome = await self._post("PublishXml", {"ParameterXml": xml})
        if isinstance(outcome, Unsent):
            raise outcome.failure


def _parts(name: str) -> tuple[str, str]:
    match = _NAME.fullmatch(name)
    if match is None:
        raise UnknownTable(f"{name!r} is no option set; they are named table.attribute.", table=name)
    return match["table"], match["attribute"]


def _record(value: int, label: str) -> Record:
    return Record(str(value), None, {"value": value, "label": label or None})


def _settled(outcome: Outcome, write: Write, schema: TableSchema, known: OptionSet) -> WriteResult:
    """Return the result of a write that was sent, and keep `known` in step with it."""
    result = settle(outcome, write, schema, CODES, lambda row: _written(row, write))
    if result.status is not WriteStatus.WRITTEN:
        return result
    if write.kind is WriteKind.DELETE:
        known.records.pop(str(write.id), None)
        return result
    stored = result.record or _record(int(str(write.id)), str(write.values["label"]))
    known.records[stored.id] = stored
    return WriteResult(status=WriteStatus.WRITTEN, record=stored)


def _written(row: Any, write: Write) -> Record:
    """Return the record of a created option: the answer names the number that it got."""
    value = row.get("NewOptionValue", write.values.get("value", write.id))
    return _record(int(value), str(write.values["label"]))


def _foreseen(write: Write, known: OptionSet) -> WriteResult | None:
    """Return the result of a write that is not worth sending: metadata actions have no preconditions of their own."""
    label, value = write.values.get("label"), write.values.get("value")
    same = [
        record
        for record in known.records.values()
        if record.id != write.id and str(record.values["label"]).casefold() == str(label).casefold()
    ]
    match write.kind:
        case WriteKind.CREATE if not label:
            return refused("An option needs a label.", "label-missing", "label")
        case WriteKind.CREATE if str(value) in known.records or same:
            there = known.records.get(str(value)) or same[0]
            words = f"The option {there.values['label']!r} exists already, as number {there.id}."
            return WriteResult(status=WriteStatus.EXISTS, record=there, message=words)
        case WriteKind.UPDATE | WriteKind.DELETE if write.id not in known.records:
            return WriteResult(status=WriteStatus.MISSING)
        case WriteKind.UPDATE if not label:
            return refused("Of an option only the label can be changed, to a text.", "label-missing", "label")
        case WriteKind.UPDATE if same:
            return refused(f"Another option has the label {label!r} already.", "label-exists", "label")
    if isinstance(label, str) and len(label) > _LABEL_LENGTH:
        return refused(f"The label is longer than {_LABEL_LENGTH} characters.", "label-too-long", "label")
    return None


def _action(name: str, write: Write, known: OptionSet) -> tuple[str, dict[str, Any]]:
    table, attribute = _parts(name)
    body: dict[str, Any] = (
        {"OptionSetName": known.global_name}
        if known.global_name
        else {"EntityLogicalName": table, "AttributeLogicalName": attribute}
    )
    value = write.values.get("value") if write.kind is WriteKind.CREATE else int(str(write.id))
    if value is not None:
        body["Value"] = value
    if write.kind is WriteKind.DELETE:
        return "DeleteOptionValue", body
    body["Label"] = {
        "LocalizedLabels": [
            {
                "@odata.type": "Microsoft.Dynamics.CRM.LocalizedLabel",
                "Label": write.values["label"],
                "LanguageCode": known.language,
            }
        ]
    }
    if write.kind is WriteKind.CREATE:
        return "InsertOptionValue", body
    return "UpdateOptionValue", {**body, "MergeLabels": True}
