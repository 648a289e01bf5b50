"""The alert on the store's metrics that do not arrive, although no other alert says why.

The store is the one that metrics.labels of this configuration name: another one's metrics do not take their place.

That another alert says why is known once what it watches has been wrong for as long as its `for` asks. A single missed
scrape looks the same at first: it must not begin the wait of this alert again.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from facemon.config.alerts import DEFAULT_ALERTS
from facemon.config.document import Config
from facemon.config.prometheus import TRANSPORT_JOBS, Transport
from facemon.render import promql
from facemon.render.alert import Alert, Dashboard, Runbook, tells_for
from facemon.render.carried_labels import only_labels
from facemon.render.drift_series import IMAGES
from facemon.render.foreign_metrics import UP
from facemon.render.markdown import escaped
from facemon.render.promql_ages import largest_within
from facemon.render.rule_test import milliseconds, turn_within
from facemon.render.scenario import Check, Firing, Gauge, Scenario, Signal, Span, series_text
from facemon.render.series_models import turning

SOURCE_UP = promql.series("facemon_source_up")

_NAME = "MetricsAbsent"
_STORE = promql.equals("source", "store")
_START, _MILLISECOND = timedelta(0), timedelta(milliseconds=1)


_ARRIVAL: Mapping[Transport, tuple[str, str, str]] = {
    "exporter": ("the exporter", "facemon serve-metrics", "the exporter does not run, or reads another store"),
    "api": ("the API", "facemon serve", "the API does not run, or cannot open its store"),
    "textfile": (
        "a textfile", "facemon export-metrics --textfile DIR/facemon.prom",
        "no textfile was ever written, or to another folder than the one that node-exporter reads",
    ),
    "pushgateway": (
        "a push", "facemon export-metrics --pushgateway URL",
        "nothing was ever pushed, or the Pushgateway was restarted without a file for its groups",
    ),
}  # fmt: skip
"""By what the store's metrics arrive, the command that brings them, and why they may never have come."""


@dataclass(frozen=True, slots=True)
class _Cause:
    """Another alert that says why nothing arrives, while a gauge of each target or store is 0."""

    alert: Alert
    metric: promql.Series
    matchers: tuple[promql.Matcher, ...]
    example: str
    """The gauge's series in tests."""
    is_of_all: bool
    """Whether it says why only where all of the gauges are 0, not where one of them is."""

    def window(self, config: Config) -> timedelta | None:
        """How long the gauge must have been 0 for the other alert to say why, as its `for` asks.

        It is longer than three missed scrapes, and so much shorter than this alert's own `for` that this one is never
        due before. None where that leaves no room: then the gauge as it is now decides.
        """
        settings = config.prometheus
        held = config.alerts.held(self.alert.name)
        least, most = settings.gap + settings.scrape_interval, config.alerts.held(_NAME) - settings.gap
        return min(max(held, least), most) if least <= most else None

    def says_why(self, config: Config) -> promql.Expr:
        """A sample while the other alert says why."""
        window = self.window(config)
        level = promql.select(self.metric, *self.matchers)
        if window is not None:
            level = largest_within(self.metric, window, *self.matchers)
        return promql.compare(promql.aggregate("max", level) if self.is_of_all else level, "==", 0)


def _of_store(config: Config) -> tuple[promql.Matcher, ...]:
    """What chooses the series of this configuration's own store."""
    labels = config.metrics.labels.items()
    return tuple(replace(promql.equals(label, value), on_any_series=True) for label, value in labels)


def _causes(config: Config, down: Alert, unreadable: Alert) -> tuple[_Cause, ...]:
    """What other alerts tell of in the place of this one, and no later than this one would.

    One target of several that is down does not explain that the others bring nothing. A store that cannot be read
    does, whichever other process can read it.
    """
    store_job = TRANSPORT_JOBS[config.prometheus.store_metrics_from]
    job = promql.equals("job", config.prometheus.job_name(store_job))
    up = series_text(UP.name, {"job": store_job, "instance": "exporter:1"})
    readable = series_text(SOURCE_UP.name, {"source": "store", "job": "exporter", **config.metrics.labels})
    source = (_STORE, *_of_store(config))
    causes = (_Cause(down, UP, (job,), up, True), _Cause(unreadable, SOURCE_UP, source, readable, False))
    held, most = config.alerts.held, config.alerts.held(_NAME)
    return tuple(each for each in causes if tells_for(each.alert, _NAME, config) and held(each.alert.name) <= most)


