"""The alerts on the ML API: slow, failing, or without its model."""

from datetime import timedelta

from facemon.config.document import Config
from facemon.config.quantities import format_duration
from facemon.errors import ConfigError
from facemon.render import promql
from facemon.render.alert import Alert, Dashboard, Runbook
from facemon.render.annotation import PERCENTAGE, label, value
from facemon.render.foreign_metrics import UP
from facemon.render.scenario import Counter, Firing, Gauge, Scenario, Signal, series_text
from facemon.values.metric_catalogue import LATENCY_BUCKETS

LATENCY = promql.series("api_request_latency_seconds")
REQUESTS = promql.series("api_requests_total")
MODEL_LOADED = promql.series("model_loaded")

_LATENCY_LIMIT = 0.5
_ERROR_LIMIT = 0.05
_QUANTILE = 0.95
_ALERT = "HighLatency"


def api_alerts(config: Config) -> tuple[Alert, ...]:
    """The alerts that need a scraped API; ConfigError for a latency limit that the histogram cannot show."""
    return (_high_latency(config), _high_error_rate(config), _model_not_loaded())


def latency_p95(config: Config) -> promql.Expr:
    """P95 latency of each endpoint."""
    return promql.quantile(_QUANTILE, LATENCY, config.prometheus.window, by=("endpoint",))


def error_ratio(window: promql.Window) -> promql.Expr:
    """Share of requests that failed: 0 without errors, nothing without requests."""
    errors = promql.aggregate("sum", promql.rate(REQUESTS, window, promql.equals("status", "error")))
    requests = promql.aggregate("sum", promql.rate(REQUESTS, window))
    return promql.divide(promql.either(errors, promql.constant(0)), promql.compare(requests, ">", 0))


def latency_limit(config: Config) -> float:
    """The limit of HighLatency; ConfigError unless it is an edge of the buckets, below the last."""
    given = config.alerts.HighLatency.threshold
    limit = _LATENCY_LIMIT if given is None else given
    if limit in LATENCY_BUCKETS[:-1]:
        return limit
    below = max((edge for edge in LATENCY_BUCKETS[:-1] if edge < limit), default=None)
    above = min((edge for edge in LATENCY_BUCKETS[:-1] if edge > limit), default=None)
    neighbours = " or ".join(promql.number(edge) for edge in (below, above) if edge is not None)
    raise ConfigError(
        f"alerts.{_ALERT}.threshold: {promql.number(limit)} s is not an edge of the latency buckets, "
        "so that the P95 could not be told from it",
        hint=f"use {neighbours}",
    )


def error_limit(config: Config) -> float:
    """The limit of HighErrorRate."""
    given = config.alerts.HighErrorRate.threshold
    return _ERROR_LIMIT if given is None else given


def _high_latency(config: Config) -> Alert:
    limit = latency_limit(config)
    signal = latency_p95(config)
    window = format_duration(config.prometheus.window)
    return Alert(
        name=_ALERT,
        group="api",
        signal=signal,
        expr=promql.compare(signal, ">", limit),
        limit=f"P95 of an endpoint above {promql.number(limit)} s",
        threshold=limit,
        for_=timedelta(minutes=5),
        severity="warning",
        summary=f"{label('endpoint')} answers slowly",
        description=f"P95 latency over {window} is {value(3)} s, limit {promql.number(limit)} s.",
        dashboard=Dashboard.API_PERFORMANCE,
        runbook=Runbook(
            "More than one request in twenty waits longer than the limit.",
            ("larger images or more faces in each", "more requests than the workers can take", "a busy machine"),
            (
                "Compare requests per second with latency: do both rise together?",
                "Look at CPU on the system dashboard; add replicas, or lower `api.max_pixels`.",
            ),
        ),
        scenarios=(
            Scenario("just over the limit, then no traffic", _latencies(limit, 949), Firing({"endpoint": "/predict"},
                     _p95(limit, 949))),
            Scenario("just under the limit", _latencies(limit, 951)),
            Scenario("exactly at the limit", _latencies_at(limit)),
            Scenario("no traffic", tuple(Counter(each.series, 0) for each in _latencies(limit, 949))),
        ),
    )  # fmt: skip


def _latencies(limit: float, within: int) -> tuple[Counter, ...]:
    """1000 requests for each sample, `within` of them at most `limit`, on two unlike instances."""
    index = LATENCY_BUCKETS.index(limit)
    first, second = (600, 600), (within - 600, 400)
    counters = []
    for instance, (fast, every) in (("api:1", first), ("api:2", second)):
        counts = {promql.number(limit): fast, promql.number(LATENCY_BUCKETS[index + 1]): every, "+Inf": every}
        if index:
            counts = {promql.number(LATENCY_BUCKETS[index - 1]): 0, **counts}
        labels = {"endpoint": "/predict", "method": "POST", "job": "api", "instance": instance}
        counters += [
            Counter(series_text(f"{LATENCY.name}_bucket", {**labels, "le": edge}), count)
            for edge, count in counts.items()
        ]
    return tuple(counters)


