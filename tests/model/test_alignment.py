"""Faces aligned by landmarks, against scikit-image's estimate and OpenCV's warp."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from pydantic import ValidationError
from skimage.transform import SimilarityTransform

from facemon.config.faces import TEMPLATES, AlignConfig
from facemon.config.model import ModelConfig
from facemon.config.serving import PredictConfig
from facemon.domain.image_input import ImageInput
from facemon.domain.prediction import ErrorCode
from facemon.model.alignment import can_align, similarity, warped
from facemon.model.bundle import load_bundle
from facemon.model.predictor import Predictor
from tests.model.onnx_files import write_identity_model
from tests.model.yunet_files import LANDMARKS, write_yunet

COORDINATES = st.floats(-50, 250)
POINTS = st.lists(st.tuples(COORDINATES, COORDINATES), min_size=5, max_size=5).filter(
    lambda points: float(np.ptp(np.asarray(points), axis=0).min()) > 5
)


def estimated(found: Any, wanted: Any) -> NDArray[np.float64]:
    """The transform as recognition networks' code takes it, from scikit-image."""
    return np.asarray(SimilarityTransform.from_estimate(np.asarray(found), np.asarray(wanted)).params)[:2]


@given(POINTS, st.sampled_from(sorted(TEMPLATES)))
def test_the_similarity_is_umeyama_s(points: list[tuple[float, float]], template: str) -> None:
    wanted = np.asarray(TEMPLATES[template][1])
    np.testing.assert_allclose(similarity(np.asarray(points), wanted), estimated(points, wanted), atol=1e-7)


@given(st.floats(0.1, 4), st.floats(-3.1, 3.1), COORDINATES, COORDINATES)
def test_a_similarity_is_found_again(scale: float, angle: float, right: float, down: float) -> None:
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = np.asarray(LANDMARKS)
    found = similarity(points, points @ turn.T + (right, down))
    np.testing.assert_allclose(found, np.column_stack([turn, (right, down)]), atol=1e-9)


@pytest.mark.parametrize("size", [(112, 112), (96, 112), (30, 200)])
@pytest.mark.parametrize(("scale", "angle"), [(1.0, 0.0), (0.3, 0.2), (0.7, -2.5), (2.6, 0.9)])
def test_warping_gives_opencv_s_pixels(size: tuple[int, int], scale: float, angle: float) -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (90, 131, 3), np.uint8)
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = np.column_stack([linear, np.array([50.3, 40.1]) - linear @ (65, 45)])
    theirs = cv2.warpAffine(pixels, matrix, size, borderValue=0)
    moved = np.abs(warped(pixels, matrix, size).astype(int) - theirs)
    if cv2.__version__.startswith("5."):
        # Whether a processor adds and multiplies at once decides where a half is rounded to.
        assert moved.max() <= 1
        assert (moved > 0).mean() < 1e-3
    else:
        assert moved.mean() < 1


def model(folder: Path, *aligns: Any, size: tuple[int, int] = (112, 112), **faces: Any) -> ModelConfig:
    networks = []
    for index, align in enumerate(aligns):
        path = write_identity_model(folder / f"{index}.onnx", size=size, layout="nhwc")
        attributes = [
            {"name": f"n{index}p{place}", "output": "seen", "kind": "number", "index": place}
            for place in range(1, size[0] * size[1] * 3, 97)
        ]
        seen = {"name": "input", "size": list(size), "layout": "nhwc", "scale": 1}
        network: dict[str, Any] = {"path": str(path), "input": seen, "attributes": attributes}
        networks.append(network | ({"align": align} if align else {}))
    section = {"finder": "yunet", "weights": str(folder / "yunet.onnx")} | faces
    return ModelConfig.model_validate({"name": "m", "version": "1", "faces": section, "networks": networks})


