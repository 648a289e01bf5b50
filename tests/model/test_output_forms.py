"""Outputs without a batch dimension, and numbers that are scaled."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper, save_model
from pydantic import ValidationError

from facemon.config.model import AttributeConfig
from facemon.config.serving import PredictConfig
from facemon.domain.image_input import ImageInput
from facemon.errors import FacemonError
from facemon.model.bundle import load_bundle
from facemon.model.predictor import Predictor
from tests.model.onnx_files import flat_image, model_of, write_reducing_model

COLOURS = [(0, 51, 102), (153, 204, 255), (51, 0, 255), (102, 102, 0), (255, 51, 51)]


def write_squeezed_model(path: Path, shape: list[int], *, batch: int | str = 1, said: bool = True) -> Path:
    """A graph that answers the means of a face's three channels, or of the first alone, in a shape without a batch."""
    kept = 3 if shape else 1
    constants = {"axes": [2, 3], "starts": [0], "ends": [kept], "first": [1], "shape": shape}
    nodes = [
        helper.make_node("ReduceMean", ["input", "axes"], ["means"], keepdims=0),
        helper.make_node("Slice", ["means", "starts", "ends", "first"], ["kept"]),
        helper.make_node("Reshape", ["kept", "shape"], ["seen"]),
    ]
    graph = helper.make_graph(
        nodes,
        "squeezed",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [batch, 3, 4, 4])],
        [helper.make_tensor_value_info("seen", TensorProto.FLOAT, shape if said else None)],
        [numpy_helper.from_array(np.asarray(value, np.int64), name) for name, value in constants.items()],
    )
    save_model(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)
    return path


@pytest.mark.parametrize("said", [True, False])
@pytest.mark.parametrize("shape", [[3], [1, 3], [3, 1], [1, 1, 3], []])
def test_outputs_without_a_batch_dimension(tmp_path: Path, shape: list[int], said: bool) -> None:
    path = write_squeezed_model(tmp_path / "m.onnx", shape, said=said)
    read = range(3 if shape else 1)
    attributes = [{"name": f"p{index}", "output": "seen", "kind": "number", "index": index} for index in read]
    inputs = [
        ImageInput(index, "a", flat_image(tmp_path / f"{index}.png", colour)) for index, colour in enumerate(COLOURS)
    ]
    rows = Predictor(model_of(path, attributes, scale=1), PredictConfig()).predict(inputs, "run").rows
    for index in read:
        assert rows.column(f"p{index}_value").to_pylist() == [colour[index] for colour in COLOURS]


def test_an_index_beyond_such_an_output_is_said_at_load(tmp_path: Path) -> None:
    path = write_squeezed_model(tmp_path / "m.onnx", [3])
    with pytest.raises(FacemonError, match=r"seen has 3 numbers a face, so there is no number 3 \(from 0\)"):
        load_bundle(model_of(path, [{"name": "p", "output": "seen", "kind": "number", "index": 3}]))


def test_a_number_is_scaled_after_its_activation(tmp_path: Path) -> None:
    path = write_reducing_model(tmp_path / "m.onnx", {"age": [[1], [0], [0]]})
    number = {"output": "age", "kind": "number"}
    attributes = [
        number | {"name": "age", "scale": 100, "offset": -20},
        number | {"name": "share", "activation": "sigmoid", "scale": 116},
    ]
    image = ImageInput(0, "a", flat_image(tmp_path / "a.png", (102, 0, 0)))
    (row,) = Predictor(model_of(path, attributes), PredictConfig()).predict([image], "run").rows.to_pylist()
    assert row["age_value"] == pytest.approx(0.4 * 100 - 20, rel=1e-6)
    assert row["share_value"] == pytest.approx(116 / (1 + np.exp(-0.4)), rel=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "number", "scale": 0}, "0 would make every number the same"),
        ({"kind": "binary", "labels": ["no", "yes"], "offset": 1}, "a binary attribute has no use for offset"),
    ],
)
def test_what_cannot_be_scaled_is_said(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        AttributeConfig.model_validate({"name": "a", "output": "o"} | options)
