"""The dashboard *ML Model Metrics*: what the model says, how sure it is, how fast, and how far it has drifted."""

from typing import Any

from facemon.config.document import Config
from facemon.render import promql
from facemon.render.alert import Dashboard
from facemon.render.dashboards.panel import Panel, PanelType, Query, Variable, dashboard
from facemon.render.drift_alerts import ACCURACY, SCORE, accuracy_limit, drift_limit
from facemon.render.recording_rules import INFERENCE, PREDICTIONS

CONFIDENCE = promql.series("model_confidence_score")

_ATTRIBUTE = promql.chosen("attribute", "attribute")
_QUANTILES = (0.5, 0.95, 0.99)


def ml_metrics(config: Config) -> dict[str, Any]:
    """Build the dashboard."""
    variable = Variable("attribute", "attribute", PREDICTIONS.name)
    return dashboard(Dashboard.ML_METRICS, (*_predictions(), _latency(), *_quality(config)), (variable,))


def _predictions() -> tuple[Panel, ...]:
    counts = promql.increase(PREDICTIONS, promql.RANGE, _ATTRIBUTE)
    buckets = promql.bucket_increase(CONFIDENCE, promql.RATE_INTERVAL, _ATTRIBUTE)
    return (
        Panel(
            title="Predictions by attribute",
            description="How often each value of the chosen attributes was predicted in the time shown.",
            unit="short",
            queries=(
                Query(
                    promql.aggregate("sum", counts, by=("attribute", "value")),
                    "{{attribute}}: {{value}}",
                    instant=True,
                ),
            ),
            type=PanelType.PIE,
            lowest=None,
        ),
        Panel(
            title="Confidence",
            description="How many predictions fell into each band of confidence: a shift downwards often comes first.",
            unit="short",
            queries=(Query(promql.aggregate("sum", buckets, by=("le",)), "{{le}}"),),
            type=PanelType.HEATMAP,
            lowest=None,
        ),
    )


def _latency() -> Panel:
    return Panel(
        title="Inference latency",
        description="Seconds that a batch of faces spends in the networks: P50, P95 and P99 over all models.",
        unit="s",
        queries=tuple(
            Query(promql.quantile(q, INFERENCE, promql.RATE_INTERVAL), f"P{q * 100:.0f}") for q in _QUANTILES
        ),
    )


def _quality(config: Config) -> tuple[Panel, ...]:
    return (
        Panel(
            title="Drift score over time",
            description="Distance from the reference, 0 to 1, when last decided. "
            "The line is the limit of the alert DriftDetected.",
            unit="percentunit",
            queries=(Query(promql.select(SCORE, _ATTRIBUTE), "{{attribute}} ({{check}})"),),
            limit=drift_limit(config),
            highest=1,
        ),
        Panel(
            title="Accuracy per attribute",
            description="Share of right predictions in the newest evaluation against true labels. "
            "The line is the limit of the alert LowModelAccuracy.",
            unit="percentunit",
            queries=(Query(promql.select(ACCURACY, _ATTRIBUTE), "{{attribute}}"),),
            limit=accuracy_limit(config),
            limit_below=True,
            highest=1,
            width=24,
        ),
    )
