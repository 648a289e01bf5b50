"""The alerts on drift and accuracy, and the guards against a verdict that is old or was never reached."""

from datetime import timedelta

from facemon.config.document import Config
from facemon.config.quantities import format_duration
from facemon.errors import ConfigError
from facemon.render import promql
from facemon.render.alert import Alert, Dashboard, Runbook
from facemon.render.annotation import label, value
from facemon.render.drift_series import (
    ACCURACY,
    CONFIDENCE_SCORE,
    DECIDED_AT,
    DETECTED,
    DRIFT_INCIDENT,
    LAST_SUCCESS,
    P_VALUE,
    SAMPLES,
    SCORE,
    THRESHOLD,
    UNDECIDED,
    check_labels,
    column_labels,
    drift_held,
    example_labels,
    only,
    other_labels,
    target_labels,
)
from facemon.render.scenario import Clock, Firing, Gauge, Scenario, Signal, Span, series_text
from facemon.render.source_alerts import source_alerts
from facemon.render.stale_alerts import fresh, stale_after, stale_alerts

_DRIFT_CAUSES = (
    "the camera, its place or its light has changed",
    "other people come than when the reference was set",
    "the images are prepared in another way",
)


def drift_alerts(config: Config) -> tuple[Alert, ...]:
    """The alerts on the store's drift and accuracy; ConfigError if one of them could never fire."""
    return (
        _drift_detected(config),
        _drift_verdict(config),
        _drift_undecided(config),
        *source_alerts(config),
        *stale_alerts(config),
        _low_model_accuracy(config),
    )


def drift_limit(config: Config) -> float:
    """The limit of DriftDetected."""
    given = config.alerts.DriftDetected.threshold
    return 0.2 if given is None else given


def accuracy_limit(config: Config) -> float:
    """The limit of LowModelAccuracy."""
    given = config.alerts.LowModelAccuracy.threshold
    return 0.7 if given is None else given


def _drift_detected(config: Config) -> Alert:
    limit, significance, oldest = drift_limit(config), config.drift.significance, stale_after(config)
    if drift_held(config) >= oldest:
        raise ConfigError(
            "alerts.DriftCheckStale.threshold: a verdict would be too old before DriftDetected has held long enough",
            hint="make it longer than alerts.DriftDetected.for",
        )
    signal = promql.select(SCORE)
    significant = promql.compare(promql.select(P_VALUE), "<=", significance)
    over = promql.compare(signal, ">", limit)
    expr = promql.only_where(
        promql.only_where(over, significant, on=column_labels(config)),
        fresh(DECIDED_AT, oldest),
        on=check_labels(config),
    )
    return Alert(
        name="DriftDetected",
        group="drift",
        signal=signal,
        expr=expr,
        limit=f"a drift score above {promql.number(limit)}, significant at {promql.number(significance)} "
        f"and decided less than {format_duration(oldest)} ago",
        threshold=limit,
        for_=drift_held(config),
        severity="warning",
        summary=f"{label('attribute')} of {label('model')} drifts",
        description=f"The drift score of {label('attribute')} in the {label('check')} check of {label('model')} is "
        f"{value(3)}, limit {promql.number(limit)}.",
        dashboard=Dashboard.ML_METRICS,
        runbook=Runbook(
            "What the model sees or says differs from the reference by more than the limit, and not by chance.",
            _DRIFT_CAUSES,
            (
                "Run `facemon drift-check --explain COLUMN` for the labels that moved.",
                "Look at images of the window; if the change is wanted, set a new reference, else retrain.",
            ),
            {
                "By chance? The p-value of each score:": promql.select(P_VALUE),
                "The rows behind each:": promql.select(SAMPLES),
                "Seconds since each check decided:": promql.age(DECIDED_AT),
            },
        ),
        scenarios=_drift_scenarios(config, limit, significance, oldest),
        own_annotations={"score": value(3)},
        incident=DRIFT_INCIDENT,
    )


def _drift_scenarios(config: Config, limit: float, significance: float, oldest: timedelta) -> tuple[Scenario, ...]:
    here, elsewhere, of_check = example_labels(config), other_labels(config), check_labels(config)
    high = limit + max(limit, 0.1) * 0.005
    age = oldest.total_seconds()

    def score(level: float, **other: str) -> Signal:
        return Gauge(series_text(SCORE.name, {**here, **other}), 0, level)

    def p_value(number: float, **other: str) -> Signal:
        return Gauge(series_text(P_VALUE.name, {**here, **other}), number, number)

    def decided(seconds: float, **other: str) -> Signal:
        return Clock(series_text(DECIDED_AT.name, only({**here, **other}, of_check)), seconds)

    proven, recent, fires = p_value(significance), decided(age / 2), Firing(here, high)
    clear = round(limit + 0.01, 3)
    healthy = {"instance": "exporter:3", "attribute": "race"}
    unaffected = (score(limit, **healthy), p_value(significance, **healthy), decided(age / 2, **healthy))
    return (
        Scenario("over the limit; another instance is unaffected", (score(clear), proven, recent, *unaffected),
                 Firing(here, clear), Span.HELD),
        Scenario("just over the limit", (score(high), proven, recent), fires),
        Scenario("exactly at the limit", (score(limit), proven, recent)),
        Scenario("not proven", (score(high), p_value(significance * 1.005), recent)),
        Scenario("just fresh enough", (score(high), proven, decided(age * 0.995)), fires),
        Scenario("too old", (score(high), proven, decided(age))),
        Scenario("decided a day ahead of this clock", (score(high), proven, decided(-86_400)), fires),
        Scenario("decided in the future", (score(high), proven, decided(-1.005 * 86_400))),
        *(
            Scenario(f"proven for another {name}", (score(high), p_value(significance, **{name: other}), recent))
            for name, other in elsewhere.items()
        ),
        *(
            Scenario(f"decided for another {name}", (score(high), proven, decided(age / 2, **{name: other})))
            for name, other in elsewhere.items() if name in of_check
        ),
    )  # fmt: skip


