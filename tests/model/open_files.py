"""Small networks whose files leave something open: sizes, layouts, further inputs, outputs that are not tensors."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper, save_model

OPEN = ("n", None, None, None)
"""The shape of an input of which a file says nothing."""


def save_graph(
    path: Path,
    nodes: Sequence[NodeProto],
    inputs: Sequence[ValueInfoProto],
    outputs: Sequence[ValueInfoProto],
    weights: Mapping[str, Any],
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """Write a graph with these parts."""
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "open", inputs, outputs, tensors)
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid("ai.onnx.ml", 2)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    helper.set_model_props(model, dict(metadata or {}))
    save_model(model, path)
    return path


def tensor(name: str, shape: Sequence[Any] | None, element: int = TensorProto.FLOAT) -> ValueInfoProto:
    """An input or an output."""
    return helper.make_tensor_value_info(name, element, shape)


def write_dense(
    path: Path,
    size: tuple[int, int],
    *,
    layout: str = "nchw",
    channels: int = 3,
    declared: Sequence[Any] = OPEN,
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """A network that runs on images of one size, layout and number of channels alone; `declared` is what it says."""
    width, height = size
    rng = np.random.default_rng(0)
    weights = {
        "kernel": rng.normal(0, 1, (2, channels, 1, 1)).astype(np.float32),
        "dense": rng.normal(0, 1, (2 * width * height, 3)).astype(np.float32),
        # Flattening alone would take an image on its side.
        "rows": rng.normal(0, 1, (width, width)).astype(np.float32),
    }
    nodes = [
        helper.make_node("Transpose", ["image"], ["planes"], perm=[0, 3, 1, 2] if layout == "nhwc" else [0, 1, 2, 3]),
        helper.make_node("Conv", ["planes", "kernel"], ["features"]),
        helper.make_node("MatMul", ["features", "rows"], ["mixed"]),
        helper.make_node("Flatten", ["mixed"], ["flat"]),
        helper.make_node("MatMul", ["flat", "dense"], ["hair"]),
    ]
    return save_graph(path, nodes, [tensor("image", declared)], [tensor("hair", ["n", 3])], weights, metadata)


def write_pooled(path: Path, declared: Sequence[Any] = OPEN) -> Path:
    """A network for images of any size with three channels, NCHW."""
    nodes = [
        helper.make_node("Conv", ["image", "kernel"], ["features"]),
        helper.make_node("ReduceMean", ["features"], ["hair"], axes=[2, 3], keepdims=0),
    ]
    kernel = np.ones((4, 3, 1, 1), np.float32)
    return save_graph(path, nodes, [tensor("image", declared)], [tensor("hair", ["n", 4])], {"kernel": kernel})


def write_zipped(path: Path, *, labels: Mapping[str, Sequence[Any]], source_is_output: bool = False) -> Path:
    """A network that ends as scikit-learn's exporters let classifiers end: a label, and a list of mappings."""
    (kind, names), *_ = labels.items()
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["means"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["means", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        helper.make_node("ArgMax", ["probabilities"], ["output_label"], axis=1, keepdims=0),
        helper.make_node("ZipMap", ["probabilities"], ["output_probability"], domain="ai.onnx.ml", **{kind: names}),
    ]
    key = TensorProto.STRING if kind.endswith("strings") else TensorProto.INT64
    mapping = helper.make_map_type_proto(key, helper.make_tensor_type_proto(TensorProto.FLOAT, []))
    outputs = [
        tensor("output_label", ["n"], TensorProto.INT64),
        helper.make_value_info("output_probability", helper.make_sequence_type_proto(mapping)),
        *([tensor("probabilities", ["n", len(names)])] if source_is_output else []),
    ]
    weights = np.random.default_rng(2).normal(0, 4, (3, len(names))).astype(np.float32)
    return save_graph(path, nodes, [tensor("image", ["n", 3, 6, 5])], outputs, {"weights": weights})


def write_sequence(path: Path, *, beside: bool = False) -> Path:
    """A network with an output that is a sequence of tensors, and with another one `beside` it."""
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["hair"], axes=[2, 3], keepdims=0),
        helper.make_node("SequenceConstruct", ["hair"], ["parts"]),
    ]
    parts = helper.make_value_info(
        "parts", helper.make_sequence_type_proto(helper.make_tensor_type_proto(TensorProto.FLOAT, None))
    )
    outputs = [parts, *([tensor("hair", ["n", 3])] if beside else [])]
    return save_graph(path, nodes, [tensor("image", ["n", 3, 6, 5])], outputs, {})


def write_with_age(path: Path, *, has_value: bool) -> Path:
    """A network with a second input, which has a value in the file or has not."""
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["means"], axes=[2, 3], keepdims=0),
        helper.make_node("Mul", ["means", "age"], ["hair"]),
    ]
    inputs = [tensor("image", ["n", 3, 6, 5]), tensor("age", [1, 1])]
    weights = {"age": np.ones((1, 1), np.float32)} if has_value else {}
    return save_graph(path, nodes, inputs, [tensor("hair", ["n", 3])], weights)
