"""Request counts, so that a test can bound how many calls a client makes."""

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

_KEY = re.compile(r"\([^/]*\)$")
_TEXT = re.compile(r"'(?:[^']|'')*'")
_ROOTS = re.compile(
    r"^(?:https?://[^/]+)?/?(?:.*?/?api/data/v\d+\.\d+/"
    r"|.*?/?api/[^/]+/[^/]+/(?:v\d+\.\d+|beta)/|.*?/?api/(?:v\d+\.\d+|beta)/|.*?/?ODataV4/)?"
)


@lru_cache(maxsize=8192)
def resource(path: str) -> str:
    """What a path is about, without keys: ``customers``, ``accounts/$count``, ``$batch``, ``token``.

    The service root, the company and the namespace of actions are left out.
    """
    path = _TEXT.sub("", path).partition("?")[0]
    if path.endswith(("/oauth2/v2.0/token", "/oauth2/token")):
        return "token"
    rest = _ROOTS.sub("", path, count=1).strip("/")
    segments = [_KEY.sub("", segment) for segment in rest.split("/")]
    if len(segments) > 1 and segments[0] in ("companies", "Company"):
        segments = segments[1:]
    if len(segments) > 1 and segments[-1].startswith(("Microsoft.", "$")):
        segments[-2:] = [f"{segments[-2]}/{segments[-1].rpartition('.')[2]}"]
    return segments[-1] or "(root)"


class Counters:
    """Requests by method and resource, and the inner requests of batches beside them."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start again from zero."""
        self.total = 0
        self.batch_parts = 0
        self._by: Counter[str] = Counter()
        self._parts_by: Counter[str] = Counter()

    def request(self, method: str, path: str) -> None:
        """Count one request."""
        self.total += 1
        self._by[f"{method} {resource(path)}"] += 1

    def parts(self, parts: Sequence[tuple[str, str]]) -> None:
        """Count the inner requests of a batch, each as (method, address)."""
        self.batch_parts += len(parts)
        for method, url in parts:
            self._parts_by[f"{method.upper()} {resource(url)}"] += 1

    def describe(self) -> dict[str, object]:
        """``{"total", "batch_parts", "by": {"GET customers": n}, "parts_by": {"PATCH customers": n}}``."""
        return {
            "total": self.total,
            "batch_parts": self.batch_parts,
            "by": dict(sorted(self._by.items())),
            "parts_by": dict(sorted(self._parts_by.items())),
        }
