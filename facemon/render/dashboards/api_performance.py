"""The dashboard *API Performance*: how much is asked, how fast it is answered, how often in vain, and the room left."""

from collections.abc import Sequence
from typing import Any

from facemon.config.document import Config
from facemon.config.durations import format_duration
from facemon.config.prometheus import Job
from facemon.domain.request_outcome import REFUSALS, CacheResult
from facemon.render import promql
from facemon.render.alert import Dashboard
from facemon.render.api_alerts import MODEL_LOADED, at_work, error_ratio, latency_p95
from facemon.render.dashboards import advice
from facemon.render.dashboards.alert_limits import AlertLimits
from facemon.render.dashboards.annotations import new_models
from facemon.render.dashboards.colours import BAD, ERRORS, GOOD, HTTP_CODES, LIMITS, QUANTILES, REMEMBERED
from facemon.render.dashboards.dashboard import dashboard
from facemon.render.dashboards.expressions import greatest, least
from facemon.render.dashboards.legend import legend_of
from facemon.render.dashboards.panel import Limit, Panel, PanelType, Query, State, stat
from facemon.render.dashboards.section import Section
from facemon.render.dashboards.variable import variables
from facemon.render.traffic import LATENCY, REQUESTS

_LOOKUPS = promql.series("cache_lookups_total")
_CACHED = promql.series("cache_size")
_IN_FLIGHT = promql.series("api_images_in_flight")
_IN_FLIGHT_LIMIT = promql.series("api_images_in_flight_limit")

_LOADED = {1: State("loaded", GOOD), 0: State("not loaded", BAD)}
_FULL = Limit(1)
"""From there on requests are refused."""
_Chosen = Sequence[promql.Matcher]
"""Whose metrics are asked for."""
_ONLY_OURS = "Only facemon serve tells it."
_WINDOW = promql.RATE_INTERVAL


def api_performance(config: Config) -> dict[str, Any]:
    """Build the dashboard."""
    needs: tuple[Job, ...] = ("api",)
    limits = AlertLimits(config)
    constant = tuple(config.metrics.labels)
    chosen = (
        *(promql.chosen(label) for label in promql.TARGET_LABELS),
        *(promql.chosen(label, on_any_series=True) for label in constant),
    )
    sections = (
        Section(100, "Now", _now(config, limits, chosen), needs, advice.API_NOW),
        Section(200, "Traffic", _traffic(chosen), needs, advice.TRAFFIC),
        Section(300, "Latency", _latency(config, limits, chosen), needs, advice.LATENCY),
        Section(400, "Errors and refusals", _errors(config, limits, chosen), needs, advice.ERRORS),
        Section(500, "Room", (*_room(chosen), _models(chosen)), needs, advice.ROOM),
    )
    is_scraped = "api" in config.prometheus.jobs
    choices = variables(promql.TARGET_LABELS, (REQUESTS,), of_all=constant) if is_scraped else ()
    models = (new_models(promql.select(MODEL_LOADED, *chosen)),) if is_scraped else ()
    return dashboard(config, Dashboard.API_PERFORMANCE, sections, choices, since="now-24h", annotations=models)


def _now(config: Config, limits: AlertLimits, chosen: _Chosen) -> tuple[Panel, ...]:
    window = format_duration(config.prometheus.window)
    return (
        stat(5, "Requests now", f"Requests per second over the last {window}.", "reqps",
             _sum(promql.rate(REQUESTS, config.prometheus.window, *chosen))),
        stat(6, "Error rate now", f"Share of requests that failed in the last {window}; none without requests.",
             "percentunit", error_ratio(config.prometheus.window, *at_work(config), *chosen), no_value="no requests",
             limit=limits.of("HighErrorRate"), decimals=1),
        stat(7, "Slowest endpoint now", f"The highest P95 latency of any endpoint over the last {window}.", "s",
             greatest(latency_p95(config, *chosen)), whose=legend_of(config, "{{endpoint}}"), no_value="no requests",
             limit=limits.of("HighLatency")),
        stat(8, "Model", "Whether the model is loaded and answers, on the instance where it is not, if there is one.",
             "none", least(promql.select(MODEL_LOADED, *chosen)), whose="{{model}} on {{instance}}", states=_LOADED,
             no_value="not told"),
        stat(9, "Fullest instance", f"Images in flight as a share of their limit, on the fullest. {_ONLY_OURS}",
             "percentunit", greatest(_saturation(chosen)), whose="{{instance}}", no_value="not told", limit=_FULL,
             highest=1),
        stat(10, "Cached now", f"Share of images in the last {window} that needed no inference. {_ONLY_OURS}",
             "percentunit", promql.complement(_share_of_lookups(CacheResult.MISS, config.prometheus.window, chosen)),
             no_value="no images", highest=1, decimals=0),
    )  # fmt: skip


def _traffic(chosen: _Chosen) -> tuple[Panel, ...]:
    requests = promql.rate(REQUESTS, _WINDOW, *chosen)
    return (
        Panel(
            id=1,
            title="Requests per second",
            description="Requests that arrive, by endpoint.",
            unit="reqps",
            queries=(Query(_sum(requests, "endpoint"), "{{endpoint}}"),),
            stacked=True,
        ),
        Panel(
            id=4,
            title="Status codes",
            description="Answers per second by HTTP status code: 2xx green, 4xx orange, 5xx red.",
            unit="reqps",
            queries=(Query(_sum(requests, "code"), "{{code}}"),),
            stacked=True,
            colours=HTTP_CODES,
        ),
    )


