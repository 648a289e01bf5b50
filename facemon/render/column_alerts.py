"""The alerts on the drift of a column: its score is too high, or the check's own verdict is drift for another reason.

One fact makes one alert: DriftVerdict asks for the verdicts that DriftDetected does not cover, by the same expression.
An inhibition would let it through whenever Alertmanager sends a notification after one of the two and before the other.
"""

from collections.abc import Iterator
from datetime import timedelta

from facemon.config.alerts import DEFAULT_ALERTS
from facemon.config.document import Config
from facemon.config.durations import format_duration
from facemon.errors import ConfigError
from facemon.render import promql
from facemon.render.alert import Alert, Dashboard, Runbook, tells_for
from facemon.render.annotation import label, value
from facemon.render.carried_labels import every_label
from facemon.render.drift_series import (
    CONFIDENCE_SCORE,
    DECIDED_AT,
    DETECTED,
    DRIFT_INCIDENT,
    P_VALUE,
    SAMPLES,
    SCORE,
    THRESHOLD,
    check_labels,
    drift_held,
    example_labels,
    only,
    other_labels,
)
from facemon.render.scenario import UNNAMED, Clock, Firing, Gauge, Scenario, Signal, Span, series_text
from facemon.render.stale_alerts import fresh, stale_after

_DRIFT_CAUSES = (
    "the camera, its place or its light has changed",
    "other people come than when the reference was set",
    "the images are prepared in another way",
)
_BESIDE_DETECTED = (
    "the score is above the check's threshold and not above the limit of DriftDetected",
    "the confidences drift, of which DriftDetected has no score",
    "the check is old: DriftDetected ends then, and DriftCheckStale fires if `schedule.checks` names the check",
)
_OF_A_GROUP = "north"


def column_alerts(config: Config) -> tuple[Alert, ...]:
    """The alerts on the drift of a column; ConfigError if one of them could never fire."""
    detected = _drift_detected(config)
    return detected, _drift_verdict(config, detected)


def _drift_detected(config: Config) -> Alert:
    limit, significance = config.alerts.limit("DriftDetected"), config.drift.significance
    oldest = stale_after(config)
    if drift_held(config) >= oldest:
        raise ConfigError(
            "alerts.DriftCheckStale.threshold: a verdict would be too old before DriftDetected has held long enough",
            hint="make it longer than alerts.DriftDetected.for",
        )
    signal = promql.select(SCORE)
    significant = promql.compare(promql.select(P_VALUE), "<=", significance)
    over = promql.compare(signal, ">", limit)
    # By all labels, also those that only a Pushgateway's grouping key or Prometheus gives: one store's p-value proves
    # nothing of another's score.
    proven = promql.both(over, significant)
    expr = promql.only_where_group(proven, fresh(DECIDED_AT, oldest), of_part=("attribute",))
    return Alert(
        name="DriftDetected",
        group="drift",
        signal=signal,
        expr=expr,
        limit=f"a drift score above {promql.number(limit)}, significant at {promql.number(significance)} "
        f"and decided less than {format_duration(oldest)} ago",
        threshold=limit,
        for_=drift_held(config),
        severity=DEFAULT_ALERTS["DriftDetected"].severity,
        summary=f"{label('attribute')} of {label('model')} drifts",
        description=f"The drift score of {label('attribute')} in the {label('check')} check of {label('model')} is "
        f"{value(3)}, limit {promql.number(limit)}.",
        dashboard=Dashboard.ML_METRICS,
        runbook=Runbook(
            "The images or the predictions differ significantly from the reference, by more than the limit.",
            _DRIFT_CAUSES,
            (
                "Run `facemon drift-check --explain COLUMN` for the labels that moved.",
                "Look at images of the window; if the change is wanted, set a new reference, else retrain.",
            ),
            {
                "The p-value of each score:": promql.select(P_VALUE),
                "The number of rows of each check:": promql.select(SAMPLES),
                "Seconds since each check decided:": promql.age(DECIDED_AT),
            },
        ),
        carries=every_label(SCORE, config),
        scenarios=_drift_scenarios(config, limit, significance, oldest),
        own_annotations={"score": value(3)},
        incident=DRIFT_INCIDENT,
    )


def _drift_scenarios(config: Config, limit: float, significance: float, oldest: timedelta) -> tuple[Scenario, ...]:
    here, of_check = {**example_labels(config), UNNAMED: _OF_A_GROUP}, (*check_labels(config), UNNAMED)
    elsewhere = {**other_labels(config), UNNAMED: "south"}
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


def _drift_verdict(config: Config, detected: Alert) -> Alert:
    verdict = promql.compare(promql.select(DETECTED), "==", 1)
    is_told = tells_for(detected, "DriftVerdict", config)
    return Alert(
        name="DriftVerdict",
        group="drift",
        signal=promql.select(DETECTED),
        # By all labels, as DriftDetected itself.
        expr=promql.all_but(verdict, detected.expr) if is_told else verdict,
        limit="the last decided drift check found drift" + (", and DriftDetected does not say so" if is_told else ""),
        for_=drift_held(config),
        severity=DEFAULT_ALERTS["DriftVerdict"].severity,
        summary=f"drift-check found drift in {label('attribute')} of {label('model')}",
        description=f"The verdict of the {label('check')} check of {label('model')} on {label('attribute')} is drift, "
        "by its own threshold.",
        dashboard=Dashboard.ML_METRICS,
        runbook=Runbook(
            "The last `facemon drift-check` ended in 3 because of this column"
            + (", and DriftDetected has not fired for it." if is_told else "."),
            (*_BESIDE_DETECTED, *_DRIFT_CAUSES) if is_told else _DRIFT_CAUSES,
            (
                "Run `facemon drift-check --history` to see since when.",
                # A limit of age would end the alert on drift that nothing has looked at since.
                "A check that is no longer scheduled keeps its verdict; `facemon drift-check --check data` renews it.",
            ),
            {
                "Scores, which DriftDetected compares with a limit of its own:": promql.select(SCORE),
                "The thresholds of the checks:": promql.select(THRESHOLD),
                "Confidences, whose drift is a verdict too:": promql.select(CONFIDENCE_SCORE),
            },
        ),
        carries=every_label(DETECTED, config),
        scenarios=tuple(_verdict_scenarios(config, detected if is_told else None)),
        incident=DRIFT_INCIDENT,
    )  # fmt: skip


def _verdict_scenarios(config: Config, detected: Alert | None) -> Iterator[Scenario]:
    """The verdict alone, and beside all that DriftDetected is tested by: one of the two alerts tells of it."""
    here = example_labels(config)
    gauge = Gauge(series_text(DETECTED.name, here), 0, 1)
    other = Gauge(series_text(DETECTED.name, {**here, "instance": "exporter:2"}), 0, 0)
    yield Scenario(
        "the verdict turns to drift and back; another instance is unaffected", (gauge, other), Firing(here, 1),
        Span.HELD,
    )  # fmt: skip
    yield Scenario("no drift", (other,))
    if detected is None:
        return
    labels = {**here, UNNAMED: _OF_A_GROUP}
    verdict = Gauge(series_text(DETECTED.name, labels), 0, 1)
    for scenario in detected.scenarios:
        if scenario.span is Span.MOMENT:
            fires = None if scenario.fires else Firing(labels, 1)
            yield Scenario(f"drift, and a score {scenario.title}", (verdict, *scenario.signals), fires)
