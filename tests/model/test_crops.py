"""Crops by data against the crops that public repositories write, each here in its own plain form."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from pydantic import ValidationError

from facemon.config.model import CropConfig, FacesConfig, ModelConfig
from facemon.config.serving import PredictConfig
from facemon.domain.image_input import Box, ImageInput
from facemon.model.bundle import load_bundle
from facemon.model.crops import cut_box
from facemon.model.decoding import DecodedImage
from facemon.model.predictor import Predictor
from tests.model.onnx_files import write_identity_model

WIDTH, HEIGHT = 61, 47
PIXELS = np.random.default_rng(5).integers(1, 256, (HEIGHT, WIDTH, 3), np.uint8)
BOXES = st.builds(
    lambda left, top, width, height: (left, top, left + width - 1, top + height - 1),
    st.integers(-10, WIDTH - 1), st.integers(-10, HEIGHT - 1), st.integers(11, 70), st.integers(11, 70),
)  # fmt: skip
"""Boxes that may lie partly outside the image, but have pixels inside."""


def cut(box: Box, **options: Any) -> NDArray[np.uint8]:
    image = Image.fromarray(PIXELS)
    return np.asarray(cut_box(DecodedImage(image, image.size), box, CropConfig.model_validate(options)))


def in_the_frame(left: int, top: int, right: int, bottom: int, mode: str) -> NDArray[np.uint8]:
    """The columns from left up to right and the rows likewise, with numpy's own border around the image."""
    room = 300
    options: dict[str, Any] = {"mode": "constant", "constant_values": 0} if mode == "black" else {"mode": mode}
    framed = np.pad(PIXELS, ((room, room), (room, room), (0, 0)), **options)
    return framed[top + room : bottom + room, left + room : right + room]


def shifted_inside(box: Box, scale: float, *, inclusive: bool) -> NDArray[np.uint8]:
    """The crop of face anti-spoofing networks: the box by a factor, as large as fits, moved into the image."""
    x, y, wide, high = box[0], box[1], box[2] - box[0] + 1, box[3] - box[1] + 1
    factor = min((HEIGHT - 1) / high, (WIDTH - 1) / wide, scale)
    x_end, y_end = (WIDTH - 1, HEIGHT - 1) if inclusive else (WIDTH, HEIGHT)
    left, right = wide / 2 + x - wide * factor / 2, wide / 2 + x + wide * factor / 2
    top, bottom = high / 2 + y - high * factor / 2, high / 2 + y + high * factor / 2
    if left < 0:
        left, right = 0, right - left
    if top < 0:
        top, bottom = 0, bottom - top
    if right > x_end:
        left, right = left - (right - x_end), x_end
    if bottom > y_end:
        top, bottom = top - (bottom - y_end), y_end
    more = 1 if inclusive else 0
    return PIXELS[int(top) : int(bottom) + more, int(left) : int(right) + more]


@given(BOXES, st.sampled_from([1.0, 2.7, 4.0]), st.booleans())
def test_scaled_and_shifted_as_anti_spoofing_networks_want_it(box: Box, scale: float, inclusive: bool) -> None:
    edges = "inclusive" if inclusive else "truncate"
    seen = cut(box, shape="rectangle", scale=scale, outside="shift", edges=edges)
    assert np.array_equal(seen, shifted_inside(box, scale, inclusive=inclusive))


@given(BOXES, st.sampled_from([0.0, 0.2, 0.4, 0.6]))
def test_a_clamped_rectangle_as_head_pose_networks_want_it(box: Box, margin: float) -> None:
    x, y, wide, high = box[0], box[1], box[2] - box[0] + 1, box[3] - box[1] + 1
    left, top = max(int(x - margin * wide), 0), max(int(y - margin * high), 0)
    right, bottom = min(int(x + wide + margin * wide), WIDTH - 1), min(int(y + high + margin * high), HEIGHT - 1)
    seen = cut(box, shape="rectangle", margin=margin, outside="clamp", edges="inclusive")
    assert np.array_equal(seen, PIXELS[top : bottom + 1, left : right + 1])


@given(BOXES, st.sampled_from([0.0, 0.25, 0.5]), st.sampled_from(["black", "edge", "reflect"]))
def test_a_square_with_what_lies_outside(box: Box, margin: float, outside: str) -> None:
    wide, high = box[2] - box[0] + 1, box[3] - box[1] + 1
    half = max(wide, high) * (0.5 + margin)
    x, y = box[0] + wide / 2, box[1] + high / 2
    edges = (round(x - half), round(y - half), round(x + half), round(y + half))
    assert np.array_equal(cut(box, margin=margin, outside=outside), in_the_frame(*edges, outside))


