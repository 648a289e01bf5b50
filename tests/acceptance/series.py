"""Series as what they measure, whichever text they were read from and by whichever way they came to Prometheus."""

from collections.abc import Iterable

from prometheus_client.parser import text_string_to_metric_families

Series = tuple[str, frozenset[tuple[str, str]]]


def samples_of(exposition: str) -> dict[Series, float]:
    """Each series of an exposition with its value."""
    return {
        series_of(sample.name, sample.labels.items()): sample.value
        for family in text_string_to_metric_families(exposition)
        for sample in family.samples
    }


def series_of(name: str, labels: Iterable[tuple[str, str]]) -> Series:
    """A series without the labels that Prometheus adds; its edge as a number, which is written in more than one way."""
    own = {label: value for label, value in labels if label not in ("__name__", "job", "instance")}
    if "le" in own:
        own["le"] = str(float(own["le"]))
    return name, frozenset(own.items())
