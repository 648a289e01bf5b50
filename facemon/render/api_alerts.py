"""The alerts on the ML API: slow, failing, or without its model."""

from collections.abc import Sequence
from datetime import timedelta

from facemon.config.alerts import DEFAULT_ALERTS
from facemon.config.document import Config
from facemon.config.durations import format_duration
from facemon.domain.metric_catalogue import LATENCY_BUCKETS
from facemon.errors import ConfigError
from facemon.render import promql
from facemon.render.alert import Alert, Dashboard, Runbook
from facemon.render.annotation import PERCENTAGE, label, value
from facemon.render.api_scenarios import failing_scenarios, failing_with_few_here, slow_scenarios, slow_with_few_here
from facemon.render.carried_labels import every_label, only_labels
from facemon.render.drift_series import target_labels
from facemon.render.foreign_metrics import UP
from facemon.render.scenario import Firing, Gauge, Scenario, Signal, Span, in_store, series_text
from facemon.render.traffic import requests

LATENCY = promql.series("api_request_latency_seconds")
REQUESTS = promql.series("api_requests_total")
MODEL_LOADED = promql.series("model_loaded")
_WORKERS = promql.series("api_workers_configured")
"""What `facemon serve` exports and an application around which `facemon.instrument` is does not, as `model_loaded`."""
_FAILED = promql.equals("status", "error")
_NOT_REJECTED = promql.differs("status", "rejected")
"""A request that is rejected, for want of a token or an end for instance, is not work: it hides no errors."""

_QUANTILE = 0.95


def api_alerts(config: Config) -> tuple[Alert, ...]:
    """The alerts that need a scraped API; ConfigError for a latency limit that the histogram cannot show."""
    return (_high_latency(config), _high_error_rate(config), _model_not_loaded(config))


def is_only_api(config: Config) -> bool:
    """Whether there is a single API, so that its missing model explains all slow and failing requests."""
    return len(config.prometheus.targets.get("api", ("the only one",))) <= 1


def at_work(config: Config) -> tuple[promql.Matcher, ...]:
    """What leaves out the endpoints whose requests are not work."""
    ignored = config.alerts.ignored_endpoints
    return (promql.none_of("endpoint", ignored),) if ignored else ()


def latency_p95(config: Config, *matchers: promql.Matcher) -> promql.Expr:
    """P95 latency of each endpoint that does work."""
    by = ("endpoint", *config.metrics.labels)
    return promql.quantile(_QUANTILE, LATENCY, config.prometheus.window, *at_work(config), *matchers, by=by)


def error_ratio(window: promql.Window, *matchers: promql.Matcher, by: Sequence[str] = ()) -> promql.Expr:
    """Share of the requests that were not rejected that failed, over all labels but those of `by`.

    It is 0 without errors, and nothing without requests.
    """
    failing = promql.rate(REQUESTS, window, _FAILED, *matchers)
    errors = promql.aggregate("sum", failing, by=by)
    every = promql.aggregate("sum", promql.rate(REQUESTS, window, _NOT_REJECTED, *matchers), by=by)
    none = promql.constant_for(every, 0) if by else promql.constant(0)
    return promql.divide(promql.either(errors, none), promql.compare(every, ">", 0))


def latency_limit(config: Config) -> float:
    """The limit of HighLatency; ConfigError unless it is an edge of the buckets, below the last."""
    limit = config.alerts.limit("HighLatency")
    return bucket_edge(limit, "alerts.HighLatency.threshold", LATENCY_BUCKETS[:-1])


def bucket_edge(limit: float, key: str, edges: tuple[float, ...] = LATENCY_BUCKETS) -> float:
    """A limit in seconds that is one of the `edges`; ConfigError names its neighbours if it is not."""
    if limit in edges:
        return limit
    below = max((edge for edge in edges if edge < limit), default=None)
    above = min((edge for edge in edges if edge > limit), default=None)
    neighbours = " or ".join(promql.number(edge) for edge in (below, above) if edge is not None)
    raise ConfigError(
        f"{key}: {promql.number(limit)} s is not an edge of the latency buckets, "
        "so that the slower requests could not be told from the others",
        hint=f"use {neighbours}",
    )


