"""The alerts on drift and accuracy, and the guards against a verdict that is old or was never reached."""

from collections.abc import Iterator

from facemon.config.alerts import DEFAULT_ALERTS
from facemon.config.document import Config
from facemon.render import promql
from facemon.render.alert import Alert, Dashboard, Runbook
from facemon.render.annotation import label, value
from facemon.render.carried_labels import every_label, only_labels
from facemon.render.column_alerts import column_alerts
from facemon.render.drift_series import (
    ACCURACY,
    CHECKED_AT,
    DECIDED_AT,
    LAST_SUCCESS,
    SAMPLES,
    SCORE,
    SOURCE_DETECTED,
    SOURCE_ROWS,
    UNDECIDED,
    check_labels,
    example_labels,
    example_source,
    only,
    other_labels,
    other_source,
    target_labels,
)
from facemon.render.scenario import Firing, Gauge, Scenario, Signal, Span, series_text
from facemon.render.source_alerts import source_alerts
from facemon.render.stale_alerts import stale_alerts

_HALF = 0.5


def drift_alerts(config: Config) -> tuple[Alert, ...]:
    """The alerts on the store's drift and accuracy; ConfigError if one of them could never fire."""
    return (
        *column_alerts(config),
        _drift_undecided(config),
        *source_alerts(config),
        *stale_alerts(config),
        _low_model_accuracy(config),
    )


def _accuracy_limit(config: Config) -> float:
    """The limit of LowModelAccuracy."""
    return config.alerts.limit("LowModelAccuracy")


def _drift_undecided(config: Config) -> Alert:
    here, of_check, usual = example_labels(config), check_labels(config), DEFAULT_ALERTS["DriftUndecided"]
    columns = promql.aggregate("count", promql.compare(promql.select(UNDECIDED), "==", 1), by=of_check)
    first = Gauge(series_text(UNDECIDED.name, here), 0, 1)
    second = Gauge(series_text(UNDECIDED.name, {**here, "attribute": "age"}), 0, 1)
    decided = Gauge(series_text(UNDECIDED.name, {**here, "attribute": "race"}), 0, 0)
    other = Gauge(series_text(UNDECIDED.name, {**here, "instance": "exporter:2"}), 0, 0)
    return Alert(
        name="DriftUndecided",
        group="drift",
        signal=promql.select(UNDECIDED),
        expr=promql.either(
            promql.either(columns, promql.compare(_undecided_share(config), ">=", _HALF)), _not_decided(config)
        ),
        limit="a column that the last drift check could not decide, sources that hold half of its rows, or a check "
        "that compared no column",
        for_=usual.for_,
        severity=usual.severity,
        summary=f"The {label('check')} check of {label('model')} is undecided",
        description=f"The {label('check')} check of {label('model')} could not decide some columns, or sources that "
        "hold half of its rows, or it compared no column.",
        dashboard=Dashboard.ML_METRICS,
        runbook=Runbook(
            "The last check had too little data to decide whether there is drift.",
            (
                "too few images, of all sources or of single ones, also over `drift.widen_to`",
                "the sources differ from the reference's and are fewer than 5",
                "a configured column is missing",
                "the reference has no column of the check, as one of true labels alone has none of images",
            ),
            (
                "Run `facemon drift-check --no-record`: it prints the reason of each column, and the plan below them.",
                "Follow the plan: a reference of more days, a larger `drift.widen_to` or a higher threshold.",
            ),
            {
                "The columns that could not be decided:": promql.compare(promql.select(UNDECIDED), "==", 1),
                "The rows that each had:": promql.select(SAMPLES),
                "The share of the rows whose sources could not be decided:": _undecided_share(config),
            },
        ),
        carries=only_labels(*of_check),
        scenarios=(
            Scenario("two of three columns; another instance is unaffected", (first, second, decided, other),
                     Firing(only(here, of_check), 2), Span.HELD),
            Scenario("all decided", (decided, other)),
            *_undecided_sources(config),
            *_undecided_checks(config),
        ),
    )  # fmt: skip


def _undecided_share(config: Config) -> promql.Expr:
    """The share of a check's current rows whose sources it could not decide; a source without rows is silent instead.

    The check's verdict asks for half of the reference's rows too, which no gauge has.
    """
    of_check, rows = check_labels(config), promql.select(SOURCE_ROWS)
    undecided = promql.unless(rows, promql.select(SOURCE_DETECTED), on=(*of_check, "source"))
    whole = promql.aggregate("sum", rows, by=of_check)
    return promql.divide(promql.aggregate("sum", undecided, by=of_check), whole)


