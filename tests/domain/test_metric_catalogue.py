import re

import pytest

from facemon.domain.metric_catalogue import CATALOGUE, CONFIDENCE_BUCKETS, LATENCY_BUCKETS, Metric, MetricType

FIXED = {
    "api_requests_total": ("endpoint", "method", "status", "code"),
    "api_request_latency_seconds": ("endpoint", "method"),
    "model_loaded": ("model",),
    "api_workers_available": (),
    "api_workers_configured": (),
    "cache_size": (),
    "cache_lookups_total": ("result",),
    "api_other_source_images_total": (),
    "api_images_in_flight": (),
    "api_images_in_flight_limit": (),
    "model_predictions_total": ("attribute", "value", "model"),
    "model_inference_latency_seconds": ("model",),
    "model_confidence_score": ("attribute", "model"),
    "model_accuracy": ("attribute", "model"),
    "model_accuracy_labels": ("attribute", "model"),
    "images_processed_total": ("status",),
    "drift_score": ("attribute", "check", "model"),
    "confidence_drift_score": ("attribute", "check", "model"),
    "drift_p_value": ("attribute", "check", "model"),
    "drift_samples": ("attribute", "check", "model"),
    "drift_detected": ("attribute", "check", "model"),
    "drift_undecided": ("attribute", "check", "model"),
    "drift_source_detected": ("check", "source", "model"),
    "drift_source_rows": ("check", "source", "model"),
    "drift_threshold": ("check", "model"),
    "drift_decided_timestamp_seconds": ("check", "model"),
    "drift_check_timestamp_seconds": ("check", "model"),
    "facemon_last_success_timestamp_seconds": ("command",),
    "facemon_last_run_duration_seconds": ("command",),
    "facemon_build_info": None,
    "facemon_source_up": None,
    "external_service_status": None,
}
"""The contract; None where it leaves the labels open."""


def test_the_fixed_names_and_labels() -> None:
    assert CATALOGUE.keys() == FIXED.keys()
    for name, labels in FIXED.items():
        assert labels in (None, CATALOGUE[name].labels), name


@pytest.mark.parametrize("metric", CATALOGUE.values(), ids=lambda metric: metric.name)
def test_each_metric_follows_the_conventions_of_prometheus(metric: Metric) -> None:
    assert re.fullmatch("[a-z][a-z0-9_]*", metric.name)
    assert all(re.fullmatch("[a-z][a-z0-9_]*", label) and label != "le" for label in metric.labels)
    assert (metric.type is MetricType.COUNTER) == metric.name.endswith("_total")
    assert bool(metric.buckets) == (metric.type is MetricType.HISTOGRAM)
    assert list(metric.buckets) == sorted(set(metric.buckets))
    assert metric.name.endswith(metric.unit)
    assert metric.help.endswith(".")


def test_the_edges_that_alerts_and_people_need() -> None:
    assert LATENCY_BUCKETS[LATENCY_BUCKETS.index(0.5) + 1] <= 0.55
    assert {round(0.5 + 0.05 * step, 2) for step in range(10)} | {0.99, 1.0} == set(CONFIDENCE_BUCKETS)
