"""The alerts on drift and accuracy, and the guards against a verdict that is old or was never reached."""

from collections.abc import Sequence
from datetime import timedelta

from facemon.config.document import Config
from facemon.config.quantities import format_duration
from facemon.errors import ConfigError
from facemon.render import promql
from facemon.render.alert import Alert, Dashboard, Runbook
from facemon.render.annotation import label, value
from facemon.render.scenario import Clock, Firing, Gauge, Scenario, Signal, series_text

SCORE = promql.series("drift_score")
P_VALUE = promql.series("drift_p_value")
DETECTED = promql.series("drift_detected")
UNDECIDED = promql.series("drift_undecided")
DECIDED_AT = promql.series("drift_decided_timestamp_seconds")
LAST_SUCCESS = promql.series("facemon_last_success_timestamp_seconds")
ACCURACY = promql.series("model_accuracy")

_COLUMN = ("job", "instance", "attribute", "check")
_CHECK = ("job", "instance", "check")
_HERE = {"attribute": "hair", "check": "model", "job": "exporter", "instance": "exporter:1"}
_ELSEWHERE = {"attribute": "age", "check": "data", "job": "node", "instance": "exporter:2"}
_DRIFT_CAUSES = (
    "the camera, its place or its light has changed",
    "other people come than when the reference was set",
    "the images are prepared in another way",
)


