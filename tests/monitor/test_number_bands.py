"""A number with bands has labels in the log, in tables, evaluations and checks, and never a confidence."""

from collections.abc import Sequence
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from facemon import Monitor, Verdict
from facemon.config.drift import TablesConfig
from facemon.config.model import AttributeConfig
from facemon.domain.drift_result import Check, ColumnResult
from facemon.domain.prediction import log_schema
from facemon.errors import FacemonError
from facemon.evaluation.evaluation import evaluate
from facemon.evaluation.true_labels import read_true_labels
from facemon.evaluation.truth import UNKNOWN_LABEL, read_truth
from facemon.metrics.store_collector import build_registry
from facemon.model.attribute_decoding import read_attribute
from facemon.predict.terminal_table import table_rows
from facemon.store.ledger.opening import open_ledger
from tests.documents import documents_of
from tests.model.onnx_files import flat_image, write_reducing_model
from tests.store.log_rows import NOON
from tests.store.oracles import log_rows

AGE = AttributeConfig(
    name="age", output="age", kind="number", scale=100, bands={"adult": (18, 60), "child": (0, 18), "senior": (60, 90)}
)
AGES = {-3.0: "child", 0.0: "child", 17.9: "child", 18.0: "adult", 59.0: "adult", 60.0: "senior", 200.0: "senior"}
CONFIG = """\
version: 1
model:
  name: ages
  version: "1"
  networks:
    - path: ages.onnx
      input: {name: input, size: [4, 4]}
      attributes:
        - name: age
          output: age
          kind: number
          scale: 100
          bands: {child: [0, 18], adult: [18, 60], senior: [60, 90]}
drift: {data: {threshold: 0.2}, model: {threshold: 0.2}, min_rows: 100}
evaluate: {min_labels: 1}
"""


@pytest.fixture
def monitor(tmp_path: Path) -> Monitor:
    write_reducing_model(tmp_path / "ages.onnx", {"age": [[1], [0], [0]]})
    (tmp_path / "facemon.yaml").write_text(CONFIG)
    return Monitor(tmp_path / "facemon.yaml")


def test_a_number_has_the_label_of_its_band_or_the_nearest() -> None:
    reading = read_attribute(AGE, np.asarray(list(AGES))[:, np.newaxis] / 100)
    assert reading.codes is not None
    assert reading.confidence is None
    assert [AGE.classes[code] for code in reading.codes] == list(AGES.values())
    assert AGE.columns == ("age", "age_value")


def test_predictions_have_label_and_value(monitor: Monitor, tmp_path: Path) -> None:
    rows = monitor.predict([flat_image(tmp_path / f"{red}.png", (red, 0, 0)) for red in (26, 153)])
    assert rows.column("age").to_pylist() == ["child", "senior"]
    assert rows.column("age_value").to_pylist() == pytest.approx([100 * 26 / 255, 60])
    assert "age_confidence" not in rows.column_names
    (batch,) = rows.combine_chunks().to_batches()
    assert documents_of(batch, [AGE])[0]["attributes"] == {"age": {"label": "child", "value": 10.19608}}
    assert [cells[2] for cells in table_rows(batch, [AGE])] == ["10.2 (child)", "60 (senior)"]
    registry = build_registry(lambda: open_ledger(tmp_path / ".facemon"), monitor.config.model)
    samples = [sample for family in registry.collect() for sample in family.samples]
    counted = {sample.labels["value"] for sample in samples if sample.name == "model_predictions_total"}
    assert counted == {"child", "adult", "senior"}
    assert not any(sample.name.startswith("model_confidence_score") for sample in samples)


def test_cells_of_tables_are_labels_or_numbers() -> None:
    cells = [*AGES, "17.9", "adult", "Senior", inf, -inf, "old"]
    truth = read_truth(AGE, pa.chunked_array([pa.array([str(cell) for cell in cells])]), TablesConfig())
    labels = [AGE.classes[code] if code != UNKNOWN_LABEL else None for code in truth.codes]
    assert labels == [*AGES.values(), "child", "adult", "senior", None, None, None]


def test_rows_of_other_programs_get_the_label_of_their_value(monitor: Monitor, tmp_path: Path) -> None:
    monitor.log([{"image": str(age), "age_value": age} for age in AGES])
    monitor.log([{"image": "label", "age": "child"}])
    rows = log_rows(open_ledger(tmp_path / ".facemon"))
    assert {row["image"]: row["age"] for row in rows} == {str(age): label for age, label in AGES.items()} | {
        "label": "child"
    }
    with pytest.raises(FacemonError, match="age must be one of child, adult, senior"):
        monitor.log([{"image": "a", "age": "old"}])


def test_labels_are_right_or_wrong_and_numbers_near_or_far(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("image,age\na,10\nb,70\nc,adult\n")
    constants = {"run": "r", "face": 0, "observed_at": NOON, "predicted_at": NOON, "model": "ages@1", "origin": "batch"}
    rows = [
        constants | {"image": name, "ordinal": index, "age": AGES.get(value, "adult"), "age_value": value}
        for index, (name, value) in enumerate([("a", 17.9), ("b", 50.0), ("c", 18.0)])
    ]
    logged = pa.Table.from_pylist(rows, log_schema([AGE]))
    labels = read_true_labels(tmp_path / "labels.csv", [AGE], TablesConfig())
    (score,) = evaluate([logged], labels, [AGE], model="ages@1", at=NOON).scores
    assert (score.labelled, score.correct, score.calibration_error) == (3, 2, None)
    assert score.mean_absolute_error == pytest.approx((7.9 + 20) / 2)


def ages(seed: int, mean: float) -> pa.Table:
    values = np.clip(np.random.default_rng(seed).normal(mean, 15, 800), 0, 89)
    return pa.table({"image": [str(place) for place in range(len(values))], "age": values, "age_value": values})


def compared(monitor: Monitor, rows: pa.Table) -> Sequence[ColumnResult]:
    return monitor.check(rows, checks=["model"]).checks[Check.MODEL].columns


def test_checks_compare_labels_and_values(monitor: Monitor) -> None:
    monitor.set_reference(ages(1, 35), name="normal")
    for mean, verdict in ((35, Verdict.OK), (60, Verdict.DRIFT)):
        found = {each.column: each for each in compared(monitor, ages(2, mean))}
        assert {column: each.verdict for column, each in found.items()} == {"age": verdict, "age_value": verdict}


def test_a_side_with_labels_alone_is_compared_by_them(monitor: Monitor) -> None:
    monitor.set_reference(ages(1, 35).drop_columns(["age_value"]), name="normal")
    found = [(each.column, each.verdict) for each in compared(monitor, ages(2, 35))]
    assert found == [("age", Verdict.OK)]


@pytest.mark.parametrize(
    ("bands", "message"),
    [
        ({"young": [0, 18], "old": [20, 90]}, "must join: each band ends where the next begins"),
        ({"young": [18, 0]}, r"\[18, 0\] is empty"),
    ],
)
def test_bands_that_are_none_are_refused(bands: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        AttributeConfig.model_validate({"name": "age", "output": "age", "kind": "number", "bands": bands})
