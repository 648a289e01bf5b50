"""The finders that cut faces by their boxes, what is chosen of several faces, and what goes into the log."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from facemon.config.model import CutConfig, FacesConfig, ModelConfig
from facemon.config.serving import PredictConfig
from facemon.domain.image_input import Box, ImageInput
from facemon.errors import FacemonError
from facemon.finders.none import WholeImages
from facemon.finders.registry import FINDERS
from facemon.model.decoding import DecodedImage
from facemon.model.faces import Face, View, face_finder
from facemon.model.predictor import Predictor
from tests.model.onnx_files import model_of, write_identity_model
from tests.model.yunet_files import FACE_HEIGHT, FACE_WIDTH, write_yunet

PIXEL = {"name": "pixel", "output": "seen", "kind": "number", "index": 0}


def scene(*blocks: tuple[int, int], size: tuple[int, int] = (320, 256)) -> Image.Image:
    """A gray picture with a white block of 8 x 8 pixels in each of the given cells."""
    image = Image.new("RGB", size, (90, 90, 90))
    for column, row in blocks:
        image.paste((255, 255, 255), (column * 8, row * 8, column * 8 + 8, row * 8 + 8))
    return image


def found(config: FacesConfig, image: Image.Image, given: Box | None = None, *, fast: bool = False) -> list[Face]:
    return face_finder(config, fast=fast).find(DecodedImage(image, image.size), given)


def chip(face: Face, config: FacesConfig) -> Image.Image:
    return face.seen(View((16, 16), config.cut_for(CutConfig())))


def yunet(tmp_path: Path, **options: Any) -> FacesConfig:
    return FacesConfig(finder="yunet", weights=write_yunet(tmp_path / "yunet.onnx"), **options)


def test_yunet_finds_boxes_and_how_sure_it_is(tmp_path: Path) -> None:
    config = yunet(tmp_path)
    (face,) = found(config, scene((10, 12)))
    # The cell's middle is (84, 100); the box is 40 x 48 around it.
    assert face.box == pytest.approx((64, 76, 103, 123), abs=1)
    assert face.confidence == pytest.approx(1.0, abs=1e-3)
    assert chip(face, config).size == pytest.approx((67, 67), abs=1)


def test_faces_below_yunet_s_confidence_are_none(tmp_path: Path) -> None:
    gray = Image.new("RGB", (64, 64), (128, 128, 128))
    assert found(yunet(tmp_path), gray) == []
    assert len(found(yunet(tmp_path, min_confidence=0.3), gray)) > 0


def test_fast_yunet_answers_in_pixels_of_the_whole_image(tmp_path: Path) -> None:
    large = scene((10, 12)).resize((1280, 1024), Image.Resampling.NEAREST)
    boxes = [face.box for face in found(yunet(tmp_path), large, fast=True) if face.box]
    # In the copy of half the size the white block is 16 x 16 pixels, whose four cells are one face after merging.
    assert boxes
    assert all(0 <= box[0] < box[2] < 1280 and abs((box[0] + box[2]) / 2 - 336) < 24 for box in boxes)
    assert all(box[2] - box[0] + 1 == pytest.approx(2 * FACE_WIDTH, abs=1) for box in boxes)


def test_boxes_are_scaled_where_the_image_was_decoded_smaller() -> None:
    image = scene((0, 0))
    half = image.resize((160, 128))
    config = FacesConfig(finder="manifest", margin=0)
    (face,) = face_finder(config).find(DecodedImage(half, image.size), (100, 50, 199, 149))
    assert face.box == (100, 50, 199, 149)
    assert chip(face, config).size == (50, 50)


@pytest.mark.parametrize(("margin", "side"), [(0.0, 40), (0.25, 60)])
def test_the_chip_is_the_square_around_a_given_box_with_black_outside(margin: float, side: int) -> None:
    image = Image.new("RGB", (100, 100), (200, 100, 50))
    config = FacesConfig(finder="manifest", margin=margin)
    (face,) = found(config, image, (-10, 40, 9, 79))
    assert (face.box, face.confidence) == ((-10, 40, 9, 79), None)
    pixels = np.asarray(chip(face, config))
    assert pixels.shape == (side, side, 3)
    assert (pixels[:, 0] == 0).all()
    assert tuple(pixels[side // 2, -1]) == (200, 100, 50)


@pytest.mark.parametrize("given", [None, (100, 0, 120, 20), (-30, 0, -1, 10)])
def test_without_a_box_in_the_image_there_is_no_face(given: Box | None) -> None:
    assert found(FacesConfig(finder="manifest"), Image.new("RGB", (100, 100)), given) == []


def test_the_largest_face_and_the_least_size(tmp_path: Path) -> None:
    image = scene((6, 10), (30, 10))
    assert len(found(yunet(tmp_path), image)) == 2
    assert len(found(yunet(tmp_path, keep="largest"), image)) == 1
    assert len(found(yunet(tmp_path, min_size=min(FACE_WIDTH, FACE_HEIGHT)), image)) == 2
    assert found(yunet(tmp_path, min_size=FACE_WIDTH + 2), image) == []


def test_what_yunet_lacks_is_said(tmp_path: Path) -> None:
    with pytest.raises(FacemonError, match="the weights of yunet cannot be read: no such file") as caught:
        face_finder(FacesConfig(finder="yunet", weights=tmp_path / "none.onnx"))
    assert "model.faces.weights" in str(caught.value.hint)
    other = write_identity_model(tmp_path / "other.onnx")
    with pytest.raises(FacemonError, match="is not a network that OpenCV's FaceDetectorYN can run"):
        face_finder(FacesConfig(finder="yunet", weights=other))


def log_warnings() -> None:
    """Set OpenCV's log to what it is when a process begins."""
    import cv2

    if hasattr(cv2, "setLogLevel"):
        cv2.setLogLevel(3)
    else:
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_WARNING)


