"""The alerts on what has not happened for too long, or never: a drift check, a new reference, an evaluation.

Where the store's metrics arrive by exports, a stamp's age is counted up to the newest export: what was done after that
cannot be known, and an export that stopped has alerts of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import reduce

from facemon.config.alerts import DEFAULT_ALERTS
from facemon.config.document import Config
from facemon.config.durations import format_duration
from facemon.render import promql
from facemon.render.age_scenarios import at_the_limits
from facemon.render.alert import Alert, Dashboard, Runbook
from facemon.render.annotation import label
from facemon.render.carried_labels import only_labels
from facemon.render.drift_series import (
    ACCURACY,
    CHECKED_AT,
    DECIDED_AT,
    EXPORTED,
    EXPORTING_TRANSPORTS,
    LAST_SUCCESS,
    SCORE,
    check_labels,
    example_labels,
    example_target,
    only,
    other_labels,
    target_labels,
)
from facemon.render.never_done import NeverDone, arrival, never_after
from facemon.render.promql_ages import AHEAD, in_time, overdue, seconds_between
from facemon.render.scenario import Clock, Firing, Gauge, Scenario, Span, series_text

_CHECKS = ("data", "model")


def stale_alerts(config: Config) -> tuple[Alert, ...]:
    """The alerts on age, each with a threshold of its own."""
    return (
        _drift_check_stale(config),
        _stale(config, _REFERENCE, "reference", config.alerts.oldest("ReferenceStale")),
        _stale(config, _EVALUATION, "evaluate", config.alerts.AccuracyStale.threshold or config.drift.accuracy_window),
    )


def stale_after(config: Config) -> timedelta:
    """How old a drift verdict may be."""
    return config.alerts.oldest("DriftCheckStale")


def fresh(stamp: promql.Series, oldest: timedelta) -> promql.Expr:
    """The ages, in seconds, of stamps that are younger than `oldest`, and not from the future."""
    return in_time(promql.age(stamp), oldest)


def _age(config: Config, stamp: promql.Series, *matchers: promql.Matcher) -> promql.Expr:
    """Seconds from the stamp to now, or to the newest export that could have brought a newer one."""
    if config.prometheus.store_metrics_from not in EXPORTING_TRANSPORTS:
        return promql.age(stamp, *matchers)
    exported = promql.select(LAST_SUCCESS, EXPORTED)
    ignoring = ("command", *(label for label in ("check", "model") if label in stamp.labels))
    return seconds_between(exported, promql.select(stamp, *matchers), ignoring=ignoring)


def scheduled_checks(config: Config) -> tuple[promql.Matcher, ...]:
    """What chooses the checks that run by the clock; nothing, where all do."""
    checks = config.schedule.checks
    return () if set(checks) == set(_CHECKS) else (promql.equals("check", checks[0]),)


_CHECK_RUNBOOK = Runbook(
    "No check of record runs: what the dashboards say of drift is old, or there is nothing to say.",
    ("the schedule is off, or was never installed", "the check fails, for want of a reference for instance",
     "another run holds it up",
     "only looks were run: a check with options of its own is not recorded",
     "`schedule.checks` names a check that is not scheduled",
     "the model was replaced: its alert ends two days after its last prediction",
     "a clock was wrong: the check is dated in the future, as `facemon store clock` tells"),
    ("Run `facemon drift-check` by hand and read what it says.", "Look at the scheduler's log.",
     "Without a scheduled check, set `alerts.DriftCheckStale.enabled: false`."),
    {
        "Seconds since each check ran, decided or not:": promql.age(CHECKED_AT),
        "Seconds since each check decided:": promql.age(DECIDED_AT),
        "When each command last ended well, in seconds since 1970:": promql.select(LAST_SUCCESS),
    },
)  # fmt: skip


def _drift_check_stale(config: Config) -> Alert:
    oldest, checks, usual = stale_after(config), config.schedule.checks, DEFAULT_ALERTS["DriftCheckStale"]
    signal = _age(config, CHECKED_AT, *scheduled_checks(config))
    after = never_after(oldest, config)
    never = [
        NeverDone(
            config, CHECKED_AT, {"check": check}, {"check": check, "model": config.model.id}, after,
            tuple({"check": other} for other in _CHECKS if other != check),
        )
        for check in checks
    ]  # fmt: skip
    expr = reduce(promql.either, (each.expr for each in never), overdue(signal, oldest))
    return Alert(
        name="DriftCheckStale",
        group="drift",
        signal=signal,
        expr=expr,
        limit=f"no {' or '.join(checks)} check of a model for more than {format_duration(oldest)}, or dated 1d ahead, "
        f"or none ever since images were counted {format_duration(after)} ago",
        threshold=oldest.total_seconds(),
        for_=usual.for_,
        severity=usual.severity,
        summary=f"The {label('check')} check of {label('model')} does not run",
        description=f"No {label('check')} check of record of {label('model')} has ended for more than "
        f"{format_duration(oldest)}, none ever has, or the last is dated in the future. Run `facemon drift-check`.",
        dashboard=Dashboard.ML_METRICS,
        runbook=_CHECK_RUNBOOK,
        carries=only_labels(*check_labels(config)),
        label_values={"check": checks},
        scenarios=(*_check_scenarios(config, oldest), *(story for each in never for story in each.scenarios())),
        own_labels={"command": "drift-check"},
    )  # fmt: skip


def _check_scenarios(config: Config, oldest: timedelta) -> tuple[Scenario, ...]:
    age, checks = oldest.total_seconds(), config.schedule.checks
    here = only(example_labels(config) | {"check": checks[0]}, check_labels(config))
    others = {name: text for name, text in other_labels(config).items() if name in here and name != "check"}

    def last(seconds: float, **other: str) -> Clock:
        return Clock(series_text(CHECKED_AT.name, {**here, **other}), seconds)

    checked = Gauge(series_text(CHECKED_AT.name, here), None, -1.005 * age)
    arrived = {name: arrival(config, {**here, name: text}) for name, text in others.items()}
    unaffected = tuple(
        signal
        for name, text in others.items()
        for signal in (
            Clock(series_text(CHECKED_AT.name, {**here, name: text}), 0),
            *(() if name == "model" else arrived[name]),
        )
    )
    now = arrival(config, here)
    unscheduled = [check for check in _CHECKS if check not in checks]
    return (
        Scenario("too old, then gone; other models and instances are unaffected", (checked, *now, *unaffected),
                 Firing(here), Span.HELD),
        *at_the_limits(lambda seconds: (last(seconds), *now), age, Firing(here)),
        *(Scenario(f"the {check} check, which is not scheduled", (last(seconds, check=check), *now))
          for seconds in (2 * age, -2 * AHEAD)
          for check in unscheduled),
        *_not_known(config, last, age, here),
    )  # fmt: skip


def _not_known(
    config: Config, last: Callable[[float], Clock], age: float, here: Mapping[str, str]
) -> tuple[Scenario, ...]:
    """An export that stopped does not show that anything else has."""
    if not (exported := arrival(config, here, 2 * age)):
        return ()
    return (Scenario("too old, but exports have stopped since", (last(2.5 * age), *exported)),)


@dataclass(frozen=True, slots=True)
class _Staleness:
    """What an alert says of a command that has not ended well for too long, or never."""

    name: str
    what: str
    summary: str
    remedy: str
    runbook: Runbook
    first_within: timedelta = timedelta.max
    """How long a store may count images before the first one is missed, if that is less than the alert's threshold."""


