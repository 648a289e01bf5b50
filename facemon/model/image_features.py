"""What is measured of every image, whatever the model: the columns that show that a camera has changed.

All features are taken from a copy of at most 128 pixels on its longer side, so that they cost the same
for every image and depend little on its size.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facemon.domain.image_input import Box
from facemon.model.pixel_lines import pixel_lines

LONG_SIDE = 128
"""The most pixels on the longer side of the copy that is measured, which is the image over a whole number."""
_EACH_ROW = 4
"""Neighbouring rows say nearly the same, so what takes long is measured on one in so many."""
_AT_ONCE = 16
"""Copies that are measured in one go: more leave the processor's caches (measured)."""
_ROWS = ((0, -2), (1, -1), (2, None))
"""Slices of the rows above, at, and below each row that has both neighbours."""
_Copy = NDArray[np.uint8]


class ImageFeatures(NamedTuple):
    """The features of one image; a face's `face_share` is added per face."""

    brightness: float
    """Mean luma (ITU-R BT.601), 0 black to 1 white."""
    contrast: float
    """Standard deviation of the luma, 0 to 0.5."""
    sharpness: float
    """Variance of the Laplacian of the 8-bit luma, over every fourth row; 0 is a flat image."""
    saturation: float
    """Mean of (max - min) / max of a pixel's channels over every fourth row, 0 gray to 1 pure colour."""
    size: float
    """Megapixels of the upright image."""


class SmallCopy(NamedTuple):
    """What is kept of an image to measure it later, together with others."""

    colours: _Copy
    """[rows, 3, width]: every fourth row."""
    luma: _Copy
    """[height, width]."""
    megapixels: float


def small_copy(image: Image.Image, size: tuple[int, int]) -> SmallCopy:
    """The copy of an RGB image that is measured; `size` is the whole image's, of which `image` may be a reduction."""
    # Means of whole blocks of pixels, several times as fast as a resize to exactly that side.
    factor = -(-max(image.size) // LONG_SIDE)
    small = image.reduce(factor) if factor > 1 else image
    luma = small.convert("L")
    return SmallCopy(pixel_lines(small)[::_EACH_ROW], np.asarray(luma), size[0] * size[1] / 1e6)


def measure(copies: Sequence[SmallCopy]) -> list[ImageFeatures]:
    """The features of each image; copies of one size are measured some at a time."""
    if not copies:
        return []
    by_shape: dict[tuple[int, ...], list[int]] = {}
    for index, copy in enumerate(copies):
        by_shape.setdefault(copy.luma.shape, []).append(index)
    brightness, contrast, sharpness, saturation = (np.empty(len(copies)) for _ in range(4))
    for indices in by_shape.values():
        for start in range(0, len(indices), _AT_ONCE):
            some = indices[start : start + _AT_ONCE]
            luma = np.stack([copies[index].luma for index in some])
            brightness[some], contrast[some] = _brightness_and_contrast(luma)
            sharpness[some] = _sharpness(luma)
            saturation[some] = _saturation(np.stack([copies[index].colours for index in some]))
    columns = (brightness, contrast, sharpness, saturation, np.array([copy.megapixels for copy in copies]))
    return [ImageFeatures(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def face_share(box: Box, width: int, height: int) -> float:
    """The share of the image's area that lies in a face's box; the part of a box outside the image does not count."""
    left, top, right, bottom = box
    covered = max(0, min(right, width - 1) - max(left, 0) + 1) * max(0, min(bottom, height - 1) - max(top, 0) + 1)
    return covered / (width * height)


def _brightness_and_contrast(luma: _Copy) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    # Sums of whole numbers are exact: var = E[x²] - E[x]². Those of a copy's squares are below 2³².
    flat = luma.reshape(len(luma), -1)
    mean = flat.sum(axis=1, dtype=np.uint32) / flat.shape[1]
    square = np.einsum("ij,ij->i", flat, flat, dtype=np.uint32, casting="unsafe") / flat.shape[1]
    return mean / 255, np.sqrt(np.maximum(square - mean**2, 0)) / 255


def _sharpness(luma: _Copy) -> NDArray[np.floating]:
    above, middle, below = (luma[:, first:last:_EACH_ROW].astype(np.int16) for first, last in _ROWS)
    inner = middle[:, :, 1:-1]
    if inner.size == 0:
        return np.zeros(len(luma))
    laplacian = above[:, :, 1:-1] + below[:, :, 1:-1] + middle[:, :, :-2] + middle[:, :, 2:] - 4 * inner
    flat = laplacian.reshape(len(luma), -1).astype(np.float32)
    # The mean of a Laplacian is near 0, so nothing cancels.
    square = np.array([row @ row for row in flat], np.float64) / flat.shape[1]
    return square - flat.mean(axis=1, dtype=np.float64) ** 2


def _saturation(colours: _Copy) -> NDArray[np.floating]:
    red, green, blue = colours[..., 0, :], colours[..., 1, :], colours[..., 2, :]
    highest = np.maximum(np.maximum(red, green), blue)
    spread = highest - np.minimum(np.minimum(red, green), blue)
    # Where the highest channel is 0 the spread is 0 too; dividing by 1 instead gives the 0 that is meant.
    shares = np.divide(spread, np.maximum(highest, 1), dtype=np.float32)
    return shares.reshape(len(colours), -1).mean(axis=1)
