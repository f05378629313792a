"""What a page shows when something cannot be done: the same code, words and next step as everywhere."""

from typing import Any

from litestar import Request, Response

from crosstie.api.asgi import request_id_in
from crosstie.api.asking import StrictRequest
from crosstie.api.refusing import as_ours, status_of
from crosstie.model.errors import CrosstieError
from crosstie.web.rendering import answer, environment, frame_now


def heading_of(error: CrosstieError) -> str:
    """Return an error's code as a heading."""
    return error.code.replace("-", " ").capitalize()


def explained(request: Request[Any, Any, Any], error: Exception) -> Response[str]:
    """Return an error as a page, or as a dialog where a part of a page asked."""
    ours = as_ours(error)
    strict = request if isinstance(request, StrictRequest) else StrictRequest(request.scope)
    fragment = "hx-request" in request.headers
    text = (
        environment()
        .get_template("error.html")
        .render(
            frame=frame_now(strict),
            path=request.url.path,
            address=request.url.path,
            fragment=fragment,
            error=ours,
            heading=heading_of(ours),
            candidates=[],
            request_id=request_id_in(request.scope),
        )
    )
    headers = {"HX-Retarget": "#dialog", "HX-Reswap": "innerHTML", "HX-Reselect": ".dialog"} if fragment else {}
    return answer(text, status_of(ours), headers)
