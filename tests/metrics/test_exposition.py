"""The exact bytes of the text format."""

from pathlib import Path

import pytest

from facemon import __version__
from facemon.domain.metric_catalogue import MetricGroup
from facemon.errors import ExitCode
from facemon.metrics.exposition import exposition
from facemon.store.ledger.opening import open_ledger
from facemon.store.recorded_commands import record_command
from tests.metrics.stores import AT, DECIDED, DRIFT, check_model, column, log_faces, registry_of, scrape

GOLDEN = f"""\
# HELP facemon_build_info Constant 1, labelled with facemon's version.
# TYPE facemon_build_info gauge
facemon_build_info{{version="{__version__}"}} 1.0
# HELP facemon_source_up Whether a source of metrics could be read (1) or not (0).
# TYPE facemon_source_up gauge
facemon_source_up{{source="store"}} 1.0
# HELP model_predictions_total Predictions by attribute and predicted value.
# TYPE model_predictions_total counter
model_predictions_total{{attribute="age",model="faces@1",value="old"}} 3.0
model_predictions_total{{attribute="age",model="faces@1",value="young"}} 0.0
model_predictions_total{{attribute="gender",model="faces@1",value="female"}} 2.0
model_predictions_total{{attribute="gender",model="faces@1",value="male"}} 1.0
# HELP images_processed_total Processed images by outcome: ok, no_face or failed.
# TYPE images_processed_total counter
images_processed_total{{status="failed"}} 1.0
images_processed_total{{status="no_face"}} 1.0
images_processed_total{{status="ok"}} 3.0
# HELP model_inference_latency_seconds Seconds of an inference call: all networks, one batch of faces.
# TYPE model_inference_latency_seconds histogram
model_inference_latency_seconds_bucket{{le="0.001",model="faces@1"}} 0.0
model_inference_latency_seconds_bucket{{le="0.0025",model="faces@1"}} 0.0
model_inference_latency_seconds_bucket{{le="0.005",model="faces@1"}} 0.0
model_inference_latency_seconds_bucket{{le="0.01",model="faces@1"}} 0.0
model_inference_latency_seconds_bucket{{le="0.025",model="faces@1"}} 1.0
model_inference_latency_seconds_bucket{{le="0.05",model="faces@1"}} 1.0
model_inference_latency_seconds_bucket{{le="0.1",model="faces@1"}} 1.0
model_inference_latency_seconds_bucket{{le="0.25",model="faces@1"}} 1.0
model_inference_latency_seconds_bucket{{le="0.5",model="faces@1"}} 2.0
model_inference_latency_seconds_bucket{{le="0.55",model="faces@1"}} 2.0
model_inference_latency_seconds_bucket{{le="0.75",model="faces@1"}} 2.0
model_inference_latency_seconds_bucket{{le="1.0",model="faces@1"}} 2.0
model_inference_latency_seconds_bucket{{le="2.5",model="faces@1"}} 2.0
model_inference_latency_seconds_bucket{{le="5.0",model="faces@1"}} 2.0
model_inference_latency_seconds_bucket{{le="10.0",model="faces@1"}} 2.0
model_inference_latency_seconds_bucket{{le="+Inf",model="faces@1"}} 3.0
model_inference_latency_seconds_count{{model="faces@1"}} 3.0
model_inference_latency_seconds_sum{{model="faces@1"}} 16.515625
# HELP model_confidence_score Probability of the predicted label.
# TYPE model_confidence_score histogram
model_confidence_score_bucket{{attribute="age",le="0.5",model="faces@1"}} 1.0
model_confidence_score_bucket{{attribute="age",le="0.55",model="faces@1"}} 1.0
model_confidence_score_bucket{{attribute="age",le="0.6",model="faces@1"}} 1.0
model_confidence_score_bucket{{attribute="age",le="0.65",model="faces@1"}} 1.0
model_confidence_score_bucket{{attribute="age",le="0.7",model="faces@1"}} 1.0
model_confidence_score_bucket{{attribute="age",le="0.75",model="faces@1"}} 2.0
model_confidence_score_bucket{{attribute="age",le="0.8",model="faces@1"}} 2.0
model_confidence_score_bucket{{attribute="age",le="0.85",model="faces@1"}} 2.0
model_confidence_score_bucket{{attribute="age",le="0.9",model="faces@1"}} 2.0
model_confidence_score_bucket{{attribute="age",le="0.95",model="faces@1"}} 2.0
model_confidence_score_bucket{{attribute="age",le="0.99",model="faces@1"}} 2.0
model_confidence_score_bucket{{attribute="age",le="1.0",model="faces@1"}} 3.0
model_confidence_score_bucket{{attribute="age",le="+Inf",model="faces@1"}} 3.0
model_confidence_score_count{{attribute="age",model="faces@1"}} 3.0
model_confidence_score_sum{{attribute="age",model="faces@1"}} 2.25
model_confidence_score_bucket{{attribute="gender",le="0.5",model="faces@1"}} 0.0
model_confidence_score_bucket{{attribute="gender",le="0.55",model="faces@1"}} 0.0
model_confidence_score_bucket{{attribute="gender",le="0.6",model="faces@1"}} 0.0
model_confidence_score_bucket{{attribute="gender",le="0.65",model="faces@1"}} 1.0
model_confidence_score_bucket{{attribute="gender",le="0.7",model="faces@1"}} 1.0
model_confidence_score_bucket{{attribute="gender",le="0.75",model="faces@1"}} 1.0
model_confidence_score_bucket{{attribute="gender",le="0.8",model="faces@1"}} 1.0
model_confidence_score_bucket{{attribute="gender",le="0.85",model="faces@1"}} 1.0
model_confidence_score_bucket{{attribute="gender",le="0.9",model="faces@1"}} 2.0
model_confidence_score_bucket{{attribute="gender",le="0.95",model="faces@1"}} 3.0
model_confidence_score_bucket{{attribute="gender",le="0.99",model="faces@1"}} 3.0
model_confidence_score_bucket{{attribute="gender",le="1.0",model="faces@1"}} 3.0
model_confidence_score_bucket{{attribute="gender",le="+Inf",model="faces@1"}} 3.0
model_confidence_score_count{{attribute="gender",model="faces@1"}} 3.0
model_confidence_score_sum{{attribute="gender",model="faces@1"}} 2.4375
# HELP drift_score Distance from the reference, 0 to 1, of labels and data columns, when last decided.
# TYPE drift_score gauge
drift_score{{attribute="gender",check="model",model="faces@1"}} 0.25
# HELP confidence_drift_score KS distance of confidences from the reference's, 0 to 1, when last decided.
# TYPE confidence_drift_score gauge
confidence_drift_score{{attribute="gender",check="model",model="faces@1"}} 0.5
# HELP drift_p_value Adjusted p-value of the last decided drift score.
# TYPE drift_p_value gauge
drift_p_value{{attribute="gender",check="model",model="faces@1"}} 0.025
# HELP drift_samples Rows on the current side of the last drift check.
# TYPE drift_samples gauge
drift_samples{{attribute="gender",check="model",model="faces@1"}} 800.0
# HELP drift_detected Whether there was drift (1) or not (0), when last decided.
# TYPE drift_detected gauge
drift_detected{{attribute="gender",check="model",model="faces@1"}} 1.0
# HELP drift_undecided Whether the last check was undecided (1) or not (0).
# TYPE drift_undecided gauge
drift_undecided{{attribute="gender",check="model",model="faces@1"}} 0.0
# HELP drift_threshold Lowest score that can count as drift.
# TYPE drift_threshold gauge
drift_threshold{{check="model",model="faces@1"}} 0.05
# HELP drift_decided_timestamp_seconds When a drift check last decided, in seconds since 1970.
# TYPE drift_decided_timestamp_seconds gauge
drift_decided_timestamp_seconds{{check="model",model="faces@1"}} 1.7953992e+09
# HELP drift_check_timestamp_seconds When a drift check last ran, decided or not, in seconds since 1970.
# TYPE drift_check_timestamp_seconds gauge
drift_check_timestamp_seconds{{check="model",model="faces@1"}} 1.7953992e+09
# HELP facemon_last_success_timestamp_seconds When a command last succeeded (exit 0, 3 or 4), since 1970.
# TYPE facemon_last_success_timestamp_seconds gauge
facemon_last_success_timestamp_seconds{{command="predict"}} 1.7953992e+09
# HELP facemon_last_run_duration_seconds Seconds that a command's last run took.
# TYPE facemon_last_run_duration_seconds gauge
facemon_last_run_duration_seconds{{command="predict"}} 2.5
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with open_ledger(tmp_path / "store", create=True) as ledger:
        faces = (("female", 0.625, "old", 0.5), ("female", 0.875, "old", 0.75), ("male", 0.9375, "old", 1.0))
        log_faces(ledger, *faces, latencies=(0.015625, 0.5, 16.0))
        confidence = column("gender_confidence", DECIDED, 0.5, measure="confidence")
        check_model(ledger, column("gender", DRIFT, 0.25), confidence)
        record_command(ledger, "predict", AT, 2.5, ExitCode.OK)
    return tmp_path / "store"


def test_exact_bytes(folder: Path) -> None:
    assert scrape(folder) == GOLDEN


def test_the_same_store_gives_the_same_bytes(folder: Path) -> None:
    assert scrape(folder) == exposition(registry_of(folder, groups=tuple(reversed(MetricGroup))))