def _latencies_at(limit: float) -> tuple[Counter, ...]:
    """Requests beyond the last finite edge, which is the limit: their quantile is that edge to the last bit."""
    labels = {"endpoint": "/predict", "method": "POST", "job": "api", "instance": "api:1"}
    counts = {promql.number(limit): 0, "+Inf": 1000}
    name = f"{LATENCY.name}_bucket"
    return tuple(Counter(series_text(name, {**labels, "le": edge}), count) for edge, count in counts.items())


def _p95(limit: float, within: int) -> float:
    above = LATENCY_BUCKETS[LATENCY_BUCKETS.index(limit) + 1]
    return limit + (above - limit) * (1000 * _QUANTILE - within) / (1000 - within)


def _high_error_rate(config: Config) -> Alert:
    limit = error_limit(config)
    signal = error_ratio(config.prometheus.window)
    over = min(10_000, int(limit * 10_020) + 1)
    under = max(0, int(limit * 9_980))
    error, *_, success = _requests(over)
    return Alert(
        name="HighErrorRate",
        group="api",
        signal=signal,
        expr=promql.compare(signal, ">", limit),
        limit=f"more than {limit * 100:.4g} % of requests fail",
        threshold=limit,
        for_=timedelta(minutes=5),
        severity="critical",
        summary="Many requests fail",
        description=f"{PERCENTAGE} of requests end in a server error, limit {limit * 100:.4g}%.",
        dashboard=Dashboard.API_PERFORMANCE,
        runbook=Runbook(
            "The API answers too many requests with a 5xx status.",
            ("the model's file is damaged or gone", "the store is full or cannot be written", "timeouts under load"),
            (
                "Read the API's log for the first error, and its `/ready` for what is missing.",
                "Look at the status codes: 503 is too much load, 500 is a fault.",
            ),
        ),
        scenarios=(
            Scenario("just over the limit, then no traffic", _requests(over), Firing({}, over / 10_000)),
            Scenario("just under the limit", _requests(under)),
            Scenario("a few requests without errors", (Counter(success.series, 1),)),
            Scenario("a few requests, all failed", (Counter(error.series, 1),), Firing({}, 1)),
            Scenario("no traffic", tuple(Counter(each.series, 0) for each in _requests(over))),
        ),
    )


def _requests(errors: int) -> tuple[Counter, ...]:
    """10,000 requests for each sample, `errors` of them failed, and the rest on two instances."""

    def counter(status: str, code: str, instance: str, step: int) -> Counter:
        labels = {"endpoint": "/predict", "method": "POST", "status": status, "code": code}
        return Counter(series_text(REQUESTS.name, {**labels, "job": "api", "instance": instance}), step)

    good = 10_000 - errors
    return (
        counter("error", "500", "api:1", errors // 3),
        counter("error", "500", "api:2", errors - errors // 3),
        counter("success", "200", "api:1", good // 3),
        counter("success", "200", "api:2", good - good // 3),
    )


def _model_not_loaded() -> Alert:
    model = {"model": "faces@1", "job": "api", "instance": "api:1"}
    target = {"job": "api", "instance": "api:1"}
    loaded, up = series_text(MODEL_LOADED.name, model), series_text(UP.name, target)
    silent_api = promql.compare(promql.select(UP, promql.equals("job", "api")), "==", 1)
    signal = promql.select(MODEL_LOADED)
    answers: Signal = Gauge(up, 1, 1)
    strangers = (
        Gauge(series_text(MODEL_LOADED.name, {**model, "instance": "api:2"}), 1, 1),
        Gauge(series_text(MODEL_LOADED.name, {**model, "job": "other"}), 1, 1),
    )
    return Alert(
        name="ModelNotLoaded",
        group="api",
        signal=signal,
        expr=promql.either(
            promql.compare(signal, "==", 0), promql.unless(silent_api, signal, on=promql.TARGET_LABELS)
        ),
        limit="an API that is up has no model loaded",
        for_=timedelta(minutes=1),
        severity="critical",
        summary=f"{label('instance')} has no model",
        description=f"The API at {label('instance')} answers, but no model is loaded.",
        dashboard=Dashboard.API_PERFORMANCE,
        runbook=Runbook(
            "The API runs but cannot predict: every request is refused.",
            ("the model's file is missing or not the one in `facemon.yaml`", "not enough memory to load it"),
            ("Run `facemon model show` on the API's machine.", "Read the API's log since its start."),
        ),
        scenarios=(
            Scenario("the gauge falls to 0", (answers, Gauge(loaded, 1, 0)), Firing(model, 0)),
            Scenario("the gauge is gone", (answers, Gauge(loaded, 1, None)), Firing(target, 1)),
            *(
                Scenario("the gauge is gone, another target's is there", (answers, Gauge(loaded, 1, None), stranger),
                         Firing(target, 1))
                for stranger in strangers
            ),
            Scenario("a target that is no API", (Gauge(series_text(UP.name, {**target, "job": "node"}), 1, 1),)),
            Scenario("the API is down, which is another alert's", (Gauge(up, 1, 0),)),
        ),
    )  # fmt: skip