def test_opencv_prints_nothing_about_a_network_good_or_bad(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log_warnings()
    (tmp_path / "text.onnx").write_text("no network")
    assert len(found(yunet(tmp_path), scene((10, 12)))) == 1
    for wrong in (write_identity_model(tmp_path / "other.onnx"), tmp_path / "text.onnx"):
        with pytest.raises(FacemonError):
            face_finder(FacesConfig(finder="yunet", weights=wrong))
    assert capfd.readouterr() == ("", "")
    log_warnings()
    monkeypatch.setenv("OPENCV_LOG_LEVEL", "WARNING")
    found(yunet(tmp_path), scene((10, 12)))
    said = capfd.readouterr().err
    import cv2

    assert ("WARN" in said) == cv2.__version__.startswith("5."), "a level of the user's own is kept"


def with_faces(tmp_path: Path, faces: FacesConfig) -> ModelConfig:
    path = write_identity_model(tmp_path / "identity.onnx")
    return model_of(path, [PIXEL], scale=1).model_copy(update={"faces": faces})


def test_box_and_confidence_go_into_the_log(tmp_path: Path) -> None:
    scene((10, 12)).save(tmp_path / "a.png")
    rows = Predictor(with_faces(tmp_path, yunet(tmp_path)), PredictConfig()).predict(
        [ImageInput(0, "a", tmp_path / "a.png", id="7")], "run"
    )
    (row,) = rows.rows.to_pylist()
    assert (row["image_id"], row["error"]) == ("7", None)
    assert row["box"] == pytest.approx([64, 76, 103, 123], abs=1)
    assert row["face_confidence"] == pytest.approx(1, abs=1e-3)


def test_the_fingerprint_follows_the_finder_s_weights_but_not_their_place(tmp_path: Path) -> None:
    def fingerprint(faces: FacesConfig) -> str:
        return Predictor(with_faces(tmp_path, faces), PredictConfig()).fingerprint

    usual = fingerprint(yunet(tmp_path))
    (tmp_path / "elsewhere").mkdir()
    assert fingerprint(yunet(tmp_path / "elsewhere")) == usual
    assert fingerprint(yunet(tmp_path, keep="largest")) != usual
    assert fingerprint(FacesConfig(finder="manifest")) != usual
    assert fingerprint(FacesConfig()) == fingerprint(FacesConfig().model_copy(update={"margin": 0.5}))


def test_the_fingerprint_follows_each_key_that_a_finder_of_whole_images_uses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Portraits(WholeImages):
        """Images of which a network says how surely they are faces."""

        name = "portraits"
        takes = ("weights",)
        highest_confidence = 1.0

    monkeypatch.setitem(FINDERS, Portraits.name, Portraits())
    descriptions: list[dict[str, Any]] = [{}, {"min_confidence": 0.5}, {"min_confidence": 0.6}]
    prints = [
        Predictor(with_faces(tmp_path, FacesConfig(finder="portraits", **each)), PredictConfig()).fingerprint
        for each in [*descriptions, {"weights": tmp_path / "w.onnx"}]
    ]
    assert len(set(prints)) == len(descriptions)
    assert prints[-1] == prints[0]


def test_a_view_may_ask_for_another_border_of_dlib_s_chips(astronaut: Path) -> None:
    image = Image.open(astronaut).convert("RGB").crop((120, 20, 330, 230))
    config = FacesConfig(finder="dlib")
    (usual,), (wider,) = (found(each, image) for each in (config, FacesConfig(finder="dlib", margin=0.4)))
    view = View((32, 32), CutConfig())
    asked = np.asarray(usual.seen(view._replace(chip_margin=0.4)))
    assert np.array_equal(asked, np.asarray(wider.seen(view)))
    assert not np.array_equal(asked, np.asarray(usual.seen(view)))
