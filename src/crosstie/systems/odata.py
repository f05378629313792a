"""The HTTP client of both OData systems: one session, one pace, one token per connection.

Reads are repeated by themselves after throttling, outages, lost and garbled answers, bounded in number and time.
What may change something is repeated only where it certainly was not carried out (no connection, 401, 429).
"""

import time
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, TypeAlias, TypeVar
from urllib.parse import urlsplit

import msgspec

from crosstie.model.connections import Connection
from crosstie.model.errors import (
    CredentialsRefused,
    GarbledAnswer,
    InvalidConnection,
    MissingPrivilege,
    SystemFailure,
    SystemRefused,
    Throttled,
    Unreachable,
)
from crosstie.systems.answers import Answer, excerpt, is_html, is_json, refusal
from crosstie.systems.base import RequestCounts
from crosstie.systems.limits import Limits
from crosstie.systems.pace import Pace
from crosstie.systems.tokens import Tokens
from crosstie.systems.transport import AnswerLost, AnswerTorn, NotSent, Transport

T = TypeVar("T")
Purpose: TypeAlias = Literal["reads", "batches", "writes", "metadata", "tokens"]
"""What a request is counted as."""
_BOM = b"\xef\xbb\xbf"
_THROTTLING = (429, 503)
_OUTAGES = (408, 500, 502, 504)


class Page(msgspec.Struct):
    """A page of a collection, as it came over the wire."""

    value: list[dict[str, Any]]
    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")
    delta_link: str | None = msgspec.field(default=None, name="@odata.deltaLink")
    date: datetime | None = None
    """The server's clock when it answered."""


_decode_page = msgspec.json.Decoder(Page, float_hook=Decimal).decode


class _Attempts:
    """What a request has been through. Says when to give up."""

    def __init__(self, limits: Limits, now: Callable[[], float]) -> None:
        self._limits = limits
        self._now = now
        self._started: float | None = None
        self.count = 0
        self.garbled = 0
        self.renewed = False

    def begin(self) -> None:
        self.count += 1
        if self._started is None:
            self._started = self._now()

    @property
    def patience(self) -> float:
        """Seconds left for this request; waiting for the first turn does not count."""
        spent = 0.0 if self._started is None else self._now() - self._started
        return self._limits.patience - spent

    def exhausted(self, pause: float) -> bool:
        return (
            self.count >= self._limits.attempts
            or self.garbled >= self._limits.garbled_attempts
            or pause > self.patience
        )


