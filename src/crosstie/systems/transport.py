"""Transport: one HTTP exchange after the other over one aiohttp session, and what can go wrong on the way."""

import asyncio
import os
import ssl
from collections.abc import Mapping
from pathlib import Path

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from crosstie.model.errors import InvalidConnection
from crosstie.systems.answers import Answer
from crosstie.systems.limits import Limits

_USER_AGENT = "crosstie"
_KEEP_ALIVE = 4.0
"""Seconds an idle connection is kept: shorter than servers do, so that none is closed while a request is on its way."""


class TransportError(Exception):
    """No whole answer came."""


class NotSent(TransportError):
    """No connection could be made; the server saw nothing of the request."""


class AnswerLost(TransportError):
    """The request was sent, and no answer came: it may or may not have been carried out."""


class AnswerTorn(AnswerLost):
    """The answer broke off."""


class Transport:
    """Sends requests as they are given and returns whole answers. Opens its session with the first one."""

    def __init__(self, limits: Limits, ca_file: str | None = None) -> None:
        self._limits = limits
        self._tls = _tls(ca_file)
        self._session: aiohttp.ClientSession | None = None

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
        """Return the answer to one request. `url` is sent as it stands. Raises NotSent, AnswerLost or AnswerTorn."""
        session = self._open()
        try:
            async with session.request(
                method, URL(url, encoded=True), headers=headers, data=body, allow_redirects=False
            ) as response:
                content = await response.read()
                return Answer(response.status, response.headers, content)
        except aiohttp.ConnectionTimeoutError as error:
            raise NotSent(f"no connection within {self._limits.connect_timeout:g} seconds") from error
        except (aiohttp.ClientConnectorError, aiohttp.InvalidURL) as error:
            raise NotSent(_words(error)) from error
        except aiohttp.ClientPayloadError as error:
            raise AnswerTorn(_words(error)) from error
        except TimeoutError as error:
            raise AnswerLost(f"no answer within {self._limits.timeout:g} seconds") from error
        except (aiohttp.ClientError, OSError) as error:
            raise AnswerLost(_words(error)) from error

    async def close(self) -> None:
        """Close the session; the next request would open another."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()
            await asyncio.sleep(0)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ssl=self._tls, keepalive_timeout=_KEEP_ALIVE),
                timeout=aiohttp.ClientTimeout(total=self._limits.timeout, connect=self._limits.connect_timeout),
                headers=CIMultiDict({"User-Agent": _USER_AGENT}),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
            )
        return self._session


def _tls(ca_file: str | None) -> ssl.SSLContext | bool:
    if not ca_file:
        return True
    if not Path(ca_file).is_file():
        raise InvalidConnection(f"The connection's CA file {ca_file} does not exist.", field="ca")
    try:
        context = ssl.create_default_context()
        context.load_verify_locations(cafile=ca_file)
    except ssl.SSLError as error:
        words = f"The connection's CA file {ca_file} holds no certificate: {error}."
        raise InvalidConnection(words, field="ca") from error
    return context


def _words(error: Exception) -> str:
    """Return what went wrong without the library's own terms."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"the name {error.host} is not known"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        reason = getattr(error.certificate_error, "verify_message", "") or error.certificate_error
        return f"its certificate is not trusted ({reason})"
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        reason = str(getattr(error.os_error, "reason", "") or error.os_error)
        return f"no TLS connection comes about ({reason.replace('_', ' ').lower()})"
    if isinstance(error, aiohttp.ClientConnectorError) and error.os_error.errno:
        return os.strerror(error.os_error.errno).lower()
    return " ".join(str(error).split()) or type(error).__name__