def _error_limit(config: Config) -> float:
    """The limit of HighErrorRate."""
    return config.alerts.limit("HighErrorRate")


def _high_latency(config: Config) -> Alert:
    limit, window = latency_limit(config), config.prometheus.window
    least, usual = config.alerts.HighLatency.min_requests, DEFAULT_ALERTS["HighLatency"]
    signal, of_endpoint = latency_p95(config), ("endpoint", *config.metrics.labels)
    counted = promql.aggregate("sum", promql.count_increase(LATENCY, window), by=of_endpoint)
    expr = promql.compare(signal, ">", limit)
    if least:
        # The histogram's own count: what the quantile is taken over, and of its endpoints only.
        expr = promql.only_where(expr, promql.compare(counted, ">=", least), on=of_endpoint)
    every = promql.aggregate("sum", promql.rate(REQUESTS, window), by=("endpoint",))
    ignored = config.alerts.ignored_endpoints
    return Alert(
        name="HighLatency",
        group="api",
        signal=signal,
        expr=expr,
        limit=f"P95 of an endpoint above {promql.number(limit)} s" + _traffic(least, config),
        threshold=limit,
        least_requests=least,
        for_=usual.for_,
        severity=usual.severity,
        summary=f"{label('endpoint')} answers slowly",
        description=f"P95 latency over {format_duration(window)} is {value(3)} s, limit {promql.number(limit)} s.",
        dashboard=Dashboard.API_PERFORMANCE,
        runbook=Runbook(
            f"More than one request in twenty waits longer than {promql.number(limit)} s.",
            ("larger images or more faces in each", "more requests than the workers can take", "a busy machine"),
            (
                "Compare requests per second with latency: do both rise together?",
                "Look at CPU on the system dashboard; add replicas, or lower `api.max_pixels`.",
            ),
            {
                "P95 of each instance: one slow machine, or all?": promql.quantile(
                    _QUANTILE, LATENCY, window, by=("endpoint", "instance")
                ),
                "Half of the requests wait less than this:": promql.quantile(0.5, LATENCY, window, by=("endpoint",)),
                "Requests per second:": every,
            },
        ),
        carries=only_labels(*of_endpoint),
        scenarios=(
            *in_store(slow_scenarios(limit, least, ignored), config.metrics.labels),
            *slow_with_few_here(limit, least, config.metrics.labels),
        ),
    )


def _high_error_rate(config: Config) -> Alert:
    limit, window = _error_limit(config), config.prometheus.window
    least, usual = config.alerts.HighErrorRate.min_requests, DEFAULT_ALERTS["HighErrorRate"]
    work = at_work(config)
    failing = promql.rate(REQUESTS, window, _FAILED, *work)
    store = tuple(config.metrics.labels)
    every = promql.aggregate("sum", promql.rate(REQUESTS, window, _NOT_REJECTED, *work), by=store)
    # Without errors, or without requests, there is no share; and none is above no limit.
    expr = promql.compare(promql.divide(promql.aggregate("sum", failing, by=store), every), ">", limit)
    if least:
        counted = promql.aggregate("sum", promql.increase(REQUESTS, window, _NOT_REJECTED, *work), by=store)
        expr = promql.only_where(expr, promql.compare(counted, ">=", least), on=store)
    return Alert(
        name="HighErrorRate",
        group="api",
        signal=error_ratio(window, *work, by=store),
        expr=expr,
        limit=f"more than {limit * 100:.4g} % of requests that are not rejected fail" + _traffic(least, config),
        threshold=limit,
        least_requests=least,
        for_=usual.for_,
        severity=usual.severity,
        summary="Many requests fail",
        description=f"{PERCENTAGE} of requests end in a server error, limit {limit * 100:.4g}%.",
        dashboard=Dashboard.API_PERFORMANCE,
        runbook=Runbook(
            f"The API answers more than {limit * 100:.4g} % of requests with a 5xx status. Those that it rejects "
            "(4xx) and those to `alerts.ignored_endpoints`, such as probes, do not count.",
            ("the model's file is damaged or gone", "the store is full or cannot be written", "timeouts under load"),
            (
                "Read the API's log for the first error, and its `/ready` for what is missing.",
                "Look at the status codes: 503 is too much load, 500 is a fault.",
            ),
            {
                "Errors per second by code and endpoint:": promql.aggregate("sum", failing, by=("code", "endpoint")),
                "Errors per second of each instance: one of them, or all?": promql.aggregate(
                    "sum", failing, by=("instance",)
                ),
                "Requests per second that were not rejected:": every,
            },
        ),
        carries=only_labels(*store),
        scenarios=(
            *in_store(failing_scenarios(limit, least, window, config.alerts.ignored_endpoints), config.metrics.labels),
            *failing_with_few_here(least, config.metrics.labels),
        ),
    )


