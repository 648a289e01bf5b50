"""The alerts on the way that the store's metrics take by a schedule: the export, and the textfile or push it ends in.

A stopped schedule makes all stamps of that way old at once. So that one of them is named, the nearest to Prometheus,
ExportStale is silent where the textfile or the push itself is old. A push has the labels of its store. A textfile does
not: where metrics.labels tell stores apart, ExportStale is silent for a node whose old textfiles are at least as many
as its stores with an old export.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from facemon.config.alerts import DEFAULT_ALERTS
from facemon.config.document import Config
from facemon.config.durations import format_duration
from facemon.config.prometheus import Transport
from facemon.render import promql
from facemon.render.age_scenarios import at_the_limits
from facemon.render.alert import Alert, Dashboard, Runbook
from facemon.render.annotation import label
from facemon.render.carried_labels import every_label
from facemon.render.drift_series import (
    EXPORT,
    EXPORTED,
    LAST_SUCCESS,
    example_target,
    only,
    other_labels,
    target_labels,
)
from facemon.render.foreign_metrics import NODE_TEXTFILE_ERROR, NODE_TEXTFILE_MTIME, PUSH_FAILURE_TIME, PUSH_TIME
from facemon.render.promql_ages import AHEAD, overdue
from facemon.render.rule_test import milliseconds, turn_within
from facemon.render.scenario import Check, Clock, Firing, Gauge, Scenario, Signal, Span, series_text
from facemon.render.series_models import rhythm, stamps, turning

_TEXTFILE = promql.Matcher("file", 'file=~"(.*/)?[^/]*facemon[^/]*"')
"""node-exporter shows a file by its path, older ones by its name; the name of ours says whose it is."""
_OTHER_TARGET = {"job": "other", "instance": "other:1"}


@dataclass(frozen=True, slots=True)
class _End:
    """Where an export ends, and the gauge that tells when something arrived there last."""

    alert: str
    metric: promql.Series
    own: Mapping[str, str]
    """The labels of the gauge, besides those of its target, in tests."""
    foreign: Mapping[str, str]
    """The same of one that is not ours."""
    command: str
    summary: str
    description: str
    causes: tuple[str, ...]
    queries: Mapping[str, promql.Expr]

    @property
    def is_file(self) -> bool:
        """Whether the gauge is of a file, which has no label of the store that wrote it."""
        return "file" in self.own

    @property
    def age(self) -> promql.Expr:
        matchers = (_TEXTFILE,) if self.is_file else ()
        return promql.age(self.metric, *matchers)

    def labels(self, config: Config) -> tuple[str, ...]:
        """The labels that the gauge and the store that it is of have both."""
        return promql.TARGET_LABELS if self.is_file else target_labels(config)

    def arrived(self, target: Mapping[str, str], age: float) -> Clock:
        return Clock(series_text(self.metric.name, {**self.own, **target}), age)

    def foreign_ages(self, target: Mapping[str, str], age: float) -> dict[str, Clock]:
        """What is not ours at the same target, too old and dated in the future; nothing where that has other labels."""
        series = series_text(self.metric.name, {**self.foreign, **target})
        return {"is old": Clock(series, age), "is in the future": Clock(series, -2 * AHEAD)} if self.foreign else {}


_ENDS: Mapping[Transport, _End] = {
    "textfile": _End(
        "TextfileStale", NODE_TEXTFILE_MTIME, {"file": "/textfile/facemon.prom"}, {"file": "/textfile/facemon/other"},
        "facemon export-metrics --textfile DIR/facemon.prom",
        f"The textfile {label('file')} is old",
        f"node-exporter at {label('instance')} reads a {label('file')} that was written {{age}} ago or earlier",
        ("cron or the timer that runs `export-metrics --textfile` is off", "the export fails, as its exit code 1 says",
         "it writes to another folder than the one that node-exporter reads"),
        {"Files that node-exporter cannot read:": promql.select(NODE_TEXTFILE_ERROR)},
    ),
    "pushgateway": _End(
        "PushStale", PUSH_TIME, {}, {},
        "facemon export-metrics --pushgateway URL",
        f"The push of {label('job')} is old",
        f"The Pushgateway has had no push for the job {label('job')} for {{age}}",
        ("cron or the timer that runs `export-metrics --pushgateway` is off",
         "the push fails, as its exit code 1 and its message say",
         "the group is of a machine that is gone: delete it with `facemon export-metrics --pushgateway URL --delete`"),
        {"When a push was refused last, in seconds since 1970:": promql.select(PUSH_FAILURE_TIME)},
    ),
}  # fmt: skip


def arrival_alerts(config: Config) -> tuple[Alert, ...]:
    """The alerts on exports, none where each scrape reads the store."""
    end = _ENDS.get(config.prometheus.store_metrics_from)
    return () if end is None else (_export_stale(config, end), _end_stale(config, end))


def export_stale_after(config: Config) -> timedelta:
    """How old the newest export may be."""
    return config.alerts.oldest("ExportStale")


def _end_stale_after(config: Config, end: _End) -> timedelta:
    changed = config.alerts.TextfileStale if end.alert == "TextfileStale" else config.alerts.PushStale
    return changed.threshold or export_stale_after(config)


def _stamp(labels: Mapping[str, str], age: float) -> Clock:
    return Clock(series_text(LAST_SUCCESS.name, {**EXPORT, **labels}), age)


def _export_stale(config: Config, end: _End) -> Alert:
    oldest = export_stale_after(config)
    signal, usual = promql.age(LAST_SUCCESS, EXPORTED), DEFAULT_ALERTS["ExportStale"]
    return Alert(
        name="ExportStale",
        group="stack",
        signal=signal,
        expr=promql.unless(overdue(signal, oldest), _told_by_end(config, end, signal), on=end.labels(config)),
        limit=f"no export of the store's metrics for more than {format_duration(oldest)}, or one that is dated 1d "
        "ahead, although something newer arrived",
        threshold=oldest.total_seconds(),
        for_=usual.for_,
        severity=usual.severity,
        summary="The exported metrics are old",
        description="The store's metrics that arrive are from an export that ended more than "
        f"{format_duration(oldest)} ago, or are dated in the future. Run `{end.command}`.",
        dashboard=Dashboard.ML_METRICS,
        runbook=Runbook(
            "All metrics of the store are as old as the newest export.",
            ("an old file is copied or pushed again and again", "a clock was wrong, as `facemon store clock` tells",
             *end.causes),
            (f"Run `{end.command}` by hand, as the user of the schedule, and read what it says.",
             "Exports are rarer than hourly by design? Set `alerts.ExportStale.threshold`."),
            {"Seconds since the export arrived:": end.age, **end.queries},
        ),
        carries=every_label(LAST_SUCCESS, config),
        scenarios=_export_scenarios(config, end, oldest),
    )  # fmt: skip


def _told_by_end(config: Config, end: _End, signal: promql.Expr) -> promql.Expr:
    """What the alert on the end of the way tells of in the place of ExportStale: pushes, or nodes."""
    limit = _end_stale_after(config, end)
    arrived = overdue(end.age, limit)
    if not (end.is_file and config.metrics.labels):
        return arrived
    # With the shorter limit: the old textfile of a store must not be taken for that of another store.
    exports = overdue(signal, min(export_stale_after(config), limit))
    files, stores = (promql.aggregate("count", each, by=promql.TARGET_LABELS) for each in (arrived, exports))
    return promql.not_before(files, stores)


def _export_scenarios(config: Config, end: _End, oldest: timedelta) -> tuple[Scenario, ...]:
    here, age = example_target(config), oldest.total_seconds()
    beside, fires = only(here, end.labels(config)), Firing({**EXPORT, **here})
    healthy = _stamp({**here, "instance": "exporter:2"}, 0)
    predicted = series_text(LAST_SUCCESS.name, {**here, "command": "predict"})
    limit, old = _end_stale_after(config, end).total_seconds(), _stamp(here, 2 * age)

    def arrived(seconds: float, **elsewhere: str) -> Clock:
        return end.arrived({**beside, **elsewhere}, seconds)

    return (
        _stopped(config, oldest, _stamp(here, 0).series, (healthy, arrived(0)), fires),
        _gone(_stamp(here, 0).series, age, (), fires),
        *at_the_limits(lambda seconds: (_stamp(here, seconds),), age, fires),
        Scenario("another command's", (Clock(predicted, 2 * age),)),
        Scenario("another command's, in the future", (Clock(predicted, -2 * AHEAD),)),
        Scenario("old, and so is what arrived, which has an alert of its own", (old, arrived(1.005 * limit))),
        Scenario("old, and what arrived is dated in the future", (old, arrived(-1.005 * AHEAD))),
        Scenario("old, and what arrived is just not", (old, arrived(limit)), fires),
        Scenario("old, and what arrived is dated a day ahead", (old, arrived(-AHEAD)), fires),
        *(Scenario(f"old, and so is what arrived at another {name}", (old, arrived(2 * limit, **{name: other})), fires)
          for name, other in _OTHER_TARGET.items()),
        *(Scenario(f"old, and what is not facemon's {what}", (old, foreign), fires)
          for what, foreign in end.foreign_ages(beside, 2 * limit).items()),
        *(_beside_textfiles(config, end, oldest) if end.is_file and config.metrics.labels else ()),
    )  # fmt: skip


def _beside_textfiles(config: Config, end: _End, oldest: timedelta) -> Iterator[Scenario]:
    """Other stores whose textfiles the same node-exporter reads."""
    here = example_target(config)
    beside, limit = only(here, promql.TARGET_LABELS), _end_stale_after(config, end).total_seconds()
    age, other = 2 * oldest.total_seconds(), {"file": "/textfile/facemon-other.prom"}
    old, least = _stamp(here, age), min(limit, oldest.total_seconds())
    files = (end.arrived(beside, 2 * limit), end.arrived({**beside, **other}, 2 * limit))
    for title, seconds in (("a prediction is old", age), ("a prediction is in the future", -2 * AHEAD)):
        predicted = Clock(series_text(LAST_SUCCESS.name, {**here, "command": "predict"}), seconds)
        yield Scenario(f"old, and so is the textfile; {title}", (old, predicted, files[0]))
    elsewhere = {"instance": _OTHER_TARGET["instance"]}
    yield Scenario("old, and so are export and textfile at another instance",
                   (old, _stamp({**here, **elsewhere}, age), end.arrived({**beside, **elsewhere}, 2 * limit)),
                   Firing({**EXPORT, **here}))  # fmt: skip
    for name in config.metrics.labels:
        there = {**here, name: other_labels(config)[name]}
        stores = (old, _stamp(there, age))
        for title, seconds in (("at the limit", least), ("a day ahead", -AHEAD)):
            beside_it = (old, _stamp(there, seconds), files[0])
            yield Scenario(f"old, and so is the textfile; that of another {name} is {title}", beside_it)
        yield Scenario(f"old in one {name}, in the future in another, and one textfile is old",
                       (old, _stamp(there, -1.005 * AHEAD), files[0]), Firing({**EXPORT, **here}),
                       besides=(Firing({**EXPORT, **there}),))  # fmt: skip
        yield Scenario(f"old in stores of two {name}, and so is one textfile", (*stores, files[0]),
                       Firing({**EXPORT, **here}), besides=(Firing({**EXPORT, **there}),))  # fmt: skip
        yield Scenario(f"old in stores of two {name}, and so are both textfiles", (*stores, *files))
        # The other store's export is just old enough for its textfile to be.
        soon = _stamp(there, 1.005 * least)
        also = (Firing({**EXPORT, **there}),) if soon.age > oldest.total_seconds() else ()
        yield Scenario(f"old, and the textfile of another {name} is", (old, soon, files[1]),
                       Firing({**EXPORT, **here}), besides=also)  # fmt: skip


def _gone(series: str, age: float, others: tuple[Signal, ...], fires: Firing) -> Scenario:
    """What is old ends with its series, at times that are fine enough to tell how long the alert fires on."""
    return Scenario("too old, then gone", (Gauge(series, None, -1.005 * age), *others), fires, Span.HELD)


def _stopped(
    config: Config, oldest: timedelta, series: str, others: tuple[Signal, ...], fires: Firing
) -> Scenario:  # fmt: skip
    """What happens hourly, or more often where the limit asks for it, stops and begins again."""
    every = min(timedelta(hours=1), oldest / 3)
    times = rhythm(timedelta(0), every, 4)
    late = times[-1] + oldest
    grain = turn_within(milliseconds(oldest), 20) * timedelta(milliseconds=1)
    again = late + 4 * grain
    scrape = max(config.prometheus.scrape_interval, min(oldest / 400, timedelta(seconds=150)))
    # Half a day ahead: by a short limit it would be too old before it is scraped.
    renewed = (again, again.total_seconds() + AHEAD / 2)
    checks = (
        Check(times[-1], before=True), Check(late, before=True),
        Check(late + 2 * grain, late + timedelta(milliseconds=1)), Check(again + scrape),
    )  # fmt: skip
    course = turning(series, *stamps(series, times).levels, renewed)
    title = "it stops and begins again; another instance is unaffected"
    return Scenario(title, (course, *others), fires, Span.MODELLED, checks, scrape, grain)


def _end_stale(config: Config, end: _End) -> Alert:
    oldest = _end_stale_after(config, end)
    signal, usual = end.age, DEFAULT_ALERTS[end.alert]
    expr = overdue(signal, oldest)
    if end.alert == "PushStale":
        # What else is pushed there is not ours.
        expr = promql.only_where(expr, promql.select(LAST_SUCCESS, EXPORTED), on=target_labels(config))
    return Alert(
        name=end.alert,
        group="stack",
        signal=signal,
        expr=expr,
        limit=f"nothing written there for more than {format_duration(oldest)}, or dated 1d ahead",
        threshold=oldest.total_seconds(),
        for_=usual.for_,
        severity=usual.severity,
        summary=end.summary,
        description=f"{end.description.replace('{age}', format_duration(oldest))}, or is dated in the future. "
        f"Run `{end.command}`.",
        dashboard=Dashboard.ML_METRICS,
        runbook=Runbook(
            "The store's metrics stay as they were: alerts on drift and accuracy do not see anything newer.",
            end.causes,
            (f"Run `{end.command}` by hand, as the user of the schedule, and read what it says.",
             "Exports are rarer than hourly by design? Set `alerts.ExportStale.threshold`, which counts here too."),
            {"Seconds since the newest export ended:": promql.age(LAST_SUCCESS, EXPORTED), **end.queries},
        ),
        carries=every_label(end.metric, config),
        scenarios=_end_scenarios(config, end, oldest),
    )  # fmt: skip


def _end_scenarios(config: Config, end: _End, oldest: timedelta) -> tuple[Scenario, ...]:
    beside, age = only(example_target(config), end.labels(config)), oldest.total_seconds()
    fires = Firing({**end.own, **beside})
    pushed = end.alert == "PushStale"

    def ours(labels: Mapping[str, str] = beside) -> tuple[Clock, ...]:
        return (_stamp({**example_target(config), **labels}, 0),) if pushed else ()

    def arrived(seconds: float, **elsewhere: str) -> Clock:
        return end.arrived({**beside, **elsewhere}, seconds)

    elsewhere = {"instance": "other:1"}
    healthy = (arrived(0, **elsewhere), *ours({**beside, **elsewhere}))
    foreign = Clock(series_text(end.metric.name, {**end.foreign, **beside}), 2 * age)
    ahead = Clock(series_text(end.metric.name, {**end.foreign, **beside}), -2 * AHEAD)
    stranger = {"command": "predict", **example_target(config)}
    others = (Clock(series_text(LAST_SUCCESS.name, stranger), 0),) if pushed else ()
    return (
        _stopped(config, oldest, arrived(0).series, (*ours(), *healthy), fires),
        _gone(arrived(0).series, age, ours(), fires),
        *at_the_limits(lambda seconds: (arrived(seconds), *ours()), age, fires),
        Scenario("something else than facemon's", (foreign, *others)),
        Scenario("something else than facemon's, in the future", (ahead, *others)),
        *(Scenario(f"facemon's has another {name}", (arrived(2 * age), *ours({name: other})))
          for name, other in _OTHER_TARGET.items() if pushed),
    )  # fmt: skip
