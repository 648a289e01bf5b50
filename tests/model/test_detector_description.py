"""Face detectors are recognised by their outputs, and what is described of them finds the same faces."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import helper
from PIL import Image

from facemon.config.detector import DistancesConfig, PriorsConfig
from facemon.config.model import FacesConfig
from facemon.model.box_decoding import grid_points, prior_boxes
from facemon.model.decoding import DecodedImage
from facemon.model.detector_description import (
    USUAL_DETECTOR_SIDES,
    Detector,
    detector_by_name,
    faces_lines,
    recognise_detector,
)
from facemon.model.faces import face_finder
from facemon.model.graph import Graph
from facemon.model.graph_files import GraphFile
from facemon.model.graph_input import AskedInput, find_input
from tests.model.detector_files import FACE, cell_middles, corner_shares, landmark_pixels, write_detector
from tests.model.onnx_files import write_identity_model
from tests.model.open_files import save_graph, tensor
from tests.model.yunet_files import write_yunet
from tests.read_yaml import read_yaml

SIZE = (160, 120)
CORNERS = corner_shares(SIZE)
CENTRED = np.concatenate([cell_middles(SIZE), np.broadcast_to(FACE, (300, 2))], axis=1)


def load(path: Path) -> Graph:
    return GraphFile(path.read_bytes(), path.name, path.parent).opened()


def recognised(path: Path) -> Detector | None:
    graph = load(path)
    return recognise_detector(graph, find_input(graph, AskedInput(), USUAL_DETECTOR_SIDES))


def described(path: Path) -> FacesConfig:
    detector = recognised(path)
    assert detector is not None
    assert not detector.problem
    text = "\n".join(faces_lines(detector, str(path)))
    assert "# guess: " in text
    return FacesConfig.model_validate(read_yaml(text)["faces"])


FORMS: Mapping[str, tuple[dict[str, NDArray[np.float64]], str]] = {
    "corners as shares": ({"boxes": CORNERS}, "form: corners, unit: share"),
    "corners in pixels": ({"boxes": CORNERS * (SIZE * 2)}, "form: corners, unit: pixel"),
    "centres in pixels": ({"boxes": CENTRED}, "form: centre_and_size, unit: pixel"),
    "with landmarks": ({"boxes": CORNERS * (SIZE * 2), "points": landmark_pixels(SIZE)}, "form: corners, unit: pixel"),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_described_detector_finds_the_white_cell(tmp_path: Path, form: str) -> None:
    constants, said = FORMS[form]
    path = write_detector(tmp_path / "d.onnx", SIZE, constants)
    detector = recognised(path)
    assert detector is not None
    assert any(said in line for line in detector.lines)
    # The network's own input is from -1 to 1, as `write_detector` has it, whatever was guessed for others.
    faces = described(path)
    assert faces.detector is not None
    pixels = faces.detector.input.model_copy(update={"scale": 1.0, "mean": (127.0,) * 3, "std": (128.0,) * 3})
    faces = faces.model_copy(update={"detector": faces.detector.model_copy(update={"input": pixels})})
    image = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    image[56:64, 72:80] = 255
    (face,) = face_finder(faces).find(DecodedImage(Image.fromarray(image), SIZE), None)
    assert face.box == (76 - 20, 60 - 24, 76 + 19, 60 + 23)
    assert (face.points is not None) is (form == "with landmarks")


def write_constants(path: Path, outputs: Mapping[str, NDArray[Any]], size: tuple[int, int]) -> Path:
    """A network that gives the same whatever it sees."""
    nodes = [helper.make_node("Identity", [f"{name}_values"], [name]) for name in outputs]
    image = tensor("image", [1, 3, size[1], size[0]])
    values = {f"{name}_values": np.asarray(table, np.float32) for name, table in outputs.items()}
    return save_graph(path, nodes, [image], [tensor(name, table.shape) for name, table in outputs.items()], values)


def noise(*shape: int) -> NDArray[Any]:
    return np.random.default_rng(3).normal(0, 1, shape)


@pytest.mark.parametrize(
    ("size", "sizes", "says"),
    [
        ((320, 240), [[10, 16, 24], [32, 48], [64, 96], [128, 192, 256]], "those of Ultra-Light"),
        ((160, 160), [[16, 32], [64, 128], [256, 512]], "those of RetinaFace"),
    ],
)
def test_priors_are_told_by_their_number(tmp_path: Path, size: Any, sizes: Any, says: str) -> None:
    strides = [8, 16, 32, 64][: len(sizes)]
    count = len(prior_boxes(PriorsConfig(strides=tuple(strides), sizes=tuple(map(tuple, sizes))), size))
    path = write_constants(tmp_path / "d.onnx", {"loc": noise(1, count, 4), "conf": noise(1, count, 2)}, size)
    detector = recognised(path)
    assert detector is not None
    assert any(says in line for line in detector.lines)
    face_finder(described(path))
    other = write_constants(tmp_path / "o.onnx", {"loc": noise(1, 301, 4), "conf": noise(1, 301, 2)}, size)
    unknown = recognised(other)
    assert unknown is not None
    assert not unknown.lines
    assert "301 priors, which the file does not hold" in unknown.problem


@pytest.mark.parametrize("per_point", [1, 2])
@pytest.mark.parametrize("landmarks", [False, True])
def test_outputs_for_each_stride_are_distances(tmp_path: Path, per_point: int, landmarks: bool) -> None:
    strides, outputs = (8, 16, 32), {}
    for width in (1, 4, *([10] if landmarks else [])):
        for stride in strides:
            count = len(grid_points(DistancesConfig(strides=(stride,), per_point=per_point), (320, 320)))
            outputs[f"{width}_{stride}"] = noise(count, width)
    config = described(write_constants(tmp_path / "d.onnx", outputs, (320, 320)))
    assert config.detector is not None
    assert config.detector.distances == DistancesConfig(strides=strides, per_point=per_point)
    assert config.detector.boxes.outputs == ("4_8", "4_16", "4_32")
    assert (config.detector.landmarks is not None) is landmarks
    face_finder(config)


@pytest.mark.parametrize(("width", "landmarks"), [(5, False), (6, False), (16, True), (85, False)])
def test_boxes_and_scores_side_by_side(tmp_path: Path, width: int, landmarks: bool) -> None:
    count = 3 * (40 * 40 + 20 * 20 + 10 * 10)
    table = np.abs(noise(1, count, width)) * 100
    path = write_constants(tmp_path / "d.onnx", {"output0": table}, (320, 320))
    config = described(path)
    assert config.detector is not None
    assert (config.detector.scores.slice, config.detector.boxes.slice) == ((4, 5), (0, 4))
    assert (config.detector.landmarks is not None) is landmarks
    face_finder(config)
    turned = recognised(write_constants(tmp_path / "t.onnx", {"output0": table.transpose(0, 2, 1)}, (320, 320)))
    assert turned is not None
    assert "add a Transpose node (perm 0, 2, 1) after output0" in turned.hint


def test_yunet_is_known_by_its_outputs(tmp_path: Path) -> None:
    detector = detector_by_name(load(write_yunet(tmp_path / "y.onnx")))
    assert detector is not None
    assert list(faces_lines(detector, "y.onnx")) == ["faces:", "  finder: yunet", '  weights: "y.onnx"']


@pytest.mark.parametrize("outputs", [{"a": (1, 3)}, {"a": (1, 4), "b": (1, 2)}, {"a": (1, 512)}, {"a": (1, 197, 64)}])
def test_other_networks_are_not_detectors(tmp_path: Path, outputs: Mapping[str, tuple[int, ...]]) -> None:
    tables = {name: noise(*shape) for name, shape in outputs.items()}
    assert recognised(write_constants(tmp_path / "n.onnx", tables, (64, 64))) is None
    plain = write_identity_model(tmp_path / "i.onnx")
    assert (recognised(plain), detector_by_name(load(plain))) == (None, None)
