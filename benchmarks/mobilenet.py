"""A network of MobileNetV2's size with random weights: what it costs is what counts here, not what it says."""

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper, save_model

SIDE = 112
HEADS = {"beard": 2, "mustache": 2, "glasses": 2, "hair_color": 5, "hair_length": 4}
# Expansion, channels, repeats, stride of each stage: Sandler et al., "MobileNetV2", 2018, table 2.
_STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
_LAST_CHANNELS = 1280


class _Graph:
    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.weights: list[TensorProto] = []
        self._random = np.random.default_rng(0)
        self._constant("zero", np.float32(0))
        self._constant("six", np.float32(6))

    def convolution(self, inner: str, channels: tuple[int, int], kernel: int, stride: int, *, groups: int = 1) -> str:
        name = f"conv{len(self.nodes)}"
        fan_in = channels[0] // groups * kernel * kernel
        shape = (channels[1], channels[0] // groups, kernel, kernel)
        self._constant(f"{name}_w", self._random.normal(0, (2 / fan_in) ** 0.5, shape).astype(np.float32))
        self._constant(f"{name}_b", np.zeros(channels[1], np.float32))
        pads = [kernel // 2] * 4
        inputs = [inner, f"{name}_w", f"{name}_b"]
        self._node("Conv", inputs, name, strides=[stride] * 2, pads=pads, group=groups)
        return name

    def relu6(self, inner: str) -> str:
        return self._node("Clip", [inner, "zero", "six"], f"relu{len(self.nodes)}")

    def add(self, left: str, right: str) -> str:
        return self._node("Add", [left, right], f"add{len(self.nodes)}")

    def head(self, inner: str, name: str, width: int) -> None:
        self._constant(f"{name}_w", self._random.normal(0, 0.03, (_LAST_CHANNELS, width)).astype(np.float32))
        self._node("MatMul", [inner, f"{name}_w"], name)

    def pool(self, inner: str) -> str:
        return self._node("Flatten", [self._node("GlobalAveragePool", [inner], "pooled")], "flat")

    def _node(self, kind: str, inputs: list[str], output: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def _constant(self, name: str, value: ArrayLike) -> None:
        self.weights.append(numpy_helper.from_array(np.asarray(value), name))


def write_mobilenet(path: Path) -> Path:
    """Write the network: `input` [n, 3, 112, 112] to one output of logits for each of `HEADS`."""
    save_model(_mobilenet(), path)
    return path


def _mobilenet() -> ModelProto:
    graph = _Graph()
    last, channels = graph.relu6(graph.convolution("input", (3, 32), 3, 2)), 32
    for expansion, wanted, repeats, first_stride in _STAGES:
        for repeat in range(repeats):
            stride = first_stride if repeat == 0 else 1
            inner, wide = last, channels * expansion
            if expansion > 1:
                inner = graph.relu6(graph.convolution(inner, (channels, wide), 1, 1))
            inner = graph.relu6(graph.convolution(inner, (wide, wide), 3, stride, groups=wide))
            inner = graph.convolution(inner, (wide, wanted), 1, 1)
            last = graph.add(last, inner) if stride == 1 and channels == wanted else inner
            channels = wanted
    flat = graph.pool(graph.relu6(graph.convolution(last, (channels, _LAST_CHANNELS), 1, 1)))
    for name, width in HEADS.items():
        graph.head(flat, name, width)
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", width]) for name, width in HEADS.items()]
    inputs = [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])]
    described = helper.make_graph(graph.nodes, "mobilenet", inputs, outputs, graph.weights)
    return helper.make_model(described, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


CONFIG = """\
version: 1
model:
  name: mobilenet
  version: "1"
  networks:
    - path: mobilenet.onnx
      input: {{name: input, size: [{side}, {side}], mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]}}
      attributes:
{attributes}
"""


def config_text() -> str:
    """A facemon.yaml for the network, which lies beside it."""
    lines = []
    for name, width in HEADS.items():
        labels = ", ".join(f"label{number}" for number in range(width))
        described = f"name: {name}, output: {name}, kind: categorical, labels: [{labels}], activation: softmax"
        lines.append(f"        - {{{described}}}")
    return CONFIG.format(side=SIDE, attributes="\n".join(lines))
