"""What a server counts, in the form that Prometheus reads."""

from collections.abc import Callable

from elman.errors import optional


class Counters:
    """Numbers of one server.

    Args:
        waiting: Says how many inputs wait.
        calls: Says how often the network was called.
        answered: Says how many inputs were answered.
    """

    def __init__(self, waiting: Callable[[], int], calls: Callable[[], int], answered: Callable[[], int]) -> None:
        prometheus = optional("prometheus_client", "prometheus-client", "serve")
        self._library = prometheus
        self.registry = prometheus.CollectorRegistry()
        self._requests = prometheus.Counter(
            "elman_requests", "Requests by route and status.", ["route", "status"], registry=self.registry
        )
        self._seconds = prometheus.Histogram(
            "elman_request_seconds", "From a request to the end of its answer.", ["route"], registry=self.registry
        )
        for name, text, value in (
            ("elman_inputs_waiting", "Inputs that wait for the network.", waiting),
            ("elman_network_calls", "Calls of the network.", calls),
            ("elman_inputs_answered", "Inputs that were answered.", answered),
        ):
            prometheus.Gauge(name, text, registry=self.registry).set_function(value)

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count a request that has been answered."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """All numbers."""
        return self._library.generate_latest(self.registry)
