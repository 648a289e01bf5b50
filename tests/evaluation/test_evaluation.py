"""Labels of a table held against rows of the log."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from facemon.config.drift import TablesConfig
from facemon.errors import FacemonError
from facemon.evaluation.evaluation import Evaluation, evaluate
from facemon.evaluation.true_labels import read_true_labels
from tests.store.log_rows import ATTRIBUTES, MODEL, NOON, SCHEMA


UNCLEAR = "name several images of the log, or one that other labels may name too"


def row(image: str, gender: str | None = "female", age: float = 30, **more: Any) -> dict[str, Any]:
    return {
        "run": "r1", "ordinal": 0, "image": image, "image_sha256": f"{abs(hash(image)):064x}", "face": 0,
        "observed_at": NOON, "predicted_at": NOON, "model": MODEL, "source": None, "origin": "batch", "gender": gender,
        "gender_confidence": 0.9, "age": "young" if age < 18 else "old", "age_confidence": 0.8, "age_value": age,
    } | more  # fmt: skip


def scored(tmp_path: Path, text: str, *tables: list[dict[str, Any]], **options: Any) -> Evaluation:
    labels = tmp_path / "labels.csv"
    labels.write_text(text)
    read = read_true_labels(labels, ATTRIBUTES, options.pop("tables", TablesConfig()))
    logged = [pa.Table.from_pylist(rows, SCHEMA) for rows in tables]
    return evaluate(logged, read, ATTRIBUTES, model=MODEL, at=NOON, **options)


def left_out(result: Evaluation) -> dict[str, tuple[int, tuple[str, ...]]]:
    return {each.reason: (each.count, each.examples) for each in result.left_out}


def test_each_labelled_image_is_counted_once(tmp_path: Path) -> None:
    logged = [row("a.jpg"), row("b.jpg", ordinal=1), row("c.jpg", "male", ordinal=2), row("other.jpg", ordinal=3)]
    result = scored(tmp_path, "image,gender,age\na.jpg,female,20\nb.jpg,male,10\nc.jpg,male,\n", logged)
    gender, age = result.scores
    assert (gender.labelled, gender.correct, gender.confusion) == (3, 2, ((1, 0), (1, 1)))
    # Twenty and thirty are both old; ten is young.
    assert (age.labelled, age.correct, age.mean_absolute_error) == (2, 1, 15.0)
    assert not result.has_trouble
    assert left_out(result) == {}


def test_the_newest_prediction_counts_whatever_the_order_of_segments(tmp_path: Path) -> None:
    old = [row("a.jpg", "male", predicted_at=NOON - timedelta(days=1), run="r0")]
    new = [row("a.jpg", "female", run="r2")]
    for order in ((old, new), (new, old)):
        (gender, _) = scored(tmp_path, "image,gender,age\na.jpg,female,\n", *order).scores
        assert (gender.labelled, gender.correct) == (1, 1)


def test_the_last_part_of_a_path_will_do_when_it_is_one_image_s_alone(tmp_path: Path) -> None:
    logged = [row("day/a.jpg"), row("x/b.jpg", ordinal=1), row("y/b.jpg", ordinal=2), row("c.jpg", ordinal=3),
              row("z/c.jpg", "male", ordinal=4)]  # fmt: skip
    result = scored(tmp_path, "image,gender\na.jpg,female\nb.jpg,female\nc.jpg,female\n", logged)
    assert (result.scores[0].labelled, result.scores[0].correct) == (2, 2)
    assert left_out(result) == {UNCLEAR: (1, ("b.jpg",))}
    assert result.has_trouble


def test_images_by_their_sha256(tmp_path: Path) -> None:
    digest = "ab" * 32
    logged = [row("a.jpg", image_sha256=digest), row("copy.jpg", "male", image_sha256=digest, ordinal=1, run="r2")]
    for column in ("image_sha256", "image"):
        (gender,) = scored(tmp_path, f"{column},gender\n{digest},male\n", logged).scores
        assert (gender.labelled, gender.correct) == (1, 1)


def test_what_is_left_out_is_counted_and_shown(tmp_path: Path) -> None:
    logged = [
        row("two.jpg"), row("two.jpg", face=1),
        row("bad.jpg", None, ordinal=1, error="unreadable"), row("sky.jpg", None, ordinal=2, error="no_face"),
        row("a.jpg", ordinal=3),
    ]  # fmt: skip
    text = (
        "image,gender\ntwo.jpg,male\nbad.jpg,male\nsky.jpg,male\ngone.jpg,male\na.jpg,alien\n"
        "twice.jpg,male\ntwice.jpg,female\na.jpg,alien\n"
    )
    result = scored(tmp_path, text, logged)
    assert result.scores[0].labelled == 0
    assert left_out(result) == {
        "match no prediction in the log": (1, ("gone.jpg",)),
        "show several faces, and the label does not say whose it is": (1, ("two.jpg",)),
        "show no face that was found": (1, ("sky.jpg",)),
        "could not be predicted": (1, ("bad.jpg",)),
        "are labelled twice, and not the same": (1, ("twice.jpg",)),
        "have a cell for gender that is none of its labels": (1, ("alien",)),
    }
    assert result.labels == 6


def test_scores_by_source_add_up_to_those_of_all(tmp_path: Path) -> None:
    logged = [row(f"{index}.jpg", ordinal=index, source=("gate", "door", None)[index % 3]) for index in range(9)]
    text = "image,gender\n" + "".join(f"{index}.jpg,{'female' if index % 2 else 'male'}\n" for index in range(9))
    result = scored(tmp_path, text, logged, by_source=True)
    assert list(result.by_source) == ["door", "gate", None]
    assert [scores[0].labelled for scores in result.by_source.values()] == [3, 3, 3]
    assert sum(scores[0].correct or 0 for scores in result.by_source.values()) == result.scores[0].correct


def test_columns_and_values_are_mapped(tmp_path: Path) -> None:
    tables = TablesConfig(image="file", columns={"gender": "sex"}, values={"gender": {0: "female", 1: "male"}})
    result = scored(tmp_path, "file,sex\na.jpg,0\nb.jpg,1\n", [row("a.jpg"), row("b.jpg", ordinal=1)], tables=tables)
    assert (result.scores[0].labelled, result.scores[0].correct) == (2, 1)
    assert result.unlabelled == ("age",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,gender\na.jpg,male\n", "no column names the images: there is neither image nor image_id nor image_sha256"),
        ("image,gendre\na.jpg,male\n", r"no column holds labels of an attribute \(gender, age\)"),
        ("image,gender\n", "the file holds no rows"),
    ],
)
def test_tables_that_do_not_fit_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(FacemonError, match=message):
        scored(tmp_path, text, [row("a.jpg")])


def test_nothing_in_the_log(tmp_path: Path) -> None:
    result = scored(tmp_path, "image,gender\na.jpg,male\n")
    assert result.scores == ()
    assert left_out(result) == {"match no prediction in the log": (1, ("a.jpg",))}
    assert result.document()["attributes"] == []
