"""Objectives: what share of requests may be bad over a period, and alerts on how fast that budget is used up.

Several windows and burn rates, as chapter 5 of Google's Site Reliability Workbook has them for a period of 30 days: a
rate of 1 uses the budget up in just the period. The long window says that it matters, the short one that it goes on.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from facemon.config.alerts import PREDICT, ObjectiveConfig
from facemon.config.alerts import objective_alerts as alert_names
from facemon.config.document import Config
from facemon.config.durations import format_duration
from facemon.config.quantities import Severity
from facemon.render import promql
from facemon.render.alert import Alert, Dashboard, Runbook
from facemon.render.annotation import PERCENTAGE
from facemon.render.api_alerts import LATENCY, REQUESTS, at_work, bucket_edge, error_ratio, latency_limit
from facemon.render.carried_labels import only_labels
from facemon.render.markdown import escaped
from facemon.render.promql import Expr, Matcher, equals, number
from facemon.render.recording import Recording, Samples, Stage
from facemon.render.scenario import Burst, Firing, Gauge, Scenario, Signal, Span, in_store, series_text
from facemon.render.traffic import FEW_PER_SECOND, edge_label, late, latencies, requests

_WORKBOOK_PERIOD = timedelta(days=30)
_OTHER = "another objective"


class Pace(StrEnum):
    """How soon the budget will be gone, which decides who is told and how."""

    FAST = "fast"
    SLOW = "slow"


_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_WORKBOOK = {
    Pace.FAST: ((Decimal("14.4"), _HOUR, _HOUR / 12), (Decimal(6), 6 * _HOUR, _HOUR / 2)),
    Pace.SLOW: ((Decimal(3), _DAY, 2 * _HOUR), (Decimal(1), 3 * _DAY, 6 * _HOUR)),
}
_SEVERITY: Mapping[Pace, Severity] = {Pace.FAST: "critical", Pace.SLOW: "warning"}


@dataclass(frozen=True, slots=True)
class _BurnRate:
    """A speed at which the budget is used up, and the windows in which the bad share must be above its limit."""

    factor: Decimal
    long: timedelta
    short: timedelta
    limit: float

    @property
    def windows(self) -> tuple[timedelta, ...]:
        """The long one first; one only, where scrapes are so far apart that both are the same."""
        return (self.long,) if self.long == self.short else (self.long, self.short)


def objective_alerts(config: Config) -> tuple[Alert, ...]:
    """The alerts of all objectives, without those that could never fire.

    Raises ConfigError for a latency that the histogram cannot show.
    """
    return tuple(
        _alert(place, pace, rates, config)
        for place, objective in enumerate(_watched(config))
        for pace in Pace
        if (rates := burn_rates(objective, pace, config))
    )


def objective_recordings(config: Config) -> Iterator[Recording]:
    """The bad share of each objective over each window that its alerts ask for."""
    for place, objective in enumerate(_watched(config)):
        windows = {window for pace in Pace for rate in burn_rates(objective, pace, config) for window in rate.windows}
        for window in sorted(windows):
            yield _recording(place, objective, window, config)


def objective_notes(config: Config) -> Iterator[str]:
    """What of the objectives was left out, and what they ask of Prometheus that it does not keep."""
    if config.alerts.objectives and not _watched(config):
        yield "alerts.objectives were left out: prometheus.jobs has no api, whose requests they count"
    for objective in _watched(config):
        for pace, name in zip(Pace, alert_names(objective.name), strict=True):
            if left := len(_WORKBOOK[pace]) - len(list(_reachable(objective, pace, config))):
                what = f"{name} was left out" if left == len(_WORKBOOK[pace]) else f"a window of {name} was left out"
                most = number(round(1 / (1 - objective.target), 1))
                yield f"{what}: with a target of {number(objective.target)} no budget burns faster than {most} times"
        longest = _scaled(max(long for _, long, _ in _WORKBOOK[Pace.SLOW]), objective, config)
        if longest > config.prometheus.retention:
            yield (
                f"the objective {objective.name} looks back {format_duration(longest)}, and prometheus.retention keeps "
                f"{format_duration(config.prometheus.retention)}"
            )


def burn_rates(objective: ObjectiveConfig, pace: Pace, config: Config) -> tuple[_BurnRate, ...]:
    """The burn rates that an alert watches: those that bad requests can reach, of equal windows the slowest."""
    slowest = {(rate.long, rate.short): rate for rate in _reachable(objective, pace, config)}
    return tuple(slowest.values())


def _reachable(objective: ObjectiveConfig, pace: Pace, config: Config) -> Iterator[_BurnRate]:
    budget = 1 - Decimal(repr(objective.target))
    for factor, long, short in _WORKBOOK[pace]:
        if (limit := factor * budget) < 1:
            windows = _scaled(long, objective, config), _scaled(short, objective, config)
            yield _BurnRate(factor, *windows, float(limit))


def _scaled(window: timedelta, objective: ObjectiveConfig, config: Config) -> timedelta:
    """A window of the workbook for the objective's period, in whole milliseconds; a rate needs some scrapes in it."""
    milliseconds = round(window * (objective.period / _WORKBOOK_PERIOD) / timedelta(milliseconds=1))
    return max(timedelta(milliseconds=milliseconds), config.prometheus.shortest_window)


