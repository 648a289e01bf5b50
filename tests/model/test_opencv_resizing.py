"""OpenCV's ways to resize, to the byte."""

import cv2
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from facemon.model.opencv_area import resize_area
from facemon.model.opencv_bilinear import resize_bilinear
from facemon.model.opencv_cubic import resize_cubic
from facemon.model.opencv_lanczos4 import resize_lanczos4

RESIZE = {
    cv2.INTER_LINEAR: resize_bilinear, cv2.INTER_CUBIC: resize_cubic, cv2.INTER_AREA: resize_area,
    cv2.INTER_LANCZOS4: resize_lanczos4,
}  # fmt: skip
SIDES = st.integers(1, 40)


def noise(width: int, height: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (height, width, 3), np.uint8)


def check(pixels: np.ndarray, wanted: tuple[int, int], method: int) -> None:
    theirs = cv2.resize(pixels, wanted, interpolation=method)
    if method == cv2.INTER_CUBIC:
        # How a processor rounds a tie decides; OpenCV 4 computes with whole numbers.
        assert np.abs(RESIZE[method](pixels, wanted).astype(int) - theirs).max() <= 1
    else:
        assert np.array_equal(RESIZE[method](pixels, wanted), theirs)


@pytest.mark.parametrize("method", RESIZE)
@pytest.mark.parametrize(
    ("size", "wanted"),
    [((178, 218), (112, 112)), ((1024, 1024), (64, 64)), ((100, 100), (50, 50)), ((333, 777), (64, 80)),
     ((200, 100), (100, 100)), ((112, 112), (112, 112)), ((640, 480), (33, 7)), ((50, 70), (224, 224))],
)  # fmt: skip
def test_usual_sizes(size: tuple[int, int], wanted: tuple[int, int], method: int) -> None:
    check(noise(*size), wanted, method)


# 36 to 40 and 54 to 58: the last digit of the scale decides between two pixels.
@example(36, 31, 40, 15, cv2.INTER_AREA)
@example(31, 54, 30, 58, cv2.INTER_AREA)
@given(SIDES, SIDES, SIDES, SIDES, st.sampled_from(sorted(RESIZE)))
def test_any_size(width: int, height: int, across: int, down: int, method: int) -> None:
    check(noise(width, height), (across, down), method)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9), st.integers(1, 9))
def test_areas_of_whole_blocks(width: int, height: int, across: int, down: int) -> None:
    check(noise(width * across, height * down), (width, height), cv2.INTER_AREA)
