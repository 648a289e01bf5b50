"""`facemon metrics`: the catalogue of metrics, with what the store knows of each."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from facemon.application.metric_values import metric_values
from facemon.cli.command import command
from facemon.cli.print_format import FormatOption, PrintFormat
from facemon.cli.session import Session
from facemon.domain.metric_catalogue import MetricType
from facemon.errors import ExitCode

if TYPE_CHECKING:
    from facemon.metrics.catalogue_values import MetricValue

app = typer.Typer()
_UNKNOWN = "-"


@command(app, "metrics")
def metrics(
    session: Session,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Every series of this metric alone.")] = None,
    format_: FormatOption = PrintFormat.TEXT,
) -> ExitCode:
    """List every metric: its type, labels, meaning, and the value in the store; what is not known is a -.

    Of several series, the sum of counters and all observations of histograms are shown.
    """
    found = metric_values(session.operation, name)
    if format_ is PrintFormat.JSON:
        session.console.document(found.document())
    elif name is None:
        rows = [_row(each) for each in found.known]
        session.console.table(("name", "type", "labels", "series", "value", "help"), rows)
    else:
        _show(session, found.known[0])
    if why := found.refuse_trouble():
        session.console.say(f"no values: {why}")
    return ExitCode.OK


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


def _show(session: Session, known: "MetricValue") -> None:
    metric, console = known.metric, session.console
    facts = [
        ("name", metric.name),
        ("type", metric.type.value),
        ("help", metric.help),
        ("unit", metric.unit or _UNKNOWN),
        ("from", metric.source.value),
        *([("buckets", ", ".join(f"{edge:g}" for edge in metric.buckets))] if metric.buckets else []),
        *([] if known.series else [("value", _UNKNOWN)]),
    ]
    console.table(("what", "value"), facts)
    if known.series:
        console.result("")
        is_histogram = metric.type is MetricType.HISTOGRAM
        console.table((*_label_names(known), *(("count", "sum") if is_histogram else ("value",))), _series_rows(known))


def _label_names(known: "MetricValue") -> Sequence[str]:
    """Those of the catalogue, then those of metrics.labels, which all series have."""
    own = known.metric.labels
    return (*own, *(name for series in (known.series or ())[:1] for name in series.labels if name not in own))


def _series_rows(known: "MetricValue") -> Sequence[tuple[str, ...]]:
    return [
        (
            *(series.labels[label] for label in _label_names(known)),
            _number(series.value),
            *(() if series.sum is None else (_number(series.sum),)),
        )
        for series in known.series or ()
    ]


def _number(value: float) -> str:
    """Six digits, or as many as stand before the point: seconds since 1970 have ten."""
    return f"{value:.0f}" if abs(value) >= 1e6 or value == int(value) else f"{value:.6g}"
