"""The catalogue of metrics with the values in the store, as a table of all or of the series of one."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from facemon.domain.metric_catalogue import MetricType
from facemon.reports.printed_parts import Part, Table

if TYPE_CHECKING:
    from facemon.metrics.catalogue_values import MetricValue

_UNKNOWN = "-"


def metrics_table(known: "Sequence[MetricValue]") -> Table:
    """Return a row for each metric; of several series, the sum of counters and all observations of histograms."""
    return Table(
        ("name", "type", "labels", "series", "value", "help"),
        tuple(map(_row, known)),
        importance=("name", "value", "type"),
        wraps=("labels", "help"),
    )


def metric_report(known: "MetricValue") -> Iterator[Part]:
    """Yield what the catalogue says of one metric, and its series."""
    metric = known.metric
    facts = [
        ("name", metric.name),
        ("type", metric.type.value),
        ("help", metric.help),
        ("unit", metric.unit or _UNKNOWN),
        ("from", metric.source.value),
        *([("buckets", ", ".join(f"{edge:g}" for edge in metric.buckets))] if metric.buckets else []),
        *([] if known.series else [("value", _UNKNOWN)]),
    ]
    yield Table(("what", "value"), tuple(facts))
    if known.series:
        yield ""
        values = ("count", "sum") if metric.type is MetricType.HISTOGRAM else ("value",)
        yield Table((*_label_names(known), *values), tuple(_series_rows(known)))


def _row(known: "MetricValue") -> tuple[str, ...]:
    metric = known.metric
    series = str(len(known.series)) if known.series else _UNKNOWN
    return (metric.name, metric.type.value, ", ".join(metric.labels) or _UNKNOWN, series, _value(known), metric.help)


def _value(known: "MetricValue") -> str:
    """A number with what it is a number of, where it is not the value of one series."""
    if known.value is None:
        return _UNKNOWN
    match known.metric.type:
        case MetricType.HISTOGRAM:
            return f"count {_number(known.value)}"
        case MetricType.COUNTER:
            return f"sum {_number(known.value)}"
        case MetricType.GAUGE:
            return _number(known.value)


def _label_names(known: "MetricValue") -> Sequence[str]:
    """Those of the catalogue, then those of metrics.labels, which all series have."""
    own = known.metric.labels
    return (*own, *(name for series in (known.series or ())[:1] for name in series.labels if name not in own))


def _series_rows(known: "MetricValue") -> Iterator[tuple[str, ...]]:
    for series in known.series or ():
        labels = (series.labels[label] for label in _label_names(known))
        yield (*labels, _number(series.value), *(() if series.sum is None else (_number(series.sum),)))


def _number(value: float) -> str:
    """Six digits, or as many as stand before the point: seconds since 1970 have ten."""
    return f"{value:.0f}" if abs(value) >= 1e6 or value == int(value) else f"{value:.6g}"
