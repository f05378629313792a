"""The Business Central sandbox: one environment with its companies behind the real addresses."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from crosstie.sandbox.business_central import batch, errors, loading, metadata, multipart, routing
from crosstie.sandbox.business_central.call import VERSION, Call, company_of
from crosstie.sandbox.business_central.companies import Companies, Company
from crosstie.sandbox.business_central.pages import Api, load_apis, load_web_services
from crosstie.sandbox.business_central.resources import Resources
from crosstie.sandbox.business_central.routing import Route, Segment
from crosstie.sandbox.business_central.schema import load_schema
from crosstie.sandbox.business_central.settings import SCHEMA
from crosstie.sandbox.clock import Clock
from crosstie.sandbox.database import Database
from crosstie.sandbox.http import Request, Response
from crosstie.sandbox.settings import Setting, Settings
from crosstie.sandbox.tokens import Tokens

_BATCH: Final = Segment("$batch")


class BusinessCentral:
    """Answers requests to the service. The database keeps everything; a file with companies in it is gone on with."""

    name = "business_central"

    def __init__(self, database: Database, clock: Clock, tokens: Tokens, settings: Settings) -> None:
        self._database = database
        self._tokens = tokens
        self._settings = settings
        self._apis: dict[str, Api] = {**load_apis(), routing.WEB_SERVICES: load_web_services()}
        standard = self._apis[routing.STANDARD]
        self._apis[routing.AUTOMATION] = Api(routing.AUTOMATION, {"companies": standard.pages["companies"]})
        self._apis[routing.RUNTIME] = Api(routing.RUNTIME, {})
        self.companies = Companies(database, clock, settings, load_schema())
        self.companies.open()
        self._fixed: Mapping[str, Callable[[Call], Response]] = {
            "$metadata": self._metadata,
            "entityDefinitions": self._entity_definitions,
            "webhookSupportedResources": self._webhook_resources,
        }

    @classmethod
    def settings_schema(cls) -> Iterable[Setting]:
        """The switches that the system reads."""
        return SCHEMA

    def handle(self, request: Request) -> Response:
        """Answer a request, batches included. Raises ``HttpError`` for a refusal."""
        denial = self._tokens.check(request, errors.denied)
        if denial is not None:
            raise denial
        route = self._route(request)
        if route.segments and route.segments[-1] == _BATCH:
            return self._batch(request, route)
        return self._answer(request, route)

    def reset(self) -> None:
        """Forget every record and company, and make the first company anew."""
        self._database.reset()
        self.companies.open()

    def counts(self) -> dict[str, int]:
        """Records of the first company by entity set, each table once."""
        pages = [page for api in load_apis().values() for page in api.pages.values()]
        names = {page.table.name: page.name for page in reversed(pages) if not page.table.singleton}
        records = self.companies.first.records
        return {name: records.count(table) for table, name in reversed(names.items()) if table != "Company"}

    def insert_many(self, table: str, rows: Iterable[Mapping[str, object]], company: str | None = None) -> None:
        """Put records into the entity set *table* of a company (the first one), values in wire form, without its
        triggers; see :mod:`.loading`. Raises ``ValueError`` with table, record and reason."""
        target = self.companies.first if company is None else self.companies.find(company)
        with self._database.transaction():
            if table == "companies":
                for row in rows:
                    self.companies.rename(str(row["id"]), str(row["name"]), str(row.get("displayName", "")))
            else:
                loading.load(target.records, loading.page_named(load_apis(), table), rows)

    # Routes

    def _route(self, request: Request) -> Route:
        route = routing.parse(request.path)
        if route is None or route.api not in self._apis or route.api.lower() in self._settings.names("missing_apis"):
            raise errors.resource_not_found(request.path)
        known = self._settings.names("environments")
        if known and route.environment and route.environment.lower() not in known:
            raise errors.not_found(f"The environment '{route.environment}' was not found.")
        return route

    def _answer(self, request: Request, route: Route) -> Response:
        """The answer to anything that is no batch."""
        segments, company, prefix = self._company(request, route)
        call = Call(request, route, self._apis[route.api], company, prefix)
        if not segments:
            return self._only_get(call, self._service_document)
        fixed = self._fixed.get(segments[0].name)
        if fixed is not None and len(segments) == 1:
            return self._only_get(call, fixed)
        if route.api == routing.WEB_SERVICES and segments[0].name == "Company":
            return self._only_get(call, self._company_services)
        return Resources(call).handle(segments)

    def _company(self, request: Request, route: Route) -> tuple[tuple[Segment, ...], Company, str]:
        """What is left of the path behind the company, the company, and how the path named it."""
        segments = route.segments
        first = segments[0] if segments else None
        named = "Company" if route.api == routing.WEB_SERVICES else "companies"
        if first is not None and first.name == named and first.key is not None and len(segments) > 1:
            company = self.companies.find(first.key)
            quoted = f"'{company.name}'" if route.api == routing.WEB_SERVICES else company.id
            return segments[1:], company, f"{named}({quoted})/"
        required = self._settings.flag("company_required") and self._is_of_company(route)
        return segments, company_of(request, self.companies, required), ""

    def _is_of_company(self, route: Route) -> bool:
        """Whether the path goes to something that each company has for itself."""
        name = route.segments[0].name if route.segments else ""
        page = self._apis[route.api].page(name)
        return page is not None and not page.table.shared

    def _batch(self, request: Request, route: Route) -> Response:
        if request.method != "POST":
            raise errors.method_not_allowed(request.method, "$batch", "Edm.Untyped")
        _, company, prefix = self._company(request, route)
        named = bool(prefix) or company_of(request, self.companies, False) is not self.companies.first
        outer = batch.Batch(
            outer=request,
            root=route.root,
            base=f"{route.root}/{prefix}".rstrip("/"),
            inherited={"company": company.id} if named else {},
        )
        run = multipart.run if multipart.is_multipart(request) else batch.run
        return run(outer, self._inner, self._database, self._settings.number("batch_size"))

    def _inner(self, request: Request) -> Response:
        """The answer to a part of a batch."""
        route = self._route(request)
        if route.segments and route.segments[-1] == _BATCH:
            raise errors.bad_request("A batch cannot hold another batch.")
        return self._answer(request, route)

    # What is not an entity set

    @staticmethod
    def _only_get(call: Call, answer: Callable[[Call], Response]) -> Response:
        if call.request.method != "GET":
            raise errors.method_not_allowed(call.request.method, "the service", "Edm.Untyped")
        return answer(call)

    @staticmethod
    def _service_document(call: Call) -> Response:
        return call.answer(metadata.service_document(call.api, f"{call.root}/$metadata"))

    @staticmethod
    def _metadata(call: Call) -> Response:
        pages = tuple(call.api.pages.values())
        return Response(200, [("Content-Type", "application/xml"), VERSION], metadata.csdl(call.api.route, pages))

    @staticmethod
    def _entity_definitions(call: Call) -> Response:
        return call.answer(metadata.entity_definitions(call.api, call.context("entityDefinitions")))

    def _webhook_resources(self, call: Call) -> Response:
        if call.api.route != routing.RUNTIME:
            raise errors.resource_not_found("webhookSupportedResources")
        text = call.options.filter or ""
        pattern = text.partition(" eq ")[2].strip().strip("'") or "*"
        context = call.context("webhookSupportedResources")
        return call.answer(metadata.webhook_resources(load_apis().values(), pattern, context))

    def _company_services(self, call: Call) -> Response:
        """The companies as the legacy web services list them."""
        key = call.route.segments[0].key
        found = self.companies.all if key is None else (self.companies.find(key),)
        rows = [{"Name": company.name, "Display_Name": company.name, "Id": company.id} for company in found]
        if key is not None:
            return call.answer({"@odata.context": f"{call.context('Company')}/$entity", **rows[0]})
        return call.answer({"@odata.context": call.context("Company"), "value": rows})
