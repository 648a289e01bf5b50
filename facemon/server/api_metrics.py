"""What the API tells Prometheus: its own requests, its model, and beside them the store's metrics."""

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from facemon.server.live_predictions import LivePredictions
from facemon.values.metric_catalogue import CATALOGUE

UNMATCHED = "unmatched"
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_EXPECTED_CODES = (200, 400, 408, 413, 415, 422, 500, 503)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class ApiMetrics(Collector):
    """Counts requests since the process began, and collects all that `/metrics` shows."""

    def __init__(
        self,
        model: str,
        predictions: LivePredictions,
        stored: CollectorRegistry,
        trouble_with_log: Callable[[], str | None],
    ) -> None:
        # When a counter began is no value of ours, and twice as many lines.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._model = model
        self._predictions = predictions
        self._stored = stored
        self._trouble_with_log = trouble_with_log
        requests, latency = CATALOGUE["api_requests_total"], CATALOGUE["api_request_latency_seconds"]
        self._requests = Counter(requests.name, requests.help, requests.labels, registry=None)
        self._latency = Histogram(latency.name, latency.help, latency.labels, registry=None, buckets=latency.buckets)

    def expect(self, endpoint: str, method: str) -> None:
        """Show all outcomes of an endpoint as 0: a ratio whose numerator has no series is silent."""
        for code in _EXPECTED_CODES:
            self._requests.labels(endpoint, method, _status(code), str(code))
        self._latency.labels(endpoint, method)

    def count(self, endpoint: str, method: str, code: int, seconds: float) -> None:
        """Count an answered request."""
        known = method if method in _METHODS else "other"
        self._requests.labels(endpoint, known, _status(code), str(code)).inc()
        self._latency.labels(endpoint, known).observe(seconds)

    def registry(self) -> CollectorRegistry:
        """These metrics as a registry of their own."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        return registry

    def describe(self) -> list[Family]:
        """Nothing, so that registering does not read the store."""
        return []

    def collect(self) -> Iterator[Family]:
        """The API's families, then the store's."""
        yield from self._requests.collect()
        yield from self._latency.collect()
        yield _gauge("model_loaded", (self._model,), self._predictions.model_answers)
        yield _gauge("cache_size", (), len(self._predictions.cache))
        for family in self._stored.collect():
            if family.name == "facemon_source_up" and isinstance(family, GaugeMetricFamily):
                # A store that can be read but not written, such as one on a full disk, lags behind what happened.
                family.add_metric(("log",), float(self._trouble_with_log() is None))
            yield family


class CountedRequests:
    """Around an application: counts every answer, and reports what went wrong inside."""

    def __init__(
        self,
        application: Application,
        metrics: ApiMetrics,
        templates: Mapping[Any, str],
        report: Callable[[Exception], None],
    ) -> None:
        self._application = application
        self._metrics = metrics
        self._templates = templates
        """Routes by their endpoint function: a path that exists in no route must not become a series."""
        self._report = report

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        began, code = time.perf_counter(), 0

        async def counting(message: MutableMapping[str, Any]) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
            elif message["type"] == "http.response.body" and not message.get("more_body"):
                # Before it is sent, so that who was answered finds the request counted.
                template = self._templates.get(scope.get("endpoint"), UNMATCHED)
                self._metrics.count(template, scope["method"], code, time.perf_counter() - began)
            await send(message)

        try:
            await self._application(scope, receive, counting)
        except Exception as error:  # noqa: BLE001 - the server's boundary: a request ends, not the server
            self._report(error)


def _status(code: int) -> str:
    if code < 400:
        return "success"
    return "rejected" if code < 500 else "error"


def _gauge(metric: str, labels: tuple[str, ...], value: float) -> Family:
    family = GaugeMetricFamily(metric, CATALOGUE[metric].help, labels=CATALOGUE[metric].labels)
    family.add_metric(labels, float(value))
    return family
