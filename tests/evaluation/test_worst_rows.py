"""The worst predictions equal those of a plain loop over labels and rows."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from facemon.config.drift import TablesConfig
from facemon.config.model import AttributeConfig
from facemon.domain.prediction import log_schema
from facemon.evaluation.true_labels import read_true_labels
from facemon.evaluation.worst_rows import worst_rows
from facemon.store.row_conditions import is_one_of
from tests.store.log_rows import ATTRIBUTES, MODEL, NOON

ANGLE = AttributeConfig(name="angle", output="o", kind="number")
ALL = (*ATTRIBUTES, ANGLE)
BANDS = {"young": (0, 18), "old": (18, 99)}


def logged(count: int) -> list[dict[str, Any]]:
    random = np.random.default_rng(7)
    return [
        {
            "run": "r", "ordinal": number, "image": f"{number}.jpg", "face": 0, "observed_at": NOON,
            "predicted_at": NOON, "model": MODEL, "source": ("gate", "yard")[number % 2], "origin": "batch",
            "gender": str(random.choice(["female", "male"])), "gender_confidence": float(random.uniform(0.5, 1)),
            "age": str(random.choice(["young", "old"])), "age_confidence": float(random.uniform(0.5, 1)),
            "age_value": float(random.uniform(1, 80)), "angle_value": float(random.uniform(-90, 90)),
        }
        for number in range(count)
    ]  # fmt: skip


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """Labels of 90 of the 100 images and of one that is not there; of some nothing is known of the age."""
    random = np.random.default_rng(8)
    lines = ["image,gender,age,angle"]
    for number in [*range(90), 500]:
        age = "" if number % 9 == 0 else random.integers(1, 140)
        lines.append(f"{number}.jpg,{random.choice(['female', 'male'])},{age},{random.uniform(-90, 90):.3f}")
    path = tmp_path / "labels.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def expected(rows: list[dict[str, Any]], path: Path, most: int) -> tuple[list[tuple[str, str, str, float]], int, int]:
    said = {line.split(",")[0]: line.split(",")[1:] for line in path.read_text().splitlines()[1:]}
    found: dict[str, list[tuple[str, str, str, float]]] = {"gender": [], "age": [], "angle": []}
    labelled = 0
    for row in rows:
        if row["image"] not in said:
            continue
        gender, age, angle = said[row["image"]]
        labelled += 2 + bool(age)
        if gender != row["gender"]:
            found["gender"].append((row["image"], "gender", gender, row["gender_confidence"]))
        if age:
            band = next((name for name, (low, high) in BANDS.items() if low <= int(age) < high), None)
            if band != row["age"]:
                found["age"].append((row["image"], "age", band or age, row["age_confidence"]))
        found["angle"].append((row["image"], "angle", angle, abs(float(angle) - row["angle_value"])))
    worst = [each for name in found for each in sorted(found[name], key=lambda each: -each[3])[:most]]
    return worst, sum(map(len, found.values())), labelled


@pytest.mark.parametrize("most", [1, 5, 1_000])
@pytest.mark.parametrize("source", [None, "yard"])
def test_the_worst_of_each_attribute(labels: Path, most: int, source: str | None) -> None:
    rows = logged(100)
    table = pa.Table.from_pylist(rows, log_schema(ALL))
    conditions = [is_one_of("source", [source])] if source else []
    truth = read_true_labels(labels, ALL, TablesConfig())
    found = worst_rows([table.slice(0, 60), table.slice(60)], truth, ALL, most, conditions=conditions)
    wanted, wrong, labelled = expected([row for row in rows if source in (None, row["source"])], labels, most)
    said = [
        (row["image"], row["worst"]["attribute"], row["worst"]["true"], row["worst"]["off_by"])
        for row in found.rows.to_pylist()
    ]
    for one, other in zip(said, wanted, strict=True):
        assert one[:2] == other[:2]
        assert (one[2] == other[2]) or float(one[2]) == pytest.approx(float(other[2]))
        assert one[3] == pytest.approx(other[3], rel=1e-5)
    assert (found.wrong, found.labelled) == (wrong, labelled)
    assert [each.reason for each in found.left_out] == ["match no prediction in the log"]


def test_labels_of_no_image(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("image,gender\nnone.jpg,male\n")
    table = pa.Table.from_pylist(logged(5), log_schema(ALL))
    found = worst_rows([table], read_true_labels(tmp_path / "labels.csv", ALL, TablesConfig()), ALL, 3)
    assert (found.rows.num_rows, found.wrong, found.labelled) == (0, 0, 0)
    assert found.left_out[0].is_trouble


def test_an_attribute_that_was_not_predicted_is_not_wrong(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("image,gender\n0.jpg,male\n")
    row = logged(1)[0] | {"gender": None, "gender_confidence": None}
    table = pa.Table.from_pylist([row], log_schema(ALL))
    found = worst_rows([table], read_true_labels(tmp_path / "labels.csv", ALL, TablesConfig()), ALL, 3)
    assert (found.rows.num_rows, found.wrong, found.labelled) == (0, 0, 0)
    assert [each.reason for each in found.left_out] == ["have no prediction of gender"]
