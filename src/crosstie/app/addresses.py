"""Addresses as people know them, and what has to be asked instead: the roots of both systems' APIs."""

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, quote, unquote, urlsplit

from crosstie.model.connections import SystemKind
from crosstie.model.errors import InvalidConnection

TOKEN_URL = "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"
_API = "https://api.businesscentral.dynamics.com/v2.0"
_PAGES_HOST = "businesscentral.dynamics.com"
_STANDARD_API = re.compile(r"(?P<root>.*/api/(?:v\d+\.\d+|beta))(?:/.*)?", re.IGNORECASE)
_WEB_API = re.compile(r"(?P<root>.*/api/data/v\d+\.\d+)(?:/.*)?", re.IGNORECASE)


def token_address(tenant_id: str) -> str:
    """Return where the tokens of a tenant are issued; empty without a tenant."""
    return TOKEN_URL.format(tenant=quote(tenant_id.strip(), safe="")) if tenant_id.strip() else ""


def business_central_address(tenant_id: str, environment: str) -> str:
    """Return where the API of an environment of Microsoft's cloud is."""
    place = "/".join(quote(part, safe="") for part in (tenant_id.strip(), environment.strip()) if part)
    return f"{_API}/{place}/api/v2.0"


def cloud_environment(tenant_id: str, address: str) -> str:
    """Return the environment whose address `business_central_address` gives, empty for any other address."""
    name = unquote(address.removesuffix("/api/v2.0").rpartition("/")[2])
    return name if name and address == business_central_address(tenant_id, name) else ""


def api_address(kind: SystemKind, address: str) -> str:
    """Return the root of the API that an address of a system leads to; people copy what their browser shows.

    Without a scheme it is https, which it must be unless the system is on this machine. Raises InvalidConnection.
    (behaviours CDSConnectionSetupTest/UrlValidationWhenMissingHTTPS, CRMSetupTest/UrlValidationIsNotCaseSensitive)
    """
    if not address.strip():
        return ""
    parts = _split(address.strip(), "address")
    origin = f"{parts.scheme}://{parts.netloc.lower()}"
    if kind is SystemKind.BUSINESS_CENTRAL:
        return _business_central(parts, origin)
    found = _WEB_API.fullmatch(parts.path)
    if found:
        return origin + found["root"]
    # A port is that of a server of one's own, where the organisation is in the path.
    return f"{origin}{parts.path.rstrip('/') if parts.port else ''}/api/data/v9.2"


def token_url(address: str) -> str:
    """Return an address where tokens are issued. Raises InvalidConnection if it is none, or not secure."""
    if not address.strip():
        return ""
    parts = _split(address.strip(), "token_url")
    return parts._replace(netloc=parts.netloc.lower()).geturl()


def _business_central(parts: SplitResult, origin: str) -> str:
    path = parts.path.rstrip("/")
    if found := _STANDARD_API.fullmatch(path):
        return origin + found["root"]
    places = [each for each in path.split("/") if each]
    if parts.hostname == _PAGES_HOST:
        if not places:
            raise _invalid("address", origin, "names no environment", "Enter tenant id and environment instead.")
        return business_central_address(*map(unquote, places[:2])) if places[1:] else f"{_API}/{places[0]}/api/v2.0"
    if not places:
        raise _invalid("address", origin, "is not that of the API", "It ends in /api/v2.0.")
    return f"{origin}{path.partition('/api')[0]}/api/v2.0"


def _split(text: str, field: str) -> SplitResult:
    """Return the parts of an address that can be connected to safely. Raises InvalidConnection."""
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise _invalid(field, text, f"is none: {error}", "Write https://HOST/PATH.") from error
    if parts.scheme not in ("https", "http") or not host or any(each.isspace() for each in text):
        raise _invalid(field, text, "is none", "Write https://HOST/PATH.")
    if parts.username is not None:
        raise _invalid(field, text, "holds a name or password", "Leave out what is before the @.")
    if parts.scheme == "http" and not _is_here(host):
        raise _invalid(field, text, "is not secure: secrets would travel unencrypted", "Write https:// instead.")
    return parts


def _is_here(host: str) -> bool:
    """Whether a host is this machine, where sandboxes are."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _invalid(field: str, text: str, why: str, step: str) -> InvalidConnection:
    return InvalidConnection(f"The {field.replace('_url', ' address')} {text!r} {why}.", next_step=step, field=field)