def _watched(config: Config) -> tuple[ObjectiveConfig, ...]:
    return config.alerts.objectives if "api" in config.prometheus.jobs else ()


def _name(window: timedelta) -> str:
    return f"objective:bad_share:rate{format_duration(window)}"


def _limit_s(place: int, objective: ObjectiveConfig, config: Config) -> float:
    if objective.threshold is None:
        return latency_limit(config)
    return bucket_edge(objective.threshold, f"alerts.objectives.{place}.threshold")


def _bad_share(place: int, objective: ObjectiveConfig, window: timedelta, config: Config) -> Expr:
    """The share of bad requests: nothing without requests."""
    store = tuple(config.metrics.labels)
    only = _work(objective, config)
    if objective.indicator == "errors":
        return error_ratio(window, *only, by=store)
    within = equals("le", edge_label(_limit_s(place, objective, config)))
    good = promql.aggregate("sum", promql.bucket_rate(LATENCY, window, within, *only), by=store)
    every = promql.aggregate("sum", promql.count_rate(LATENCY, window, *only), by=store)
    return promql.complement(promql.divide(good, promql.compare(every, ">", 0)))


def _work(objective: ObjectiveConfig, config: Config) -> tuple[Matcher, ...]:
    """What chooses the requests that count: those of one endpoint, or of all that do work."""
    return at_work(config) if objective.endpoint is None else (equals("endpoint", objective.endpoint),)


def _recording(place: int, objective: ObjectiveConfig, window: timedelta, config: Config) -> Recording:
    return Recording(
        name=_name(window),
        group="objectives",
        expr=_bad_share(place, objective, window, config),
        window=window,
        labels={"objective": objective.name},
        stages=tuple(each.in_store(config.metrics.labels) for each in _stages(place, objective, window, config)),
    )


def _stages(place: int, objective: ObjectiveConfig, window: timedelta, config: Config) -> Iterator[Stage]:
    endpoint = PREDICT if objective.endpoint is None else objective.endpoint
    elsewhere = config.alerts.ignored_endpoints[:1] if objective.endpoint is None else (f"{endpoint}/other",)

    def served(good: float, bad: float, instance: str, at: str = endpoint) -> tuple[Burst, ...]:
        if objective.indicator == "latency":
            limit = _limit_s(place, objective, config)
            return latencies(limit, fast=good, slow=bad, endpoint=at, instance=instance)
        ends = {"success": good, "error": bad}
        return tuple(requests(end, count, endpoint=at, instance=instance) for end, count in ends.items())

    others = [signal for other in elsewhere for signal in served(10_000, 10_000, "api:1", other)]
    if objective.indicator == "errors":
        others.append(requests("rejected", 10_000, endpoint=endpoint))
    none, part, all_ = (_share(share) for share in (0.0, 0.3, 1.0))
    first = (*served(400, 100, "api:1"), *served(300, 200, "api:2"), *others)
    yield Stage("a part is bad on two instances, then none", (*first, *late(*served(100, 0, "api:3"))), part, none)
    yield Stage("none is bad, then all are", (*served(5000, 0, "api:1"), *late(*served(0, 10, "api:3"))), none, all_)
    few = served(FEW_PER_SECOND * window.total_seconds(), 0, "api:1")
    yield Stage("very few requests, then none", few, none)
    if objective.indicator == "errors":
        yield Stage("no series of errors, as none has happened", few[:1], none, alone=True)


def _share(share: float) -> Samples:
    return (({}, share),)


def _alert(place: int, pace: Pace, rates: Sequence[_BurnRate], config: Config) -> Alert:
    objective = config.alerts.objectives[place]
    expr = _condition(objective, rates[0])
    for rate in rates[1:]:
        expr = promql.either(expr, _condition(objective, rate))
    period = format_duration(objective.period)
    budget = f"{float(1 - Decimal(repr(objective.target))) * 100:.4g}%"
    gone = format_duration(_until_gone(rates[0], objective))
    return Alert(
        name=alert_names(objective.name)[0 if pace is Pace.FAST else 1],
        group="objectives",
        signal=promql.recorded(_name(rates[0].long), equals("objective", objective.name)),
        expr=expr,
        limit=", or ".join(_in_words(rate) for rate in rates),
        for_=timedelta(0),
        severity=_SEVERITY[pace],
        summary=f"The budget of {objective.name} burns {pace}",
        description=f"{PERCENTAGE} of requests are bad; over {period} {budget} may be. "
        f"At {rates[0].factor} times that rate the budget is gone in {gone}.",
        dashboard=Dashboard.API_PERFORMANCE,
        runbook=_runbook(place, objective, rates, config),
        carries=only_labels("objective", *config.metrics.labels),
        scenarios=in_store(_scenarios(objective, rates), config.metrics.labels),
        incident=f"{objective.name}Budget",
    )


