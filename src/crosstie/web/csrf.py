"""Forms that come from elsewhere: what writes must come from a page that this server gave to this browser."""

import hashlib
import hmac
from typing import Any
from urllib.parse import urlsplit

from litestar import Request
from litestar.types import Scope

from crosstie.api.asgi import header, principal_in
from crosstie.api.door import session_in
from crosstie.model.errors import ForeignRequest

FIELD = "csrf"
HEADER = "X-CSRF-Token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_PURPOSE = b"crosstie form"


def form_token(scope: Scope) -> str:
    """Return what forms of this browser's session carry; empty without session."""
    secret = session_in(scope)  # type: ignore[arg-type]
    return "" if secret is None else hmac.new(secret.encode(), _PURPOSE, hashlib.sha256).hexdigest()


async def check_form(request: Request[Any, Any, Any]) -> None:
    """Refuse a writing request of another origin, or without its session's token. Raises ForeignRequest."""
    if request.method in _SAFE:
        return
    check_origin(request.scope)
    if principal_in(request.scope) is None:
        return
    given = request.headers.get(HEADER)
    if given is None:
        given = str((await request.form()).get(FIELD, ""))
    if not hmac.compare_digest(given.encode(), form_token(request.scope).encode()):
        raise ForeignRequest("The form does not belong to this session.")


def check_origin(scope: Scope) -> None:
    """Refuse what a browser says comes from the pages of another server. Raises ForeignRequest."""
    site = header(scope, b"sec-fetch-site")  # type: ignore[arg-type]
    if site is not None and site not in ("same-origin", "none"):
        raise ForeignRequest(f"The request comes from elsewhere ({site}).")
    origin = header(scope, b"origin")  # type: ignore[arg-type]
    host = header(scope, b"host") or ""  # type: ignore[arg-type]
    if origin is not None and urlsplit(origin).netloc.casefold() != host.casefold():
        raise ForeignRequest(f"The request comes from {origin}, not from this server.")
