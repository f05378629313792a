"""Refusals with the codes that Dataverse gives them (wire-dataverse section 13)."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final

from crosstie.sandbox.http import Response, json_response

UNKNOWN_NAME: Final = "0x8006088a"
UNSUPPORTED: Final = "0x80060888"
BAD_PAYLOAD: Final = "0x80048d19"
BAD_ARGUMENT: Final = "0x80040203"
UNEXPECTED: Final = "0x80040216"
MISSING_ROW: Final = "0x80040217"
MISSING_PRIVILEGE: Final = "0x80040220"
RESTRICTED_DELETE: Final = "0x80040227"
DUPLICATE_ID: Final = "0x80040237"
DUPLICATE_KEY: Final = "0x80060892"
MISSING_KEY: Final = "0x80060891"
STALE_VERSION: Final = "0x80060882"
NOT_SUPPORTED: Final = "0x80040800"
BAD_CHARACTERS: Final = "0x80040278"
TEXT_TOO_LONG: Final = "0x80044331"
BAD_CHOICE: Final = "0x8004431a"
BAD_STATUS: Final = "0x80048408"
WHOLE_NUMBER_RANGE: Final = "0x8004432f"
NUMBER_RANGE: Final = "0x80044330"
DATE_RANGE: Final = "0x80040239"
EXPIRED_TOKEN: Final = "0x80044352"
AGGREGATE_LIMIT: Final = "0x8004e023"
TOO_MANY_CONDITIONS: Final = "0x8004430c"
BAD_FETCH: Final = "0x80041103"
NOT_A_MEMBER: Final = "0x80072560"
UNKNOWN_USER: Final = "0x80041d1f"

_PREFIX = "Error identified in Payload provided by the user for Entity :'{}' ----> InnerException : "


class Refusal(Exception):
    """Ends a request (or one part of a batch) with an error answer."""

    def __init__(self, status: int, code: str, message: str, headers: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(f"{status} {code} {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = tuple(headers)

    def response(self, annotated: bool) -> Response:
        """The answer; *annotated* adds what ``odata.include-annotations`` brings to errors."""
        error: dict[str, object] = {"code": self.code, "message": self.message}
        if annotated:
            number = self.code.removeprefix("0x")
            error |= {
                "@Microsoft.PowerApps.CDS.ErrorDetails.HttpStatusCode": str(self.status),
                "@Microsoft.PowerApps.CDS.HelpLink": f"error/Microsoft.Crm.CrmException%3a{number}",
                "@Microsoft.PowerApps.CDS.TraceText": "",
                "@Microsoft.PowerApps.CDS.InnerError.Message": self.message,
            }
        return json_response({"error": error}, self.status, self.headers)


def unknown_segment(name: str) -> Refusal:
    """A part of the address names nothing."""
    return Refusal(404, UNKNOWN_NAME, f"Resource not found for the segment '{name}'.")


def unknown_property(name: str, type_name: str) -> Refusal:
    """A query option names a column that the table does not have."""
    return Refusal(400, UNKNOWN_NAME, f"Could not find a property named '{name}' on type '{type_name}'.")


def undeclared(name: str, entity_set: str, known: Sequence[str]) -> Refusal:
    """A body binds a navigation property that the table does not have (their names are case-sensitive)."""
    folded = {other.lower(): other for other in known}
    near = folded.get(name.lower()) or next(iter(get_close_matches(name, known, 1, 0.5)), None)
    hint = f" Did you mean '{near}'?" if near else ""
    return Refusal(
        400,
        UNKNOWN_NAME,
        _PREFIX.format(entity_set)
        + f"An undeclared property '{name}' which only has property annotations in the payload but no property value "
        f"was found in the payload. In OData, only declared navigation properties and declared named streams can be "
        f"represented as properties without values.{hint}",
    )


def invalid_property(name: str, type_name: str, known: Sequence[str]) -> Refusal:
    """A body sets a property that the table does not have."""
    near = next(iter(get_close_matches(name.lower(), known, 1, 0.8)), None)
    hint = f" Did you mean '{near}'?" if near else ""
    return Refusal(
        400,
        UNKNOWN_NAME,
        f"Invalid property '{name}' was found in entity '{type_name}'. Error details: The property '{name}' does not "
        f"exist on type '{type_name}'. Make sure to only use property names that are defined by the type.{hint}",
    )


def bad_payload(entity_set: str, reason: str) -> Refusal:
    """A body cannot be read as what the table holds."""
    return Refusal(400, BAD_PAYLOAD, _PREFIX.format(entity_set) + reason)


def missing_row(table: str, row_id: str) -> Refusal:
    """There is no row with this id."""
    return Refusal(404, MISSING_ROW, f"{table} With Id = {row_id} Does Not Exist")


def missing_key(table: str) -> Refusal:
    """There is no row with these alternate key values."""
    return Refusal(404, MISSING_KEY, f"A record with the specified key values does not exist in {table} entity")


def invalid_key(type_name: str) -> Refusal:
    """The address names a key that the table does not have."""
    return Refusal(
        400,
        UNSUPPORTED,
        f"The key in the request URI is not valid for resource '{type_name}'. Ensure that the names and number of key "
        "properties match the declared or alternate key properties for the resource.",
    )


def stale_version() -> Refusal:
    """The row is no longer in the version that the request expects."""
    return Refusal(
        412, STALE_VERSION, "The version of the existing record doesn't match the RowVersion property provided."
    )


def row_exists() -> Refusal:
    """The row is there although it must not be."""
    return Refusal(412, DUPLICATE_ID, "A record with matching key values already exists.")


def unsupported(message: str, status: int = 400) -> Refusal:
    """The query asks for something that Dataverse does not do."""
    return Refusal(status, UNSUPPORTED, message)


def missing_privilege(verb: str, table: str, schema_name: str, code: int, user: str) -> Refusal:
    """The caller's roles do not allow it."""
    return Refusal(
        403,
        MISSING_PRIVILEGE,
        f"Principal user (Id={user}, type=8) is missing prv{verb}{schema_name} privilege on OTC={code} for entity "
        f"'{table}'.",
    )
