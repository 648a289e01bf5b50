"""What is known of each metric of the catalogue: pure functions of the families that a registry collects."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prometheus_client.core import Metric as Family

from facemon.domain.metric_catalogue import CATALOGUE, Metric, MetricType
from facemon.errors import UsageError
from facemon.near_names import did_you_mean

_SCHEMA = "facemon.metrics/1"


@dataclass(frozen=True, slots=True)
class Series:
    """One series: its value, which of a histogram is the number of observations."""

    labels: Mapping[str, str]
    value: float
    sum: float | None = None
    buckets: Mapping[str, float] | None = None
    """Of a histogram: how many observations were at most as large as each edge."""


@dataclass(frozen=True, slots=True)
class MetricValue:
    """A metric and its series; none when nothing could be read, empty when nothing is known of it."""

    metric: Metric
    series: tuple[Series, ...] | None

    @property
    def value(self) -> float | None:
        """All series of a counter added up, all observations of a histogram, the value of a gauge's only series."""
        if not self.series or (self.metric.type is MetricType.GAUGE and len(self.series) > 1):
            return None
        return sum(series.value for series in self.series)


def catalogue_values(families: Iterable[Family] | None, name: str | None = None) -> list[MetricValue]:
    """The catalogue, or the metric `name` of it, with the values of the families; UsageError for an unknown name.

    Families are none when nothing could be read.
    """
    metrics = list(CATALOGUE.values()) if name is None else [_metric(name)]
    # Of the catalogue alone: what others export may have any form.
    named = None if families is None else {_name_of(family): family for family in families}
    found = None if named is None else {each: _series_of(named[each]) for each in named.keys() & CATALOGUE.keys()}
    return [MetricValue(each, None if found is None else found.get(each.name, ())) for each in metrics]


def to_document(trouble: str | None, values: Sequence[MetricValue]) -> dict[str, Any]:
    """The JSON of `facemon.metrics/1`; `trouble` is why the store was not read."""
    metrics = [_metric_document(value) for value in values]
    return {"schema": _SCHEMA, "error": trouble, "metrics": metrics}


def _metric(name: str) -> Metric:
    if name not in CATALOGUE:
        raise UsageError(f"metrics {name}: no such metric", did_you_mean(name, CATALOGUE, cutoff=0))
    return CATALOGUE[name]


def _name_of(family: Family) -> str:
    return f"{family.name}_total" if family.type == "counter" else family.name


def _series_of(family: Family) -> tuple[Series, ...]:
    if family.type != "histogram":
        return tuple(Series(dict(sample.labels), float(sample.value)) for sample in family.samples)
    parts: dict[tuple[tuple[str, str], ...], dict[str, float]] = {}
    for sample in family.samples:
        labels = tuple((name, value) for name, value in sample.labels.items() if name != "le")
        part = sample.labels["le"] if sample.name.endswith("_bucket") else sample.name.removeprefix(family.name)
        parts.setdefault(labels, {})[part] = float(sample.value)
    return tuple(
        Series(dict(labels), found["_count"], found["_sum"], {le: n for le, n in found.items() if le[0] != "_"})
        for labels, found in parts.items()
    )


def _metric_document(known: MetricValue) -> dict[str, Any]:
    metric, series = known.metric, known.series
    return {
        "name": metric.name,
        "type": metric.type.value,
        "help": metric.help,
        "labels": list(metric.labels),
        "unit": metric.unit or None,
        "buckets": list(metric.buckets) or None,
        "source": metric.source.value,
        "value": known.value,
        "series": None if series is None else [_series_document(each) for each in series],
    }


def _series_document(series: Series) -> dict[str, Any]:
    document: dict[str, Any] = {"labels": dict(series.labels), "value": series.value}
    if series.buckets is not None:
        document |= {"sum": series.sum, "buckets": dict(series.buckets)}
    return document
