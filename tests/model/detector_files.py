"""A face detector for tests: a face wherever a cell of 8 x 8 pixels of its input is white."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper, save_model

from tests.model.yunet_files import LANDMARKS

CELL = 8
FACE = (40.0, 48.0)
"""Width and height of the box around a white cell's middle."""


def cell_middles(size: tuple[int, int]) -> NDArray[np.float64]:
    """[cells, 2]: x and y of the middle of each cell, row by row."""
    rows, columns = np.mgrid[: size[1] // CELL, : size[0] // CELL]
    return np.asarray(np.stack([columns, rows], axis=-1).reshape(-1, 2) * CELL + CELL / 2)


def corner_shares(size: tuple[int, int]) -> NDArray[np.float64]:
    """What Ultra-Light answers: left, top, right and bottom as shares of the input's sides."""
    middles, half = cell_middles(size), np.asarray(FACE) / 2
    return np.asarray(np.concatenate([middles - half, middles + half], axis=1) / np.tile(size, 2))


def landmark_pixels(size: tuple[int, int]) -> NDArray[np.float64]:
    """Ten numbers a cell: the landmarks in pixels of the input."""
    corner = cell_middles(size)[:, np.newaxis] - CELL / 2
    return np.asarray(corner + np.asarray(LANDMARKS)).reshape(-1, 10)


def write_detector(
    path: Path, size: tuple[int, int], constants: dict[str, Any], *, scores: Sequence[str] = ("scores",)
) -> Path:
    """Write a network with an input `input` of pixels from -1 to 1, and what `constants` name as further outputs.

    Its scores are [1, cells, 2]: not a face, a face; with more than one name the cells are shared out among them.
    Where a pixel is not a number, neither is its cell's score.
    """
    cells = len(cell_middles(size))
    per_output = cells // len(scores)
    nodes = [
        helper.make_node("ReduceMean", ["input"], ["gray"], axes=[1], keepdims=1),
        helper.make_node("AveragePool", ["gray"], ["means"], kernel_shape=[CELL] * 2, strides=[CELL] * 2),
        helper.make_node("Add", ["means", "one"], ["twice"]),
        helper.make_node("Div", ["twice", "two"], ["share"]),
        helper.make_node("Reshape", ["share", "shape"], ["face"]),
        helper.make_node("Sub", ["one", "face"], ["other"]),
        helper.make_node("Concat", ["other", "face"], ["both"], axis=2),
        helper.make_node("Split", ["both"], list(scores), axis=1, split=[per_output] * len(scores)),
        *(helper.make_node("Identity", [f"{name}_constant"], [name]) for name in constants),
    ]
    weights = {"one": np.float32(1), "two": np.float32(2), "shape": np.array([1, -1, 1], np.int64)}
    tables = {name: np.asarray(value, np.float32)[np.newaxis] for name, value in constants.items()}
    weights |= {f"{name}_constant": table for name, table in tables.items()}
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, per_output, 2]) for name in scores]
    outputs += [helper.make_tensor_value_info(name, TensorProto.FLOAT, table.shape) for name, table in tables.items()]
    graph = helper.make_graph(
        nodes,
        "detector",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, size[1], size[0]])],
        outputs,
        [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()],
    )
    save_model(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=8), path)
    return path
