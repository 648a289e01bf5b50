"""The alerts on what has not happened for too long: a drift check, a new reference, an evaluation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from facemon.config.document import Config
from facemon.config.quantities import format_duration
from facemon.render import promql
from facemon.render.alert import Alert, Dashboard, Runbook
from facemon.render.annotation import label
from facemon.render.drift_series import (
    ACCURACY,
    CHECKED_AT,
    DECIDED_AT,
    LAST_SUCCESS,
    SCORE,
    check_labels,
    example_labels,
    only,
    other_labels,
    target_labels,
)
from facemon.render.scenario import Clock, Firing, Gauge, Scenario, Span, series_text

_CHECKS = ("data", "model")
_AHEAD = timedelta(days=1).total_seconds()
"""How far ahead a stamp may be, in seconds: one of a clock that was wrong would not grow old for years."""


def stale_alerts(config: Config) -> tuple[Alert, ...]:
    """The alerts on age, each with a threshold of its own."""
    return (
        _drift_check_stale(config),
        _stale(config, _REFERENCE, "reference", config.alerts.ReferenceStale.threshold or timedelta(days=90)),
        _stale(config, _EVALUATION, "evaluate", config.alerts.AccuracyStale.threshold or config.drift.accuracy_window),
    )


def stale_after(config: Config) -> timedelta:
    """How old a drift verdict may be: a day and two hours, for a check that runs daily."""
    return config.alerts.DriftCheckStale.threshold or timedelta(hours=26)


def fresh(stamp: promql.Series, oldest: timedelta) -> promql.Expr:
    """The ages, in seconds, of stamps that are younger than `oldest`, and not from the future."""
    age = promql.age(stamp)
    return promql.both(promql.compare(age, "<", oldest.total_seconds()), promql.compare(age, ">=", -_AHEAD))


def _overdue(age: promql.Expr, oldest: timedelta) -> promql.Expr:
    return promql.either(promql.compare(age, ">", oldest.total_seconds()), promql.compare(age, "<", -_AHEAD))


def scheduled_checks(config: Config) -> tuple[promql.Matcher, ...]:
    """What chooses the checks that run by the clock; nothing, where all do."""
    checks = config.schedule.checks
    return () if set(checks) == set(_CHECKS) else (promql.equals("check", checks[0]),)


def _drift_check_stale(config: Config) -> Alert:
    oldest = stale_after(config)
    age, checks = oldest.total_seconds(), config.schedule.checks
    signal = promql.age(CHECKED_AT, *scheduled_checks(config))
    here = only(example_labels(config) | {"check": checks[0]}, check_labels(config))
    others = {name: text for name, text in other_labels(config).items() if name in here and name != "check"}

    def last(seconds: float, **other: str) -> Clock:
        return Clock(series_text(CHECKED_AT.name, {**here, **other}), seconds)

    checked = Gauge(series_text(CHECKED_AT.name, here), None, -1.005 * age)
    unaffected = tuple(Clock(series_text(CHECKED_AT.name, {**here, name: text}), 0) for name, text in others.items())
    unscheduled = [check for check in _CHECKS if check not in checks]
    return Alert(
        name="DriftCheckStale",
        group="drift",
        signal=signal,
        expr=_overdue(signal, oldest),
        limit=f"no {' or '.join(checks)} check of a model for more than {format_duration(oldest)}, or dated 1d ahead",
        threshold=age,
        for_=timedelta(0),
        severity="warning",
        summary=f"The {label('check')} check of {label('model')} does not run",
        description=f"No {label('check')} check of {label('model')} has ended for more than {format_duration(oldest)}, "
        "or the last is dated in the future.",
        dashboard=Dashboard.ML_METRICS,
        runbook=Runbook(
            "What the dashboards say of drift is old.",
            ("the schedule is off", "the check fails, for want of a reference for instance", "another run holds it up",
             "only looks were run: a check with options of its own is not recorded",
             "`schedule.checks` names a check that is not scheduled",
             "the model was replaced: its alert ends two days after its last prediction",
             "a clock was wrong: the check is dated in the future, as `facemon store clock` tells"),
            ("Run `facemon drift-check` by hand and read what it says.", "Look at the scheduler's log."),
            {
                "Seconds since each check ran, decided or not:": promql.age(CHECKED_AT),
                "Seconds since each check decided:": promql.age(DECIDED_AT),
                "When each command last ended well, in seconds since 1970:": promql.select(LAST_SUCCESS),
            },
        ),
        scenarios=(
            Scenario("too old, then gone; other models and instances are unaffected", (checked, *unaffected),
                     Firing(here), Span.HELD),
            *_at_the_limits(last, age, here),
            *(Scenario(f"the {check} check, which is not scheduled", (last(seconds, check=check),))
              for seconds in (2 * age, -2 * _AHEAD)
              for check in unscheduled),
        ),
        own_labels={"command": "drift-check"},
    )  # fmt: skip


def _at_the_limits(last: Callable[[float], Clock], age: float, fires: Mapping[str, str]) -> tuple[Scenario, ...]:
    """What is just too old and what is just not, and the same of what is dated in the future."""
    return (
        Scenario("just too old", (last(1.005 * age),), Firing(fires)),
        Scenario("exactly at the limit", (last(age),)),
        Scenario("dated in the future", (last(-1.005 * _AHEAD),), Firing(fires)),
        Scenario("exactly a day ahead", (last(-_AHEAD),)),
    )


@dataclass(frozen=True, slots=True)
class _Staleness:
    """What an alert says of a command that has not ended well for too long; a command that never did is none."""

    name: str
    what: str
    summary: str
    runbook: Runbook


_REFERENCE = _Staleness(
    "ReferenceStale", "reference", "The reference is old",
    Runbook(
        "What drift is measured from is old: a slow change that is known counts as drift, and hides a new one.",
        ("it has not been reviewed since", "the model has not changed for long"),
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
        ("new images are not labelled", "the labels are not evaluated", "they match no logged prediction"),
        ("Have a sample of new images labelled, then run `facemon evaluate`.", "Look at what the last run said."),
        {"What the accuracy was:": promql.select(ACCURACY)},
    ),
)  # fmt: skip


def _stale(config: Config, words: _Staleness, command: str, oldest: timedelta) -> Alert:
    signal = promql.age(LAST_SUCCESS, promql.equals("command", command))
    here = {"command": command, **only(example_labels(config), target_labels(config))}
    age = oldest.total_seconds()

    def last(seconds: float, **other: str) -> Clock:
        return Clock(series_text(LAST_SUCCESS.name, {**here, **other}), seconds)

    success = Gauge(series_text(LAST_SUCCESS.name, here), None, -1.005 * age)
    unaffected = Clock(series_text(LAST_SUCCESS.name, {**here, "instance": "exporter:2"}), 0)
    return Alert(
        name=words.name,
        group="drift",
        signal=signal,
        expr=_overdue(signal, oldest),
        limit=f"no {words.what} for more than {format_duration(oldest)}, or dated 1d ahead",
        threshold=age,
        for_=timedelta(0),
        severity="warning",
        summary=words.summary,
        description=f"No {words.what} has ended well for more than {format_duration(oldest)}, or the last one is dated "
        "in the future.",
        dashboard=Dashboard.ML_METRICS,
        runbook=replace(words.runbook, queries={
            "When each command last ended well, in seconds since 1970:": promql.select(LAST_SUCCESS),
            **words.runbook.queries,
        }),
        scenarios=(
            Scenario("too old, then gone; another instance is unaffected", (success, unaffected), Firing(here),
                     Span.HELD),
            *_at_the_limits(last, age, here),
            Scenario("another command's last success", (last(2 * age, command="predict"),)),
            Scenario("another command's, in the future", (last(-2 * _AHEAD, command="predict"),)),
        ),
    )  # fmt: skip