def metrics_absent(config: Config, down: Alert, unreadable: Alert) -> Alert:
    """The alert on metrics that do not arrive, unless another alert tells why: the target or the store is away.

    By the rule, because an inhibition ends with the other alert, which may be a moment before this one ends.
    """
    way, command, cause = _ARRIVAL[config.prometheus.store_metrics_from]
    causes = _causes(config, down, unreadable)
    expr, told = promql.absent(IMAGES, *_of_store(config)), [each.alert.name for each in causes]
    for each in causes:
        expr = promql.unless(expr, each.says_why(config), on=())
    return Alert(
        name=_NAME,
        group="stack",
        signal=promql.select(IMAGES),
        expr=expr,
        limit=f"no {IMAGES.name} {_whose(config)}"
        + (f", and no {' or '.join(sorted(told))} explains it" if told else ""),
        for_=DEFAULT_ALERTS[_NAME].for_,
        severity=DEFAULT_ALERTS[_NAME].severity,
        summary="The store's metrics do not arrive",
        description=f"Prometheus receives no {IMAGES.name}, which {way} should bring: alerts on drift and accuracy "
        f"cannot fire. Run `{command}`.",
        dashboard=Dashboard.ML_METRICS,
        runbook=Runbook(
            "Prometheus has no metrics of predictions, drift and accuracy, so their alerts cannot fire.",
            (
                cause,
                "`prometheus.store_metrics_from` does not name the transport that is in use",
                "no store was made yet",
            ),
            (
                f"Run `{command}` and read what it says.",
                "Compare `prometheus.store_metrics_from` with what runs.",
                "Run `facemon export-metrics -o -`: it prints what the store has.",
            ),
            {"The targets that answer:": promql.compare(promql.select(UP), "==", 1)},
        ),
        carries=only_labels(*config.metrics.labels),
        fires_without_data=True,
        scenarios=(
            *_absent_scenarios(config, told),
            *(story for each in causes for story in _course_scenarios(each, config)),
        ),
    )


def _whose(config: Config) -> str:
    named = " and ".join(f"{label} {escaped(value)}" for label, value in config.metrics.labels.items())
    return f"of {named}" if named else "from anywhere"


def _absent_scenarios(config: Config, told: Collection[str]) -> Iterator[Scenario]:
    store = dict(config.metrics.labels)
    labels, fires = {"status": "ok", "job": "exporter", "instance": "exporter:1", **store}, Firing(store, 1)
    gone = Gauge(series_text(IMAGES.name, labels), 5, None)
    another = Gauge(series_text(IMAGES.name, {**labels, "instance": "exporter:2"}), 5, 5)
    yield Scenario("nothing at all", (), fires, Span.HELD)
    yield Scenario("the metric goes and comes back", (gone,), fires, Span.HELD)
    yield Scenario("gone from one instance, and another has it", (gone, another))

    def target(job: str, level: float, instance: str = "exporter:1") -> Gauge:
        return Gauge(series_text(UP.name, {"job": job, "instance": instance}), 1, level)

    store_job = TRANSPORT_JOBS[config.prometheus.store_metrics_from]
    yield Scenario("gone, and what brings it is up", (gone, target(store_job, 1)), fires)
    yield Scenario("gone, and a target of another job is down", (gone, target("another", 0)), fires)
    both = (target(store_job, 0), target(store_job, 1, "exporter:2"))
    yield Scenario("gone, and one of two targets is down", (gone, *both), fires)
    yield Scenario("gone with its target", (gone, target(store_job, 0)), None if "TargetDown" in told else fires)

    def readable(source: str, level: float) -> Gauge:
        return Gauge(series_text(SOURCE_UP.name, {"source": source, "job": "exporter", **store}), 1, level)

    yield Scenario("gone, and its store can be read", (gone, readable("store", 1)), fires)
    yield Scenario("gone, and another source cannot be read", (gone, readable("mine:Queue", 0)), fires)
    unread = None if "SourceUnreadable" in told else fires
    yield Scenario("gone, and its store cannot be read", (gone, readable("store", 0)), unread)


def _course_scenarios(cause: _Cause, config: Config) -> Iterator[Scenario]:
    """What a cause does in the course of time: it stays, or it is seen for three scrapes only."""
    if (window := cause.window(config)) is None:
        return
    scrape, held = config.prometheus.scrape_interval, config.alerts.held(_NAME)
    # Fine enough to tell the window from one that is a quarter longer or shorter.
    grain = turn_within(milliseconds(window), 4) * _MILLISECOND
    # Whole scrapes, so that the series end when their levels do.
    ends = -(-2 * grain // scrape) * scrape
    missed = -(-(ends + held / 2) // scrape) * scrape
    back, known = missed + 3 * scrape, ends - scrape + window
    store = dict(config.metrics.labels)
    gone = turning(series_text(IMAGES.name, {"status": "ok", "job": "exporter", **store}), (_START, 5), (ends, None))

    def modelled(title: str, level: Signal, *checks: Check) -> Scenario:
        return Scenario(title, (gone, level), Firing(store, 1), Span.MODELLED, checks, scrape, grain)

    yield modelled(
        f"gone, and {cause.alert.name} says why for good",
        turning(cause.example, (_START, 1), (ends, 0)),
        Check(known, ends, before=True), Check(known + _MILLISECOND), Check(known + 2 * held),
    )  # fmt: skip
    yield modelled(
        f"gone, and {cause.alert.name} would say why for three scrapes",
        turning(cause.example, (_START, 1), (missed, 0), (back, 1)),
        Check(back, ends, before=True), Check(ends + held + grain, ends),
    )  # fmt: skip
