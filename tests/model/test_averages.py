"""An attribute that several networks describe is the mean of what they say."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from facemon.config.model import ModelConfig
from facemon.config.serving import PredictConfig
from facemon.domain.image_input import ImageInput
from facemon.domain.prediction import ErrorCode
from facemon.model.predictor import Predictor
from tests.model.onnx_files import flat_image, write_reducing_model

COLOUR = (200, 100, 50)
LOGITS = [[[1.0, -2.0, 0.5], [0.3, 0.2, -1.0], [2.0, 1.0, 3.0]], [[-1.0, 1.5, 0.5], [0.9, 0.2, 1.0], [2.0, -1.0, 0.0]]]
LABELS = {"labels": ["a", "b", "c"]}


def model_of_two(folder: Path, descriptions: list[dict[str, Any]], rows: list[Any]) -> ModelConfig:
    networks = []
    for index, (description, weights) in enumerate(zip(descriptions, rows, strict=True)):
        output = f"out{index}"
        path = write_reducing_model(folder / f"{index}.onnx", {output: weights})
        attribute = {"name": "spoof", "output": output, "average": True} | description
        networks.append({"path": str(path), "input": {"name": "input", "size": [4, 4]}, "attributes": [attribute]})
    return ModelConfig.model_validate({"name": "two", "version": "1", "networks": networks})


def predicted(folder: Path, model: ModelConfig, images: int = 6) -> list[dict[str, Any]]:
    path = flat_image(folder / "a.png", COLOUR)
    inputs = [ImageInput(index, "a", path) for index in range(images)]
    rows: list[dict[str, Any]] = Predictor(model, PredictConfig()).predict(inputs, "run").rows.to_pylist()
    return rows


def logits(weights: Any) -> NDArray[np.float64]:
    return np.asarray(np.asarray(COLOUR) / 255 @ np.asarray(weights))


def softmax(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.exp(numbers) / np.exp(numbers).sum())


def test_probabilities_are_averaged_after_each_network_s_softmax(tmp_path: Path) -> None:
    described = {"kind": "categorical", "activation": "softmax"} | LABELS
    expected = (softmax(logits(LOGITS[0])) + softmax(logits(LOGITS[1]))) / 2
    for row in predicted(tmp_path, model_of_two(tmp_path, [described] * 2, LOGITS)):
        assert row["spoof"] == "abc"[expected.argmax()]
        assert row["spoof_confidence"] == pytest.approx(expected.max(), abs=1e-6)


def test_a_binary_from_one_number_and_one_from_two(tmp_path: Path) -> None:
    binary = {"kind": "binary", "labels": ["real", "fake"]}
    rows: list[Any] = [[[2.0], [1.0], [-0.5]], [[1.0, 0.2], [0.5, 1.5], [0.3, 2.0]]]
    model = model_of_two(tmp_path, [binary | {"activation": "sigmoid"}, binary | {"activation": "softmax"}], rows)
    fake = (1 / (1 + np.exp(-logits(rows[0])[0])) + softmax(logits(rows[1]))[1]) / 2
    (row,) = predicted(tmp_path, model, 1)
    assert row["spoof"] == ("fake" if fake >= 0.5 else "real")
    assert row["spoof_confidence"] == pytest.approx(max(fake, 1 - fake), abs=1e-6)


def test_an_ordinal_and_a_number(tmp_path: Path) -> None:
    ordinal = {"kind": "ordinal", "values": [0, 10, 20], "bands": {"child": [0, 15], "adult": [15, 21]}}
    (row,) = predicted(tmp_path, model_of_two(tmp_path, [ordinal | {"activation": "softmax"}] * 2, LOGITS), 1)
    shares = (softmax(logits(LOGITS[0])) + softmax(logits(LOGITS[1]))) / 2
    assert row["spoof_value"] == pytest.approx(shares @ [0, 10, 20], rel=1e-5)
    number = {"kind": "number", "index": 1}
    scaled = [number | {"scale": 100}, number | {"activation": "sigmoid", "scale": 10, "offset": -3}]
    (row,) = predicted(tmp_path, model_of_two(tmp_path, scaled, LOGITS), 1)
    first, second = logits(LOGITS[0])[1], 1 / (1 + np.exp(-logits(LOGITS[1])[1]))
    assert row["spoof_value"] == pytest.approx((100 * first + 10 * second - 3) / 2, rel=1e-5)


@pytest.mark.parametrize("activation", ["softmax", "sigmoid", "none"])
def test_one_network_without_numbers_makes_the_average_none(tmp_path: Path, activation: str) -> None:
    described = {"kind": "categorical", "activation": activation} | LABELS
    broken: Any = [LOGITS[0], [[np.nan] * 3, [0.0] * 3, [0.0] * 3]]
    first = described | ({"activation": "softmax"} if activation == "none" else {})
    (row,) = predicted(tmp_path, model_of_two(tmp_path, [first, described], broken), 1)
    assert row["error"] == ErrorCode.NAN


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([{}, {"labels": ["a", "c", "b"]}], "must be the same in every network that describes 'spoof'"),
        ([{}, {"average": False}], "'spoof' is described 2 times; to average over networks, write average: true"),
        ([{}, {"name": "other"}], "no other network describes 'spoof'"),
    ],
)
def test_what_is_not_an_average_is_said(tmp_path: Path, options: list[dict[str, Any]], message: str) -> None:
    described = {"kind": "categorical"} | LABELS
    with pytest.raises(ValidationError, match=message):
        model_of_two(tmp_path, [described | each for each in options], LOGITS)
