"""Names that dashboards, rules and notebooks outside the project rely on: metrics and the columns of the log."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from facemon.domain.metric_catalogue import CATALOGUE
from tests.conftest import RunFacemon

METRICS = {
    "api_requests_total": ("counter", ("endpoint", "method", "status", "code")),
    "api_request_latency_seconds": ("histogram", ("endpoint", "method")),
    "model_loaded": ("gauge", ("model",)),
    "api_workers_available": ("gauge", ()),
    "api_workers_configured": ("gauge", ()),
    "cache_size": ("gauge", ()),
    "cache_lookups_total": ("counter", ("result",)),
    "api_other_source_images_total": ("counter", ()),
    "api_images_in_flight": ("gauge", ()),
    "api_images_in_flight_limit": ("gauge", ()),
    "model_predictions_total": ("counter", ("attribute", "value", "model")),
    "model_inference_latency_seconds": ("histogram", ("model",)),
    "model_confidence_score": ("histogram", ("attribute", "model")),
    "model_accuracy": ("gauge", ("attribute", "model")),
    "model_accuracy_labels": ("gauge", ("attribute", "model")),
    "images_processed_total": ("counter", ("status",)),
    "drift_score": ("gauge", ("attribute", "check", "model")),
    "confidence_drift_score": ("gauge", ("attribute", "check", "model")),
    "drift_p_value": ("gauge", ("attribute", "check", "model")),
    "drift_samples": ("gauge", ("attribute", "check", "model")),
    "drift_detected": ("gauge", ("attribute", "check", "model")),
    "drift_undecided": ("gauge", ("attribute", "check", "model")),
    "drift_source_detected": ("gauge", ("check", "source", "model")),
    "drift_source_rows": ("gauge", ("check", "source", "model")),
    "drift_threshold": ("gauge", ("check", "model")),
    "drift_decided_timestamp_seconds": ("gauge", ("check", "model")),
    "drift_check_timestamp_seconds": ("gauge", ("check", "model")),
    "facemon_last_success_timestamp_seconds": ("gauge", ("command",)),
    "facemon_last_run_duration_seconds": ("gauge", ("command",)),
    "facemon_build_info": ("gauge", ("version",)),
    "facemon_source_up": ("gauge", ("source",)),
    "external_service_status": ("gauge", ("service",)),
}
TIME = pa.timestamp("us", tz="UTC")
COLUMNS = {
    "run": pa.string(), "ordinal": pa.int64(), "image": pa.string(), "image_sha256": pa.string(), "face": pa.int32(),
    "box": pa.list_(pa.int32()), "observed_at": TIME, "predicted_at": TIME, "model": pa.string(),
    "source": pa.string(), "origin": pa.string(), "error": pa.string(), "error_message": pa.string(),
}  # fmt: skip
ADDED = ["image_id", "face_confidence"]
"""Columns that came after the first version, behind its own."""
ATTRIBUTES = ["gender", "gender_confidence", "age", "age_confidence", "age_value"]


def test_metrics() -> None:
    assert {name: (metric.type.value, metric.labels) for name, metric in CATALOGUE.items()} == METRICS


def test_buckets() -> None:
    latency = CATALOGUE["model_inference_latency_seconds"].buckets
    assert 0.5 in latency
    assert 0.5 < latency[latency.index(0.5) + 1] <= 0.55
    assert CATALOGUE["api_request_latency_seconds"].buckets == latency
    confidence = CATALOGUE["model_confidence_score"].buckets
    assert confidence == (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.99, 1.0)


def test_columns_of_the_log(facemon: RunFacemon, tmp_path: Path, astronaut: Path) -> None:
    assert facemon("predict", astronaut, "-o", "rows.parquet", "--no-store", cwd=tmp_path).returncode == 0
    schema = pyarrow.parquet.read_schema(tmp_path / "rows.parquet")
    assert dict(zip(schema.names, schema.types, strict=True)).items() >= COLUMNS.items()
    assert schema.names[: len(COLUMNS)] == list(COLUMNS)
    assert schema.names[-len(ATTRIBUTES) :] == ATTRIBUTES
    assert schema.names[len(COLUMNS) :][: len(ADDED)] == ADDED
    between = schema.names[len(COLUMNS) + len(ADDED) : -len(ATTRIBUTES)]
    assert between
    assert all(name.startswith("image_") for name in between)
    (row,) = pyarrow.parquet.read_table(tmp_path / "rows.parquet").to_pylist()
    assert (row["origin"], row["face"], row["box"]) == ("batch", 0, [179, 83, 266, 170])