@given(BOXES, st.sampled_from([1.0, 1.5, 2.2]))
def test_a_reflected_square_whose_sides_are_cut_off_to_whole_pixels(box: Box, scale: float) -> None:
    side = max(box[2] - box[0] + 1, box[3] - box[1] + 1)
    x, y = box[0] + (box[2] - box[0] + 1) / 2, box[1] + (box[3] - box[1] + 1) / 2
    left, top, length = int(x - side * scale / 2), int(y - side * scale / 2), int(side * scale)
    seen = cut(box, scale=scale, outside="reflect", edges="sized")
    assert np.array_equal(seen, in_the_frame(left, top, left + length, top + length, "reflect"))


@given(BOXES, st.sampled_from([0.0, 0.1, 0.29, 0.7]))
def test_margins_of_whole_pixels(box: Box, margin: float) -> None:
    x, y, wide, high = box[0], box[1], box[2] - box[0] + 1, box[3] - box[1] + 1
    across, down = int(margin * wide), int(margin * high)
    left, top, right, bottom = max(0, x - across), max(0, y - down), x + wide + across, y + high + down
    seen = cut(box, shape="rectangle", margin=margin, outside="clamp", edges="margins")
    assert np.array_equal(seen, PIXELS[top:bottom, left:right])


@given(BOXES)
def test_a_box_made_square_by_whole_pixels(box: Box) -> None:
    wide, high = box[2] - box[0] + 1, box[3] - box[1] + 1
    across, down = int((max(wide, high) - wide) / 2), int((max(wide, high) - high) / 2)
    edges = box[0] - across, box[1] - down, box[0] + wide + across, box[1] + high + down
    assert np.array_equal(cut(box, margin=0, edges="margins"), in_the_frame(*edges, "black"))
    assert np.array_equal(cut(box, scale=1, edges="margins"), in_the_frame(*edges, "black"))


@pytest.mark.parametrize("outside", ["edge", "reflect"])
def test_an_image_of_one_pixel_has_it_everywhere(outside: str) -> None:
    image = Image.new("RGB", (1, 1), (1, 2, 3))
    crop = CropConfig.model_validate({"outside": outside, "margin": 2})
    assert (np.asarray(cut_box(DecodedImage(image, image.size), (-2, -2, 2, 2), crop)) == (1, 2, 3)).all()


@given(BOXES, st.sampled_from(["square", "rectangle"]), st.floats(0.5, 5), st.booleans())
def test_a_shifted_crop_lies_inside_and_a_scale_is_its_margin(
    box: Box, shape: str, scale: float, inclusive: bool
) -> None:
    options = {"shape": shape, "outside": "shift", "edges": "inclusive" if inclusive else "round"}
    by_scale = cut(box, scale=scale, **options)
    assert by_scale.min() > 0  # every pixel of the image is brighter than black
    by_margin = cut(box, margin=max((scale - 1) / 2, -0.49), **options)
    assert np.abs(np.subtract(by_scale.shape, by_margin.shape)).max() <= 1 or scale < 0.51


@pytest.mark.parametrize(
    ("margin", "edges"),
    [
        (0.5, (5, 0, 25, 20)),
        ([0.5, 0], (5, 5, 25, 15)),
        ([0.1, 0.2, 0.3, 0.4], (9, 3, 23, 19)),
        (-0.2, (12, 7, 18, 13)),
    ],
)
def test_margins_for_each_side(margin: Any, edges: tuple[int, int, int, int]) -> None:
    assert np.array_equal(cut((10, 5, 19, 14), shape="rectangle", margin=margin), in_the_frame(*edges, "black"))


def test_what_is_left_of_nothing_is_a_black_pixel() -> None:
    assert cut((70, 50, 90, 60), shape="rectangle", outside="clamp").tolist() == [[[0, 0, 0]]]


def two_networks(folder: Path, *crops: dict[str, Any] | None, **faces: Any) -> ModelConfig:
    networks = []
    for index, crop in enumerate(crops):
        path = write_identity_model(folder / f"{index}.onnx")
        described = {"name": f"pixel{index}", "output": "seen", "kind": "number", "index": 0}
        seen = {"name": "input", "size": [4, 4], "scale": 1, "resample": "nearest"}
        network: dict[str, Any] = {"path": str(path), "attributes": [described], "input": seen}
        networks.append(network | ({} if crop is None else {"crop": crop}))
    described_faces = {"finder": "manifest"} | faces
    return ModelConfig.model_validate({"name": "two", "version": "1", "faces": described_faces, "networks": networks})


