"""The OpenAPI document: what Litestar finds in the routes, completed by what the layers around them do."""

import json
import re
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import msgspec
from litestar import Request, Router
from litestar.enums import OpenAPIMediaType
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import OpenAPIRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.routes import BaseRoute
from litestar.types import ControllerRouterHandler

from crosstie.api.refusing import MEDIA_TYPE, codes
from crosstie.api.shapes import Problem

ROOT = "/api/v1"
PATH = f"{ROOT}/openapi.json"
_PAGE_NAME = re.compile(r"\bPage_(?:\w+\.)*(\w+?)(?:Shape|View)?_(?=\")")
_WRITING = ("post", "put", "patch", "delete")
_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A random text of yours. Repeated with it within 24 hours, the request is not carried out again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21-\\x7e]+$"},
}


class Document(OpenAPIRenderPlugin):
    """Gives out the document itself; there are no pages with it."""

    def __init__(self) -> None:
        super().__init__(path="/openapi.json", media_type=OpenAPIMediaType.OPENAPI_JSON)

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """Return the document as JSON."""
        return json.dumps(completed(openapi_schema)).encode()


class _Rooms(Router):
    """Takes the document in and nothing else: unknown addresses beside it are answered as everywhere."""

    def register(self, value: ControllerRouterHandler) -> list[BaseRoute]:
        """Register the handler of the document."""
        return super().register(value) if "/openapi.json" in getattr(value, "paths", ()) else []


def configuration() -> OpenAPIConfig:
    """Return how Litestar describes the routes."""
    return OpenAPIConfig(
        title="Crosstie",
        version=version("crosstie"),
        description="Couples records in Business Central and Dataverse, and keeps them in step.",
        path=ROOT,
        openapi_router=_Rooms(ROOT, route_handlers=[], include_in_schema=False),
        render_plugins=[Document()],
        components=Components(
            security_schemes={"token": SecurityScheme(type="http", scheme="bearer", description="An API token.")}
        ),
        security=[{"token": []}],
        use_handler_docstrings=True,
    )


def completed(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document with what every route has in common: errors, keys, and that nothing unknown is taken."""
    document = json.loads(_PAGE_NAME.sub(r"PageOf\1", json.dumps(document)))
    schemas = document["components"]["schemas"]
    _, found = msgspec.json.schema_components([Problem], ref_template="#/components/schemas/{name}")
    schemas |= found
    schemas["Problem"]["properties"]["code"] = {"type": "string", "enum": codes()}
    for name in list(_bodies(document)):
        schemas[name]["additionalProperties"] = False
    for item in document["paths"].values():
        for method, operation in item.items():
            if not isinstance(operation, dict):
                continue
            operation.pop("summary", None)
            for parameter in operation.get("parameters", ()):
                parameter["schema"] = _without_null(parameter["schema"])
            answers = operation["responses"]
            answers.pop("400", None)
            answers["default"] = {
                "description": "A problem: nothing was done, unless the words say otherwise.",
                "content": {MEDIA_TYPE: {"schema": _PROBLEM}},
            }
            if method in _WRITING:
                operation.setdefault("parameters", []).append(_KEY)
    return document


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter that may be left away; in an address there is no null."""
    kinds = [each for each in schema.get("oneOf", ()) if each != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    return {**{name: value for name, value in schema.items() if name != "oneOf"}, **kinds[0]}


def _bodies(document: dict[str, Any]) -> Iterator[str]:
    """Yield the names of the schemas of bodies."""
    for item in document["paths"].values():
        for operation in item.values():
            if not isinstance(operation, dict):
                continue
            for content in operation.get("requestBody", {}).get("content", {}).values():
                if "$ref" in content["schema"]:
                    yield content["schema"]["$ref"].rpartition("/")[2]
