"""What the exporter shows in one scrape: the store's metrics, those of other people's collectors, the probes.

Nothing that one of them does takes anything away from the others: a source that is broken or hangs is
`facemon_source_up 0`, and its metrics are absent.
"""

from collections.abc import Callable, Iterator, Sequence

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from facemon.config.document import Config
from facemon.config.prometheus import TRANSPORT_JOBS
from facemon.domain.metric_catalogue import CATALOGUE, MetricSource
from facemon.metrics.constant_labels import labelled
from facemon.metrics.foreign_collectors import names_of
from facemon.metrics.scrape_limits import AcceptedSeries, are_plainly_within, why_refused
from facemon.metrics.timed_source import SourceFault, TimedSource
from facemon.store.total_families import gauge_family

Tell = Callable[[str], None]
STORE_SECONDS = 5.0
"""What a scrape waits for the store, half of what Prometheus waits for the scrape."""
_UP = "facemon_source_up"
_STATUS = CATALOGUE["external_service_status"]
_OWN_NAMES = frozenset[str]().union(
    *(names_of(entry.name.removesuffix("_total"), entry.type.value).all for entry in CATALOGUE.values())
)


class ExportedMetrics(Collector):
    """All families of a scrape, each name once, within what Prometheus accepts."""

    def __init__(
        self,
        config: Config,
        store: TimedSource,
        foreign: Sequence[TimedSource],
        probes: Callable[[], Family | None],
        warn: Tell,
        say: Tell,
    ) -> None:
        """The foreign sources run side by side, each for at most `exporter.collector_timeout`.

        `warn` is told of a source that fails, `say` of one that works again: once each, not at every scrape.
        """
        self._store = store
        self._foreign = foreign
        self._limit = config.exporter.collector_timeout.total_seconds()
        self._probes = probes
        self._warn = warn
        self._say = say
        self._labels = config.metrics.labels
        self._limits = config.prometheus.limits.plain()
        self._accepted = AcceptedSeries(self._limits, warn)
        self._brings_the_store = TRANSPORT_JOBS[config.prometheus.store_metrics_from] == "exporter"
        # Without probes the name is free for a collector that asks the services itself.
        self._reserved = _OWN_NAMES if config.exporter.probes else _OWN_NAMES - {_STATUS.name}

    def describe(self) -> list[Family]:
        """Nothing, so that registering runs no collector."""
        return []

    def collect(self) -> Iterator[Family]:
        """The store's families, then the probes', then each collector's in the order of the configuration."""
        calls = [(source, source.begin()) for source in self._foreign]
        up = gauge_family(_UP)
        samples = len(calls) + 1
        for family in self._accepted.of(labelled(self._of_facemon(up), self._labels)):
            samples += self._counted(family)
            yield family
        taken = set(self._reserved)
        for source, call in calls:
            try:
                families = call.families(self._limit)
                names = _free_names(families, taken)
                self._require_accepted(families, samples)
            except SourceFault as fault:
                self._told(source, str(fault))
                up.add_metric((source.name,), 0.0)
                continue
            self._told(source, None)
            up.add_metric((source.name,), 1.0)
            taken |= names
            samples += sum(len(family.samples) for family in families)
            for family in families:
                yield self._of_place(family) if family.name == _STATUS.name else family
        yield from labelled([up], self._labels)

    def _of_facemon(self, up: GaugeMetricFamily) -> Iterator[Family]:
        """The families of the store and of the probes; what tells of their sources is added to `up`."""
        try:
            for family in self._store.begin().families(STORE_SECONDS):
                if family.name == up.name:
                    up.samples.extend(family.samples)
                else:
                    yield family
            self._told(self._store, None)
        except SourceFault as fault:
            self._told(self._store, str(fault))
            up.add_metric((self._store.name,), 0.0)
        if (statuses := self._probes()) is not None:
            yield statuses

    def _counted(self, family: Family) -> int:
        """The family's samples that count for `prometheus.limits.samples`: not those that are dropped from this job."""
        entry = CATALOGUE.get(family.name) or CATALOGUE.get(f"{family.name}_total")
        is_dropped = entry is not None and entry.source is MetricSource.STORE and not self._brings_the_store
        return 0 if is_dropped else len(family.samples)

    def _require_accepted(self, families: Sequence[Family], before: int) -> None:
        """SourceFault when Prometheus would refuse the whole scrape for these families, after so many samples."""
        for family in families:
            for sample in () if are_plainly_within(family.samples, self._limits) else family.samples:
                if reason := why_refused(sample, self._limits):
                    raise SourceFault(f"Prometheus would refuse {family.name[:100]}: {reason}")
        count = sum(len(family.samples) for family in families)
        if before + count > self._limits.samples:
            limit = f"prometheus.limits.samples is {self._limits.samples:,}"
            raise SourceFault(f"it yields {count:,} samples after {before:,} of other sources, and {limit}")

    def _of_place(self, family: Family) -> Family:
        """A copy of a collector's family with the labels of this store; the collector's own is shown again."""
        copied = Family(family.name, family.documentation, family.type, family.unit)
        copied.samples = list(family.samples)
        return next(labelled([copied], self._labels))

    def _told(self, source: TimedSource, fault: str | None) -> None:
        if source.turned(is_down=fault is not None):
            if fault is None:
                self._say(f"the metrics of {source.name} are back")
            else:
                self._warn(f"no metrics of {source.name}: {fault}")


def _free_names(families: Sequence[Family], taken: set[str]) -> frozenset[str]:
    """The names that these families take; SourceFault when one of them is another's: it would be there twice."""
    names = frozenset[str]().union(*(names_of(family.name, family.type).all for family in families))
    if clash := names & taken:
        hint = ", or exporter.probes names services" if min(clash) == _STATUS.name else ""
        raise SourceFault(f"{min(clash)} is exported by another source already{hint}")
    if any(family.name == _STATUS.name and not _is_status(family) for family in families):
        raise SourceFault(f"{_STATUS.name} is not a gauge with the one label {_STATUS.labels[0]}")
    return names


def _is_status(family: Family) -> bool:
    """Whether a collector's family has the form that rules and dashboards expect of `external_service_status`."""
    has_its_labels = all(set(sample.labels) == {*_STATUS.labels} for sample in family.samples)
    return family.type == _STATUS.type.value and has_its_labels
