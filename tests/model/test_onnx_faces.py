"""The finder onnx: detectors that are described, against the code that one would write for them."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydantic import ValidationError

from facemon.config.model import FacesConfig, ModelConfig
from facemon.config.serving import PredictConfig
from facemon.domain.image_input import ImageInput
from facemon.domain.prediction import ErrorCode
from facemon.errors import FacemonError
from facemon.model.bundle import load_bundle
from facemon.model.decoding import DecodedImage
from facemon.model.faces import Face, face_finder
from facemon.model.predictor import Predictor
from tests.model.detector_files import corner_shares, landmark_pixels, write_detector
from tests.model.onnx_files import write_identity_model
from tests.model.yunet_files import LANDMARKS

SIZE = (160, 120)
INPUT = {"name": "input", "size": list(SIZE), "resample": "opencv_bilinear", "scale": 1, "mean": [127] * 3,
         "std": [128] * 3}  # fmt: skip
ULTRA_LIGHT = {
    "input": INPUT,
    "scores": {"outputs": ["scores"], "index": 1},
    "boxes": {"outputs": ["boxes"], "unit": "share"},
    "overlap": 0.5,
}
"""Ultra-Light-Fast-Generic-Face-Detector's RFB-320, at another size."""


def scene(*cells: tuple[int, int], size: tuple[int, int] = (320, 240), cell: int = 16) -> Image.Image:
    """Noise that is darker than a face, with white blocks."""
    pixels = np.random.default_rng(1).integers(0, 120, (size[1], size[0], 3), np.uint8)
    for column, row in cells:
        pixels[row * cell : (row + 1) * cell, column * cell : (column + 1) * cell] = 255
    return Image.fromarray(pixels)


def landmark_shares() -> NDArray[np.float64]:
    return np.asarray(landmark_pixels(SIZE) / np.tile(SIZE, 5))


def config(folder: Path, **options: Any) -> FacesConfig:
    file = write_detector(folder / "d.onnx", SIZE, {"boxes": corner_shares(SIZE), "points": landmark_shares()})
    described = {"finder": "onnx", "weights": str(file), "detector": ULTRA_LIGHT}
    return FacesConfig.model_validate(described | options)


def found(config: FacesConfig, image: Image.Image) -> list[Face]:
    return face_finder(config).find(DecodedImage(image, image.size), None)


def ultra_light(file: Path, image: Image.Image, threshold: float) -> list[tuple[list[float], float]]:
    """Boxes in pixels of the image and their scores, as a plain script finds them."""
    pixels = cv2.resize(np.asarray(image), SIZE)
    batch = ((pixels - np.array([127.0] * 3)) / 128).transpose(2, 0, 1)[np.newaxis].astype(np.float32)
    scores, boxes = onnxruntime.InferenceSession(file).run(["scores", "boxes"], {"input": batch})
    sure = scores[0, :, 1] > threshold
    corners, scores = boxes[0][sure] * (image.size * 2), scores[0, sure, 1]
    sides = [[x, y, right - x, bottom - y] for x, y, right, bottom in corners.tolist()]
    kept = cv2.dnn.NMSBoxes(sides, scores.tolist(), threshold, 0.5)
    return [(corners[index].tolist(), float(scores[index])) for index in kept]


def test_ultra_light_runs_by_its_description(tmp_path: Path) -> None:
    image = scene((4, 5), (5, 5), (14, 9), size=(333, 241))
    faces = found(config(tmp_path, min_confidence=0.6), image)
    plain = ultra_light(tmp_path / "d.onnx", image, 0.6)
    assert len(plain) >= 2
    assert [face.confidence for face in faces] == pytest.approx([score for _, score in plain], abs=1e-6)
    for face, (corners, _) in zip(faces, plain, strict=True):
        left, top, right, bottom = corners
        assert face.box == (round(left), round(top), round(right) - 1, round(bottom) - 1)


