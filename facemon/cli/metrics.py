"""`facemon metrics`: the catalogue of metrics, with what the store knows of each."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from facemon.cli.command import command
from facemon.cli.print_format import FormatOption, PrintFormat
from facemon.cli.session import Session
from facemon.errors import ExitCode, FacemonError
from facemon.values.metric_catalogue import MetricType

if TYPE_CHECKING:
    from prometheus_client.core import Metric as Family

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
    from facemon.metrics.catalogue_values import catalogue_values, to_document
    from facemon.store.layout import LEDGER_NAME

    catalogue_values(None, name)  # an unknown name, before the store is read
    families, trouble = _read(session)
    known = catalogue_values(families, name)
    if format_ is PrintFormat.JSON:
        session.console.document(to_document(trouble.message if trouble else None, known))
    elif name is None:
        session.console.table(("name", "type", "labels", "series", "value", "help"), [_row(each) for each in known])
    else:
        _show(session, known[0])
    if trouble is None:
        return ExitCode.OK
    if (session.config.store.path / LEDGER_NAME).exists():
        raise trouble
    session.console.say(f"no values: {trouble.message}")
    return ExitCode.OK


def _read(session: Session) -> "tuple[list[Family] | None, FacemonError | None]":
    """What an export would hold now, or why the store cannot be read."""
    from facemon.metrics.constant_labels import labelled
    from facemon.metrics.store_collector import build_registry
    from facemon.store.request_totals import EVERY_INSTANCE

    registry = build_registry(
        session.open_ledger,
        session.config.model,
        must_read=True,
        instance=EVERY_INSTANCE,
        min_labels=session.config.evaluate.min_labels,
    )
    try:
        return list(labelled(registry.collect(), session.config.metrics.labels)), None
    except FacemonError as error:
        return None, error


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
