"""The routes as the OpenAPI document names them."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from crosstie.api.document import PATH
from tests.api.conftest import Served


class Route(NamedTuple):
    """One operation of the document, with a path that could be asked for."""

    name: str
    method: str
    path: str
    has_body: bool


def document(served: Served) -> Any:
    return served.done("viewer", "GET", PATH)


def routes(found: Any) -> Iterator[Route]:
    for path, item in found["paths"].items():
        for method, operation in item.items():
            filled = path.replace("{mapping}", "CUSTOMER").replace("{name}", "somebody")
            for id in ("token_id", "coupling_id", "job_id", "plan_id", "entry_id"):
                filled = filled.replace(f"{{{id}}}", "7")
            yield Route(operation["operationId"], method.upper(), filled, "requestBody" in operation)