def _latency(config: Config, limits: AlertLimits, chosen: _Chosen) -> tuple[Panel, ...]:
    buckets = promql.bucket_rate(LATENCY, _WINDOW, *chosen)
    return (
        Panel(
            id=2,
            title="Latency by endpoint",
            description="P95 of the time to an answer, as the alert HighLatency sees it; the line is its limit.",
            unit="s",
            queries=(Query(latency_p95(config, *chosen), legend_of(config, "{{endpoint}}")),),
            limit=limits.of("HighLatency"),
        ),
        Panel(
            id=11,
            title="Latency of all requests",
            description="P50, P95 and P99 of the time to an answer, over all endpoints.",
            unit="s",
            queries=tuple(
                Query(promql.quantile(q, LATENCY, _WINDOW, *chosen), f"P{q * 100:.0f}") for q in (0.5, 0.95, 0.99)
            ),
            colours=QUANTILES,
        ),
        Panel(
            id=12,
            title="How long requests take",
            description="Requests per second in each band of latency: two dark bands tell of two kinds of request.",
            unit="reqps",
            queries=(Query(_sum(buckets, "le"), "{{le}}"),),
            type=PanelType.HEATMAP,
            bands="s",
            lowest=None,
            width=24,
        ),
    )


def _errors(config: Config, limits: AlertLimits, chosen: _Chosen) -> tuple[Panel, ...]:
    refused = promql.rate(REQUESTS, _WINDOW, promql.one_of("code", [str(code) for code in REFUSALS]), *chosen)
    return (
        Panel(
            id=3,
            title="Error rate",
            description="Share of requests that failed, as the alert HighErrorRate sees it; the line is its limit.",
            unit="percentunit",
            queries=(
                Query(
                    error_ratio(config.prometheus.window, *at_work(config), *chosen, by=tuple(config.metrics.labels)),
                    legend_of(config, "errors"),
                ),
            ),
            colours=ERRORS,
            limit=limits.of("HighErrorRate"),
        ),
        Panel(
            id=13,
            title="Refusals by reason",
            description="Requests per second that were turned away, by why: no token, too large, unreadable, too many "
            "at once. Only the last, busy, also counts as an error.",
            unit="reqps",
            queries=(Query(_sum(refused, "code"), "{{code}}"),),
            renamed={str(code): f"{code} {reason.replace('_', ' ')}" for code, reason in REFUSALS.items()},
            stacked=True,
            colours=HTTP_CODES,
        ),
    )


def _room(chosen: _Chosen) -> tuple[Panel, ...]:
    in_flight = _sum(promql.select(_IN_FLIGHT, *chosen), "instance")
    most = _sum(promql.select(_IN_FLIGHT_LIMIT, *chosen), "instance")
    return (
        Panel(
            id=14,
            title="Saturation",
            description=f"Images in flight as a share of their limit; at 100 % requests are refused. {_ONLY_OURS}",
            unit="percentunit",
            queries=(Query(_saturation(chosen), "{{instance}}"),),
            limit=_FULL,
            highest=1,
        ),
        Panel(
            id=15,
            title="Images in flight",
            description=f"Images that are being read or predicted, and the limit of each instance. {_ONLY_OURS}",
            unit="short",
            queries=(Query(in_flight, "{{instance}}"), Query(most, "limit of {{instance}}")),
            colours=LIMITS,
        ),
        Panel(
            id=16,
            title="Cache hit share",
            description="Share of images whose prediction was remembered (hit), or was just being made for another "
            f"request (shared). {_ONLY_OURS}",
            unit="percentunit",
            queries=tuple(
                Query(_share_of_lookups(result, _WINDOW, chosen), result)
                for result in (CacheResult.HIT, CacheResult.SHARED)
            ),
            stacked=True,
            colours=REMEMBERED,
            highest=1,
        ),
        Panel(
            id=17,
            title="Cache size",
            description=f"Images whose prediction is remembered, by instance. {_ONLY_OURS}",
            unit="short",
            queries=(Query(promql.select(_CACHED, *chosen), "{{instance}}"),),
        ),
    )


def _models(chosen: _Chosen) -> Panel:
    return Panel(
        id=18,
        title="Models",
        description="Whether the model of each instance is loaded and answers.",
        unit="none",
        queries=(Query(promql.select(MODEL_LOADED, *chosen), "{{model}} on {{instance}}"),),
        type=PanelType.STATES,
        states=_LOADED,
        width=24,
        height=5,
    )


def _sum(expr: promql.Expr, *by: str) -> promql.Expr:
    return promql.aggregate("sum", expr, by=by)


def _saturation(chosen: _Chosen) -> promql.Expr:
    return promql.divide(promql.select(_IN_FLIGHT, *chosen), promql.select(_IN_FLIGHT_LIMIT, *chosen))


def _share_of_lookups(result: CacheResult, window: promql.Window, chosen: _Chosen) -> promql.Expr:
    """Of the images that were looked up; nothing where there were none."""
    those = _sum(promql.rate(_LOOKUPS, window, promql.equals("result", result), *chosen))
    return promql.divide(those, promql.compare(_sum(promql.rate(_LOOKUPS, window, *chosen)), ">", 0))
