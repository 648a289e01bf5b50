"""Labels that all series of a store have besides their own, so that several stores can share a Prometheus."""

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client.core import Metric as Family


def labelled(families: Iterable[Family], labels: Mapping[str, str]) -> Iterator[Family]:
    """The same families, with these labels on every sample; families are changed in place."""
    for family in families:
        if labels:
            family.samples = [sample._replace(labels={**labels, **sample.labels}) for sample in family.samples]
        yield family
