"""Reading requests: bodies are JSON and strictly what they should be, parameters are known ones."""

import re
from functools import cache
from typing import Annotated, Any, TypeAlias

import msgspec
from litestar import Request
from litestar.datastructures import State
from litestar.enums import ParamType
from litestar.handlers import HTTPRouteHandler
from litestar.params import ParameterKwarg, PathParameter

from crosstie.api.asgi import principal_in
from crosstie.api.refusing import invalid
from crosstie.app.people.acting import require
from crosstie.model.errors import JsonNeeded, SignInNeeded
from crosstie.model.people import Permission, Principal

InPath: TypeAlias = Annotated[str, PathParameter(min_length=1, max_length=500)]
"""A name, or an id that is no number, in an address."""

_PLACE = re.compile(r"^(?P<words>.*?)(?: - at `(?P<path>[^`]*)`)?$", re.DOTALL)
_UNKNOWN = re.compile(r"contains unknown field `(?P<field>.*)`", re.DOTALL)
_MISSING = re.compile(r"missing required field `(?P<field>.*)`", re.DOTALL)


class StrictRequest(Request[Any, Any, State]):
    """A request whose JSON is decoded as exactly the type that its handler wants."""

    async def json(self) -> Any:
        """Return the body. Raises JsonNeeded, or InvalidRequest with the place where it is not what is expected."""
        content_type = self.headers.get("content-type", "")
        if content_type.partition(";")[0].strip().casefold() != "application/json":
            raise JsonNeeded(f"The body is {content_type or 'of no type that is named'}.")
        body = await self.body()
        field = self.route_handler.parsed_data_field
        found = decoded(body, field.annotation if field else Any)
        if b"\\u0000" in body and _has_zero(msgspec.json.decode(body)):
            raise invalid("The body has a zero character (\\u0000), which no record can hold.", "$")
        return found

    @property
    def asker(self) -> Principal:
        """Who asks. Raises SignInNeeded where nobody signed in."""
        found = principal_in(self.scope)
        if found is None:
            raise SignInNeeded("The request names nobody.")
        return found

    @property
    def place(self) -> str:
        """The network address that the request came from."""
        return self.client.host if self.client else ""

    def demand(self, permission: Permission) -> None:
        """Raise Forbidden if who asks may not."""
        require(self.asker, permission)


def decoded(body: bytes, wanted: Any) -> Any:
    """Return a body as the type `wanted`. Raises InvalidRequest naming the place."""
    try:
        return msgspec.json.decode(body, type=wanted)
    except msgspec.ValidationError as error:
        words, path = _place_of(str(error))
        raise invalid(f"{words}: {path}.", path) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise invalid(f"The body is not JSON in UTF-8: {error}.", "$") from None


def _place_of(words: str) -> tuple[str, str]:
    """Part the decoder's words from the place, and make that the place of the field itself."""
    match = _PLACE.match(words)
    assert match is not None, "the pattern matches every text"
    words, path = match["words"], match["path"] or "$"
    if found := _UNKNOWN.search(words) or _MISSING.search(words):
        path = f"{path}.{found['field']}"
    return words.replace("Object", "The body", 1), path


def _has_zero(value: Any) -> bool:
    match value:
        case str():
            return "\0" in value
        case list():
            return any(map(_has_zero, value))
        case dict():
            return any(_has_zero(name) or _has_zero(inner) for name, inner in value.items())
        case _:
            return False


def check_parameters(request: Request[Any, Any, Any]) -> None:
    """Refuse parameters that the address does not know, and text that no store can hold. Raises InvalidRequest."""
    handler = request.route_handler
    known = query_names(handler) if isinstance(handler, HTTPRouteHandler) else {}
    for name, values in request.query_params.dict().items():
        if name not in known:
            names = ", ".join(sorted(known)) or "none"
            raise invalid(f"There is no parameter {name!r} here; there are: {names}.", name)
        if any("\0" in value for value in values):
            raise invalid(f"The parameter {name} has a zero character.", name)
    for name, value in request.path_params.items():
        if isinstance(value, str) and "\0" in value:
            raise invalid(f"{name} has a zero character.", name)


@cache
def query_names(handler: HTTPRouteHandler) -> dict[str, str]:
    """Return the query parameters of a handler, by the name in the address; the values are their names in Python.

    Those of what it depends on are its own too.
    """
    found = {}
    signatures = [each.parsed_fn_signature for each in handler.resolve_dependencies().values()]
    for signature in (handler.parsed_fn_signature, *signatures):
        for name, field in signature.parameters.items():
            kwarg = field.kwarg_definition
            if isinstance(kwarg, ParameterKwarg) and kwarg.param_type is ParamType.QUERY:
                found[kwarg.name or name] = name
    return found


def place_of(request: Request[Any, Any, Any], mistakes: object) -> tuple[str, str]:
    """Return the place and the words of the first of Litestar's mistakes."""
    first: Any = mistakes[0] if isinstance(mistakes, list) and mistakes else {}
    key, words = str(first.get("key", "$")), str(first.get("message", "it cannot be read"))
    if str(first.get("source", "")) == "body" or key == "data":
        return "$", "The body is missing"
    handler = request.scope.get("route_handler")
    known = query_names(handler) if isinstance(handler, HTTPRouteHandler) else {}
    return next((name for name, inner in known.items() if inner == key), key), words
