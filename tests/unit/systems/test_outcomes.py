"""What becomes of a write: by the system's code first, by its status else."""

import json

import pytest
from multidict import CIMultiDict

from crosstie.model.errors import Unreachable
from crosstie.model.records import Record, Write, WriteKind, WriteStatus
from crosstie.model.schema import ChangeFeed, FieldSchema, FieldType, TableSchema
from crosstie.systems.answers import Answer
from crosstie.systems.business_central.codes import CODES as BUSINESS_CENTRAL
from crosstie.systems.dataverse.codes import CODES as DATAVERSE
from crosstie.systems.outcomes import blamed_field, settle
from crosstie.systems.parts import Lost, Unsent

ID = "8f6f2a1e-0c5b-4a77-9d0e-2f1c3b4a5d6e"
OTHER = "11111111-0c5b-4a77-9d0e-2f1c3b4a5d6e"
FIELDS = [
    FieldSchema(name="displayName", type=FieldType.TEXT, max_length=10, label="Display Name"),
    FieldSchema(name="currencyCode", type=FieldType.CODE, max_length=10, label="Currency Code"),
    FieldSchema(name="code", type=FieldType.CODE, max_length=10),
    FieldSchema(name="telephone1", type=FieldType.TEXT, max_length=5, label="Main Phone"),
    FieldSchema(name="type", type=FieldType.CHOICE),
]
SCHEMA = TableSchema(
    name="t",
    key="id",
    fields={field.name: field for field in FIELDS},
    feed=ChangeFeed.FULL,
    client_ids=True,
    conditional_writes=True,
)
UPDATE = Write(kind=WriteKind.UPDATE, id=ID, values={"displayName": "x"})
CREATE = Write(kind=WriteKind.CREATE, id=ID, values={"displayName": "x"})
W = WriteStatus


def answer(status: int, code: str = "", message: str = "words") -> Answer:
    return Answer(status, CIMultiDict(), json.dumps({"error": {"code": code, "message": message}}).encode())


def read(row: object) -> Record:
    return Record(ID, "v", {})


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (412, "0x80060882", W.STALE),
        (412, "0x80040237", W.EXISTS),
        (412, "0x80060892", W.EXISTS),
        (412, "0x80040333", W.REFUSED),
        (412, "", W.STALE),
        (404, "0x80040217", W.MISSING),
        (400, "0x80044331", W.REFUSED),
        (400, "0x8006088A", W.REFUSED),
        (400, "0x80040265", W.REFUSED),
        (403, "0x80040220", W.DENIED),
        (403, "", W.DENIED),
        (405, "", W.REFUSED),
        (429, "0x80072322", W.THROTTLED),
        (503, "0x80044151", W.THROTTLED),
        (500, "0x80044150", W.UNKNOWN),
        (504, "", W.UNKNOWN),
    ],
)
def test_dataverse_answers(status: int, code: str, expected: WriteStatus) -> None:
    result = settle(answer(status, code), UPDATE, SCHEMA, DATAVERSE, read)
    assert result.status is expected
    assert result.code == (code or str(status))
    assert result.message == "words"


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (409, "Request_EntityChanged", W.STALE),
        (412, "Request_EntityChanged", W.STALE),
        (409, "Internal_EntityWithSameKeyExists", W.EXISTS),
        (400, "Internal_EntityWithSameKeyExists", W.EXISTS),
        (409, "Something_Else", W.REFUSED),
        (404, "Internal_RecordNotFound", W.MISSING),
        (404, "BadRequest_NotFound", W.MISSING),
        (404, "BadRequest_ResourceNotFound", W.REFUSED),
        (400, "Internal_InvalidTableRelation", W.REFUSED),
        (400, "Application_DialogException", W.REFUSED),
        (401, "Authorization_RequestDenied", W.DENIED),
        (403, "Authorization_RequestDenied", W.DENIED),
        (429, "Application_TooManyRequests", W.THROTTLED),
        (500, "Internal_ServerError", W.UNKNOWN),
        (408, "", W.UNKNOWN),
    ],
)
def test_business_central_answers(status: int, code: str, expected: WriteStatus) -> None:
    assert settle(answer(status, code), UPDATE, SCHEMA, BUSINESS_CENTRAL, read).status is expected


def test_what_is_written_comes_with_the_record() -> None:
    written = settle(Answer(200, CIMultiDict(), b'{"id":"1"}'), UPDATE, SCHEMA, DATAVERSE, read)
    assert (written.status, written.record) == (W.WRITTEN, read(None))
    assert settle(Answer(204, CIMultiDict(), b""), UPDATE, SCHEMA, DATAVERSE, read).record is None
    torn = settle(Answer(200, CIMultiDict(), b'{"id":'), UPDATE, SCHEMA, DATAVERSE, read)
    assert torn.status is W.UNKNOWN


def test_a_missing_reference_is_no_missing_record() -> None:
    gone = answer(404, "0x80040217", f"contact With Id = {OTHER} Does Not Exist")
    assert settle(gone, UPDATE, SCHEMA, DATAVERSE, read).status is W.REFUSED
    assert settle(gone, CREATE, SCHEMA, DATAVERSE, read).status is W.REFUSED
    own = answer(404, "0x80040217", f"account With Id = {ID.upper()} Does Not Exist")
    assert settle(own, UPDATE, SCHEMA, DATAVERSE, read).status is W.MISSING


def test_lost_and_unsent_parts() -> None:
    assert settle(Lost("gone"), CREATE, SCHEMA, DATAVERSE, read).status is W.UNKNOWN
    unsent = settle(Unsent(Unreachable("down")), CREATE, SCHEMA, DATAVERSE, read)
    assert (unsent.status, unsent.code, unsent.message) == (W.THROTTLED, "unreachable", "down")


X = "x" * 12


@pytest.mark.parametrize(
    ("message", "values", "field"),
    [
        ("The length of the 'telephone1' attribute exceeded 5.", {"telephone1": "x", "code": "y"}, "telephone1"),
        ("Control 'currencyCode' is read-only.", {"currencyCode": "EUR", "code": "y"}, "currencyCode"),
        ("The field Currency Code of table Customer is wrong.", {"currencyCode": "XX", "code": "y"}, "currencyCode"),
        ("Main Phone is not a phone number", {"telephone1": "x", "code": "y"}, "telephone1"),
        ("'Alien' is not an option. The options are: Company", {"type": "Alien", "code": "y"}, "type"),
        ("The length of the string is 12, the limit is 10.", {"displayName": X, "code": "y"}, "displayName"),
        ("The length of the string is 12.", {"displayName": X, "code": X}, None),
        ("You cannot do that.", {"displayName": "x"}, None),
        ("The code is wrong.", {"displayName": "x"}, None),
    ],
)
def test_the_field_that_is_blamed(message: str, values: dict[str, str], field: str | None) -> None:
    assert blamed_field(message, values, SCHEMA) == field