def _condition(objective: ObjectiveConfig, rate: _BurnRate) -> Expr:
    over = promql.compare(promql.recorded(_name(rate.long), equals("objective", objective.name)), ">", rate.limit)
    if rate.long == rate.short:
        return over
    # Of all objectives, the one with the labels of the long window's.
    return promql.both(over, promql.compare(promql.recorded(_name(rate.short)), ">", rate.limit))


def _in_words(rate: _BurnRate) -> str:
    windows = " and over ".join(format_duration(window) for window in rate.windows)
    return f"more than {rate.limit * 100:.4g} % of requests bad over {windows}"


def _until_gone(rate: _BurnRate, objective: ObjectiveConfig) -> timedelta:
    seconds = round(objective.period.total_seconds() / float(rate.factor))
    return timedelta(seconds=max(seconds, 1))


def _runbook(place: int, objective: ObjectiveConfig, rates: Sequence[_BurnRate], config: Config) -> Runbook:
    where = "all endpoints that do work" if objective.endpoint is None else escaped(objective.endpoint)
    what = "end in a server error"
    if objective.indicator == "latency":
        what = f"take longer than {number(_limit_s(place, objective, config))} s"
    budget = float(1 - Decimal(repr(objective.target))) * 100
    errors = promql.rate(REQUESTS, rates[0].short, equals("status", "error"))
    return Runbook(
        f"{budget:.4g} % of the requests to {where} may {what} within {format_duration(objective.period)}. "
        "That budget is being used up faster than the period passes.",
        ("a release", "more requests than the workers can take", "a dependency that is slow or unavailable"),
        (
            "See since when, on the dashboard; what was changed then?",
            "Once it is over: how much of the budget is left decides whether the next risk is taken.",
        ),
        {
            **{
                f"The bad share over {format_duration(window)}:": promql.recorded(
                    _name(window), equals("objective", objective.name)
                )
                for rate in rates for window in rate.windows
            },
            "Errors per second by endpoint and code:": promql.aggregate("sum", errors, by=("endpoint", "code")),
            "P95 of each endpoint:": promql.quantile(0.95, LATENCY, rates[0].short, by=("endpoint",)),
        },
        (
            ("burn rate", "bad share above", "windows", "uses up of the budget", "all of it is gone in"),
            *(_row(rate, objective) for rate in rates),
        ),
    )  # fmt: skip


def _row(rate: _BurnRate, objective: ObjectiveConfig) -> tuple[str, ...]:
    used = min(1.0, float(rate.factor) * (rate.long / objective.period))
    windows = " and ".join(format_duration(window) for window in rate.windows)
    gone = format_duration(_until_gone(rate, objective))
    of_budget = f"{used * 100:.3g} % in {format_duration(rate.long)}"
    return (f"{rate.factor}", f"{rate.limit * 100:.4g} %", windows, of_budget, gone)


def _scenarios(objective: ObjectiveConfig, rates: Sequence[_BurnRate]) -> Iterator[Scenario]:
    """Each burn rate by itself: the series of its windows, and those of an objective that all alerts would be on."""

    def share(window: timedelta, level: float) -> Signal:
        return Gauge(series_text(_name(window), {"objective": objective.name}), 0, level)

    def others(rate: _BurnRate) -> tuple[Signal, ...]:
        return tuple(Gauge(series_text(_name(window), {"objective": _OTHER}), 1, 1) for window in rate.windows)

    for rate in rates:
        windows = " and ".join(format_duration(window) for window in rate.windows)
        over, clear = rate.limit * 1.005, min(2.0 * rate.limit, 1.0)
        fires = Firing({"objective": objective.name}, clear)
        held = tuple(share(window, clear) for window in rate.windows)
        yield Scenario(f"over the limit in {windows}; another objective is unaffected", (*held, *others(rate)), fires,
                       Span.HELD)  # fmt: skip
        yield Scenario(f"just over the limit in {windows}", tuple(share(each, over) for each in rate.windows), fires)
        for at in rate.windows:
            signals = tuple(share(each, rate.limit if each == at else over) for each in rate.windows)
            yield Scenario(f"exactly at the limit in {format_duration(at)} of {windows}", (*signals, *others(rate)))
            rest = tuple(share(each, over) for each in rate.windows if each != at)
            yield Scenario(f"no requests in {format_duration(at)} of {windows}", rest)
