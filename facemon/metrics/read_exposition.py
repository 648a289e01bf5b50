"""Reads pages in the exposition format, of facemon's own and of other programs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families


@dataclass(frozen=True, slots=True)
class ReadSample:
    """One line of a page."""

    name: str
    labels: Mapping[str, str]
    value: float
    has_timestamp: bool


def read_exposition(text: str) -> tuple[ReadSample, ...]:
    """Return the samples of a page; ValueError for one that Prometheus or node-exporter would refuse."""
    return tuple(_samples(text))


def _samples(text: str) -> Iterator[ReadSample]:
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            yield ReadSample(sample.name, sample.labels, float(sample.value), sample.timestamp is not None)
