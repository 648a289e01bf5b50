"""Small ONNX files whose outputs are easy to reckon, for tests of everything that is read from a graph."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save_model
from PIL import Image

from facemon.config.model import ModelConfig

Rows = Sequence[Sequence[float]]


def write_reducing_model(
    path: Path,
    outputs: Mapping[str, Rows],
    *,
    channels: int = 3,
    size: tuple[int, int] = (4, 4),
    layout: str = "nchw",
    batch: int | str = "n",
    input_type: int = TensorProto.FLOAT,
    biases: Mapping[str, Sequence[float]] | None = None,
    last: str | None = None,
) -> Path:
    """A graph that takes each channel's mean m and answers, for each output, `m @ rows`, plus its bias if it has one.

    `outputs` maps a name to `channels` rows of numbers; size is width and height. `last` is an operator such as Softmax
    through which the outputs go.
    """
    width, height = size
    shape = [batch, channels, height, width] if layout == "nchw" else [batch, height, width, channels]
    axes = [2, 3] if layout == "nchw" else [1, 2]
    weights = [numpy_helper.from_array(np.asarray(axes, np.int64), "axes")]
    nodes = [helper.make_node("ReduceMean", ["input", "axes"], ["means"], keepdims=0)]
    values = []
    for name, rows in outputs.items():
        matrix = np.asarray(rows, np.float32)
        weights.append(numpy_helper.from_array(matrix, f"{name}_weights"))
        bias = np.asarray((biases or {}).get(name, [0.0]), np.float32)
        weights.append(numpy_helper.from_array(bias, f"{name}_bias"))
        nodes.append(helper.make_node("MatMul", ["means", f"{name}_weights"], [f"{name}_product"]))
        nodes.append(helper.make_node("Add", [f"{name}_product", f"{name}_bias"], [f"{name}_sum" if last else name]))
        if last:
            nodes.append(helper.make_node(last, [f"{name}_sum"], [name]))
        values.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [batch, matrix.shape[1]]))
    graph = helper.make_graph(
        nodes, "reduce", [helper.make_tensor_value_info("input", input_type, shape)], values, weights
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    checker.check_model(model)
    save_model(model, path)
    return path


def write_identity_model(
    path: Path,
    *,
    layout: str = "nchw",
    channels: int = 3,
    size: tuple[int, int] = (4, 4),
    batch: int | str = "n",
    element: int = TensorProto.FLOAT,
) -> Path:
    """A graph whose output `seen` is its input, flattened and as float32: what the network sees."""
    width, height = size
    shape = [batch, channels, height, width] if layout == "nchw" else [batch, height, width, channels]
    nodes = [
        helper.make_node("Cast", ["input"], ["plain"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["plain"], ["seen"]),
    ]
    graph = helper.make_graph(
        nodes,
        "identity",
        [helper.make_tensor_value_info("input", element, shape)],
        [helper.make_tensor_value_info("seen", TensorProto.FLOAT, [batch, channels * height * width])],
    )
    save_model(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)
    return path


def write_weighted_model(path: Path, location: str) -> Path:
    """A graph from [n, 3, 4, 4] to `hair` [n, 2] whose weights lie in another file, at `location`."""
    weights = TensorProto(name="weights", data_type=TensorProto.FLOAT, dims=[48, 2], data_location=TensorProto.EXTERNAL)
    for key, value in (("location", location), ("offset", "0"), ("length", str(48 * 2 * 4))):
        weights.external_data.add(key=key, value=value)
    nodes = [
        helper.make_node("Flatten", ["input"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["hair"]),
    ]
    graph = helper.make_graph(
        nodes,
        "weighted",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["n", 3, 4, 4])],
        [helper.make_tensor_value_info("hair", TensorProto.FLOAT, ["n", 2])],
        [weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    path.write_bytes(model.SerializeToString())
    return path


def model_of(path: Path, attributes: Sequence[Mapping[str, Any]], **input_options: Any) -> ModelConfig:
    """A model of one network without a face finder, as the configuration would describe it."""
    described = {"name": "input", "size": [4, 4]} | input_options
    network = {"path": str(path), "input": described, "attributes": [dict(each) for each in attributes]}
    return ModelConfig.model_validate({"name": "small", "version": "1", "networks": [network]})


def flat_image(path: Path, colour: tuple[int, int, int], size: tuple[int, int] = (8, 8)) -> Path:
    """An image of one colour, without loss."""
    Image.new("RGB", size, colour).save(path)
    return path
