"""The alerts on what the monitoring's own servers count as failed: rules, and notifications."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from math import ceil

from facemon.config.alerts import DEFAULT_ALERTS
from facemon.config.document import Config
from facemon.config.durations import format_duration
from facemon.render import promql
from facemon.render.alert import Alert, Dashboard, Runbook, logs_of
from facemon.render.annotation import label
from facemon.render.carried_labels import only_labels
from facemon.render.foreign_metrics import ALERTMANAGER_FAILURES, PROMETHEUS_RULE_FAILURES
from facemon.render.rule_test import milliseconds, turn_of_window, turn_within
from facemon.render.scenario import Check, Course, Firing, Scenario, Span, series_text
from facemon.render.series_models import always, events, missed, rhythm

_PEER_WAIT = timedelta(seconds=15)
"""What each further Alertmanager of a cluster waits for the one before it, on top of the group interval."""
_WATCHDOG_FLUSHES = 5
_READ_LOG = f"Run `{logs_of('alertmanager')}`, or read its log where it runs: it names the receiver and the answer."
_MOST_SAMPLES = 4000
_MOST_TURNS = 1000
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class _Failures:
    """A counter of failures, and the rhythm at which it grows while everything of one kind fails."""

    name: str
    metric: promql.Series
    every: timedelta
    """The time between two failures, at most."""
    window: timedelta
    held: timedelta
    """How long the alert waits, unless the configuration says otherwise."""
    summary: str
    description: str
    runbook: Runbook

    def alert(self, config: Config) -> Alert:
        part = self.metric.labels[0]
        failures = promql.increase(self.metric, self.window)
        signal = promql.aggregate("sum", failures, by=promql.TARGET_LABELS)
        return Alert(
            name=self.name,
            group="stack",
            signal=signal,
            expr=promql.compare(signal, ">", 0),
            limit=f"any failure within {format_duration(self.window)}",
            for_=self.held,
            severity=DEFAULT_ALERTS[self.name].severity,
            summary=self.summary,
            description=self.description,
            dashboard=Dashboard.SYSTEM_METRICS,
            runbook=replace(
                self.runbook, queries={f"Failures by {part}:": promql.aggregate("sum", failures, by=(part,))}
            ),
            carries=only_labels(*promql.TARGET_LABELS),
            scenarios=_Story(self, config).scenarios(),
        )


class _Story:
    """Failures as the server would count them, in the rhythm and with the scrapes that the configuration gives."""

    def __init__(self, failures: _Failures, config: Config) -> None:
        settings = config.alerts.of(failures.name)
        self._window = failures.window
        self._held = failures.held if settings.for_ is None else settings.for_
        self._kept_for = settings.keep_firing_for or timedelta(0)
        # Where an alert is held for days, as often as the window needs it is often enough.
        is_long = self._held > 200 * failures.every
        self._every = max(failures.every, failures.window / 2) if is_long else failures.every
        shown = ceil(self._held / self._every) + 6
        length = (shown + 2) * self._every + 3 * self._window
        scrape = max(milliseconds(config.prometheus.scrape_interval), ceil(milliseconds(length) / _MOST_SAMPLES))
        self._scrape = scrape * _MILLISECOND
        self._turn = turn_of_window(milliseconds(self._window)) * _MILLISECOND
        # Some scrapes before the first failure, which falls on one.
        self._first = 2 * self._scrape
        self._failed = rhythm(self._first, self._every, shown)
        self._metric = failures.metric
        self._target = {"job": failures.metric.name.partition("_")[0], "instance": "stack:1"}

    def scenarios(self) -> tuple[Scenario, ...]:
        series, every = self._series("a"), format_duration(self._every)
        middle = self._failed[-3]
        # An increase needs two samples within the window, however many scrapes between them fail.
        spare = max(0, min(3, self._window // self._scrape - 3))
        # A failure that no scrape has seen before a restart is lost: the restart then comes before the missed scrapes.
        is_seen = (spare + 1) * self._scrape <= self._every / 2
        restart = (middle if is_seen else middle - self._every) + self._every / 2
        restarted = events(series, self._failed, restarts=(restart,))
        disturbed = missed(restarted, middle, spare, self._scrape) if spare else restarted
        quiet = (always(self._series("b"), 0), always(self._series("a", "stack:2"), 0))
        return (
            self._modelled(f"a failure every {every}, then none; another instance is unaffected",
                           (events(series, self._failed), *quiet),
                           (*self._held_checks(self._turn), *self._kept(), self._over())),
            self._modelled("scrapes are missed and the server restarts while it fails", (disturbed, *quiet),
                           self._kept()),
            self._modelled("a single failure, until it is older than the window",
                           (events(series, (self._first,)), *quiet), self._once()),
            self._modelled("no failures", quiet, (Check(self._first),), fires=False),
            *self._to_the_turn(quiet),
        )  # fmt: skip

    def _to_the_turn(self, quiet: tuple[Course, ...]) -> Iterator[Scenario]:
        """How long one failure must hold, where that is less than the window, and how long the alert is kept then."""
        ends = self._first - self._scrape + self._window
        # With three turns, a `for` that is half as long again fires at least a turn later.
        fine = turn_within(milliseconds(self._held), 3) * _MILLISECOND
        stories = [(fine, self._held_checks(fine))] if fine < self._turn else []
        if self._kept_for:
            finer = min(fine, turn_within(milliseconds(self._kept_for), 5) * _MILLISECOND)
            kept = (Check(ends + self._kept_for, self._first, before=True), Check(ends + _MILLISECOND))
            stories.append((finer, (*self._held_checks(finer), *kept)))
        for grain, checks in stories:
            if self._first + self._held + 3 * grain <= ends and ends + self._kept_for <= _MOST_TURNS * grain:
                single = (events(self._series("a"), (self._first,)), *quiet)
                yield replace(self._modelled("a single failure, to the turn", single, checks), grain=grain)

    def _modelled(
        self, title: str, signals: tuple[Course, ...], checks: tuple[Check, ...], *, fires: bool = True
    ) -> Scenario:
        firing = Firing(self._target) if fires else None
        return Scenario(title, signals, firing, Span.MODELLED, checks, self._scrape, self._turn)

    def _series(self, which: str, instance: str = "stack:1") -> str:
        return series_text(self._metric.name, {self._metric.labels[0]: which, **self._target, "instance": instance})

    def _held_checks(self, turn: timedelta) -> tuple[Check, ...]:
        fires = Check(self._first + self._held + turn, self._first)
        is_long = self._held > 2 * turn
        return (Check(self._first + self._held, self._first, before=True), fires) if is_long else (fires,)

    def _kept(self) -> tuple[Check, ...]:
        """It fires on from failure to failure, also just before the next one is counted."""
        late = (at for at in self._failed[-3:] if at - self._turn >= self._first)
        between = (Check(at, self._first, before=True) for at in late)
        return (*between, Check(self._failed[-1] + self._turn, self._first))

    def _over(self) -> Check:
        return Check(self._failed[-1] + self._window + self._turn)

    def _once(self) -> tuple[Check, ...]:
        """The increase is there as long as the scrape before the failure lies within the window."""
        gone = self._first - self._scrape + self._window
        return Check(gone, self._first, before=True), Check(gone + _MILLISECOND)


def rules_failing(config: Config) -> Alert:
    """The alert on rules that Prometheus cannot evaluate; such a rule fails at every evaluation."""
    settings = config.prometheus
    period = settings.evaluation_interval or settings.scrape_interval
    return _Failures(
        "RulesFailing",
        PROMETHEUS_RULE_FAILURES,
        period,
        # A window of rates may be shorter than the time between two evaluations, and would see none of the failures.
        max(settings.window, _reaching(period, config)),
        DEFAULT_ALERTS["RulesFailing"].for_,
        "Rules cannot be evaluated",
        f"Prometheus at {label('instance')} fails to evaluate rules: their alerts cannot fire.",
        Runbook(
            "At least one rule gives an error instead of a result.",
            ("two series where a rule expects one", "a custom alert with a fault"),
            ("Open Prometheus' page of rules and read the error.",),
        ),
    ).alert(config)


def notifications_failing(config: Config) -> Alert:
    """The alert on notifications that are refused.

    Alertmanager counts one failure for each flush of a group, whatever it tries in between. So the window has to reach
    from one flush to the next, and the alert waits as long: a single failure is repeated, and made good, by then.
    """
    period = longest_flush(config)
    window = _reaching(period, config)
    return _Failures(
        "NotificationsFailing",
        ALERTMANAGER_FAILURES,
        period,
        window,
        window,
        "Notifications do not arrive",
        f"Alertmanager at {label('instance')} fails to notify: alerts fire, but the notification is not delivered.",
        Runbook(
            "A receiver refuses what Alertmanager sends, or cannot be reached. Alertmanager tries again at each group "
            "interval: this alert fires when two notifications in a row have failed.",
            (
                "a revoked or mistyped secret",
                "the receiver's service is down",
                "the network does not allow the connection",
            ),
            (_READ_LOG, "Until it is fixed, look at Alertmanager's page: it lists every alert that fires."),
        ),
    ).alert(config)


def longest_flush(config: Config) -> timedelta:
    """The longest time between two attempts to notify of one group of alerts, in any route."""
    settings = config.alertmanager
    intervals = [settings.group_interval, *(route.group_interval for route in settings.routes)]
    if settings.dead_man is not None:
        intervals.append(settings.dead_man.repeat_interval / _WATCHDOG_FLUSHES)
    return max(interval for interval in intervals if interval is not None) + _PEER_WAIT * (settings.replicas - 1)


def _reaching(period: timedelta, config: Config) -> timedelta:
    """A window that holds one of the failures that come so often, with two scrapes around it."""
    return _whole_seconds(period * 5 / 4 + config.prometheus.shortest_window)


def _whole_seconds(duration: timedelta) -> timedelta:
    """Rounded up where it is longer than some seconds, so that it is read easily."""
    second = timedelta(seconds=1)
    return duration if duration < 10 * second else -(-duration // second) * second
