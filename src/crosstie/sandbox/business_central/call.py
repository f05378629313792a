"""One request on its way through the service: where it goes, what it prefers, and how its answer is put together."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from crosstie.sandbox.business_central import errors
from crosstie.sandbox.business_central.companies import Companies, Company
from crosstie.sandbox.business_central.options import Options, company_named, options_of
from crosstie.sandbox.business_central.pages import Api
from crosstie.sandbox.business_central.routing import Route
from crosstie.sandbox.http import Request, Response, from_json, json_response

Headers = Iterable[tuple[str, str]]

VERSION: Final = ("OData-Version", "4.0")

_PAGE_SIZE = re.compile(r"(?:odata\.)?maxpagesize\s*=\s*\"?(\d+)")
_MINIMAL = re.compile(r"return-no-content|return\s*=\s*minimal")


@dataclass(slots=True)
class Call:
    """A request with the API that it goes to and its company; *prefix* is ``companies(id)/`` where the path had it."""

    request: Request
    route: Route
    api: Api
    company: Company
    prefix: str = ""

    @property
    def root(self) -> str:
        """The absolute address of the service root."""
        return self.request.base_url + self.route.root

    @property
    def options(self) -> Options:
        """The query options."""
        return options_of(self.request)

    @property
    def page_size(self) -> int:
        """How many entities an answer may hold: what the client prefers, up to the server's limit."""
        limit = self.company.records.settings.number("page_size")
        match = _PAGE_SIZE.search(self.request.headers.get("prefer", ""))
        wanted = int(match[1]) if match else 0
        return min(wanted, limit) if wanted else limit

    @property
    def wants_no_content(self) -> bool:
        """Whether the client prefers an empty answer to a write."""
        return _MINIMAL.search(self.request.headers.get("prefer", "")) is not None

    def body(self) -> dict[str, object]:
        """The JSON object that came along; raises 400 where there is none."""
        if not self.request.body.strip():
            raise errors.bad_request("A non-empty request body is required.")
        try:
            value = from_json(self.request.body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise errors.bad_request(f"The request body is not valid JSON: {error}") from error
        if not isinstance(value, dict):
            raise errors.bad_request("The request body must be a JSON object.")
        return value

    def context(self, resource: str, select: tuple[str, ...] | None = None) -> str:
        """The ``@odata.context`` of *resource*, with the properties that were asked for."""
        shown = f"({','.join(select)})" if select else ""
        return f"{self.root}/$metadata#{self.prefix}{resource}{shown}"

    def answer(self, value: Any, status: int = 200, headers: Headers = ()) -> Response:
        """*value* as JSON; without its context where the client accepts no metadata."""
        if "odata.metadata=none" in self.request.headers.get("accept", ""):
            value = {key: item for key, item in value.items() if key != "@odata.context"}
        return json_response(value, status, [VERSION, *headers])


def company_of(request: Request, companies: Companies, required: bool) -> Company:
    """The company that a request names by option or header; the first one where it names none.

    Raises the refusal for an unknown one, and for none at all where one is *required*.
    """
    headers = request.headers
    named = company_named(request.raw_query) or headers.get("companyid", "") or headers.get("company", "")
    if named:
        return companies.find(named)
    if required:
        raise errors.company_not_found("")
    return companies.first


def no_content(headers: Headers = ()) -> Response:
    """An answer without a body."""
    return Response(204, [VERSION, *headers])


def check_etag(request: Request, present: str, required: bool) -> None:
    """Compare If-Match with the *present* etag; raises 400 for a missing or garbled one, 409 for a stale one."""
    given = request.headers.get("if-match", "").strip()
    if not given:
        if required:
            raise errors.token_missing()
        return
    if given == "*":
        return
    tags = re.findall(r'(?:W/)?"([^"]*)"', given)
    if not tags:
        raise errors.token_missing()
    if present.removeprefix("W/").strip('"') not in tags:
        raise errors.entity_changed()