@pytest.mark.parametrize("size", [(320, 240), (320, 200), (200, 240), (81, 111)])
@pytest.mark.parametrize("side", ["centre", "end"])
def test_boxes_and_landmarks_are_pixels_of_the_image_behind_a_letterbox(
    tmp_path: Path, size: tuple[int, int], side: str
) -> None:
    scale = min(SIZE[0] / size[0], SIZE[1] / size[1])
    inner = (round(size[0] * scale), round(size[1] * scale))
    left, top = ((SIZE[0] - inner[0]) // 2, (SIZE[1] - inner[1]) // 2) if side == "centre" else (0, 0)
    # The cell in the detector's own input that will be white, and where its pixels are in the image.
    x, y = (left + inner[0] // 2) // 8 * 8, (top + inner[1] // 2) // 8 * 8
    across, down = size[0] / inner[0], size[1] / inner[1]
    edges = [round(edge) for edge in ((x - left) * across, (y - top) * down, 8 * across, 8 * down)]
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    pixels[edges[1] : edges[1] + edges[3], edges[0] : edges[0] + edges[2]] = 255
    detector = ULTRA_LIGHT | {
        "input": INPUT | {"fit": "pad", "resample": "nearest", "pad": {"side": side}},
        "landmarks": {"outputs": ["points"]},
        "boxes": {"outputs": ["boxes_in_pixels"]},
    }
    file = write_detector(
        tmp_path / "p.onnx",
        SIZE,
        {"boxes_in_pixels": corner_shares(SIZE) * (SIZE * 2), "points": landmark_pixels(SIZE)},
    )
    (face, *_) = found(
        config(tmp_path, detector=detector, weights=str(file), min_confidence=0.4), Image.fromarray(pixels)
    )
    middle = ((x + 4 - left) * across, (y + 4 - top) * down)
    assert face.box is not None
    reach = (20 * across, 24 * down)
    corners = [middle[0] - reach[0], middle[1] - reach[1], middle[0] + reach[0] - 1, middle[1] + reach[1] - 1]
    assert face.box == pytest.approx(corners, abs=0.6)
    expected = (np.asarray(LANDMARKS) + np.array([x - left, y - top])) / scale
    np.testing.assert_allclose(np.asarray(face.points), expected, atol=1e-4)


def model(folder: Path, **options: Any) -> ModelConfig:
    network = {
        "path": str(write_identity_model(folder / "n.onnx", size=(14, 14))),
        "input": {"name": "input", "size": [14, 14]},
        "attributes": [{"name": "p", "output": "seen", "kind": "number", "index": 0}],
    }
    faces = config(folder, **options)
    return ModelConfig(name="m", version="1", faces=faces, networks=(network,))  # type: ignore[arg-type]


def rows(config: ModelConfig, image: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (
        Predictor(config, PredictConfig()).predict([ImageInput(0, "a", image)], "r").rows.to_pylist()
    )
    return found


def test_faces_are_logged_and_can_be_aligned(tmp_path: Path) -> None:
    scene((4, 5)).save(tmp_path / "a.png")
    landmarks = ULTRA_LIGHT | {"landmarks": {"outputs": ["points"]}}
    (row,) = rows(model(tmp_path, keep="largest"), tmp_path / "a.png")
    assert row["box"] == [32, 40, 111, 135]
    assert row["face_confidence"] == pytest.approx(1, abs=0.01)
    with pytest.raises(ValidationError, match=r"needs the detector's landmarks: describe faces\.detector\.landmarks"):
        model(tmp_path, align="arcface-112")
    (row,) = rows(model(tmp_path, align="arcface-112", detector=landmarks), tmp_path / "a.png")
    assert (row["error"], row["p_value"] > 0) == (None, True)


@pytest.mark.parametrize(("name", "value"), [("boxes", np.inf), ("boxes", np.nan), ("points", np.nan)])
def test_answers_that_are_not_numbers_are_an_error_of_the_image(tmp_path: Path, name: str, value: float) -> None:
    scene((4, 5)).save(tmp_path / "a.png")
    constants = {"boxes": corner_shares(SIZE), "points": landmark_pixels(SIZE)}
    constants[name] = np.full_like(constants[name], value)
    detector = ULTRA_LIGHT | {"landmarks": {"outputs": ["points"]}}
    described = model(tmp_path, detector=detector)
    write_detector(tmp_path / "d.onnx", SIZE, constants)
    (row,) = rows(described, tmp_path / "a.png")
    assert (row["error"], row["error_message"]) == (ErrorCode.NAN, "the face finder gave no number")


def test_boxes_beyond_all_bounds_are_cut(tmp_path: Path) -> None:
    scene((4, 5)).save(tmp_path / "a.png")
    described = model(tmp_path)
    write_detector(tmp_path / "d.onnx", SIZE, {"boxes": np.full((300, 4), (-1e30, -1e30, 1e30, 1e30))})
    (row,) = rows(described, tmp_path / "a.png")
    assert row["box"] == [-320, -240, 639, 479]


def test_the_fingerprint_follows_weights_and_description(tmp_path: Path) -> None:
    usual = load_bundle(model(tmp_path)).fingerprint
    assert load_bundle(model(tmp_path, detector=ULTRA_LIGHT | {"overlap": 0.4})).fingerprint != usual
    described = model(tmp_path)
    assert load_bundle(described).fingerprint == usual
    write_detector(tmp_path / "d.onnx", SIZE, {"boxes": corner_shares(SIZE) * 2})
    assert load_bundle(described).fingerprint != usual


def test_a_file_that_does_not_fit_is_said_with_what_it_has(tmp_path: Path) -> None:
    wrong = ULTRA_LIGHT | {"input": INPUT | {"size": [320, 240]}, "boxes": {"outputs": ["locations"]}}
    with pytest.raises(FacemonError, match=r"does not fit its description, model\.faces\.detector") as caught:
        found(config(tmp_path, detector=wrong), scene())
    assert "size 320 x 240 makes [batch, 3, 240, 320], which input does not take" in caught.value.message
    assert "there is no output locations" in caught.value.message
    assert "output  scores float [1, 300, 2]" in str(caught.value.hint)
    with pytest.raises(FacemonError, match="the face detector cannot be read: no such file"):
        found(config(tmp_path, weights=str(tmp_path / "none.onnx")), scene())


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="the finder onnx needs detector"):
        config(tmp_path, detector=None)
    with pytest.raises(ValidationError, match="the finder manifest has no use for"):
        config(tmp_path, finder="manifest")
    with pytest.raises(ValidationError, match="the confidence of onnx is at most 1"):
        config(tmp_path, min_confidence=2.0)