# A week of images makes a good reference; a day later there should be one.
_REFERENCE = _Staleness(
    "ReferenceStale", "reference", "The reference is old or was never set",
    "Run `facemon reference show`, then `facemon reference set`.",
    Runbook(
        "What drift is measured from is old: a slow change that is known counts as drift, and hides a new one.",
        ("it has not been reviewed since", "the model has not changed for long",
         "none was ever set, so that no drift check can run"),
        (
            "Look at the drift scores: has the world changed, and is that wanted?",
            "Set the reference again with `facemon reference set`, to the same rows if they are still what is normal.",
        ),
        {"How far each column is from the reference:": promql.select(SCORE)},
    ),
    timedelta(days=8),
)  # fmt: skip
_EVALUATION = _Staleness(
    "AccuracyStale", "evaluation against true labels", "The accuracy is old or was never measured",
    "Run `facemon evaluate LABELS.csv` with labels of new images.",
    Runbook(
        "How often the model is right is not known for newer images, and LowModelAccuracy rests on old labels.",
        ("new images are not labelled", "the labels are not evaluated", "they match no logged prediction"),
        ("Have a sample of new images labelled, then run `facemon evaluate`.", "Look at what the last run said.",
         "Where there will be no true labels, set `alerts.AccuracyStale.enabled: false`."),
        {"What the accuracy was:": promql.select(ACCURACY)},
    ),
)  # fmt: skip


def _stale(config: Config, words: _Staleness, command: str, oldest: timedelta) -> Alert:
    signal = _age(config, LAST_SUCCESS, promql.equals("command", command))
    after, own = never_after(min(oldest, words.first_within), config), {"command": command}
    never = NeverDone(config, LAST_SUCCESS, own, own, after, ({"command": "predict"},))
    here = {"command": command, **example_target(config)}
    age, usual = oldest.total_seconds(), DEFAULT_ALERTS[words.name]

    def last(seconds: float, **other: str) -> Clock:
        return Clock(series_text(LAST_SUCCESS.name, {**here, **other}), seconds)

    success = Gauge(series_text(LAST_SUCCESS.name, here), None, -1.005 * age)
    elsewhere = {**here, "instance": "exporter:2"}
    unaffected = (Clock(series_text(LAST_SUCCESS.name, elsewhere), 0), *arrival(config, elsewhere))
    now = arrival(config, here)
    return Alert(
        name=words.name,
        group="drift",
        signal=signal,
        expr=promql.either(overdue(signal, oldest), never.expr),
        limit=f"no {words.what} for more than {format_duration(oldest)}, or dated 1d ahead, or none ever since images "
        f"were counted {format_duration(after)} ago",
        threshold=age,
        for_=usual.for_,
        severity=usual.severity,
        summary=words.summary,
        description=f"No {words.what} has ended well for more than {format_duration(oldest)}, none ever has, or the "
        f"last one is dated in the future. {words.remedy}",
        dashboard=Dashboard.ML_METRICS,
        runbook=replace(words.runbook, queries={
            "When each command last ended well, in seconds since 1970:": promql.select(LAST_SUCCESS),
            **words.runbook.queries,
        }),
        carries=only_labels("command", *target_labels(config)),
        label_values={"command": (command,)},
        scenarios=(
            Scenario("too old, then gone; another instance is unaffected", (success, *now, *unaffected), Firing(here),
                     Span.HELD),
            *at_the_limits(lambda seconds: (last(seconds), *now), age, Firing(here)),
            Scenario("another command's last success", (last(2 * age, command="predict"), *now)),
            Scenario("another command's, in the future", (last(-2 * AHEAD, command="predict"), *now)),
            *_not_known(config, last, age, here),
            *never.scenarios(),
        ),
    )  # fmt: skip
