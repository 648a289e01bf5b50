"""What is measured of every image, whatever the model: the columns that show that a camera has changed.

All features are taken from a copy of at most 128 pixels on its longer side, so that they cost the same
for every image and depend little on its size.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facemon.values.image_input import Box

LONG_SIDE = 128
"""The most pixels on the longer side of the copy that is measured, which is the image over a whole number."""
_Copy = NDArray[np.uint8]


class ImageFeatures(NamedTuple):
    """The features of one image; a face's `face_share` is added per face."""

    brightness: float
    """Mean luma (ITU-R BT.601), 0 black to 1 white."""
    contrast: float
    """Standard deviation of the luma, 0 to 0.5."""
    sharpness: float
    """Variance of the Laplacian of the 8-bit luma; 0 is a flat image."""
    saturation: float
    """Mean over the pixels of (max - min) / max of their channels, 0 gray to 1 pure colour."""
    size: float
    """Megapixels of the upright image."""


class SmallCopy(NamedTuple):
    """What is kept of an image to measure it later, together with others."""

    colours: _Copy
    """[height, width, 3]."""
    luma: _Copy
    """[height, width]."""
    megapixels: float


def small_copy(image: Image.Image, size: tuple[int, int]) -> SmallCopy:
    """The copy of an RGB image that is measured; `size` is the whole image's, of which `image` may be a reduction."""
    # Means of whole blocks of pixels, several times as fast as a resize to exactly that side.
    factor = -(-max(image.size) // LONG_SIDE)
    small = image.reduce(factor) if factor > 1 else image
    return SmallCopy(np.asarray(small), np.asarray(small.convert("L")), size[0] * size[1] / 1e6)


def measure(copies: Sequence[SmallCopy]) -> list[ImageFeatures]:
    """The features of each image; copies of one size are measured in one go."""
    by_shape: dict[tuple[int, ...], list[int]] = {}
    for index, copy in enumerate(copies):
        by_shape.setdefault(copy.luma.shape, []).append(index)
    measured: dict[int, ImageFeatures] = {}
    for indices in by_shape.values():
        luma = np.stack([copies[index].luma for index in indices])
        columns = (
            *_brightness_and_contrast(luma),
            _sharpness(luma),
            _saturation(np.stack([copies[index].colours for index in indices])),
            [copies[index].megapixels for index in indices],
        )
        rows = zip(*(np.asarray(column, np.float64).tolist() for column in columns), strict=True)
        measured |= {index: ImageFeatures(*row) for index, row in zip(indices, rows, strict=True)}
    return [measured[index] for index in range(len(copies))]


def face_share(box: Box, width: int, height: int) -> float:
    """The share of the image's area that lies in a face's box; the part of a box outside the image does not count."""
    left, top, right, bottom = box
    covered = max(0, min(right, width - 1) - max(left, 0) + 1) * max(0, min(bottom, height - 1) - max(top, 0) + 1)
    return covered / (width * height)


def _brightness_and_contrast(luma: _Copy) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    # Sums of whole numbers are exact: var = E[x²] - E[x]².
    flat = luma.reshape(len(luma), -1)
    levels = flat.astype(np.uint32)
    mean = levels.sum(axis=1) / flat.shape[1]
    square = np.einsum("ij,ij->i", levels, levels, dtype=np.int64) / flat.shape[1]
    return mean / 255, np.sqrt(np.maximum(square - mean**2, 0)) / 255


def _sharpness(luma: _Copy) -> NDArray[np.floating]:
    levels = luma.astype(np.int16)
    middle = levels[:, 1:-1]
    if middle[:, :, 1:-1].size == 0:
        return np.zeros(len(luma))
    laplacian = (levels[:, :-2] + levels[:, 2:])[:, :, 1:-1] + (middle[:, :, :-2] + middle[:, :, 2:])
    laplacian -= 4 * middle[:, :, 1:-1]
    return laplacian.reshape(len(luma), -1).astype(np.float32).var(axis=1)


def _saturation(colours: _Copy) -> NDArray[np.floating]:
    red, green, blue = colours[..., 0], colours[..., 1], colours[..., 2]
    highest = np.maximum(np.maximum(red, green), blue)
    spread = highest - np.minimum(np.minimum(red, green), blue)
    # Where the highest channel is 0 the spread is 0 too; dividing by 1 instead gives the 0 that is meant.
    shares = np.divide(spread, np.maximum(highest, 1), dtype=np.float32)
    return shares.reshape(len(colours), -1).mean(axis=1)
