"""Labels that all series of a store have besides their own, so that several stores can share a Prometheus."""

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector


def labelled(families: Iterable[Family], labels: Mapping[str, str]) -> Iterator[Family]:
    """The same families, with these labels on every sample; families are changed in place."""
    for family in families:
        if labels:
            family.samples = [sample._replace(labels={**labels, **sample.labels}) for sample in family.samples]
        yield family


def labelled_registry(source: Collector, labels: Mapping[str, str]) -> CollectorRegistry:
    """A registry of all that `source` collects, with these labels; its families must be new at each call."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Labelled(source, labels))
    return registry


class _Labelled(Collector):
    def __init__(self, source: Collector, labels: Mapping[str, str]) -> None:
        self._source = source
        self._labels = labels

    def describe(self) -> list[Family]:
        """Nothing, so that registering does not read the store."""
        return []

    def collect(self) -> Iterator[Family]:
        yield from labelled(self._source.collect(), self._labels)
