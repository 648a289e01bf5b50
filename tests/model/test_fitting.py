"""How an image comes to the size of a network's input, against the code that public repositories write for it."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from pydantic import ValidationError

from facemon.config.network_input import InputConfig
from facemon.model.fitting import fit_image, resized_size

SIZE = (12, 9)
PILLOW = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3}
OPENCV = {
    "opencv_bilinear": cv2.INTER_LINEAR, "opencv_cubic": cv2.INTER_CUBIC, "opencv_area": cv2.INTER_AREA,
}  # fmt: skip
FILTERS = [*PILLOW, *OPENCV]
SIDES = st.integers(1, 40)


def config(**options: Any) -> InputConfig:
    return InputConfig.model_validate({"name": "input", "size": list(SIZE)} | options)


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(3).integers(0, 256, (height, width, 3), np.uint8))


def resized(image: Image.Image, size: tuple[int, int], resample: str) -> NDArray[np.uint8]:
    if resample in PILLOW:
        return np.asarray(image.resize(size, Image.Resampling(PILLOW[resample])))
    return np.asarray(cv2.resize(np.asarray(image), size, interpolation=OPENCV[resample]))


def letterbox(
    image: Image.Image, resample: str, colour: tuple[int, int, int], side: str, whole: Callable[[float], int] = round
) -> NDArray[np.uint8]:
    """The letterbox of object detectors: one scale, the rest as borders, an odd pixel to the right and down."""
    scale = min(SIZE[0] / image.width, SIZE[1] / image.height)
    size = (max(1, whole(image.width * scale)), max(1, whole(image.height * scale)))
    across, down = SIZE[0] - size[0], SIZE[1] - size[1]
    left, top = (across // 2, down // 2) if side == "centre" else (0, 0)
    edges = (top, down - top, left, across - left)
    return np.asarray(cv2.copyMakeBorder(resized(image, size, resample), *edges, cv2.BORDER_CONSTANT, value=colour))


@given(SIDES, SIDES, st.sampled_from(FILTERS), st.sampled_from(["centre", "end"]))
def test_pad_is_a_letterbox(width: int, height: int, resample: str, side: str) -> None:
    image, colour = noise(width, height), (114, 113, 112)
    fitted = fit_image(image, config(fit="pad", resample=resample, pad={"colour": list(colour), "side": side}))
    # OpenCV rounds bicubic ties by the processor.
    np.testing.assert_allclose(
        np.asarray(fitted, int), letterbox(image, resample, colour, side), atol=resample == "opencv_cubic"
    )


@given(SIDES, SIDES, st.sampled_from(["centre", "end"]))
def test_sides_of_a_letterbox_rounded_down(width: int, height: int, side: str) -> None:
    pad = {"colour": [114, 113, 112], "side": side, "rounding": "down"}
    fitted = fit_image(noise(width, height), config(fit="pad", resample="opencv_bilinear", pad=pad))
    expected = letterbox(noise(width, height), "opencv_bilinear", (114, 113, 112), side, int)
    assert np.array_equal(np.asarray(fitted), expected)


@pytest.mark.parametrize("resample", FILTERS)
@pytest.mark.parametrize("missing", range(SIZE[0]))
def test_without_a_word_the_border_is_black_and_its_odd_pixel_right(resample: str, missing: int) -> None:
    image = Image.new("RGB", (SIZE[0] - missing, SIZE[1]), (255, 255, 255))
    row = np.asarray(fit_image(image, config(fit="pad", resample=resample)))[4, :, 0]
    left = missing // 2
    assert row.tolist() == [0] * left + [255] * (SIZE[0] - missing) + [0] * (missing - left)


@given(SIDES, SIDES, st.integers(12, 20), st.sampled_from(FILTERS))
def test_the_shorter_side_and_the_middle_as_torchvision_cuts_it(
    width: int, height: int, shorter: int, resample: str
) -> None:
    image = noise(width, height)
    # Resize: the longer side is rounded down. CenterCrop: Python's round of half the difference.
    long = int(shorter * max(width, height) / min(width, height))
    size = (shorter, long) if width <= height else (long, shorter)
    whole = resized(image, size, resample)
    left, top = round((size[0] - SIZE[0]) / 2.0), round((size[1] - SIZE[1]) / 2.0)
    fitted = np.asarray(fit_image(image, config(fit="crop", resample=resample, shorter_side=shorter)), int)
    if max(size) <= 32 * SIZE[size[0] < size[1]]:  # Of a longer strip only the middle is resized.
        cut = whole[top : top + SIZE[1], left : left + SIZE[0]]
        np.testing.assert_allclose(fitted, cut, atol=resample == "opencv_cubic")
    assert fitted.shape == (SIZE[1], SIZE[0], 3)


@given(st.integers(1, 80), st.integers(12, 20), st.sampled_from(FILTERS), st.booleans())
def test_the_middle_of_a_strip_is_that_of_the_whole_strip(
    length: int, shorter: int, resample: str, upright: bool
) -> None:
    # One pixel's width is enlarged by a whole number, so that a part of the strip has the pixels of the whole.
    image = noise(1, length) if upright else noise(length, 1)
    whole = resized(image, (image.width * shorter, image.height * shorter), resample)
    left, top = (round((side * shorter - across) / 2.0) for side, across in zip(image.size, SIZE, strict=True))
    fitted = np.asarray(fit_image(image, config(fit="crop", resample=resample, shorter_side=shorter)), int)
    np.testing.assert_allclose(
        fitted, whole[top : top + SIZE[1], left : left + SIZE[0]], atol=resample == "opencv_cubic"
    )


@pytest.mark.parametrize("size", [(60_000, 1), (1, 60_000), (60_000, 2)])
@pytest.mark.parametrize("options", [{"shorter_side": 224, "size": [224, 224]}, {"size": [112, 96]}])
def test_the_middle_of_a_strip_takes_little_memory(size: tuple[int, int], options: dict[str, Any]) -> None:
    # Whole, such a strip would become one of three million pixels by 224.
    image = Image.new("RGB", size, (9, 99, 199))
    fitted = np.asarray(fit_image(image, config(fit="crop", resample="opencv_bilinear", **options)))
    assert fitted.shape == (options["size"][1], options["size"][0], 3)
    assert (fitted == (9, 99, 199)).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fit": "pad", "shorter_side": 16}, "fit: pad cuts nothing off; write fit: crop"),
        ({"fit": "crop", "shorter_side": 11}, "must be at least 12, the input's longer side"),
        ({"fit": "crop", "pad": {}}, "fit: crop adds no border"),
        ({"fit": "pad", "pad": {"colour": [0, 0]}}, "has 2 numbers; a colour is"),
        ({"fit": "pad", "pad": {"colour": [0, 0, 256]}}, "less than or equal to 255"),
        ({"fit": "pad", "pad": {"side": "start"}}, "'centre' or 'end'"),
    ],
)
def test_what_does_not_fit_is_said(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        config(**options)


@given(SIDES, SIDES, st.sampled_from(["stretch", "crop", "pad"]))
def test_a_filter_of_its_own_where_the_longer_side_grows(width: int, height: int, fit: str) -> None:
    image, size = noise(width, height), noise(width, height).size
    both = fit_image(image, config(fit=fit, resample="opencv_area", enlarge="opencv_lanczos4"))
    one, other = (fit_image(image, config(fit=fit, resample=name)) for name in ("opencv_area", "opencv_lanczos4"))
    resized = resized_size(size, config(fit=fit))
    expected = other if max(map(round, resized)) > max(size) else one
    assert np.array_equal(np.asarray(both), np.asarray(expected))
