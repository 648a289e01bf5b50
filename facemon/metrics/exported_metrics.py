"""What the exporter shows in one scrape: the store's metrics, those of other people's collectors, the probes.

Nothing that one of them does takes anything away from the others: a source that is broken or hangs is
`facemon_source_up 0`, and its metrics are absent.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from facemon.metrics.constant_labels import labelled
from facemon.metrics.foreign_collectors import names_of
from facemon.metrics.timed_source import SourceFault, TimedSource
from facemon.values.metric_catalogue import CATALOGUE

Tell = Callable[[str], None]
STORE_SECONDS = 5.0
"""What a scrape waits for the store, half of what Prometheus waits for the scrape."""
_UP = CATALOGUE["facemon_source_up"]
_OWN_NAMES = frozenset[str]().union(
    *(names_of(entry.name.removesuffix("_total"), entry.type.value).all for entry in CATALOGUE.values())
)


class ExportedMetrics(Collector):
    """All families of a scrape, each name once."""

    def __init__(
        self,
        store: TimedSource,
        foreign: Sequence[TimedSource],
        limit: float,
        probes: Callable[[], Family | None],
        warn: Tell,
        say: Tell,
        labels: Mapping[str, str],
    ) -> None:
        """`limit`: seconds for each of the foreign sources, which run side by side. `labels` are given to our own.

        `warn` is told of a source that fails, `say` of one that works again: once each, not at every scrape.
        """
        self._store = store
        self._foreign = foreign
        self._limit = limit
        self._probes = probes
        self._warn = warn
        self._say = say
        self._labels = labels

    def describe(self) -> list[Family]:
        """Nothing, so that registering calls nobody."""
        return []

    def collect(self) -> Iterator[Family]:
        """The store's families, then the probes', then each collector's in the order of the configuration."""
        for family, is_own in self._collected():
            yield from labelled([family], self._labels) if is_own else [family]

    def _collected(self) -> Iterator[tuple[Family, bool]]:
        """The families, and whether each is ours."""
        calls = [(source, source.begin(), self._limit) for source in self._foreign]
        up = GaugeMetricFamily(_UP.name, _UP.help, labels=_UP.labels)
        try:
            for family in self._store.begin().families(STORE_SECONDS):
                if family.name == up.name:
                    up.samples.extend(family.samples)
                else:
                    yield family, True
            self._told(self._store, None)
        except SourceFault as fault:
            self._told(self._store, str(fault))
            up.add_metric((self._store.name,), 0.0)
        if (statuses := self._probes()) is not None:
            yield statuses, True
        taken = set(_OWN_NAMES)
        for source, call, limit in calls:
            try:
                families = call.families(limit)
                names = _free_names(families, taken)
            except SourceFault as fault:
                self._told(source, str(fault))
                up.add_metric((source.name,), 0.0)
                continue
            self._told(source, None)
            up.add_metric((source.name,), 1.0)
            taken |= names
            yield from ((family, False) for family in families)
        yield up, True

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
        raise SourceFault(f"{min(clash)} is exported by another source already")
    return names
