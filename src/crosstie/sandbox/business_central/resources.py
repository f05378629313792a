"""Entity sets, entities and what navigation leads to: the methods they take and the answers they give.

Facts: wire-businesscentral sections 1, 4 and 5.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from crosstie.sandbox.business_central import errors, writing
from crosstie.sandbox.business_central.call import VERSION, Call, check_etag, no_content
from crosstie.sandbox.business_central.options import continued
from crosstie.sandbox.business_central.pages import Page
from crosstie.sandbox.business_central.reading import Reader, end_column
from crosstie.sandbox.business_central.routing import Segment
from crosstie.sandbox.business_central.schema import Row
from crosstie.sandbox.business_central.values import NO_ID, Stored, etag
from crosstie.sandbox.http import HttpError, Response

_GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_KEY = re.compile(r"(?:(?P<name>\w+)\s*=\s*)?(?P<value>.+)")
_COLLECTION: Final = "Collection"


@dataclass(slots=True)
class _Place:
    """Where the path has led so far: a collection, or one entity of it (*id* is set).

    *where* narrows the collection to what navigation reached, *linked* is what a new record in it gets, *path* is
    the place's address within the service.
    """

    page: Page
    path: str
    where: str = "1"
    params: tuple[Stored, ...] = ()
    linked: dict[str, Stored] | None = None
    id: str = ""
    single: bool = False

    @property
    def is_entity(self) -> bool:
        """Whether it is one entity, there or not."""
        return bool(self.id) or self.single


class Resources:
    """Answers a call that goes to an entity set."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._records = call.company.records

    def handle(self, segments: Sequence[Segment]) -> Response:
        """The answer to the call; *segments* begin with the entity set."""
        method = self._call.request.method
        if segments[-1].name == "$count" and len(segments) > 1:
            return self._count(self._find(segments[:-1]))
        place = self._find(segments)
        if method == "GET":
            return self._entity(place) if place.is_entity else self._collection(place)
        if "readonly" in self._call.request.headers.get("data-access-intent", "").lower():
            raise errors.bad_request("The request header 'Data-Access-Intent: ReadOnly' is valid on GET requests only.")
        if method == "POST" and not place.is_entity:
            return self._insert(place)
        if method == "PATCH" and place.is_entity:
            return self._modify(place)
        if method == "DELETE" and place.is_entity:
            return self._delete(place)
        kind = f"Microsoft.NAV.{place.page.entity}" if place.is_entity else _COLLECTION
        raise errors.method_not_allowed(method, place.page.name, kind)

    # Finding the way

    def _find(self, segments: Sequence[Segment]) -> _Place:
        first = segments[0]
        page = self._call.api.page(first.name)
        if page is None or (page.table.shared and self._call.prefix):
            raise errors.resource_not_found(first.name)
        place = self._with_key(_Place(page, page.name), first)
        for segment in segments[1:]:
            place = self._step(place, segment)
        return place

    def _with_key(self, place: _Place, segment: Segment) -> _Place:
        if segment.key is None:
            return place
        place.id = self._id(place, segment.key)
        if place.where != "1" and not self._belongs(place):
            raise self._missing(place)
        place.path += f"({place.id})"
        return place

    def _belongs(self, place: _Place) -> bool:
        table = self._records.named(place.page.table.name)
        sql = f"SELECT 1 FROM {table} t WHERE t.system_id = ? AND {place.where}"
        return self._records.database.execute(sql, (place.id, *place.params)).fetchone() is not None

    def _step(self, place: _Place, segment: Segment) -> _Place:
        if segment.name.startswith("Microsoft.NAV."):
            raise errors.not_implemented(f"The action '{segment.name}' is not supported.")
        way = place.page.follow(segment.name)
        if way is None or not place.is_entity:
            raise errors.resource_not_found(segment.name)
        row = self._row(place)
        target = self._call.api.pages[way.to]
        start = row[way.via or place.page.table.key[0]]
        found = _Place(
            page=target,
            path=f"{place.path}/{segment.name}",
            where=f"{end_column(way, target)} = ?",
            params=(start,),
            linked={way.child: start} if way.child else None,
            single=not way.many,
        )
        if found.single:
            found.id = self._single_id(found)
        return self._with_key(found, segment)

    def _single_id(self, place: _Place) -> str:
        table = self._records.named(place.page.table.name)
        sql = f"SELECT t.system_id FROM {table} t WHERE {place.where} LIMIT 1"
        row = self._records.database.execute(sql, place.params).fetchone()
        return str(row[0]) if row else ""

    def _id(self, place: _Place, text: str) -> str:
        """The system id that a key in parentheses means; raises 400 for one that is no key of the page."""
        match = _KEY.fullmatch(text.strip())
        name, value = (match["name"], match["value"].strip()) if match else (None, "")
        if name not in (None, place.page.key):
            raise errors.bad_request(f"The key '{name}' does not exist on type 'Microsoft.NAV.{place.page.entity}'.")
        if place.page.key != "id":
            return self._id_of_number(place, value)
        if not _GUID.fullmatch(value):
            raise errors.bad_request(f"Invalid value '{value}' for the key 'id' of type 'Edm.Guid'.")
        return value.lower()

    def _id_of_number(self, place: _Place, value: str) -> str:
        if len(value) < 2 or value[0] != "'" or value[-1] != "'":
            raise errors.bad_request(f"Invalid value {value} for the key '{place.page.key}' of type 'Edm.String'.")
        table = place.page.table
        key = value[1:-1].replace("''", "'")
        if table.fields[table.key[0]].type.kind == "code":
            key = key.strip().upper()
        row = self._records.find(table.name, **{table.key[0]: key})
        if row is None:
            raise errors.record_not_found(table.name, f"{table.fields[table.key[0]].caption}='{key}'")
        return str(row["system_id"])

    # Reading

    def _reader(self, place: _Place) -> Reader:
        return self._call.company.reader(self._call.api, place.page)

    def _count(self, place: _Place) -> Response:
        if self._call.request.method != "GET" or place.is_entity:
            raise errors.method_not_allowed(self._call.request.method, "$count", "Edm.Int32")
        number = self._reader(place).count(self._call.options, place.where, place.params)
        mark = b"\xef\xbb\xbf" if self._records.settings.flag("count_with_mark") else b""
        return Response(200, [("Content-Type", "text/plain"), VERSION], mark + str(number).encode())

    def _collection(self, place: _Place) -> Response:
        call, options, reader = self._call, self._call.options, self._reader(place)
        size = call.page_size
        found = reader.slice(options, size, place.where, place.params)
        value: dict[str, Any] = {"@odata.context": call.context(place.path, options.select)}
        if found.count is not None:
            value["@odata.count"] = found.count
        value["value"] = found.entities
        if found.token is not None:
            request = call.request
            path = request.raw_path or request.path
            value["@odata.nextLink"] = f"{request.base_url}{path}?{continued(request.raw_query, found.token)}"
        applied = [("Preference-Applied", f"odata.maxpagesize={size}")]
        return call.answer(value, headers=applied if "maxpagesize" in call.request.headers.get("prefer", "") else ())

    def _entity(self, place: _Place) -> Response:
        if place.single and not place.id:
            return no_content()
        options = self._call.options
        entity = self._reader(place).one(place.id, options)
        if entity is None:
            raise self._missing(place)
        return self._represented(place, entity, select=options.select)

    def _represented(
        self,
        place: _Place,
        entity: dict[str, Any],
        status: int = 200,
        headers: Sequence[tuple[str, str]] = (),
        select: tuple[str, ...] | None = None,
    ) -> Response:
        path = place.path.removesuffix(f"({place.id})")
        value = {"@odata.context": f"{self._call.context(path, select)}/$entity", **entity}
        return self._call.answer(value, status, [("ETag", entity["@odata.etag"]), *headers])

    # Writing

    def _insert(self, place: _Place) -> Response:
        self._check_allowed(place, "insert")
        if place.where != "1" and not place.linked:
            raise errors.method_not_allowed("POST", place.page.name, _COLLECTION)
        with self._records.database.transaction():
            row = writing.insert(self._records, place.page, self._call.body(), self._page_of, place.linked)
        created = _Place(place.page, f"{place.path}({row['system_id']})", id=row["system_id"])
        location = f"{self._call.root}/{self._call.prefix}{created.path}"
        return self._written(created, row, 201, [("Location", location)])

    def _modify(self, place: _Place) -> Response:
        self._check_allowed(place, "modify")
        with self._records.database.transaction():
            row = self._row(place)
            check_etag(self._call.request, etag(row["version"]), required=True)
            row = writing.modify(self._records, place.page, row, self._call.body())
        return self._written(place, row, 200)

    def _delete(self, place: _Place) -> Response:
        self._check_allowed(place, "delete")
        with self._records.database.transaction():
            row = self._row(place)
            check_etag(self._call.request, etag(row["version"]), required=False)
            writing.delete(self._records, place.page, row)
        return no_content()

    def _written(self, place: _Place, row: Row, status: int, headers: Sequence[tuple[str, str]] = ()) -> Response:
        if self._call.wants_no_content:
            applied = ("Preference-Applied", "return-no-content")
            entity_id = ("OData-EntityId", f"{self._call.root}/{self._call.prefix}{place.path}")
            return no_content([("ETag", etag(row["version"])), applied, entity_id, *headers])
        options = self._call.options
        entity = self._reader(place).one(place.id, options)
        if entity is None:
            raise self._missing(place)
        return self._represented(place, entity, status, headers, options.select)

    def _page_of(self, name: str) -> Page:
        return self._call.api.pages[name]

    def _row(self, place: _Place) -> Row:
        row = self._records.get(place.page.table.name, place.id or NO_ID)
        if row is None:
            raise self._missing(place)
        return row

    def _missing(self, place: _Place) -> HttpError:
        return errors.record_not_found(place.page.table.name, f"SystemId='{place.id}'")

    def _check_allowed(self, place: _Place, action: str) -> None:
        if action not in place.page.allow:
            raise errors.not_supported_by_page(action)
