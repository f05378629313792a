"""Addresses: which API, which company, which resource (wire-businesscentral section 1)."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

STANDARD: Final = "v2.0"
RUNTIME: Final = "microsoft/runtime/beta"
AUTOMATION: Final = "microsoft/automation/v2.0"
WEB_SERVICES: Final = "ODataV4"

_CLOUD = re.compile(r"/v2\.0/(?:(?P<tenant>[^/]+)/)?(?P<environment>[^/]+)(?=/(?:api|ODataV4)(?:/|$))")
_INSTANCE = re.compile(r"/(?P<instance>[^/]+)(?=/(?:api|ODataV4)(?:/|$))")
_API = re.compile(r"/api/(?P<route>v\d+\.\d+|beta|[^/]+/[^/]+/(?:v\d+\.\d+|beta))(?=/|$)")
_SERVICES = re.compile(r"/(?P<route>ODataV4)(?=/|$)")
_SEGMENT = re.compile(r"(?P<name>[^()]+)(?:\((?P<key>.*)\))?")


@dataclass(frozen=True, slots=True)
class Segment:
    """One step of a path: a name, and the key in parentheses where there is one."""

    name: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """A path taken apart. *root* is the service root's path, *api* its route, *environment* blank on premises."""

    root: str
    api: str
    environment: str
    segments: tuple[Segment, ...]


@lru_cache(maxsize=4096)
def parse(path: str) -> Route | None:
    """The route of a decoded path, or None where it is no address of the service."""
    head = _CLOUD.match(path) or _INSTANCE.match(path)
    if head is None:
        return None
    rest = path[head.end() :]
    api = _API.match(rest) or _SERVICES.match(rest)
    if api is None:
        return None
    segments = _segments(rest[api.end() :])
    if segments is None:
        return None
    environment = head.groupdict().get("environment") or ""
    return Route(path[: head.end()] + api[0], api["route"], environment, segments)


def _segments(text: str) -> tuple[Segment, ...] | None:
    out = []
    for part in filter(None, _split(text)):
        match = _SEGMENT.fullmatch(part)
        if match is None:
            return None
        out.append(Segment(match["name"], match["key"]))
    return tuple(out)


def _split(text: str) -> list[str]:
    """The parts between slashes that stand outside parentheses."""
    if not text:
        return []
    if "(" not in text:
        return text.split("/")
    parts, depth, start = [], 0, 0
    for i, char in enumerate(text):
        if char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
        elif char == "/" and depth == 0:
            parts.append(text[start:i])
            start = i + 1
    return [*parts, text[start:]]