def _traffic(least: int, config: Config) -> str:
    within = format_duration(config.prometheus.window)
    return f", of at least {least} requests within {within}" if least else ""


def _missing_model(config: Config) -> Runbook:
    rejected = promql.rate(REQUESTS, config.prometheus.window, promql.differs("status", "success"))
    return Runbook(
        "The API runs but cannot predict, or predicts with fewer workers than it is configured to have.",
        (
            "the model's file is missing or not the one in `facemon.yaml`",
            "worker processes end again and again, for example because memory runs out",
        ),
        (
            "Run `facemon model show` on the API's machine, and read `/ready` of the API.",
            "Read the API's log since its start: it names the signal that ended a worker.",
        ),
        {
            "The workers that each API has:": promql.select(promql.series("api_workers_available")),
            "Requests per second that were rejected or failed, by code:": promql.aggregate(
                "sum", rejected, by=("code",)
            ),
        },
    )


def _requests_in_window(config: Config) -> timedelta:
    """How long the last request without a model may make the alerts fire that ModelNotLoaded keeps silent."""
    if not is_only_api(config):
        return timedelta(0)
    silenced = (config.alerts.HighErrorRate, config.alerts.HighLatency)
    return config.prometheus.window + max(alert.keep_firing_for or timedelta(0) for alert in silenced)


def _model_not_loaded(config: Config) -> Alert:
    target = {"job": "api", "instance": "api:1", **config.metrics.labels}
    model = {"model": "faces@1", **target}
    workers, elsewhere = series_text(_WORKERS.name, target), {"instance": "api:2"}
    serves: Signal = Gauge(workers, 2, 2)
    gone = Gauge(series_text(MODEL_LOADED.name, model), 1, None)
    fallen = Gauge(series_text(MODEL_LOADED.name, model), 1, 0)
    loaded = Gauge(series_text(MODEL_LOADED.name, model), 1, 1)
    others = (
        Gauge(series_text(_WORKERS.name, {**target, **elsewhere}), 2, 2),
        Gauge(series_text(MODEL_LOADED.name, {**model, **elsewhere}), 1, 1),
    )
    own_api = Gauge(series_text(UP.name, {"job": "api", "instance": "own-api:1"}), 1, 1)
    signal, usual = promql.select(MODEL_LOADED), DEFAULT_ALERTS["ModelNotLoaded"]
    lost = promql.unless(promql.select(_WORKERS), signal, on=target_labels(config))
    return Alert(
        name="ModelNotLoaded",
        group="api",
        signal=signal,
        expr=promql.either(promql.compare(signal, "==", 0), lost),
        limit="a `facemon serve` that answers has no model loaded, or lacks workers",
        for_=usual.for_,
        outlives=_requests_in_window(config),
        severity=usual.severity,
        summary=f"{label('instance')} has no model, or lacks workers",
        description=f"The API at {label('instance')} answers, but no model is loaded or worker processes are missing.",
        dashboard=Dashboard.API_PERFORMANCE,
        runbook=_missing_model(config),
        carries=every_label(MODEL_LOADED, config) | every_label(_WORKERS, config),
        scenarios=(
            Scenario("the gauge falls to 0; another instance is unaffected", (serves, fallen, *others),
                     Firing(model, 0), Span.HELD),
            Scenario("the gauge is gone", (serves, gone), Firing(target, 2), Span.HELD),
            Scenario("the gauge is gone, another instance's is there", (serves, gone, *others), Firing(target, 2)),
            Scenario("the model is loaded", (serves, loaded)),
            Scenario("an API of one's own, which has no such gauge", (own_api, requests("success", 1))),
            Scenario("the API is down, which is another alert's", (Gauge(workers, None, None),)),
        ),
    )  # fmt: skip