def drift_alerts(config: Config) -> tuple[Alert, ...]:
    """The alerts on the store's drift and accuracy; ConfigError if one of them could never fire."""
    return (
        _drift_detected(config),
        _drift_verdict(),
        _drift_undecided(),
        _drift_check_stale(config),
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


def stale_after(config: Config) -> timedelta:
    """How old a drift verdict may be: a day and two hours, for a check that runs daily."""
    return config.alerts.DriftCheckStale.threshold or timedelta(hours=26)


def _drift_detected(config: Config) -> Alert:
    limit, significance, oldest = drift_limit(config), config.drift.significance, stale_after(config)
    held = config.alerts.DriftDetected.for_
    default_for = timedelta(minutes=10)
    if (default_for if held is None else held) >= oldest:
        raise ConfigError(
            "alerts.DriftCheckStale.threshold: a verdict would be too old before DriftDetected has held long enough",
            hint="make it longer than alerts.DriftDetected.for",
        )
    signal = promql.select(SCORE)
    significant = promql.compare(promql.select(P_VALUE), "<=", significance)
    fresh = promql.compare(promql.age(DECIDED_AT), "<", oldest.total_seconds())
    over = promql.compare(signal, ">", limit)
    expr = promql.only_where(promql.only_where(over, significant, on=_COLUMN), fresh, on=_CHECK)
    return Alert(
        name="DriftDetected",
        group="drift",
        signal=signal,
        expr=expr,
        limit=f"a drift score above {promql.number(limit)}, significant at {promql.number(significance)} "
        f"and decided less than {format_duration(oldest)} ago",
        threshold=limit,
        for_=default_for,
        severity="warning",
        summary=f"{label('attribute')} drifts",
        description=f"The drift score of {label('attribute')} in the {label('check')} check is {value(3)}, "
        f"limit {promql.number(limit)}.",
        dashboard=Dashboard.ML_METRICS,
        runbook=Runbook(
            "What the model sees or says differs from the reference by more than the limit, and not by chance.",
            _DRIFT_CAUSES,
            (
                "Run `facemon drift-check --explain COLUMN` for the labels that moved.",
                "Look at images of the window; if the change is wanted, set a new reference, else retrain.",
            ),
        ),
        scenarios=_drift_scenarios(limit, significance, oldest),
    )


def _drift_scenarios(limit: float, significance: float, oldest: timedelta) -> tuple[Scenario, ...]:
    high = limit + max(limit, 0.1) * 0.005
    age = oldest.total_seconds()
    chance = significance * 1.01

    def p_value(labels: dict[str, str], number: float) -> Signal:
        return Gauge(series_text(P_VALUE.name, labels), number, number)

    def decided(labels: dict[str, str], seconds: float) -> Signal:
        return Clock(series_text(DECIDED_AT.name, _only(labels, _CHECK)), seconds, seconds)

    score = Gauge(series_text(SCORE.name, _HERE), limit, high)
    fresh, proven = decided(_HERE, age - 1), p_value(_HERE, significance)
    aliens = [{**_HERE, name: _ELSEWHERE[name]} for name in _COLUMN]
    return (
        Scenario("just over the limit, proven, fresh", (score, proven, fresh), Firing(_HERE, high)),
        Scenario("not proven", (score, p_value(_HERE, chance), fresh)),
        Scenario("too old", (score, proven, decided(_HERE, age))),
        *(
            Scenario(f"proven for another {name}", (score, p_value(alien, significance), fresh))
            for name, alien in zip(_COLUMN, aliens, strict=True)
        ),
        *(
            Scenario(f"decided for another {name}", (score, proven, decided(alien, age - 1)))
            for name, alien in zip(_COLUMN, aliens, strict=True)
            if name in _CHECK
        ),
    )


def _drift_verdict() -> Alert:
    signal = promql.select(DETECTED)
    gauge = Gauge(series_text(DETECTED.name, _HERE), 0, 1)
    return Alert(
        name="DriftVerdict",
        group="drift",
        signal=signal,
        expr=promql.compare(signal, "==", 1),
        limit="the last decided drift check found drift",
        for_=timedelta(0),
        severity="info",
        summary=f"drift-check found drift in {label('attribute')}",
        description=f"The {label('check')} check's verdict on {label('attribute')} is drift, by its own threshold.",
        dashboard=Dashboard.ML_METRICS,
        runbook=Runbook(
            "The last `facemon drift-check` ended in 3 because of this column.",
            _DRIFT_CAUSES,
            ("Run `facemon drift-check --history` to see since when.",),
        ),
        scenarios=(Scenario("the verdict turns to drift and back", (gauge,), Firing(_HERE, 1)),),
    )


def _drift_undecided() -> Alert:
    signal = promql.aggregate("count", promql.compare(promql.select(UNDECIDED), "==", 1), by=_CHECK)
    first = Gauge(series_text(UNDECIDED.name, _HERE), 0, 1)
    second = Gauge(series_text(UNDECIDED.name, {**_HERE, "attribute": "age"}), 0, 1)
    decided = Gauge(series_text(UNDECIDED.name, {**_HERE, "attribute": "race"}), 0, 0)
    return Alert(
        name="DriftUndecided",
        group="drift",
        signal=promql.select(UNDECIDED),
        expr=signal,
        limit="a column that the last drift check could not decide",
        for_=timedelta(0),
        severity="warning",
        summary=f"The {label('check')} check is undecided",
        description=f"{value(0)} columns of the {label('check')} check could not be decided.",
        dashboard=Dashboard.ML_METRICS,
        runbook=Runbook(
            "Nobody knows whether there is drift: the last check had too little to go by.",
            ("fewer rows than `drift.min_rows`", "too few sources", "a configured column is missing"),
            ("Run `facemon drift-check` and read the reason of each column.", "Widen `drift.window`."),
        ),
        scenarios=(
            Scenario("two of three columns", (first, second, decided), Firing(_only(_HERE, _CHECK), 2)),
            Scenario("all decided", (decided,)),
        ),
    )


def _drift_check_stale(config: Config) -> Alert:
    oldest = stale_after(config)
    signal = promql.age(LAST_SUCCESS, promql.equals("command", "drift-check"))
    here = {"command": "drift-check", "job": "exporter", "instance": "exporter:1"}
    age = oldest.total_seconds()

    def last(command: str) -> Clock:
        return Clock(series_text(LAST_SUCCESS.name, {**here, "command": command}), age, age + 1)

    return Alert(
        name="DriftCheckStale",
        group="drift",
        signal=signal,
        expr=promql.compare(signal, ">", age),
        limit=f"no drift check for more than {format_duration(oldest)}",
        threshold=age,
        for_=timedelta(0),
        severity="warning",
        summary="drift-check does not run",
        description=f"No drift check has ended well for more than {format_duration(oldest)}.",
        dashboard=Dashboard.ML_METRICS,
        runbook=Runbook(
            "What the dashboards say of drift is old.",
            ("the schedule is off", "the check fails, for want of a reference for instance", "another run holds it up"),
            ("Run `facemon drift-check` by hand and read what it says.", "Look at the scheduler's log."),
        ),
        scenarios=(
            Scenario("the last success grows too old", (last("drift-check"),), Firing(here, age + 1)),
            Scenario("another command's last success", (last("predict"),)),
        ),
    )


def _low_model_accuracy(config: Config) -> Alert:
    limit = accuracy_limit(config)
    signal = promql.select(ACCURACY)
    here = _only(_HERE, ("attribute", "job", "instance"))
    low = limit * 0.995
    return Alert(
        name="LowModelAccuracy",
        group="drift",
        signal=signal,
        expr=promql.compare(signal, "<", limit),
        limit=f"an accuracy below {promql.number(limit)}",
        threshold=limit,
        for_=timedelta(minutes=15),
        severity="warning",
        summary=f"{label('attribute')} is often wrong",
        description=f"The accuracy of {label('attribute')} is {value(3)}, limit {promql.number(limit)}.",
        dashboard=Dashboard.ML_METRICS,
        runbook=Runbook(
            "The newest evaluation against true labels found too many wrong predictions.",
            ("drift", "labels of another scheme or of other images", "a worse model was put in place"),
            ("Compare with the drift alerts of the same days.", "Check a sample of the labels by eye, then retrain."),
        ),
        scenarios=(
            Scenario("just below the limit", (Gauge(series_text(ACCURACY.name, here), limit, low),), Firing(here, low)),
        ),
    )


def _only(labels: dict[str, str], names: Sequence[str]) -> dict[str, str]:
    return {name: labels[name] for name in names}