def _drift_verdict(config: Config) -> Alert:
    here = example_labels(config)
    signal = promql.select(DETECTED)
    gauge = Gauge(series_text(DETECTED.name, here), 0, 1)
    other = Gauge(series_text(DETECTED.name, {**here, "instance": "exporter:2"}), 0, 0)
    return Alert(
        name="DriftVerdict",
        group="drift",
        signal=signal,
        expr=promql.compare(signal, "==", 1),
        limit="the last decided drift check found drift",
        for_=drift_held(config),
        severity="info",
        summary=f"drift-check found drift in {label('attribute')} of {label('model')}",
        description=f"The verdict of the {label('check')} check of {label('model')} on {label('attribute')} is drift, "
        "by its own threshold.",
        dashboard=Dashboard.ML_METRICS,
        runbook=Runbook(
            "The last `facemon drift-check` ended in 3 because of this column.",
            _DRIFT_CAUSES,
            ("Run `facemon drift-check --history` to see since when.",),
            {
                "Scores, which DriftDetected compares with a limit of its own:": promql.select(SCORE),
                "The thresholds of the checks:": promql.select(THRESHOLD),
                "Confidences, whose drift is a verdict too:": promql.select(CONFIDENCE_SCORE),
            },
        ),
        scenarios=(
            Scenario("the verdict turns to drift and back; another instance is unaffected", (gauge, other),
                     Firing(here, 1), Span.HELD),
            Scenario("no drift", (other,)),
        ),
        incident=DRIFT_INCIDENT,
    )  # fmt: skip


def _drift_undecided(config: Config) -> Alert:
    here, of_check = example_labels(config), check_labels(config)
    signal = promql.aggregate("count", promql.compare(promql.select(UNDECIDED), "==", 1), by=of_check)
    first = Gauge(series_text(UNDECIDED.name, here), 0, 1)
    second = Gauge(series_text(UNDECIDED.name, {**here, "attribute": "age"}), 0, 1)
    decided = Gauge(series_text(UNDECIDED.name, {**here, "attribute": "race"}), 0, 0)
    other = Gauge(series_text(UNDECIDED.name, {**here, "instance": "exporter:2"}), 0, 0)
    return Alert(
        name="DriftUndecided",
        group="drift",
        signal=promql.select(UNDECIDED),
        expr=signal,
        limit="a column that the last drift check could not decide",
        for_=timedelta(0),
        severity="warning",
        summary=f"The {label('check')} check of {label('model')} is undecided",
        description=f"{value(0)} columns of the {label('check')} check of {label('model')} could not be decided.",
        dashboard=Dashboard.ML_METRICS,
        runbook=Runbook(
            "The last check had too little data to decide whether there is drift.",
            (
                "too few images, also over `drift.widen_to`",
                "the sources differ from the reference's and are fewer than 5",
                "a configured column is missing",
            ),
            (
                "Run `facemon drift-check --no-record`: it prints the reason of each column, and the plan below them.",
                "Follow the plan: a reference of more days, a larger `drift.widen_to` or a higher threshold.",
            ),
            {
                "The columns that could not be decided:": promql.compare(promql.select(UNDECIDED), "==", 1),
                "The rows that each had:": promql.select(SAMPLES),
            },
        ),
        scenarios=(
            Scenario("two of three columns; another instance is unaffected", (first, second, decided, other),
                     Firing(only(here, of_check), 2), Span.HELD),
            Scenario("all decided", (decided, other)),
        ),
    )  # fmt: skip


def _low_model_accuracy(config: Config) -> Alert:
    limit = accuracy_limit(config)
    signal = promql.select(ACCURACY)
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
        for_=timedelta(minutes=15),
        severity="warning",
        summary=f"{label('attribute')} of {label('model')} is often wrong",
        description=f"The accuracy of {label('attribute')} of {label('model')} is {value(3)}, "
        f"limit {promql.number(limit)}.",
        dashboard=Dashboard.ML_METRICS,
        runbook=Runbook(
            "The newest evaluation against true labels found too many wrong predictions.",
            ("drift", "labels of another scheme or of other images", "a worse model was put in place"),
            ("Compare with the drift alerts of the same days.", "Check a sample of the labels by eye, then retrain."),
            {
                "Drift of the same attributes:": promql.select(SCORE),
                "Seconds since the evaluation:": promql.age(LAST_SUCCESS, promql.equals("command", "evaluate")),
            },
        ),
        own_annotations={"accuracy": value(3)},
        scenarios=(
            Scenario("below the limit; another instance is unaffected", (accuracy(limit, clear), other),
                     Firing(here, clear), Span.HELD),
            Scenario("just below the limit", (accuracy(limit, limit * 0.995),), Firing(here)),
            Scenario("exactly at the limit", (accuracy(limit, limit), other)),
        ),
    )  # fmt: skip
