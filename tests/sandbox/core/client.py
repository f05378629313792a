"""A bare HTTP client over a socket, which shows exactly what came over the wire."""

import json
import socket
import ssl
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit


@dataclass
class Answer:
    """What came: status 0 and an empty body where the connection closed without a byte."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def complete(self) -> bool:
        """Whether the body is as long as the server promised."""
        return self.status > 0 and len(self.body) == int(self.headers.get("content-length", "0"))

    def json(self) -> Any:
        return json.loads(self.body)


class Connection:
    """One connection, kept open over several requests."""

    def __init__(self, url: str, ca: str | None = None, timeout: float = 10) -> None:
        parts = urlsplit(url)
        assert parts.hostname
        assert parts.port
        self.host = f"{parts.hostname}:{parts.port}"
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=timeout)
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=ca)
            self.socket = context.wrap_socket(self.socket, server_hostname=parts.hostname)

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *exc: object) -> None:
        self.socket.close()

    def ask(self, method: str, path: str, body: object = None, token: str | None = "sandbox", **headers: str) -> Answer:
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.host}", f"Content-Length: {len(data)}"]
        if token:
            lines.append(f"Authorization: Bearer {token}")
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + data)
        return self._answer()

    def _answer(self) -> Answer:
        raw = b""
        while b"\r\n\r\n" not in raw:
            chunk = self._receive()
            if not chunk:
                return Answer()
            raw += chunk
        head, _, body = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        answer = Answer(int(first.split()[1]), headers, body)
        while not answer.complete:
            chunk = self._receive()
            if not chunk:
                break
            answer.body += chunk
        return answer

    def _receive(self) -> bytes:
        try:
            return self.socket.recv(65536)
        except (ConnectionResetError, ssl.SSLEOFError):
            return b""


def ask(url: str, method: str = "GET", body: object = None, ca: str | None = None, **headers: str) -> Answer:
    """One request on a connection of its own; *url* with its path and query."""
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    with Connection(url, ca) as connection:
        return connection.ask(method, path, body, **headers)
