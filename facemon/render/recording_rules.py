"""Series that Prometheus computes once, so that dashboards, alerts and long-term storage show the same numbers."""

from typing import Any

from facemon.config.document import Config
from facemon.render import promql
from facemon.render.api_alerts import REQUESTS, error_ratio, latency_p95

PREDICTIONS = promql.series("model_predictions_total")
INFERENCE = promql.series("model_inference_latency_seconds")

LATENCY_P95 = "endpoint:api_request_latency_seconds:p95"
ERROR_RATIO = "facemon:api_requests:error_ratio"
REQUEST_RATE = "endpoint:api_requests:rate"
PREDICTION_RATE = "attribute_value:model_predictions:rate"
INFERENCE_P95 = "model:model_inference_latency_seconds:p95"
RECORDED = (LATENCY_P95, ERROR_RATIO, REQUEST_RATE, PREDICTION_RATE, INFERENCE_P95)


def recording_rules(config: Config) -> dict[str, Any]:
    """The content of `recording_rules.yml`."""
    window = config.prometheus.window
    api = {
        LATENCY_P95: latency_p95(config),
        ERROR_RATIO: error_ratio(window),
        REQUEST_RATE: promql.aggregate("sum", promql.rate(REQUESTS, window), by=("endpoint",)),
    }
    model = {
        PREDICTION_RATE: promql.aggregate("sum", promql.rate(PREDICTIONS, window), by=("attribute", "value")),
        INFERENCE_P95: promql.quantile(0.95, INFERENCE, window, by=("model",)),
    }
    groups = {"facemon-api-recorded": api, "facemon-model-recorded": model}
    if "api" not in config.prometheus.jobs:
        del groups["facemon-api-recorded"]
    return {
        "groups": [
            {"name": name, "rules": [{"record": record, "expr": str(expr)} for record, expr in rules.items()]}
            for name, rules in groups.items()
        ]
    }
