"""Every metric that facemon exports: the one list that exporters, rules, dashboards and docs read."""

from dataclasses import dataclass
from enum import StrEnum

LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.55, 0.75, 1.0, 2.5, 5.0, 10.0)
"""Seconds: an edge at HighLatency's 0.5, one just above and the top far beyond: a P95 near it is then true."""
CONFIDENCE_BUCKETS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.99, 1.0)


class MetricType(StrEnum):
    """Prometheus metric types."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class MetricSource(StrEnum):
    """Where a metric's value comes from, which decides the transport that it leaves by."""

    STORE = "store"
    SERVE = "serve"
    PROCESS = "process"


class MetricGroup(StrEnum):
    """What `export-metrics --export` chooses between."""

    MODEL = "model"
    DRIFT = "drift"
    API = "api"
    FACEMON = "facemon"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: its name as Prometheus sees it (a counter's with `_total`), and what it means."""

    name: str
    type: MetricType
    help: str
    labels: tuple[str, ...]
    source: MetricSource
    group: MetricGroup
    unit: str = ""
    buckets: tuple[float, ...] = ()


_C, _G, _H = MetricType.COUNTER, MetricType.GAUGE, MetricType.HISTOGRAM
_STORE, _SERVE, _PROCESS = MetricSource.STORE, MetricSource.SERVE, MetricSource.PROCESS
_MODEL, _DRIFT, _API, _OWN = MetricGroup.MODEL, MetricGroup.DRIFT, MetricGroup.API, MetricGroup.FACEMON
_ACM = ("attribute", "check", "model")
_CSM = ("check", "source", "model")
_CM = ("check", "model")

_METRICS = (
    Metric("api_requests_total", _C, "Requests by endpoint, method, status and HTTP code.",
           ("endpoint", "method", "status", "code"), _SERVE, _API),
    Metric("api_request_latency_seconds", _H, "Seconds from a request's arrival, with all of its body, to its answer.",
           ("endpoint", "method"), _SERVE, _API, "seconds", LATENCY_BUCKETS),
    Metric("model_loaded", _G, "Whether the model answers and all workers are there (1) or not (0).",
           ("model",), _SERVE, _API),
    Metric("api_workers_available", _G, "Workers that can predict.", (), _SERVE, _API),
    Metric("api_workers_configured", _G, "Workers that the API is configured to run.", (), _SERVE, _API),
    Metric("cache_size", _G, "Images whose prediction is in the cache.", (), _SERVE, _API),
    Metric("cache_lookups_total", _C, "Images by cache result: hit, shared (already being predicted) or miss.",
           ("result",), _SERVE, _API),
    Metric("api_other_source_images_total", _C,
           "Images logged as source other, because api.max_sources other names were in use.", (), _SERVE, _API),
    Metric("api_images_in_flight", _G, "Images that have arrived and are being predicted.", (), _SERVE, _API),
    Metric("api_images_in_flight_limit", _G, "Highest number of images in flight; requests beyond it are rejected.",
           (), _SERVE, _API),
    Metric("model_predictions_total", _C, "Predictions by attribute and predicted value.",
           ("attribute", "value", "model"), _STORE, _MODEL),
    Metric("model_inference_latency_seconds", _H, "Seconds of an inference call: all networks, one batch of faces.",
           ("model",), _STORE, _MODEL, "seconds", LATENCY_BUCKETS),
    Metric("model_confidence_score", _H, "Probability of the predicted label.",
           ("attribute", "model"), _STORE, _MODEL, "", CONFIDENCE_BUCKETS),
    Metric("model_accuracy", _G, "Share of correct predictions in the newest evaluation against true labels.",
           ("attribute", "model"), _STORE, _MODEL),
    Metric("model_accuracy_labels", _G,
           "True labels behind the accuracy; fewer than evaluate.min_labels give no accuracy.",
           ("attribute", "model"), _STORE, _MODEL),
    Metric("images_processed_total", _C, "Processed images by outcome: ok, no_face or failed.",
           ("status",), _STORE, _MODEL),
    Metric("drift_score", _G, "Distance from the reference, 0 to 1, of labels and data columns, when last decided.",
           _ACM, _STORE, _DRIFT),
    Metric("confidence_drift_score", _G, "KS distance of confidences from the reference's, 0 to 1, when last decided.",
           _ACM, _STORE, _DRIFT),
    Metric("drift_p_value", _G, "Adjusted p-value of the last decided drift score.", _ACM, _STORE, _DRIFT),
    Metric("drift_samples", _G, "Rows on the current side of the last drift check.", _ACM, _STORE, _DRIFT),
    Metric("drift_detected", _G, "Whether there was drift (1) or not (0), when last decided.", _ACM, _STORE, _DRIFT),
    Metric("drift_undecided", _G, "Whether the last check was undecided (1) or not (0).", _ACM, _STORE, _DRIFT),
    Metric("drift_source_detected", _G, "Whether a source drifted (1) or not (0); absent while it is undecided.",
           _CSM, _STORE, _DRIFT),
    Metric("drift_source_rows", _G, "Rows of a source in the last drift check; 0 for one that has gone silent.",
           _CSM, _STORE, _DRIFT),
    Metric("drift_threshold", _G, "Lowest score that can count as drift.", _CM, _STORE, _DRIFT),
    Metric("drift_decided_timestamp_seconds", _G, "When a drift check last decided, in seconds since 1970.",
           _CM, _STORE, _DRIFT, "seconds"),
    Metric("drift_check_timestamp_seconds", _G, "When a drift check last ran, decided or not, in seconds since 1970.",
           _CM, _STORE, _DRIFT, "seconds"),
    Metric("facemon_last_success_timestamp_seconds", _G, "When a command last succeeded (exit 0, 3 or 4), since 1970.",
           ("command",), _STORE, _OWN, "seconds"),
    Metric("facemon_last_run_duration_seconds", _G, "Seconds that a command's last run took.",
           ("command",), _STORE, _OWN, "seconds"),
    Metric("facemon_build_info", _G, "Constant 1, labelled with facemon's version.", ("version",), _PROCESS, _OWN),
    Metric("facemon_source_up", _G, "Whether a source of metrics could be read (1) or not (0).",
           ("source",), _PROCESS, _OWN),
    Metric("external_service_status", _G, "Whether an external service answered its probe (1) or not (0).",
           ("service",), _PROCESS, _OWN),
)  # fmt: skip

CATALOGUE = {metric.name: metric for metric in _METRICS}
