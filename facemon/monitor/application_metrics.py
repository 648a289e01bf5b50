"""What `/metrics` of an instrumented application shows: its requests, the store's metrics, and those of its own."""

import logging
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from facemon.config.default_limits import ScrapeLimits
from facemon.domain.metric_catalogue import CATALOGUE, MetricSource
from facemon.domain.request_outcome import status_of
from facemon.metrics.constant_labels import labelled
from facemon.metrics.scrape_limits import AcceptedSeries, why_refused
from facemon.server.request_counts import RequestCounts
from facemon.store.total_families import LATENCY, REQUESTS, gauge_family, request_families
from facemon.store.totals import TotalKey, Totals
from facemon.version import __version__

if TYPE_CHECKING:
    from facemon.config.document import Config

_UP, _BUILD = "facemon_source_up", "facemon_build_info"
_SOURCE = "application"
"""The source whose metrics are up while all that the application itself counts is on the page."""
_SUFFIXES = {
    "counter": ("_total", "_created"),
    "histogram": ("_bucket", "_sum", "_count", "_created"),
    "summary": ("_sum", "_count", "_created"),
    "gaugehistogram": ("_bucket", "_gsum", "_gcount"),
    "info": ("_info",),
}
"""The names of samples that a family of a type has beside its own."""
_LOG = logging.getLogger("facemon")


class ApplicationMetrics(Collector):
    """Metric families of which no two share a name: of the application's own, those that clash are left out."""

    def __init__(
        self, counts: RequestCounts, own: Collector | None, stored: Collector | None, config: "Config | None"
    ) -> None:
        """`own` is the registry of the application's metrics, `stored` the metrics of a store.

        The configuration's `metrics.labels` are given to all metrics but the application's own; what is beyond its
        `prometheus.limits` is left out.
        """
        self._labels = {} if config is None else config.metrics.labels
        self._limits = ScrapeLimits() if config is None else config.prometheus.limits.plain()
        self._accepted = AcceptedSeries(self._limits, self._say_once)
        self._counts = counts
        self._own = own
        self._stored = stored
        self._reserved = frozenset(_reserved(with_store=stored is not None))
        self._said = set[str]()

    def collect(self) -> Iterator[Family]:
        """All families; what is wrong with the application's own is said in the log, once."""
        own, is_whole = self._own_families()
        yield from self._accepted.of(labelled(self._families_of_facemon(is_whole=is_whole), self._labels))
        yield from own

    def _families_of_facemon(self, *, is_whole: bool) -> Iterator[Family]:
        yield from request_families(_with_failures(self._counts.totals()), expects_predict=False)
        for family in _about_facemon() if self._stored is None else self._stored.collect():
            if family.name == _UP and isinstance(family, GaugeMetricFamily) and self._own is not None:
                family.add_metric((_SOURCE,), float(is_whole))
            yield family

    def _own_families(self) -> tuple[list[Family], bool]:
        families, taken, is_whole = list[Family](), set(self._reserved), True
        try:
            for family in self._own.collect() if self._own is not None else ():
                names = _names(family.name, family.type)
                if (fault := self._fault(family, names, taken)) is None:
                    families.append(family)
                    taken |= names
                else:
                    is_whole = False
                    self._say_once(f"the metric {family.name} is not shown on /metrics: {fault}")
        except Exception as error:  # noqa: BLE001 - a collector of the application must not cost the other metrics
            is_whole = False
            self._say_once(f"metrics are missing on /metrics: a collector raised {type(error).__name__}: {error}")
        return families, is_whole

    def _fault(self, family: Family, names: set[str], taken: set[str]) -> str | None:
        """What would cost the other metrics of the page, or its whole scrape."""
        if not taken.isdisjoint(names):
            return "the name is taken, rename it"
        return next(filter(None, (why_refused(sample, self._limits) for sample in family.samples)), None)

    def _say_once(self, message: str) -> None:
        if message not in self._said:
            self._said.add(message)
            _LOG.warning(message)


def _with_failures(totals: Totals) -> Totals:
    """Each endpoint's failures are there from its first request: a ratio whose numerator has no series is silent."""
    served = [key.labels[:2] for key in totals if key.metric == REQUESTS]
    failures = {TotalKey(REQUESTS, (*labels, status_of(500), "500"), ""): 0.0 for labels in served}
    return failures | totals


def _about_facemon() -> Iterable[Family]:
    return gauge_family(_BUILD, [((__version__,), 1.0)]), gauge_family(_UP)


def _reserved(*, with_store: bool) -> Iterator[str]:
    """The names that facemon may use on the page, now or once they are known."""
    for metric in CATALOGUE.values():
        if metric.name in (REQUESTS, LATENCY, _UP, _BUILD) or (with_store and metric.source is MetricSource.STORE):
            yield from _names(metric.name.removesuffix("_total"), metric.type)


def _names(family: str, kind: str) -> set[str]:
    return {family, *(f"{family}{suffix}" for suffix in _SUFFIXES.get(kind, ()))}
