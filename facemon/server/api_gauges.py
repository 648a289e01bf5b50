"""What `/metrics` of the API shows beside the store: its model, its cache, its load, and whether its log is written."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from facemon.server.images_in_flight import ImagesInFlight
from facemon.server.live_predictions import LivePredictions
from facemon.store.total_families import gauge_family


class ApiGauges(Collector):
    """The store's families, the API's gauges among them."""

    def __init__(
        self,
        model: str,
        predictions: LivePredictions,
        in_flight: ImagesInFlight,
        stored: CollectorRegistry,
        trouble_with_log: Callable[[], str | None],
    ) -> None:
        self._model = model
        self._predictions = predictions
        self._in_flight = in_flight
        self._stored = stored
        self._trouble_with_log = trouble_with_log

    def registry(self) -> CollectorRegistry:
        """All of it as a registry of its own."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        return registry

    def describe(self) -> list[Family]:
        """Nothing, so that registering does not read the store."""
        return []

    def collect(self) -> Iterator[Family]:
        """The API's gauges, then the store's families."""
        workers = self._predictions.strength
        is_whole = workers.available == workers.configured
        yield gauge_family("model_loaded", [((self._model,), self._predictions.model_answers and is_whole)])
        yield gauge_family("api_workers_available", [((), workers.available)])
        yield gauge_family("api_workers_configured", [((), workers.configured)])
        yield gauge_family("cache_size", [((), len(self._predictions.cache))])
        yield gauge_family("api_images_in_flight", [((), self._in_flight.count)])
        yield gauge_family("api_images_in_flight_limit", [((), self._in_flight.limit)])
        for family in self._stored.collect():
            if family.name == "facemon_source_up" and isinstance(family, GaugeMetricFamily):
                # A store that can be read but not written, such as one on a full disk, lags behind what happened.
                family.add_metric(("log",), float(self._trouble_with_log() is None))
            yield family
