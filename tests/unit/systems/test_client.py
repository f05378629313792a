"""The HTTP client against a server that answers as it is told."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp import web

from crosstie.model.connections import Connection, SystemKind
from crosstie.model.errors import GarbledAnswer, InvalidConnection, SystemRefused, Unreachable
from crosstie.systems.answers import from_json
from crosstie.systems.limits import Limits, limits_of
from crosstie.systems.odata import ODataClient
from crosstie.systems.transport import AnswerLost

LIMITS = Limits(first_pause=0.001, longest_pause=0.01, attempts=4, patience=5, timeout=2)
Answerer = Callable[[web.Request], web.StreamResponse]


class Server:
    """Answers tokens by itself, everything else by the functions in `answers`, the last one over and over."""

    def __init__(self) -> None:
        self.answers: list[Answerer] = []
        self.seen: list[web.Request] = []
        self.tokens = 0
        self.token_answers: list[Answerer] = []
        self.address = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/token":
            self.tokens += 1
            if self.token_answers:
                return self.token_answers.pop(0)(request)
            return web.json_response({"access_token": f"t{self.tokens}", "expires_in": 3600})
        self.seen.append(request)
        answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        return answer(request)

    def connection(self, **changes: str) -> Connection:
        fixed = {"name": "x", "address": f"{self.address}/api", "token_url": f"{self.address}/token", **changes}
        return Connection(kind=SystemKind.DATAVERSE, **fixed)  # type: ignore[arg-type]


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    found = Server()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", found.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.address = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"  # type: ignore[union-attr]
    yield found
    await runner.cleanup()


@pytest.fixture
async def client(server: Server) -> AsyncIterator[ODataClient]:
    found = ODataClient(server.connection(), scope="s", limits=LIMITS, headers={"Accept": "application/json"})
    yield found
    await found.close()


def json(body: str, status: int = 200, **headers: str) -> Answerer:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return lambda request: web.Response(text=body, status=status, headers={"Content-Type": "application/json", **named})


async def test_an_address_is_sent_as_it_stands(server: Server, client: ODataClient) -> None:
    server.answers = [json("{}")]
    await client.get(f"{client.address}/a?$filter=x%20eq%20'%26'&$deltatoken=1%2108%2f22", from_json)
    assert server.seen[0].rel_url.raw_query_string == "$filter=x%20eq%20'%26'&$deltatoken=1%2108%2f22"
    assert server.seen[0].headers["Authorization"] == "Bearer t1"


async def test_pages_are_followed_with_the_same_preference(server: Server, client: ODataClient) -> None:
    following = f"{server.address}/api/a?$skiptoken=%3Ccookie%20x"
    server.answers = [
        json(f'{{"value":[{{"a":1.50}}],"@odata.nextLink":"{following}"}}', Date="Sat, 21 Nov 2026 10:00:00 GMT"),
        json('{"value":[{"a":2}],"@odata.deltaLink":"d"}'),
    ]
    pages = [page async for page in client.pages(f"{client.address}/a", prefer="odata.maxpagesize=1")]
    assert [len(page.value) for page in pages] == [1, 1]
    assert str(pages[0].value[0]["a"]) == "1.50"
    assert pages[0].date is not None
    assert pages[1].delta_link == "d"
    assert server.seen[1].rel_url.raw_query_string == "$skiptoken=%3Ccookie%20x"
    assert [request.headers["Prefer"] for request in server.seen] == ["odata.maxpagesize=1"] * 2


@pytest.mark.parametrize("link", ["http://evil.example/api", "https://{host}/api", "//evil.example/x", "ftp://{host}/"])
async def test_a_token_goes_to_no_other_host(server: Server, client: ODataClient, link: str) -> None:
    link = link.format(host=server.address.removeprefix("http://"))
    server.answers = [json(f'{{"value":[],"@odata.nextLink":"{link}"}}')]
    with pytest.raises(GarbledAnswer, match="another host"):
        _ = [page async for page in client.pages(f"{client.address}/a")]
    assert len(server.seen) == 1


@pytest.mark.parametrize("body", ['{"value":[{"a":1},{"a":', '{"value":{}}', "[]", '{"error":{}}', "", '{"value":[1]}'])
async def test_a_page_that_is_none_is_asked_for_again_and_then_named(
    server: Server, client: ODataClient, body: str
) -> None:
    server.answers = [json(body)]
    with pytest.raises(GarbledAnswer):
        _ = [page async for page in client.pages(f"{client.address}/a")]
    assert len(server.seen) == client.limits.garbled_attempts


async def test_a_refusal_names_the_request_the_words_and_the_code(server: Server, client: ODataClient) -> None:
    server.answers = [json('{"error":{"code":"0x8006088a","message":"no such property"}}', 400)]
    with pytest.raises(SystemRefused, match=r"x refuses GET /api/a: no such property \(0x8006088a\)") as raised:
        await client.get(f"{client.address}/a?$filter=secret", from_json)
    assert raised.value.details == {"status": 400, "system_code": "0x8006088a"}
    assert len(server.seen) == 1


async def test_what_may_change_something_is_repeated_only_where_nothing_was_done(
    server: Server, client: ODataClient
) -> None:
    server.answers = [json("{}", 429, Retry_After="0"), json("{}", 401), json('{"a":1}', 200)]
    answer = await client.send("POST", f"{client.address}/a", {}, b"{}")
    assert (answer.status, len(server.seen), server.tokens) == (200, 3, 2)
    for status in (408, 500, 502, 503, 504):
        server.answers = [json("{}", status)]
        server.seen.clear()
        with pytest.raises(AnswerLost, match=str(status)):
            await client.send("POST", f"{client.address}/a", {}, b"{}")
        assert len(server.seen) == 1
    for status in (400, 403, 404, 412):
        server.answers = [json("{}", status)]
        assert (await client.send("POST", f"{client.address}/a", {}, b"{}")).status == status


async def test_every_request_is_counted_by_what_it_was_for(server: Server, client: ODataClient) -> None:
    server.answers = [json("{}")]
    url = f"{client.address}/a"
    await client.get(url, from_json)
    await client.get(url, from_json, purpose="metadata")
    await client.send("POST", url, {}, b"{}")
    await client.send("POST", url, {}, b"{}", purpose="batches", parts=7)
    counts = client.requests
    assert (counts.reads, counts.metadata, counts.writes, counts.batches) == (1, 1, 1, 1)
    assert (counts.batch_parts, counts.tokens, counts.retries, counts.total) == (7, 1, 0, 3)


async def test_a_token_address_that_stumbles_is_asked_again(server: Server, client: ODataClient) -> None:
    server.answers = [json("{}")]
    server.token_answers = [json("{}", 503), json("{}", 429, Retry_After="0")]
    await client.get(f"{client.address}/a", from_json)
    assert (server.tokens, client.requests.tokens) == (3, 3)


async def test_a_token_address_that_is_down_is_named(server: Server) -> None:
    client = ODataClient(server.connection(token_url="http://127.0.0.1:9/token"), scope="s", limits=LIMITS, headers={})
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:9/token"):
        await client.get(f"{client.address}/a", from_json)
    await client.close()


async def test_patience_ends_before_the_attempts_do(server: Server) -> None:
    limits = Limits(first_pause=0.2, longest_pause=0.2, attempts=100, patience=0.5)
    client = ODataClient(server.connection(), scope="s", limits=limits, headers={})
    server.answers = [json("{}", 504)]
    with pytest.raises(Unreachable):
        await client.get(f"{client.address}/a", from_json)
    await client.close()
    assert 2 <= len(server.seen) <= 6


async def test_no_redirect_is_followed(server: Server, client: ODataClient) -> None:
    server.answers = [lambda request: web.Response(status=302, headers={"Location": "http://127.0.0.1:9/"})]
    with pytest.raises(GarbledAnswer):
        await client.get(f"{client.address}/a", from_json)


async def test_the_clocks_are_compared(server: Server, client: ODataClient) -> None:
    server.answers = [json("{}", Date="Sat, 21 Nov 2020 10:00:00 GMT")]
    await client.get(f"{client.address}/a", from_json)
    assert client.clock_offset < -86_400


async def test_a_closed_client_opens_again(server: Server, client: ODataClient) -> None:
    server.answers = [json("{}")]
    await client.get(f"{client.address}/a", from_json)
    await client.close()
    await asyncio.sleep(0)
    await client.get(f"{client.address}/a", from_json)
    assert len(server.seen) == 2


@pytest.mark.parametrize("address", ["", "ftp://x/api", "crm.dynamics.com/api", "http:///api"])
def test_an_address_that_is_none_is_named(address: str) -> None:
    """behaviour: CDSIntegrationMgtTest/TestConnectionWhenMissing"""
    connection = Connection(name="x", kind=SystemKind.DATAVERSE, address=address, token_url="http://t")
    with pytest.raises(InvalidConnection, match="x has the address"):
        ODataClient(connection, scope="s", limits=LIMITS, headers={})


def test_a_ca_file_must_be_one(tmp_path: object) -> None:
    for ca, words in (("/no/such/ca.pem", "does not exist"), (__file__, "holds no certificate")):
        connection = Connection(
            name="x", kind=SystemKind.DATAVERSE, address="https://x/api", token_url="http://t", settings={"ca": ca}
        )
        with pytest.raises(InvalidConnection, match=words):
            ODataClient(connection, scope="s", limits=LIMITS, headers={})


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"limits": {"concurrency": 0}}, "concurrency is 0"),
        ({"limits": {"concurency": 3}}, "concurency"),
        ({"limits": {"patience": "long"}}, "patience"),
        ({"limits": 5}, "limits is 5"),
    ],
)
def test_a_wrong_limit_is_named(settings: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidConnection, match=words):
        limits_of(settings, Limits())


def test_limits_override_the_defaults() -> None:
    assert limits_of({"limits": {"page_size": "100"}}, Limits(concurrency=7)) == Limits(concurrency=7, page_size=100)
