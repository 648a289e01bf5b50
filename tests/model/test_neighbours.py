"""A row never depends on the other images of its batch."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper, save_model
from PIL import Image

from facemon.config.model import ModelConfig
from facemon.config.serving import PredictConfig
from facemon.domain.image_input import ImageInput
from facemon.model.bundle import load_bundle
from facemon.model.predictor import Predictor
from tests.model.onnx_files import model_of, write_identity_model, write_reducing_model

_SIDE = 4
_IMAGES = 7


def _saved(path: Path, nodes: Sequence[object], *weights: object, batch: int | str = "n") -> Path:
    graph = helper.make_graph(
        nodes,
        "rows",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [batch, 3, _SIDE, _SIDE])],
        [helper.make_tensor_value_info("seen", TensorProto.FLOAT, [batch, None])],
        weights,
    )
    save_model(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)
    return path


def _quantised(path: Path, batch: int | str = "n") -> Path:
    """As onnxruntime's dynamic quantisation writes a dense layer: the scale is the whole batch's."""
    weights = np.random.default_rng(1).integers(-127, 128, (3 * _SIDE * _SIDE, 5), dtype=np.int8)
    nodes = [
        helper.make_node("Flatten", ["input"], ["flat"]),
        helper.make_node("DynamicQuantizeLinear", ["flat"], ["whole", "scale", "zero"]),
        helper.make_node("MatMulInteger", ["whole", "weights", "zero"], ["sums"]),
        helper.make_node("Cast", ["sums"], ["plain"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["plain", "scale"], ["seen"]),
    ]
    return _saved(path, nodes, numpy_helper.from_array(weights, "weights"), batch=batch)


def _quantised_of_two(path: Path) -> Path:
    return _quantised(path, 2)


def _centred(path: Path) -> Path:
    """Minus the mean of the batch, as batch normalisation in training mode."""
    nodes = [
        helper.make_node("Flatten", ["input"], ["flat"]),
        helper.make_node("ReduceMean", ["flat", "first"], ["mean"]),
        helper.make_node("Sub", ["flat", "mean"], ["seen"]),
    ]
    return _saved(path, nodes, numpy_helper.from_array(np.array([0]), "first"))


def _of_one(path: Path) -> Path:
    """Exported with a batch that is free by name only: it fails on two."""
    nodes = [helper.make_node("Reshape", ["input", "shape"], ["seen"])]
    return _saved(path, nodes, numpy_helper.from_array(np.array([1, 3 * _SIDE * _SIDE]), "shape"))


def _flat(path: Path) -> Path:
    return write_identity_model(path)


def _reduced(path: Path) -> Path:
    return write_reducing_model(path, {"seen": np.eye(3).tolist()})


def _half(path: Path) -> Path:
    return write_reducing_model(path, {"seen": (np.eye(3) / 7).tolist()}, batch=3)


DEPENDENT = [_quantised, _quantised_of_two, _centred, _of_one]
INDEPENDENT = [_flat, _reduced, _half]


def _described(path: Path) -> ModelConfig:
    return model_of(
        path, [{"name": f"p{index}", "output": "seen", "index": index, "kind": "number"} for index in (0, 2)]
    )


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[ImageInput]:
    """Noise of unlike contrast, so that a scale taken from several images fits none of them."""
    folder, rng = tmp_path_factory.mktemp("images"), np.random.default_rng(0)
    inputs = []
    for number in range(_IMAGES):
        pixels = rng.integers(0, 4 + 36 * number, (_SIDE, _SIDE, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
        inputs.append(ImageInput(number, f"{number}", folder / f"{number}.png"))
    return inputs


@pytest.mark.parametrize("write", [*DEPENDENT, *INDEPENDENT])
def test_an_answer_is_the_same_whatever_comes_with_it(
    tmp_path: Path, images: list[ImageInput], write: Callable[[Path], Path]
) -> None:
    predictor = Predictor(_described(write(tmp_path / "m.onnx")), PredictConfig())

    def answers(chunks: Sequence[Sequence[ImageInput]]) -> list[tuple[str, float, float]]:
        rows = [row for chunk in chunks for row in predictor.predict(chunk, "run").rows.to_pylist()]
        return sorted((row["image"], row["p0_value"], row["p2_value"]) for row in rows)

    alone = answers([[each] for each in images])
    assert len(alone) == _IMAGES
    for chunks in ([images], [images[::-1]], [images[:3], images[3:]], [images[::2], images[1::2]]):
        assert answers(chunks) == alone


@pytest.mark.parametrize("write", DEPENDENT)
def test_a_network_whose_rows_depend_on_each_other_is_told_of(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    bundle = load_bundle(_described(write(tmp_path / "m.onnx")))
    assert [each.faces_alone for each in bundle.networks] == [True]
    (note,) = bundle.notes
    assert note.startswith(f"{tmp_path / 'm.onnx'}: a face's answer depends on the others of its batch")


@pytest.mark.parametrize("write", INDEPENDENT)
def test_others_run_in_batches(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    bundle = load_bundle(_described(write(tmp_path / "m.onnx")))
    assert [each.faces_alone for each in bundle.networks] == [False]
    assert bundle.notes == ()
