import json

from facemon.config.model import LOG_COLUMNS
from facemon.domain.prediction import IMAGE_FEATURES, prediction_documents
from tests.store.log_rows import ATTRIBUTES, SCHEMA, make_batch


def test_the_fixed_columns_come_first() -> None:
    features = [f"image_{feature}" for feature in IMAGE_FEATURES]
    attributes = ["gender", "gender_confidence", "age", "age_confidence", "age_value"]
    assert SCHEMA.names == [*LOG_COLUMNS, *features, *attributes]
    assert str(SCHEMA.field("observed_at").type) == "timestamp[us, tz=UTC]"


def test_the_json_of_rows() -> None:
    rows = make_batch(0, 4, run="r").rows
    documents = list(prediction_documents(rows, ATTRIBUTES))
    assert len(documents) == rows.num_rows == 5
    assert json.loads(json.dumps(documents, allow_nan=False)) == documents
    failed, no_face, face, *_ = documents
    assert failed["schema"] == "facemon.prediction/1"
    assert (failed["error"], failed["face"], failed["box"], failed["attributes"]) == ("unreadable", None, None, {})
    assert (no_face["error"], no_face["attributes"]) == ("no_face", {})
    assert (face["error"], face["face"], face["box"]) == (None, 0, [1, 2, 30, 40])
    assert face["observed_at"] == "2026-11-22T12:00:00.000000Z"
    assert face["attributes"].keys() == {"gender", "age"}
    assert face["attributes"]["gender"].keys() == {"label", "confidence"}
    assert face["attributes"]["age"].keys() == {"label", "confidence", "value"}


def test_numbers_carry_no_noise_of_float32() -> None:
    rows = make_batch(2, 1, run="r").rows.to_pylist()
    rows[0]["gender_confidence"] = 0.874
    batch = type(make_batch(2, 1, run="r").rows).from_pylist(rows, SCHEMA)
    (document, *_) = prediction_documents(batch, ATTRIBUTES)
    assert json.dumps(document["attributes"]["gender"]["confidence"]) == "0.874"
