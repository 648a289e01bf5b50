"""The alerts on drift and accuracy, and the guards against a verdict that is old or was never reached."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from facemon.config.document import Config
from facemon.config.quantities import format_duration
from facemon.errors import ConfigError
from facemon.render import promql
from facemon.render.alert import Alert, Dashboard, Runbook
from facemon.render.annotation import label, value
from facemon.render.scenario import Clock, Firing, Gauge, Scenario, Signal, Span, series_text

SCORE = promql.series("drift_score")
P_VALUE = promql.series("drift_p_value")
DETECTED = promql.series("drift_detected")
UNDECIDED = promql.series("drift_undecided")
DECIDED_AT = promql.series("drift_decided_timestamp_seconds")
LAST_SUCCESS = promql.series("facemon_last_success_timestamp_seconds")
ACCURACY = promql.series("model_accuracy")
SAMPLES = promql.series("drift_samples")
THRESHOLD = promql.series("drift_threshold")
CONFIDENCE_SCORE = promql.series("confidence_drift_score")

_COLUMN = ("job", "instance", "attribute", "check")
_CHECK = ("job", "instance", "check")
_HERE = {"attribute": "hair", "check": "model", "job": "exporter", "instance": "exporter:1"}
_ELSEWHERE = {"job": "node", "instance": "exporter:2", "attribute": "age", "check": "data"}
_FAR = 1e12
"""A time that no test comes to, in seconds."""
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
        _stale(_DRIFT_CHECK, "drift-check", stale_after(config)),
        _stale(_REFERENCE, "reference", config.alerts.ReferenceStale.threshold or timedelta(days=90)),
        _stale(_EVALUATION, "evaluate", config.alerts.AccuracyStale.threshold or config.drift.accuracy_window),
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
            {
                "By chance? The p-value of each score:": promql.select(P_VALUE),
                "The rows behind each:": promql.select(SAMPLES),
                "Seconds since each check decided:": promql.age(DECIDED_AT),
            },
        ),
        scenarios=_drift_scenarios(limit, significance, oldest),
    )


def _drift_scenarios(limit: float, significance: float, oldest: timedelta) -> tuple[Scenario, ...]:
    high = limit + max(limit, 0.1) * 0.005
    age = oldest.total_seconds()

    def score(level: float, **other: str) -> Signal:
        return Gauge(series_text(SCORE.name, {**_HERE, **other}), 0, level)

    def p_value(number: float, **other: str) -> Signal:
        return Gauge(series_text(P_VALUE.name, {**_HERE, **other}), number, number)

    def decided(seconds: float, **other: str) -> Signal:
        return Clock(series_text(DECIDED_AT.name, _only({**_HERE, **other}, _CHECK)), seconds)

    proven, fresh, fires = p_value(significance), decided(age / 2), Firing(_HERE, high)
    clear = round(limit + 0.01, 3)
    healthy = {"instance": "exporter:3", "attribute": "race"}
    unaffected = (score(limit, **healthy), p_value(significance, **healthy), decided(age / 2, **healthy))
    return (
        Scenario("over the limit; another instance is unaffected", (score(clear), proven, fresh, *unaffected),
                 Firing(_HERE, clear), Span.HELD),
        Scenario("just over the limit", (score(high), proven, fresh), fires),
        Scenario("exactly at the limit", (score(limit), proven, fresh)),
        Scenario("not proven", (score(high), p_value(significance * 1.005), fresh)),
        Scenario("just fresh enough", (score(high), proven, decided(age * 0.995)), fires),
        Scenario("too old", (score(high), proven, decided(age))),
        *(
            Scenario(f"proven for another {name}", (score(high), p_value(significance, **{name: other}), fresh))
            for name, other in _ELSEWHERE.items()
        ),
        *(
            Scenario(f"decided for another {name}", (score(high), proven, decided(age / 2, **{name: other})))
            for name, other in _ELSEWHERE.items() if name in _CHECK
        ),
    )  # fmt: skip


def _drift_verdict() -> Alert:
    signal = promql.select(DETECTED)
    gauge = Gauge(series_text(DETECTED.name, _HERE), 0, 1)
    other = Gauge(series_text(DETECTED.name, {**_HERE, "instance": "exporter:2"}), 0, 0)
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
            {
                "Scores, which DriftDetected compares with a limit of its own:": promql.select(SCORE),
                "The thresholds of the checks:": promql.select(THRESHOLD),
                "Confidences, whose drift is a verdict too:": promql.select(CONFIDENCE_SCORE),
            },
        ),
        scenarios=(
            Scenario("the verdict turns to drift and back; another instance is unaffected", (gauge, other),
                     Firing(_HERE, 1), Span.HELD),
            Scenario("no drift", (other,)),
        ),
    )  # fmt: skip


def _drift_undecided() -> Alert:
    signal = promql.aggregate("count", promql.compare(promql.select(UNDECIDED), "==", 1), by=_CHECK)
    first = Gauge(series_text(UNDECIDED.name, _HERE), 0, 1)
    second = Gauge(series_text(UNDECIDED.name, {**_HERE, "attribute": "age"}), 0, 1)
    decided = Gauge(series_text(UNDECIDED.name, {**_HERE, "attribute": "race"}), 0, 0)
    other = Gauge(series_text(UNDECIDED.name, {**_HERE, "instance": "exporter:2"}), 0, 0)
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
            {
                "The columns that could not be decided:": promql.compare(promql.select(UNDECIDED), "==", 1),
                "The rows that each had:": promql.select(SAMPLES),
            },
        ),
        scenarios=(
            Scenario("two of three columns; another instance is unaffected", (first, second, decided, other),
                     Firing(_only(_HERE, _CHECK), 2), Span.HELD),
            Scenario("all decided", (decided, other)),
        ),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Staleness:
    """What an alert says of a command that has not ended well for too long; a command that never did is none."""

    name: str
    what: str
    summary: str
    runbook: Runbook


_DRIFT_CHECK = _Staleness(
    "DriftCheckStale", "drift check", "drift-check does not run",
    Runbook(
        "What the dashboards say of drift is old.",
        ("the schedule is off", "the check fails, for want of a reference for instance", "another run holds it up"),
        ("Run `facemon drift-check` by hand and read what it says.", "Look at the scheduler's log."),
        {"When each check last decided:": promql.age(DECIDED_AT)},
    ),
)  # fmt: skip
_REFERENCE = _Staleness(
    "ReferenceStale", "reference", "The reference is old",
    Runbook(
        "What drift is measured from is old: a slow change that is known counts as drift, and hides a new one.",
        ("nobody has looked at it since", "the model has not changed for long"),
        (
            "Look at the drift scores: has the world changed, and is that wanted?",
            "Set a reference anew with `facemon reference set`, to the same rows if they are still what is normal.",
        ),
        {"How far each column is from the reference:": promql.select(SCORE)},
    ),
)  # fmt: skip
_EVALUATION = _Staleness(
    "AccuracyStale", "evaluation against true labels", "The accuracy is old",
    Runbook(
        "How often the model is right is not known for newer images, and LowModelAccuracy rests on old labels.",
        ("nobody labels images any more", "the labels are not evaluated", "they match no logged prediction"),
        ("Have a sample of new images labelled, then run `facemon evaluate`.", "Look at what the last run said."),
        {"What the accuracy was:": promql.select(ACCURACY)},
    ),
)  # fmt: skip


def _stale(words: _Staleness, command: str, oldest: timedelta) -> Alert:
    signal = promql.age(LAST_SUCCESS, promql.equals("command", command))
    here = {"command": command, "job": "exporter", "instance": "exporter:1"}
    age = oldest.total_seconds()

    def last(seconds: float, **other: str) -> Clock:
        return Clock(series_text(LAST_SUCCESS.name, {**here, **other}), seconds)

    success = Gauge(series_text(LAST_SUCCESS.name, here), None, -1.005 * age)
    unaffected = Gauge(series_text(LAST_SUCCESS.name, {**here, "instance": "exporter:2"}), _FAR, _FAR)
    return Alert(
        name=words.name,
        group="drift",
        signal=signal,
        expr=promql.compare(signal, ">", age),
        limit=f"no {words.what} for more than {format_duration(oldest)}",
        threshold=age,
        for_=timedelta(0),
        severity="warning",
        summary=words.summary,
        description=f"No {words.what} has ended well for more than {format_duration(oldest)}.",
        dashboard=Dashboard.ML_METRICS,
        runbook=replace(words.runbook, queries={
            "When each command last ended well, in seconds since 1970:": promql.select(LAST_SUCCESS),
            **words.runbook.queries,
        }),
        scenarios=(
            Scenario("too old, then gone; another instance is unaffected", (success, unaffected), Firing(here),
                     Span.HELD),
            Scenario("just too old", (last(1.005 * age),), Firing(here)),
            Scenario("exactly at the limit", (last(age),)),
            Scenario("another command's last success", (last(2 * age, command="predict"),)),
        ),
    )  # fmt: skip


def _low_model_accuracy(config: Config) -> Alert:
    limit = accuracy_limit(config)
    signal = promql.select(ACCURACY)
    here = _only(_HERE, ("attribute", "job", "instance"))
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
        summary=f"{label('attribute')} is often wrong",
        description=f"The accuracy of {label('attribute')} is {value(3)}, limit {promql.number(limit)}.",
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
        scenarios=(
            Scenario("below the limit; another instance is unaffected", (accuracy(limit, clear), other),
                     Firing(here, clear), Span.HELD),
            Scenario("just below the limit", (accuracy(limit, limit * 0.995),), Firing(here)),
            Scenario("exactly at the limit", (accuracy(limit, limit), other)),
        ),
    )  # fmt: skip


def _only(labels: dict[str, str], names: Sequence[str]) -> dict[str, str]:
    return {name: labels[name] for name in names}
