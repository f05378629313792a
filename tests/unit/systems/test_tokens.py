"""Tokens: asked for once, renewed before their end, refused with the system's words."""

import asyncio
from urllib.parse import parse_qs

import pytest
from multidict import CIMultiDict

from crosstie.model.connections import Connection, SystemKind
from crosstie.model.errors import CredentialsRefused, GarbledAnswer, InvalidConnection
from crosstie.systems.answers import Answer
from crosstie.systems.tokens import Tokens

CONNECTION = Connection(
    name="dv", kind=SystemKind.DATAVERSE, address="https://x/api", tenant_id="t", client_id="c", secret="s & s"
)


class Endpoint:
    """Answers as it is told and keeps what it was asked."""

    def __init__(self, *answers: tuple[int, str]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, dict[str, list[str]]]] = []
        self.now = 0.0

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> Answer:
        self.asked.append((url, parse_qs(body.decode())))
        await asyncio.sleep(0)
        status, text = self.answers.pop(0)
        kind = "text/html" if text.startswith("<") else "application/json"
        return Answer(status, CIMultiDict({"Content-Type": kind}), text.encode())


def tokens(endpoint: Endpoint, connection: Connection = CONNECTION) -> Tokens:
    return Tokens(connection, "https://x/.default", endpoint.post, now=lambda: endpoint.now)


def granted(token: str, life: object = 3600) -> tuple[int, str]:
    return 200, f'{{"token_type":"Bearer","expires_in":{life},"access_token":"{token}"}}'


async def test_a_token_is_kept_until_shortly_before_its_end() -> None:
    """behaviour: CDSConnectionSetupTest/DataverseCloudDefaultsToCommercialEndpoints"""
    endpoint = Endpoint(granted("one"), granted("two"))
    kept = tokens(endpoint)
    assert [await kept.current(), await kept.current()] == ["one", "one"]
    endpoint.now = 3600 - 121
    assert await kept.current() == "one"
    endpoint.now = 3600 - 119
    assert await kept.current() == "two"
    url, form = endpoint.asked[0]
    assert url == "https://login.microsoftonline.com/t/oauth2/v2.0/token"
    assert form == {
        "grant_type": ["client_credentials"],
        "client_id": ["c"],
        "client_secret": ["s & s"],
        "scope": ["https://x/.default"],
    }


async def test_a_short_life_leaves_a_short_margin() -> None:
    endpoint = Endpoint(granted("one", '"10"'), granted("two"))
    kept = tokens(endpoint)
    await kept.current()
    endpoint.now = 8.9
    assert await kept.current() == "one"
    endpoint.now = 9.1
    assert await kept.current() == "two"


async def test_who_comes_at_the_same_time_shares_the_new_token() -> None:
    endpoint = Endpoint(granted("one"))
    kept = tokens(endpoint)
    assert await asyncio.gather(*(kept.current() for _ in range(5))) == ["one"] * 5
    assert len(endpoint.asked) == 1


async def test_only_the_refused_token_is_forgotten() -> None:
    endpoint = Endpoint(granted("one"), granted("two"))
    kept = tokens(endpoint)
    await kept.current()
    kept.forget("one")
    assert await kept.current() == "two"
    kept.forget("one")
    assert await kept.current() == "two"


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (
            (401, '{"error":"invalid_client","error_description":"AADSTS7000215: Invalid secret."}'),
            CredentialsRefused,
            "AADSTS7000215",
        ),
        ((400, '{"error":"unauthorized_client"}'), CredentialsRefused, "unauthorized_client"),
        (
            (401, '{"error":{"code":"Authentication_InvalidCredentials","message":"The client is rejected."}}'),
            CredentialsRefused,
            r"was refused: The client is rejected\. Check",
        ),
        ((404, "not here"), CredentialsRefused, "not here"),
        ((404, "<html>"), GarbledAnswer, "gives no token: <html>"),
        ((200, "<html>"), GarbledAnswer, "<html>"),
        ((200, '{"token":"x"}'), GarbledAnswer, "gives no token"),
    ],
)
async def test_refusals_carry_the_systems_words(answer: tuple[int, str], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words) as raised:
        await tokens(Endpoint(answer)).current()
    assert "s & s" not in str(raised.value)


def test_a_connection_needs_a_tenant_or_a_token_address() -> None:
    with pytest.raises(InvalidConnection, match="dv"):
        tokens(Endpoint(), Connection(name="dv", kind=SystemKind.DATAVERSE, address="https://x"))
