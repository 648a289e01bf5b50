from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, save_model

from facemon.errors import FacemonError
from facemon.model.graph_files import GraphFile
from tests.model.onnx_files import write_reducing_model


@pytest.mark.parametrize("batch", ["n", 1, 3, 8])
def test_a_fixed_batch_gives_as_many_rows_as_it_was_given(tmp_path: Path, batch: int | str) -> None:
    path = write_reducing_model(tmp_path / "m.onnx", {"sum": [[1.0], [1.0], [1.0]]}, batch=batch)
    images = np.arange(4, dtype=np.float32)[:, None, None, None] * np.ones((1, 3, 4, 4), np.float32)
    outputs = GraphFile(path.read_bytes(), "m").opened().run("input", images, ("sum",))
    assert outputs["sum"].tolist() == [[0.0], [3.0], [6.0], [9.0]]


def test_tensors_are_said_as_a_person_would(tmp_path: Path) -> None:
    path = write_reducing_model(tmp_path / "m.onnx", {"sum": [[1.0], [1.0], [1.0]]}, batch=2, layout="nhwc")
    graph = GraphFile(path.read_bytes(), "m").opened()
    assert [str(tensor) for tensor in (*graph.inputs, *graph.outputs)] == [
        "input float [2, 4, 4, 3]",
        "sum float [2, 1]",
    ]


def test_an_output_without_a_row_for_each_face_is_refused(tmp_path: Path) -> None:
    graph = helper.make_graph(
        [helper.make_node("ReduceMean", ["input"], ["mean"], keepdims=1)],
        "all",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["n", 3, 4, 4])],
        [helper.make_tensor_value_info("mean", TensorProto.FLOAT, [1, 1, 1, 1])],
    )
    save_model(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), tmp_path / "m.onnx")
    loaded = GraphFile((tmp_path / "m.onnx").read_bytes(), "all.onnx").opened()
    with pytest.raises(FacemonError, match=r"all.onnx: the output mean has the shape \[1, 1, 1, 1\] for 2 faces"):
        loaded.run("input", np.zeros((2, 3, 4, 4), np.float32), ("mean",))