def test_two_networks_see_different_crops_of_one_face(tmp_path: Path) -> None:
    image = np.zeros((40, 40, 3), np.uint8)
    image[10:30, 10:30] = 100
    image[15:25, 15:25] = 200
    Image.fromarray(image).save(tmp_path / "a.png")
    model = two_networks(tmp_path, {"margin": 0}, {"margin": 0.5}, None, margin=2)
    rows = Predictor(model, PredictConfig()).predict(
        [ImageInput(0, "a", tmp_path / "a.png", box=(15, 15, 24, 24))], "run"
    )
    assert [rows.rows.column(f"pixel{index}_value")[0].as_py() for index in range(3)] == [200, 100, 0]


@pytest.mark.parametrize("outside", ["black", "edge", "reflect", "clamp", "shift"])
def test_a_crop_larger_than_an_image_may_be_is_the_error_of_its_row(tmp_path: Path, outside: str) -> None:
    Image.new("RGB", (40, 40), (9, 9, 9)).save(tmp_path / "a.png")
    predictor = Predictor(two_networks(tmp_path, {"outside": outside}), PredictConfig())
    boxes = [(10, 10, 20, 20), (0, 0, 2**31 - 1, 2**31 - 1), (-(2**31), 3, 30, 30), (10, 10, 20, 20)]
    images = [ImageInput(at, str(at), tmp_path / "a.png", box=box) for at, box in enumerate(boxes)]
    rows = predictor.predict(images, "run").rows
    stays_inside = outside in ("clamp", "shift")
    huge = None if stays_inside else "too_large"
    assert rows["error"].to_pylist() == [None, huge, huge, None]
    if not stays_inside:
        for said in rows["error_message"].to_pylist()[1:3]:
            assert said.endswith("pixels; the limit is 100000000 pixels in all")


def test_fast_decoding_leaves_a_small_crop_its_pixels(tmp_path: Path) -> None:
    # Twenty pixels of the image for two that the network sees.
    levels = np.random.default_rng(2).integers(0, 256, (160, 160)).astype(np.uint8)
    Image.fromarray(levels.repeat(20, axis=0).repeat(20, axis=1)).save(tmp_path / "a.jpg", quality=98)
    seen = {}
    for decode in ("exact", "fast"):
        predictor = Predictor(two_networks(tmp_path, {"scale": 0.2}, {"margin": -0.4}), PredictConfig(decode=decode))
        images = [
            ImageInput(place, str(place), tmp_path / "a.jpg", box=(place, place, place + 199, place + 199))
            for place in range(3, 3000, 203)
        ]
        rows = predictor.predict(images, "run").rows
        seen[decode] = np.array([rows.column(f"pixel{index}_value").to_numpy() for index in (0, 1)])
    assert np.abs(seen["fast"] - seen["exact"]).mean() < 2


def test_the_fingerprint_follows_every_crop(tmp_path: Path) -> None:
    crops: list[dict[str, Any] | None] = [
        None, {}, {"margin": 0.3}, {"scale": 2.7}, {"shape": "rectangle"}, {"outside": "edge"}, {"edges": "truncate"},
    ]  # fmt: skip
    prints = {load_bundle(two_networks(tmp_path, crop)).fingerprint for crop in crops}
    prints |= {load_bundle(two_networks(tmp_path, None, crop={"margin": 0.4})).fingerprint}
    assert len(prints) == len(crops) + 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"margin": [0, 0, 0]}, "has 3 numbers; write 1, 2 or 4"),
        ({"margin": 0.2, "scale": 2}, "margin and scale exclude each other"),
        ({"margin": -0.5}, "greater than -0.5"),
        ({"outside": "mirror"}, "'black', 'edge', 'reflect', 'clamp' or 'shift'"),
    ],
)
def test_what_is_not_a_crop_is_said(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        CropConfig.model_validate(options)


def test_without_a_finder_there_is_nothing_to_crop(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="takes the whole image for the face"):
        FacesConfig(finder="none", crop=CropConfig())
    with pytest.raises(ValidationError, match="takes the whole image for the face"):
        two_networks(tmp_path, {}, finder="none")