class ODataClient:
    """Sends the requests of one connection. `requests` counts every one that was sent."""

    def __init__(
        self,
        connection: Connection,
        *,
        scope: str,
        limits: Limits,
        headers: Mapping[str, str],
        pace: Pace | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        parts = urlsplit(connection.address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidConnection(
                f"The connection {connection.name} has the address {connection.address!r}, which is no http(s) address."
            )
        self.name = connection.name
        self.address = connection.address.rstrip("/")
        self.path = parts.path.rstrip("/")
        self.limits = limits
        self.requests = RequestCounts()
        self.pace = pace or Pace(limits)
        self.clock_offset = 0.0
        """Seconds by which the system's clock is ahead of ours, as of its last answer."""
        self._origin = _origin(connection.address)
        self._headers = dict(headers)
        self._now = now
        self._transport = Transport(limits, connection.settings.get("ca"))
        self._tokens = Tokens(connection, scope, self._post_for_token)

    async def close(self) -> None:
        """Close the session."""
        await self._transport.close()

    async def get(
        self, url: str, decode: Callable[[bytes], T], *, prefer: str = "", purpose: Purpose = "reads", json: bool = True
    ) -> tuple[T, Answer]:
        """Return a GET's decoded body with its answer; repeated as far as the limits allow.

        `decode` raises GarbledAnswer or msgspec.DecodeError on a body that cannot be used. Raises SystemFailure:
        SystemRefused (code and status in its details), MissingPrivilege, CredentialsRefused, Throttled,
        Unreachable, GarbledAnswer.
        """
        headers = {"Prefer": prefer} if prefer else {}
        attempts = _Attempts(self.limits, self._now)
        while True:
            answer = await self._exchange("GET", url, headers, None, purpose, attempts, repeatable=True)
            if answer.status >= 400:
                raise self.refused(answer, f"GET {_resource(url)}")
            if json and not is_json(answer):
                await self._garbled(attempts, f"it is {answer.content_type}: {excerpt(answer.body)}", url)
                continue
            try:
                return decode(answer.body.removeprefix(_BOM)), answer
            except (msgspec.DecodeError, UnicodeDecodeError, GarbledAnswer, ValueError) as error:
                await self._garbled(attempts, f"{error}: {excerpt(answer.body)}", url)

    async def pages(self, url: str, *, prefer: str = "", purpose: Purpose = "reads") -> AsyncIterator[Page]:
        """Yield the pages of a collection. Raises GarbledAnswer if a page names a following one on another host."""
        following: str | None = url
        while following is not None:
            page, answer = await self.get(following, _decode_page, prefer=prefer, purpose=purpose)
            page.date = answer.date
            following = None if page.next_link is None else self.own(page.next_link)
            yield page

    async def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        purpose: Purpose = "writes",
        parts: int = 0,
        repeatable: bool = False,
    ) -> Answer:
        """Send what may change something; return any answer below status 500.

        Raises AnswerLost where it may or may not have been carried out, SystemFailure where it certainly was not.
        """
        attempts = _Attempts(self.limits, self._now)
        return await self._exchange(method, url, headers, body, purpose, attempts, repeatable=repeatable, parts=parts)

    def refused(self, answer: Answer, what: str) -> SystemFailure:
        """Return the error that an answer of status 400 or above means for a request as a whole."""
        if is_html(answer) and answer.status != 401:
            seen = f"it is {answer.content_type}, status {answer.status}: {excerpt(answer.body)}"
            return GarbledAnswer(f"{self.name} gives no usable answer to {what}: {seen}", status=answer.status)
        found = refusal(answer.body, answer.status)
        details: dict[str, Any] = {"status": answer.status, "system_code": found.code}
        if answer.status == 401:
            return CredentialsRefused(f"{self.name} refuses the token: {found.message} ({found.code})", **details)
        kind = MissingPrivilege if answer.status == 403 else SystemRefused
        return kind(f"{self.name} refuses {what}: {found.message} ({found.code})", **details)

    def own(self, link: str) -> str:
        """Return a link that the system gave, if it leads to the system itself: the token goes nowhere else."""
        if _origin(link) != self._origin:
            raise GarbledAnswer(f"{self.name} names a following page on another host: {link[:200]}")
        return link.replace(" ", "%20")

    async def _exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        purpose: Purpose,
        attempts: _Attempts,
        *,
        repeatable: bool,
        parts: int = 0,
    ) -> Answer:
        """Send until an answer comes that is neither throttling nor an outage."""
        while True:
            token = await self._tokens.current()
            try:
                async with self.pace.turn(attempts.patience):
                    attempts.begin()
                    self._count(purpose, parts, attempts)
                    sent = {**self._headers, **headers, "Authorization": f"Bearer {token}"}
                    answer = await self._transport.send(method, url, sent, body)
            except NotSent as error:
                await self._again(attempts, Unreachable(f"{self.name} cannot be reached at {self.address}: {error}."))
                continue
            except AnswerTorn as error:
                if not repeatable:
                    raise
                await self._garbled(attempts, f"it breaks off: {error}", url)
                continue
            except AnswerLost as error:
                if not repeatable:
                    raise
                await self._again(attempts, Unreachable(f"{self.name} gives no answer at {self.address}: {error}."))
                continue
            self._note_clock(answer)
            if answer.status == 401 and not attempts.renewed:
                attempts.renewed = True
                self._tokens.forget(token)
            elif answer.status in _THROTTLING and (repeatable or answer.status == 429):
                await self._throttled(attempts, answer)
            elif answer.status in (*_THROTTLING, *_OUTAGES):
                await self._outage(attempts, answer, url, repeatable)
            else:
                self.pace.succeeded()
                return answer

    async def _throttled(self, attempts: _Attempts, answer: Answer) -> None:
        """Let the whole connection pause; the next turn begins when it is over."""
        pause = self.pace.throttled(answer.retry_after)
        if attempts.exhausted(pause):
            found = refusal(answer.body, answer.status)
            raise Throttled(
                f"{self.name} is throttling and asks to wait {pause:.0f} s: {found.message}", retry_after=pause
            )

    async def _outage(self, attempts: _Attempts, answer: Answer, url: str, repeatable: bool) -> None:
        if answer.status in _THROTTLING:
            self.pace.throttled(answer.retry_after)
        if not repeatable:
            raise AnswerLost(f"status {answer.status}: {refusal(answer.body, answer.status).message}")
        if not is_json(answer):
            await self._garbled(attempts, f"it is {answer.content_type}, status {answer.status}", url)
        elif answer.status == 500:
            await self._again(attempts, self.refused(answer, f"GET {_resource(url)}"))
        else:
            words = refusal(answer.body, answer.status).message
            await self._again(attempts, Unreachable(f"{self.name} answers with status {answer.status}: {words}"))

    async def _garbled(self, attempts: _Attempts, why: str, url: str) -> None:
        attempts.garbled += 1
        await self._again(attempts, GarbledAnswer(f"{self.name} gives no usable answer to {_resource(url)}: {why}"))

    async def _again(self, attempts: _Attempts, failure: SystemFailure) -> None:
        """Wait before the next attempt, or raise `failure` if there is none."""
        pause = self.pace.back_off(attempts.count)
        if attempts.exhausted(pause):
            raise failure
        await self.pace.sleep(pause)

    async def _post_for_token(self, url: str, headers: dict[str, str], body: bytes) -> Answer:
        attempts = _Attempts(self.limits, self._now)
        while True:
            attempts.begin()
            self._count("tokens", 0, attempts)
            try:
                answer = await self._transport.send("POST", url, headers, body)
            except (NotSent, AnswerLost) as error:
                await self._again(attempts, Unreachable(f"The token address {url} gives no answer: {error}."))
                continue
            if answer.status < 500 and answer.status != 429:
                return answer
            pause = answer.retry_after
            if pause is not None and not attempts.exhausted(pause):
                await self.pace.sleep(pause)
                continue
            await self._again(attempts, Unreachable(f"The token address {url} answers with status {answer.status}."))

    def _count(self, purpose: Purpose, parts: int, attempts: _Attempts) -> None:
        setattr(self.requests, purpose, getattr(self.requests, purpose) + 1)
        self.requests.batch_parts += parts
        if attempts.count > 1:
            self.requests.retries += 1

    def _note_clock(self, answer: Answer) -> None:
        if (moment := answer.date) is not None:
            self.clock_offset = moment.timestamp() - time.time()


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").lower(), port


def _resource(url: str) -> str:
    return urlsplit(url).path or url
