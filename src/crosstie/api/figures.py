"""Figures of the server for Prometheus: how many requests, how long they took. No names, no records, no values."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120)


class Figures:
    """The figures of one server."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        labels = ("method", "route")
        self._requests = Counter(
            "crosstie_requests", "Requests by route and status.", (*labels, "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "crosstie_request_seconds", "Time to answer.", labels, buckets=_SECONDS, registry=self._registry
        )

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request. `route` is the pattern of the address; empty where there is none such."""
        known = method if method in _METHODS else "other"
        self._requests.labels(known, route, str(status)).inc()
        self._seconds.labels(known, route).observe(seconds)

    def text(self) -> bytes:
        """Return all figures in the text format of Prometheus."""
        return generate_latest(self._registry)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
