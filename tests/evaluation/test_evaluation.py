"""Labels of a table held against rows of the log."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from facemon.config.drift import TablesConfig
from facemon.errors import FacemonError
from facemon.evaluation.evaluation import Evaluation, evaluate
from facemon.evaluation.true_labels import read_true_labels
from facemon.tables.table_file import table_of
from tests.store.log_rows import ATTRIBUTES, MODEL, NOON, SCHEMA


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
    assert left_out(result) == {"name several images of the log": (1, ("b.jpg",))}
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
        (
            "file,gender\na.jpg,male\n",
            "no column names the images: there is neither image nor image_id nor image_sha256",
        ),
        ("image,gendre\na.jpg,male\n", r"no column holds labels of an attribute \(gender, age\)"),
        ("image,gender\n", "the file holds no rows"),
    ],
)
def test_tables_that_do_not_fit_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(FacemonError, match=message):
        scored(tmp_path, text, [row("a.jpg")])


@pytest.mark.parametrize(
    ("header", "hint"),
    [
        ("picture,gender,age", "name it with tables.image; its columns are picture, gender, age"),
        ("IMAGE,Gender,AGE", "name it with tables.image; near is IMAGE"),
        ("image,sex", "name it under tables.columns; its columns are image, sex"),
        ("image,Gender,AGE", "name it under tables.columns; near is Gender, AGE"),
        ("image,gendre", "name it under tables.columns; near is gendre"),
    ],
)
def test_a_hint_offers_no_column_that_has_another_role(tmp_path: Path, header: str, hint: str) -> None:
    with pytest.raises(FacemonError) as caught:
        scored(tmp_path, f"{header}\na.jpg,male,3\n" if header.count(",") == 2 else f"{header}\na.jpg,male\n", [])
    assert caught.value.hint == hint


def test_nothing_in_the_log(tmp_path: Path) -> None:
    result = scored(tmp_path, "image,gender\na.jpg,male\n")
    assert result.scores == ()
    assert left_out(result) == {"match no prediction in the log": (1, ("a.jpg",))}
    assert result.document()["attributes"] == []


def test_zeros_before_a_number_stay(tmp_path: Path) -> None:
    logged = [row("000001"), row("000010", ordinal=1)]
    for text in ("image,gender\n000001,female\n000010,female\n", 'image,gender\n"000001",female\n"000010",female\n'):
        result = scored(tmp_path, text, logged)
        assert (result.scores[0].labelled, result.matched_by) == (2, (("name", 2),))


@pytest.mark.parametrize(
    ("table", "names"),
    [
        ({"image": [1, 10]}, ["1", "10"]),
        ({"image": [1.0, 10.0]}, ["1", "10"]),
        ({"image": [Decimal("1.00"), Decimal("10.00")]}, ["1", "10"]),
        ({"image": ["000001", "000010"]}, ["000001", "000010"]),
    ],
)
def test_whole_numbers_are_their_decimal_text(tmp_path: Path, table: dict[str, list[Any]], names: list[str]) -> None:
    labels = tmp_path / "labels.parquet"
    pa.parquet.write_table(pa.table(table | {"gender": ["female", "female"]}), labels)
    read = read_true_labels(labels, ATTRIBUTES, TablesConfig())
    for logged in (["1", "10"], ["000001", "000010"]):
        rows = pa.Table.from_pylist([row(name, ordinal=place) for place, name in enumerate(logged)], SCHEMA)
        result = evaluate([rows], read, ATTRIBUTES, model=MODEL, at=NOON)
        assert sum(score.labelled for score in result.scores) == (2 if logged == names else 0)
        if logged != names and names == ["1", "10"]:
            assert result.unmatched is not None
            assert "zeros that the labels lack" in result.unmatched.hints[0]


def test_dates_and_numbers_of_json_are_names(tmp_path: Path) -> None:
    labels = tmp_path / "labels.jsonl"
    for names, cells in ((["2026-11-28", "2026-11-29"], '"{}"'), (["7", "8"], "{}")):
        labels.write_text("".join(f'{{"image": {cells.format(name)}, "gender": "male"}}\n' for name in names))
        assert read_true_labels(labels, ATTRIBUTES, TablesConfig()).keys[0].texts == tuple(names)


def test_the_column_by_which_most_labels_meet_an_image_is_taken(tmp_path: Path) -> None:
    logged = [row(f"{place}.jpg", ordinal=place, image_id=f"emp{place}") for place in range(4)]
    text = "image,image_id,gender\nx.jpg,emp0,female\ny.jpg,emp1,female\n3.jpg,emp2,female\n"
    result = scored(tmp_path, text, logged)
    assert (result.key.name, result.matched_by, result.scores[0].labelled) == ("image_id", (("image_id", 3),), 3)
    tables = TablesConfig(id="person")
    result = scored(tmp_path, "person,gender\nemp0,female\nemp9,male\n", logged, tables=tables)
    assert (result.scores[0].labelled, left_out(result)) == (1, {"match no prediction in the log": (1, ("emp9",))})


def test_an_id_of_several_images_is_none(tmp_path: Path) -> None:
    logged = [row("a.jpg", image_id="anna"), row("b.jpg", ordinal=1, image_id="anna")]
    result = scored(tmp_path, "image_id,gender\nanna,female\n", logged)
    assert left_out(result) == {"name several images of the log": (1, ("anna",))}


def test_each_face_of_an_image_has_a_label(tmp_path: Path) -> None:
    logged = [row("two.jpg", "female"), row("two.jpg", "male", face=1), row("one.jpg", "male", ordinal=1)]
    text = (
        "image,face,gender\ntwo.jpg,0,female\ntwo.jpg,1,female\ntwo.jpg,7,male\n"
        "two.jpg,,male\none.jpg,,male\none.jpg,0,male\n"
    )
    result = scored(tmp_path, text, logged)
    (gender,) = result.scores
    assert (gender.labelled, gender.correct) == (3, 2)
    assert left_out(result) == {
        "show several faces, and the label does not say whose it is": (1, ("two.jpg",)),
        "name a face that was not found; faces count from 0": (1, ("two.jpg, face 7",)),
        "say again what another label says of the same prediction": (1, ("one.jpg, face 0",)),
    }
    # Two faces of one image are two entries of the ledger.
    assert len({each.image for each in result.images}) == 3
    with pytest.raises(FacemonError, match="row 1: face is 'left', not the number of a face"):
        scored(tmp_path, "image,face,gender\ntwo.jpg,left,male\n", logged)


def test_faces_that_a_manifest_gave_are_told_apart_by_their_id(tmp_path: Path) -> None:
    """Each line of such a manifest is an input of its own, whose only face is face 0."""
    logged = [
        row("group.jpg", "female", ordinal=0, box=[0, 0, 9, 9], image_id="anna"),
        row("group.jpg", "male", ordinal=1, box=[9, 0, 18, 9], image_id="bert"),
        row("again.jpg", "male", ordinal=2, box=[0, 0, 9, 9]), row("again.jpg", "male", ordinal=3, box=[0, 0, 9, 9]),
    ]  # fmt: skip
    text = "image,gender\ngroup.jpg,female\nagain.jpg,male\n"
    result = scored(tmp_path, text, logged, one_face_an_input=True)
    assert (result.scores[0].labelled, result.scores[0].correct) == (1, 1)
    assert left_out(result) == {
        "show several faces, and the label does not say whose it is": (1, ("group.jpg",)),
    }
    result = scored(tmp_path, "image_id,gender\nanna,female\nbert,male\n", logged, one_face_an_input=True)
    assert (result.scores[0].labelled, result.scores[0].correct) == (2, 2)


def test_numbers_outside_all_bands_count_as_wrong(tmp_path: Path) -> None:
    logged = [row(f"{place}.jpg", age=70, ordinal=place) for place in range(4)]
    result = scored(tmp_path, "image,age\n0.jpg,70\n1.jpg,99\n2.jpg,104\n3.jpg,-1\n", logged)
    (age,) = result.scores
    assert (age.labelled, age.correct, age.beyond) == (3, 1, (0, 2))
    assert (age.confusion, age.balanced_accuracy) == (((0, 0), (0, 1)), 1.0)
    assert age.mean_absolute_error == pytest.approx((0 + 29 + 34) / 3)
    assert left_out(result) == {"have a cell for age that is none of its labels": (1, ("-1",))}
    assert [each.is_right for each in result.images] == [True, False, False]


def test_rows_without_a_name_are_counted(tmp_path: Path) -> None:
    result = scored(tmp_path, "image,gender\na.jpg,female\n,male\n,female\n", [row("a.jpg")])
    assert (result.labels, result.scores[0].labelled) == (1, 1)
    assert left_out(result) == {"name no image: image is empty": (2, ())}
    assert result.has_trouble


def test_names_and_labels_are_no_lists_or_objects() -> None:
    def read(**columns: Any) -> list[str]:
        table = table_of(pa.table(columns), "rows")
        return [key.name for key in read_true_labels(table, ATTRIBUTES, TablesConfig()).keys]

    image = [{"bytes": b"", "path": "a.jpg"}]
    assert read(image=image, image_id=["7"], gender=["male"]) == ["image_id"]
    with pytest.raises(FacemonError, match=r"rows: the column image holds struct<.*>, not names of images"):
        read(image=image, gender=["male"])
    with pytest.raises(FacemonError, match=r"rows: the column gender holds list<.*>, not labels"):
        read(image=["a.jpg"], gender=[["male"]])


def test_an_attribute_that_was_not_predicted_is_not_wrong(tmp_path: Path) -> None:
    nothing: dict[str, Any] = {"age": None, "age_confidence": None, "age_value": None}
    logged = [
        row("a.jpg"), row("b.jpg", ordinal=1) | nothing, row("c.jpg", None, ordinal=2),
        row("d.jpg", ordinal=3) | nothing | {"age_value": 120},
    ]  # fmt: skip
    result = scored(tmp_path, "image,gender,age\na.jpg,female,30\nb.jpg,male,30\nc.jpg,male,30\nd.jpg,,30\n", logged)
    gender, age = result.scores
    assert (gender.labelled, gender.correct, gender.confusion) == (2, 1, ((1, 0), (1, 0)))
    # A number in no band was predicted, and is wrong.
    assert (age.labelled, age.correct, age.confusion) == (3, 2, ((0, 0, 0), (0, 2, 1)))
    assert left_out(result) == {
        "have no prediction of gender": (1, ("c.jpg",)),
        "have no prediction of age": (1, ("b.jpg",)),
    }
    assert not result.has_trouble
    assert [each.is_right for each in result.images] == [True, False, True, True, False]
