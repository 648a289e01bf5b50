"""The three dashboards, each a function from the configuration to Grafana's classic JSON."""

from collections.abc import Callable
from typing import Any

from facemon.config.document import Config
from facemon.render.dashboards.api_performance import api_performance
from facemon.render.dashboards.ml_metrics import ml_metrics
from facemon.render.dashboards.system_metrics import system_metrics

DASHBOARDS: dict[str, Callable[[Config], dict[str, Any]]] = {
    "ml_metrics.json": ml_metrics,
    "api_performance.json": api_performance,
    "system_metrics.json": system_metrics,
}
"""A dashboard's file to what builds it."""