def _not_decided(config: Config) -> promql.Expr:
    """The checks whose last run did not decide: of one that compared no column, no column is undecided."""
    ran = promql.select(CHECKED_AT)
    decided = promql.not_before(promql.select(DECIDED_AT), ran)
    return promql.aggregate("count", promql.all_but(ran, decided), by=check_labels(config))


def _undecided_checks(config: Config) -> Iterator[Scenario]:
    """Checks without undecided columns; the same check of other models and stores has decided."""
    here = only(example_labels(config), check_labels(config))

    def ran(at: float, decided: float | None, **other: str) -> tuple[Signal, ...]:
        labels = {**here, **other}
        times = {CHECKED_AT: at, DECIDED_AT: decided}
        return tuple(Gauge(series_text(each.name, labels), time, time) for each, time in times.items() if time)

    elsewhere = only(other_labels(config), check_labels(config))
    others = tuple(signal for name, text in elsewhere.items() for signal in ran(1000, 1000, **{name: text}))
    yield Scenario("no run of a check ever compared a column", (*ran(1000, None), *others), Firing(here, 1))
    yield Scenario("no column was compared since a check decided", (*ran(1000, 999), *others), Firing(here, 1))
    yield Scenario("the last run of a check decided", (*ran(1000, 1000), *others))


def _undecided_sources(config: Config) -> Iterator[Scenario]:
    """Two undecided sources beside a decided one; the same sources of other checks, models and stores are decided."""
    here = example_source(config)

    def source(rows: float, *, decided: bool, **other: str) -> tuple[Signal, ...]:
        labels = {**here, **other}
        verdict = (Gauge(series_text(SOURCE_DETECTED.name, labels), 0, 0),) if decided else ()
        return (Gauge(series_text(SOURCE_ROWS.name, labels), rows, rows), *verdict)

    def beside(first: float, others: float) -> tuple[Signal, ...]:
        elsewhere = {name: text for name, text in other_source(config).items() if name != "source"}
        return (
            *source(first, decided=False),
            *source(200, decided=False, source="camera-7"),
            *source(others, decided=True, source="camera-8"),
            *(signal for name, text in elsewhere.items() for signal in source(10, decided=True, **{name: text})),
        )

    fires = Firing(only(here, check_labels(config)), 0.5)
    yield Scenario("undecided sources hold half of the rows", beside(300, 500), fires)
    yield Scenario("undecided sources hold just less than half", beside(299, 501))
    yield Scenario("all sources are silent", source(0, decided=False))


def _low_model_accuracy(config: Config) -> Alert:
    limit = _accuracy_limit(config)
    signal, usual = promql.select(ACCURACY), DEFAULT_ALERTS["LowModelAccuracy"]
    here = only(example_labels(config), ("attribute", "model", *target_labels(config)))
    clear = max(0.0, round(limit - 0.01, 3))

    def accuracy(before: float, then: float, **elsewhere: str) -> Signal:
        return Gauge(series_text(ACCURACY.name, {**here, **elsewhere}), before, then)

    other = accuracy(limit, limit, instance="exporter:2")
    return Alert(
        name="LowModelAccuracy",
        group="drift",
        signal=signal,
        expr=promql.compare(signal, "<", limit),
        limit=f"an accuracy below {promql.number(limit)}",
        threshold=limit,
        for_=usual.for_,
        severity=usual.severity,
        summary=f"{label('attribute')} of {label('model')} is often wrong",
        description=f"The accuracy of {label('attribute')} of {label('model')} is {value(3)}, "
        f"limit {promql.number(limit)}.",
        dashboard=Dashboard.ML_METRICS,
        runbook=Runbook(
            "The newest evaluation against true labels found too many wrong predictions.",
            ("drift", "labels of another scheme or of other images", "a worse model was deployed"),
            ("Compare with the drift alerts of the same days.", "Check a sample of the labels by eye, then retrain."),
            {
                "Drift of the same attributes:": promql.select(SCORE),
                "Seconds since the evaluation:": promql.age(LAST_SUCCESS, promql.equals("command", "evaluate")),
            },
        ),
        carries=every_label(ACCURACY, config),
        label_values={"attribute": [attribute.name for attribute in config.model.attributes]},
        own_annotations={"accuracy": value(3)},
        scenarios=(
            Scenario("below the limit; another instance is unaffected", (accuracy(limit, clear), other),
                     Firing(here, clear), Span.HELD),
            Scenario("just below the limit", (accuracy(limit, limit * 0.995),), Firing(here)),
            Scenario("exactly at the limit", (accuracy(limit, limit), other)),
        ),
    )  # fmt: skip
