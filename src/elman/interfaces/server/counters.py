"""What a server counts, in the form that Prometheus reads."""

from functools import lru_cache
from typing import Any

from elman.errors import optional
from elman.interfaces.server.service import Service


class Counters:
    """Numbers of one server.

    Args:
        service: What waits, what was answered.
    """

    def __init__(self, service: Service) -> None:
        prometheus = optional("prometheus_client", "prometheus-client", "serve")
        self._library = prometheus
        self.registry = prometheus.CollectorRegistry()
        self._requests = prometheus.Counter(
            "elman_requests", "Requests by route and status.", ["route", "status"], registry=self.registry
        )
        self._seconds = prometheus.Histogram(
            "elman_request_seconds", "From a request to the end of its answer.", ["route"], registry=self.registry
        )
        batcher, floor = service.batcher, service.floor
        numbers = [
            ("elman_inputs_waiting", "Inputs that wait for the network.", lambda: batcher.length),
            ("elman_network_calls", "Calls of the network.", lambda: batcher.calls),
            ("elman_inputs_answered", "Inputs that were answered.", lambda: batcher.answered),
        ]
        if floor is not None:
            numbers += [
                ("elman_sessions", "Sessions that are going on.", lambda: len(floor.seats)),
                ("elman_sessions_waiting", "Sessions with something to do.", lambda: len(floor.waiting)),
                ("elman_session_calls", "Calls of the network for sessions.", lambda: floor.calls),
                ("elman_sessions_advanced", "Sessions that these calls advanced.", lambda: floor.advanced),
            ]
        for name, text, value in numbers:
            prometheus.Gauge(name, text, registry=self.registry).set_function(value)

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count a request that has been answered."""
        requests, times = self._of(route, status)
        requests.inc()
        times.observe(seconds)

    @lru_cache(maxsize=256)  # noqa: B019  there is one server
    def _of(self, route: str, status: int) -> tuple[Any, Any]:
        return self._requests.labels(route, str(status)), self._seconds.labels(route)

    def text(self) -> bytes:
        """All numbers."""
        return self._library.generate_latest(self.registry)
