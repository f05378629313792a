"""Refusals in Business Central's words and codes (wire-businesscentral section 7).

Each function makes the exception to raise. Messages end with a correlation id, as the service's do.
"""

from uuid import uuid4

from crosstie.sandbox.http import HttpError, Response, error_response


def refusal(status: int, code: str, message: str) -> HttpError:
    """An error body with *code*; the message gets its correlation id."""
    return HttpError(error_response(status, code, f"{message}  CorrelationId:  {uuid4()}."))


def denied(reason: str) -> Response:
    """The answer to a request without a good token; the service does not say what is wrong with it."""
    return error_response(
        401,
        "Authentication_InvalidCredentials",
        "The server has rejected the client credentials.",
        [("WWW-Authenticate", f'Bearer error="invalid_token", error_description="{reason}"')],
    )


def bad_request(message: str) -> HttpError:
    """A body, a value or an address that cannot be read."""
    return refusal(400, "BadRequest", message)


def resource_not_found(segment: str) -> HttpError:
    """A segment of the address that names nothing."""
    return refusal(404, "BadRequest_ResourceNotFound", f"Resource not found for the segment '{segment}'.")


def not_found(message: str = "Bad Request - Error in query syntax.") -> HttpError:
    """An address under which nothing lies."""
    return refusal(404, "BadRequest_NotFound", message)


def record_not_found(caption: str, key: str) -> HttpError:
    """A key without a record."""
    return refusal(
        404,
        "Internal_RecordNotFound",
        f"The {caption} does not exist. Identification fields and values: {key}",
    )


def company_not_found(company: str) -> HttpError:
    """No company of that id or name, or none was named."""
    if not company:
        text = "You must choose a company to do this. Specify a default company in the service or in the request."
        return refusal(400, "Internal_CompanyNotFound", text)
    return refusal(404, "Internal_CompanyNotFound", f'The company "{company}" does not exist.')


def method_not_allowed(method: str, name: str, kind: str) -> HttpError:
    """A method that this kind of resource does not take."""
    return refusal(
        405,
        "BadRequest_MethodNotAllowed",
        f"'{method}' requests for '{name}' of EdmType '{kind}' are not allowed within Dynamics 365 Business Central"
        " OData web services.",
    )


def not_supported_by_page(action: str) -> HttpError:
    """The page does not insert, modify or delete."""
    return refusal(405, "BadRequest_MethodNotAllowed", f"Entity does not support {action}.")


def not_implemented(message: str) -> HttpError:
    """What the service's query engine cannot do."""
    return refusal(501, "BadRequest_MethodNotImplemented", message)


def token_missing() -> HttpError:
    """A change without a readable If-Match."""
    return refusal(
        400,
        "BadRequest_InvalidToken",
        "Could not validate the client concurrency token required by the service. Please provide a valid token in the"
        " client request.",
    )


def entity_changed() -> HttpError:
    """A change that rests on a version which is no longer the present one."""
    return refusal(409, "Request_EntityChanged", "Another user has already changed the record.")


def same_key(caption: str, key: str) -> HttpError:
    """A record with that key or id is there already."""
    return refusal(
        409,
        "Internal_EntityWithSameKeyExists",
        f"The record in table {caption} already exists. Identification fields and values: {key}",
    )


def string_too_long(value: str, limit: int) -> HttpError:
    """A text or code beyond its field's length."""
    return refusal(
        400,
        "Application_StringExceededLength",
        f"The length of the string is {len(value)}, but it must be less than or equal to {limit} characters. "
        f"Value: {value}",
    )


def no_such_option(value: str, captions: tuple[str, ...]) -> HttpError:
    """A value that is no member of an enum; the service lists plain captions."""
    return refusal(400, "Unknown", f"'{value}' is not an option. The existing options are: {','.join(captions)}")


def read_only(name: str) -> HttpError:
    """Another value for a field that the page does not let change."""
    return refusal(400, "BadRequest_InvalidOperation", f"Control '{name}' is read-only.")


def required(name: str) -> HttpError:
    """Null where a value is needed."""
    return refusal(400, "BadRequest_RequiredParamNotProvided", f"The parameter '{name}' must be provided.")


def dialog(message: str) -> HttpError:
    """The application refused with an error message of its own."""
    return refusal(400, "Application_DialogException", message)


def no_relation(column: str, table: str, value: str, related: str) -> HttpError:
    """A code that its related table does not hold."""
    return refusal(
        400,
        "Internal_InvalidTableRelation",
        f"The field {column} of table {table} contains a value ({value}) that cannot be found in the related table"
        f" ({related}).",
    )


def no_such_id(name: str, related: str) -> HttpError:
    """A system id that its related table does not hold."""
    return refusal(400, "Internal_InvalidTableRelation", f'The "{name}" does not match to a {related}.')


def values_differ(related: str) -> HttpError:
    """An id and a code in one body that name different records."""
    return refusal(400, "Internal_InvalidTableRelation", f"The {related} values do not match to a specific {related}.")
