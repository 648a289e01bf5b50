"""How an image comes to the size of a network's input, against the code that public repositories write for it."""

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
from facemon.model.fitting import fit_image

SIZE = (12, 9)
PILLOW = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3}
SIDES = st.integers(1, 40)


def config(**options: Any) -> InputConfig:
    return InputConfig.model_validate({"name": "input", "size": list(SIZE)} | options)


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(3).integers(0, 256, (height, width, 3), np.uint8))


def resized(image: Image.Image, size: tuple[int, int], resample: str) -> NDArray[np.uint8]:
    if resample in PILLOW:
        return np.asarray(image.resize(size, Image.Resampling(PILLOW[resample])))
    return np.asarray(cv2.resize(np.asarray(image), size, interpolation=cv2.INTER_LINEAR))


def letterbox(image: Image.Image, resample: str, colour: tuple[int, int, int], side: str) -> NDArray[np.uint8]:
    """The letterbox of object detectors: one scale, the rest as borders, an odd pixel to the right and down."""
    scale = min(SIZE[0] / image.width, SIZE[1] / image.height)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    across, down = SIZE[0] - size[0], SIZE[1] - size[1]
    left, top = (across // 2, down // 2) if side == "centre" else (0, 0)
    edges = (top, down - top, left, across - left)
    return np.asarray(cv2.copyMakeBorder(resized(image, size, resample), *edges, cv2.BORDER_CONSTANT, value=colour))


@given(SIDES, SIDES, st.sampled_from([*PILLOW, "opencv_bilinear"]), st.sampled_from(["centre", "end"]))
def test_pad_is_a_letterbox(width: int, height: int, resample: str, side: str) -> None:
    image, colour = noise(width, height), (114, 113, 112)
    fitted = fit_image(image, config(fit="pad", resample=resample, pad={"colour": list(colour), "side": side}))
    # Enlarging, the two bilinear filters of OpenCV differ by a level.
    np.testing.assert_allclose(
        np.asarray(fitted, int), letterbox(image, resample, colour, side), atol=resample == "opencv_bilinear"
    )


@pytest.mark.parametrize("resample", [*PILLOW, "opencv_bilinear"])
@pytest.mark.parametrize("missing", range(SIZE[0]))
def test_without_a_word_the_border_is_black_and_its_odd_pixel_right(resample: str, missing: int) -> None:
    image = Image.new("RGB", (SIZE[0] - missing, SIZE[1]), (255, 255, 255))
    row = np.asarray(fit_image(image, config(fit="pad", resample=resample)))[4, :, 0]
    left = missing // 2
    assert row.tolist() == [0] * left + [255] * (SIZE[0] - missing) + [0] * (missing - left)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fit": "crop", "pad": {}}, "fit: crop adds no border"),
        ({"fit": "pad", "pad": {"colour": [0, 0]}}, "has 2 numbers; a colour is"),
        ({"fit": "pad", "pad": {"colour": [0, 0, 256]}}, "less than or equal to 255"),
        ({"fit": "pad", "pad": {"side": "start"}}, "'centre' or 'end'"),
    ],
)
def test_what_does_not_fit_is_said(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        config(**options)
