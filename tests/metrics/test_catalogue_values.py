"""What `facemon metrics` knows: values from real ledgers, and nothing where nothing is known."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from facemon.domain.metric_catalogue import CATALOGUE
from facemon.errors import UsageError
from facemon.metrics.catalogue_values import MetricValue, Series, catalogue_values, to_document
from facemon.store.ledger.opening import open_ledger
from tests.metrics.stores import DRIFT, check_model, column, log_faces, registry_of


@pytest.fixture
def known(tmp_path: Path) -> Iterator[dict[str, MetricValue]]:
    with open_ledger(tmp_path / "store", create=True) as ledger:
        faces = (("female", 0.625, "old", 0.5), ("female", 0.875, "old", 0.75), ("male", 0.9375, "old", 1.0))
        log_faces(ledger, *faces, latencies=(0.015625, 0.5, 16.0))
        check_model(ledger, column("gender", DRIFT, 0.25), column("age", DRIFT, 0.5))
        yield {each.metric.name: each for each in catalogue_values(registry_of(tmp_path / "store").collect())}


def test_the_whole_catalogue_in_its_order(known: dict[str, MetricValue]) -> None:
    assert list(known) == list(CATALOGUE)


def test_counters_are_added_up(known: dict[str, MetricValue]) -> None:
    images = known["images_processed_total"]
    assert images.value == 5
    assert images.series == (
        Series({"status": "failed"}, 1),
        Series({"status": "no_face"}, 1),
        Series({"status": "ok"}, 3),
    )
    assert known["model_predictions_total"].value == 6


def test_histograms_count_and_keep_their_sums(known: dict[str, MetricValue]) -> None:
    confidence = known["model_confidence_score"]
    assert confidence.value == 6
    age, gender = confidence.series or ()
    assert (age.labels, age.value, age.sum) == ({"attribute": "age", "model": "faces@1"}, 3, 2.25)
    assert (gender.labels, gender.value, gender.sum) == ({"attribute": "gender", "model": "faces@1"}, 3, 2.4375)
    assert gender.buckets is not None
    assert (gender.buckets["0.6"], gender.buckets["0.65"], gender.buckets["+Inf"]) == (0, 1, 3)
    assert len(gender.buckets) == len(CATALOGUE["model_confidence_score"].buckets) + 1


def test_gauges_are_not_added_up(known: dict[str, MetricValue]) -> None:
    assert known["drift_threshold"].value == 0.05
    score = known["drift_score"]
    assert score.value is None
    assert {series.labels["attribute"]: series.value for series in score.series or ()} == {"age": 0.5, "gender": 0.25}


def test_what_is_not_known_is_no_zero(known: dict[str, MetricValue]) -> None:
    accuracy = known["model_accuracy"]
    assert (accuracy.series, accuracy.value) == ((), None)
    for each in catalogue_values(None):
        assert (each.series, each.value) == (None, None)
    (document,) = to_document("gone", catalogue_values(None, "drift_score"))["metrics"]
    assert (document["series"], document["value"]) == (None, None)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("drift_scores", "drift_score"),
        ("images_processed", "images_processed_total"),
        ("model_confidence_score_bucket", "model_confidence_score"),
        ("", "cache_size"),
    ],
)
def test_an_unknown_name_gets_the_nearest(name: str, nearest: str) -> None:
    with pytest.raises(UsageError, match=f"metrics {name}: no such metric") as refused:
        catalogue_values(None, name)
    if name:
        assert refused.value.hint == f"did you mean {nearest}?"