def scene() -> Image.Image:
    pixels = np.random.default_rng(7).integers(60, 120, (256, 320, 3), np.uint8)
    pixels[96:104, 80:88] = 255
    return Image.fromarray(pixels)


@pytest.mark.parametrize("size", [(112, 112), (56, 56)])
def test_a_network_sees_what_the_reference_code_makes_of_yunet_s_landmarks(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    write_yunet(tmp_path / "yunet.onnx")
    scene().save(tmp_path / "a.png")
    custom = {"points": [list(point) for point in TEMPLATES["ffhq-512"][1]], "size": [512, 512]}
    config = model(tmp_path, None, custom, size=size, align="arcface-112")
    (row,) = Predictor(config, PredictConfig()).predict([ImageInput(0, "a", tmp_path / "a.png")], "r").rows.to_pylist()
    pixels = np.asarray(scene())
    detector = cv2.FaceDetectorYN.create(str(tmp_path / "yunet.onnx"), "", (320, 256), 0.9)
    points = detector.detect(np.ascontiguousarray(pixels[:, :, ::-1]))[1][0][4:14].reshape(5, 2).astype(float)
    np.testing.assert_allclose(points, np.asarray(LANDMARKS) + np.array([80, 96]), atol=1e-3)
    for index, template in enumerate(("arcface-112", "ffhq-512")):
        (side, _), wanted = TEMPLATES[template]
        matrix = estimated(points, np.asarray(wanted) * size[0] / side)
        theirs = cv2.warpAffine(pixels, matrix, size, borderValue=0).ravel()
        ours = [row[f"n{index}p{place}_value"] for place in range(1, theirs.size, 97)]
        np.testing.assert_allclose(ours, theirs[1::97], atol=1 if cv2.__version__.startswith("5.") else 5)


def test_a_face_whose_landmarks_coincide_is_none_where_it_must_be_aligned(tmp_path: Path) -> None:
    write_yunet(tmp_path / "yunet.onnx", [(0, 0)] * 5)
    scene().save(tmp_path / "a.png")
    for align, error in (("arcface-112", ErrorCode.NO_FACE), (None, None)):
        predictor = Predictor(model(tmp_path, align), PredictConfig())
        (row,) = predictor.predict([ImageInput(0, "a", tmp_path / "a.png")], "r").rows.to_pylist()
        assert row["error"] == error
    assert not can_align(None)


def test_the_fingerprint_follows_the_template(tmp_path: Path) -> None:
    write_yunet(tmp_path / "yunet.onnx")
    aligns = [None, "arcface-112", "arcface-128", "ffhq-512"]
    assert len({load_bundle(model(tmp_path, align)).fingerprint for align in aligns}) == len(aligns)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"align": "arcface"}, "'arcface-112', 'arcface-128'"),
        ({"align": {"points": [[1, 2]], "size": [8, 8]}}, "has 1 points, must have 5; or name a template: arcface-112"),
        ({"align": {"points": [[n, 2] for n in range(5)]}}, "points need size"),
        ({"align": {"points": [[1, 2]] * 5, "size": [8, 8]}}, "all lie in one place"),
        ({"align": {"template": "ffhq-512", "size": [8, 8]}}, "a template has a size of its own"),
        ({"align": "arcface-112", "crop": {}}, "crop and align exclude each other"),
        ({"align": "sphereface-96x112"}, "112 x 112 has other proportions than the template, 96 x 112"),
        ({"align": "arcface-112", "finder": "dlib"}, "the finder dlib does not give the eyes, nose and mouth"),
        ({"align": "arcface-112", "finder": "none"}, "the finder none takes the whole image for the face"),
    ],
)
def test_what_cannot_be_aligned_is_said(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    if options.get("finder"):
        options |= {"weights": None}
    with pytest.raises(ValidationError, match=message):
        model(tmp_path, None, **options)


def test_a_template_s_name_is_short_for_a_section() -> None:
    assert AlignConfig(template="arcface-112").template_size == (112, 112)
