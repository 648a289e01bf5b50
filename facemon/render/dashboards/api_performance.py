"""The dashboard *API Performance*: how much is asked, how fast it is answered, and how often in vain."""

from typing import Any

from facemon.config.document import Config
from facemon.render import promql
from facemon.render.alert import Dashboard
from facemon.render.api_alerts import REQUESTS, error_limit, latency_limit
from facemon.render.dashboards.panel import Panel, Query, dashboard
from facemon.render.recording_rules import ERROR_RATIO, LATENCY_P95


def api_performance(config: Config) -> dict[str, Any]:
    """Build the dashboard."""
    requests = promql.rate(REQUESTS, promql.RATE_INTERVAL)
    return dashboard(
        Dashboard.API_PERFORMANCE,
        (
            Panel(
                title="Requests per second",
                description="Requests that arrive, by endpoint.",
                unit="reqps",
                queries=(Query(promql.aggregate("sum", requests, by=("endpoint",)), "{{endpoint}}"),),
                stacked=True,
            ),
            Panel(
                title="Latency by endpoint",
                description="P95 of the time to an answer, as the alert HighLatency sees it; the line is its limit.",
                unit="s",
                queries=(Query(promql.recorded(LATENCY_P95), "{{endpoint}}"),),
                limit=latency_limit(config),
            ),
            Panel(
                title="Error rate",
                description="Share of requests that failed, as the alert HighErrorRate sees it; the line is its limit.",
                unit="percentunit",
                queries=(Query(promql.recorded(ERROR_RATIO), "errors"),),
                limit=error_limit(config),
            ),
            Panel(
                title="Status codes",
                description="Answers per second by HTTP status code.",
                unit="reqps",
                queries=(Query(promql.aggregate("sum", requests, by=("code",)), "{{code}}"),),
                stacked=True,
            ),
        ),
    )
