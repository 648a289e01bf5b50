"""A stand-in for YuNet's weights: the same inputs and outputs, and a face wherever a block of 8 x 8 pixels is white."""

from collections.abc import Sequence
from math import log
from pathlib import Path

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper, save_model

FACE_WIDTH, FACE_HEIGHT = 40, 48
"""Pixels of the face that is found around such a block."""
LANDMARKS = ((-8.0, -9.0), (9.0, -10.0), (1.0, 2.0), (-7.0, 12.0), (8.0, 13.0))
"""Where the eyes, the nose and the corners of the mouth lie from the block's upper left pixel."""


def write_yunet(path: Path, landmarks: Sequence[tuple[float, float]] = LANDMARKS) -> Path:
    """Write the network; OpenCV's FaceDetectorYN runs it as it runs the real one."""
    nodes: list[NodeProto] = [helper.make_node("ReduceMean", ["input"], ["gray"], axes=[1], keepdims=1)]
    weights: dict[str, np.ndarray | np.floating] = {
        "byte": np.float32(255), "zero": np.float32(0), "half": np.float32(0.5), "one": np.float32(1),
    }  # fmt: skip
    weights["points"] = np.asarray(landmarks, np.float32).reshape(1, 1, 10) / np.float32(8)
    shape = numpy_helper.from_array(np.array([1, -1, 1], np.int64), "shape")
    for stride in (8, 16, 32):
        weights |= {
            f"w{stride}": np.float32(log(FACE_WIDTH / stride)),
            f"h{stride}": np.float32(log(FACE_HEIGHT / stride)),
        }
        name = f"_{stride}"
        nodes += [
            helper.make_node("AveragePool", ["gray"], [f"mean{name}"], kernel_shape=[stride] * 2, strides=[stride] * 2),
            helper.make_node("Div", [f"mean{name}", "byte"], [f"share{name}"]),
            helper.make_node("Reshape", [f"share{name}", "shape"], [f"flat{name}"]),
            helper.make_node("Mul", [f"flat{name}", "zero"], [f"nothing{name}"]),
            # Coarser strides never see a face.
            helper.make_node("Mul", [f"flat{name}", "one" if stride == 8 else "zero"], [f"cls{name}"]),
            helper.make_node("Add", [f"nothing{name}", "one"], [f"obj{name}"]),
            helper.make_node("Add", [f"nothing{name}", "half"], [f"middle{name}"]),
            helper.make_node("Add", [f"nothing{name}", f"w{stride}"], [f"wide{name}"]),
            helper.make_node("Add", [f"nothing{name}", f"h{stride}"], [f"high{name}"]),
            helper.make_node(
                "Concat", [f"middle{name}", f"middle{name}", f"wide{name}", f"high{name}"], [f"bbox{name}"], axis=2
            ),
            helper.make_node("Add", [f"nothing{name}", "points"], [f"kps{name}"]),
        ]
    outputs = [
        helper.make_tensor_value_info(f"{kind}_{stride}", TensorProto.FLOAT, [1, "cells", width])
        for kind, width in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10))
        for stride in (8, 16, 32)
    ]
    graph = helper.make_graph(
        nodes,
        "yunet",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, "height", "width"])],
        outputs,
        [shape, *(numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items())],
    )
    save_model(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path
