import cv2
import numpy as np
import pytest

from facemon.model.opencv_bilinear import resize_as_opencv


@pytest.mark.parametrize(
    ("size", "wanted"),
    [((178, 218), (112, 112)), ((1024, 1024), (64, 64)), ((100, 100), (50, 50)), ((333, 777), (64, 80)),
     ((200, 100), (100, 100)), ((112, 112), (112, 112)), ((640, 480), (33, 7))],
)  # fmt: skip
def test_shrinking_gives_opencv_s_bytes(size: tuple[int, int], wanted: tuple[int, int]) -> None:
    pixels = noise(size)
    assert np.array_equal(resize_as_opencv(pixels, wanted), cv2.resize(pixels, wanted, interpolation=cv2.INTER_LINEAR))


@pytest.mark.parametrize(
    ("size", "wanted"), [((37, 53), (64, 64)), ((2, 2), (5, 7)), ((1, 9), (4, 4)), ((1, 1), (8, 3))]
)
def test_enlarging_is_off_by_one_at_most(size: tuple[int, int], wanted: tuple[int, int]) -> None:
    pixels = noise(size)
    theirs = cv2.resize(pixels, wanted, interpolation=cv2.INTER_LINEAR).astype(int)
    assert np.abs(resize_as_opencv(pixels, wanted) - theirs).max() <= 1


def noise(size: tuple[int, int]) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (size[1], size[0], 3), np.uint8)
