"""What each finder keeps to, so that the rooms can ask any of them alike."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pydantic import ValidationError

from facemon.config.faces import AlignConfig
from facemon.config.model import CropConfig, CutConfig, FacesConfig
from facemon.config.serving import PredictConfig
from facemon.domain.image_input import Box, ImageInput
from facemon.finders.finder import Finder, Landmarks
from facemon.finders.registry import FINDERS, finder_of, finders_for_bare_images
from facemon.model.alignment import can_align
from facemon.model.bundle import load_bundle
from facemon.model.decoding import DecodedImage
from facemon.model.faces import Face, View, face_finder
from facemon.model.image_reading import ImageReader
from tests.finders.whole_finder import Whole
from tests.model.detector_files import corner_shares, landmark_pixels, write_detector
from tests.model.onnx_files import model_of, write_identity_model
from tests.model.yunet_files import write_yunet

SIZE = (320, 256)
BOX = (10, 20, 49, 59)
DETECTOR: Mapping[str, Any] = {
    "input": {"name": "input", "size": SIZE, "scale": 1, "mean": [127.5] * 3, "std": [127.5] * 3},
    "scores": {"outputs": ["scores"], "index": 1},
    "boxes": {"outputs": ["boxes"], "unit": "share"},
    "landmarks": {"outputs": ["points"]},
}


def detector_file(folder: Path) -> str:
    constants = {"boxes": corner_shares(SIZE), "points": landmark_pixels(SIZE)}
    return str(write_detector(folder / "d.onnx", SIZE, constants))


DESCRIPTIONS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "none": lambda _: {},
    "dlib": lambda _: {},
    "yunet": lambda folder: {"weights": str(write_yunet(folder / "yunet.onnx"))},
    "onnx": lambda folder: {"weights": detector_file(folder), "detector": DETECTOR},
    "manifest": lambda _: {},
    "whole": lambda _: {},
}
"""The keys beside its name that a finder needs."""
OTHER_VALUES: dict[str, list[Any]] = {
    "weights": ["w.onnx"],
    "detector": [DETECTOR],
    "min_confidence": [0.05, 1.0, 100.0],
    "margin": [0.0, 1.0],
    "min_size": [2, 10_000],
    "keep": ["largest"],
    "crop": [CropConfig(), CropConfig(scale=3)],
    "align": [AlignConfig(template="arcface-112")],
}
"""By key of the section, values that are not its default."""


@pytest.fixture(params=DESCRIPTIONS)
def described(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    monkeypatch.setitem(FINDERS, Whole.name, Whole())
    return {"finder": request.param} | DESCRIPTIONS[request.param](tmp_path)


def declared(described: Mapping[str, Any]) -> Finder:
    return FINDERS[described["finder"]]


def picture(astronaut: Path, finder: str) -> Image.Image:
    """A photograph of a face for dlib; for all others a gray picture with a white cell."""
    if finder == "dlib":
        return Image.open(astronaut).convert("RGB")
    image = Image.new("RGB", SIZE, (90, 90, 90))
    image.paste((255, 255, 255), (80, 96, 88, 104))
    return image


def found(faces: FacesConfig, image: Image.Image, given: Box | None) -> list[Face]:
    return face_finder(faces).find(DecodedImage(image, image.size), given)


def test_each_finder_is_described_here() -> None:
    assert set(DESCRIPTIONS) == {*FINDERS, Whole.name}
    assert all(name == finder.name for name, finder in FINDERS.items())


def test_what_is_found_is_what_was_said(described: dict[str, Any], astronaut: Path) -> None:
    finder, image = declared(described), picture(astronaut, described["finder"])
    faces = found(FacesConfig.model_validate(described), image, BOX)
    assert faces
    for face in faces:
        assert (face.box is not None) == finder.has_boxes
        assert (face.aligned_chip is not None) == finder.has_chips
        assert can_align(face.points) == (finder.landmarks is not Landmarks.NEVER)
        if finder.highest_confidence is None:
            assert face.confidence is None
        else:
            assert face.confidence is not None
            assert 0 <= face.confidence <= finder.highest_confidence
        assert (face.box == BOX) == finder.takes_boxes


def test_only_boxes_of_the_input_are_missing_where_it_brings_none(described: dict[str, Any], astronaut: Path) -> None:
    faces = found(FacesConfig.model_validate(described), picture(astronaut, described["finder"]), None)
    assert bool(faces) == (not declared(described).takes_boxes)


def test_what_a_network_sees_without_a_crop_can_be_made(described: dict[str, Any], astronaut: Path) -> None:
    faces = FacesConfig.model_validate(described)
    view = View((16, 16), faces.cut_for(CutConfig()))
    for face in found(faces, picture(astronaut, faces.finder), BOX):
        seen = face.seen(view)
        assert (seen is face.decoded.image) == (not declared(described).has_boxes)


def decoded_with(described: Mapping[str, Any], folder: Path, box: Box | None) -> DecodedImage:
    """A JPEG of 2048 x 2048 pixels as the finder and a small network are shown it."""
    Image.new("RGB", (2048, 2048)).save(folder / "a.jpg")
    number = {"name": "n", "output": "seen", "kind": "number", "index": 0}
    model = model_of(write_identity_model(folder / "m.onnx"), [number])
    model = model.model_copy(update={"faces": FacesConfig.model_validate(described)})
    reader = ImageReader(load_bundle(model, PredictConfig(decode="fast")), PredictConfig())
    decoded = reader.decode(ImageInput(0, "a", box=box), (folder / "a.jpg").read_bytes())
    assert isinstance(decoded, DecodedImage)
    assert decoded.size == (2048, 2048)
    return decoded


def test_what_is_searched_is_decoded_whole(described: dict[str, Any], tmp_path: Path) -> None:
    decoded = decoded_with(described, tmp_path, (0, 0, 2047, 2047))
    assert (decoded.image.size == decoded.size) == declared(described).searches


def test_a_box_decides_about_the_scale_where_it_is_the_face(described: dict[str, Any], tmp_path: Path) -> None:
    sizes = {decoded_with(described, tmp_path, box).image.size for box in (None, (0, 0, 9, 9), (0, 0, 99, 99))}
    finder = declared(described)
    assert (len(sizes) > 1) == (finder.takes_boxes and not finder.searches)


def fault(described: Mapping[str, Any], **keys: Any) -> str:
    """What is wrong with the description with these keys; empty where it is taken."""
    try:
        FacesConfig.model_validate({**described, **keys})
    except ValidationError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("key", OTHER_VALUES)
def test_keys_without_an_effect_are_refused(described: dict[str, Any], key: str) -> None:
    finder, default = declared(described), FacesConfig.model_fields[key].default
    for value in OTHER_VALUES[key]:
        message = fault(described, **{key: value})
        if (reason := finder.without_effect.get(key)) is not None:
            assert reason in message
            assert f"or remove {key}" in message
            assert all(each.name in message for each in FINDERS.values() if key not in each.without_effect)
        elif key == "min_confidence" and value > (highest := finder.highest_confidence or 0.0):
            assert f"the confidence of {finder.name} is at most {highest:g}" in message
        else:
            assert message == ""
    expected = f"the finder {finder.name} needs {key}" if key in finder.needs else ""
    written_out = fault(described, **{key: default})
    assert expected in written_out
    assert bool(written_out) == bool(expected)


def test_each_key_of_the_section_is_tried_here() -> None:
    assert set(OTHER_VALUES) == FacesConfig.model_fields.keys() - {"finder"}
    assert all(
        value != FacesConfig.model_fields[key].default for key, values in OTHER_VALUES.items() for value in values
    )


@pytest.mark.parametrize("key", sorted(OTHER_VALUES.keys() - {"weights", "detector"}))
def test_a_key_changes_what_networks_see_or_is_refused(described: dict[str, Any], key: str, astronaut: Path) -> None:
    faces = FacesConfig.model_validate(described)
    image = two_faces(astronaut, faces.finder)
    usual = seen(faces, image)
    others = [seen(faces.model_copy(update={key: value}), image) for value in OTHER_VALUES[key]]
    assert any(other not in (usual, None) for other in others) == (key not in declared(described).without_effect)


def two_faces(astronaut: Path, finder: str) -> Image.Image:
    one = picture(astronaut, finder)
    if finder != "dlib":
        one.paste((255, 255, 255), (240, 160, 248, 168))
        return one
    both = Image.new("RGB", (2 * one.width, one.height))
    both.paste(one, (0, 0))
    both.paste(one, (one.width, 0))
    return both


def seen(faces: FacesConfig, image: Image.Image) -> list[tuple[Box | None, bytes]] | None:
    """The boxes that are found, and what a network sees of each; none where that cannot be made."""
    view = View((112, 112), faces.cut_for(CutConfig()))
    try:
        return [(face.box, face.seen(view).tobytes()) for face in found(faces, image, BOX)]
    except ValueError:
        return None


def test_a_face_without_the_declared_box_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its box a face would be seen whole, whatever crop and margin say."""
    monkeypatch.setitem(FINDERS, Whole.name, Whole())
    faces = FacesConfig(finder="whole")
    image = Image.new("RGB", (8, 8))
    with pytest.raises(ValueError, match="says that faces have boxes and gave one without"):
        Face(DecodedImage(image, image.size)).seen(View((4, 4), faces.cut_for(CutConfig())))


def test_finders_to_change_to_take_images_without_boxes() -> None:
    with_boxes, whole = finders_for_bare_images()
    assert {"dlib", "yunet"} <= set(with_boxes)
    assert "none" in whole
    assert not {"manifest", "onnx"} & {*with_boxes, *whole}


def test_a_section_names_its_finder() -> None:
    assert finder_of(FacesConfig()).name == FacesConfig().finder


def test_finders_load_nothing_heavy() -> None:
    heavy = {"numpy", "PIL", "pydantic", "dlib", "cv2", "onnxruntime", "facemon.model", "facemon.config"}
    code = f"import sys, facemon.finders.registry\nprint(sorted({heavy} & sys.modules.keys()))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout == "[]\n"
