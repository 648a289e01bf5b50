"""What is measured of every image, whatever the model: the columns that show that a camera has changed.

All features are taken from a copy of at most 256 pixels on its longer side, so that they cost the same
for every image and depend little on its size.
"""

from typing import NamedTuple

import numpy as np
from PIL import Image

from facemon.values.image_input import Box

_LONG_SIDE = 256
_SHARPNESS_SIDE = 128


class ImageFeatures(NamedTuple):
    """The features of one image; a face's `face_share` is added per face."""

    brightness: float
    """Mean luma (ITU-R BT.601), 0 black to 1 white."""
    contrast: float
    """Standard deviation of the luma, 0 to 0.5."""
    sharpness: float
    """Variance of the Laplacian of the 8-bit luma at a longer side of at most 128 pixels; 0 is a flat image."""
    saturation: float
    """Mean over the pixels of (max - min) / max of their channels, 0 gray to 1 pure colour."""
    size: float
    """Megapixels of the upright image."""


def measure(image: Image.Image) -> ImageFeatures:
    """The features of an RGB image."""
    width, height = image.size
    factor = -(-max(width, height) // _LONG_SIDE)
    small = image.reduce(factor) if factor > 1 else image
    luma = small.convert("L")
    counts = np.asarray(luma.histogram(), np.float64)
    levels = np.arange(256) / 255
    brightness = float(counts @ levels / counts.sum())
    contrast = float(np.sqrt(counts @ (levels - brightness) ** 2 / counts.sum()))
    return ImageFeatures(brightness, contrast, _sharpness(luma), _saturation(small), width * height / 1e6)


def face_share(box: Box, width: int, height: int) -> float:
    """The share of the image's area that lies in a face's box; the part of a box outside the image does not count."""
    left, top, right, bottom = box
    covered = max(0, min(right, width - 1) - max(left, 0) + 1) * max(0, min(bottom, height - 1) - max(top, 0) + 1)
    return covered / (width * height)


def _sharpness(luma: Image.Image) -> float:
    # Sharpness changes with the scale it is looked at, hence always at the same one; enlarging would invent none.
    shrink = max(1.0, max(luma.size) / _SHARPNESS_SIDE)
    size = (max(1, round(luma.width / shrink)), max(1, round(luma.height / shrink)))
    levels = np.asarray(luma.resize(size, Image.Resampling.BOX) if shrink > 1 else luma).astype(np.int16)
    inner = levels[1:-1, 1:-1]
    if inner.size == 0:
        return 0.0
    laplacian = levels[:-2, 1:-1] + levels[2:, 1:-1] + levels[1:-1, :-2] + levels[1:-1, 2:] - 4 * inner
    return float(laplacian.astype(np.float32).var())


def _saturation(image: Image.Image) -> float:
    red, green, blue = (np.asarray(channel) for channel in image.split())
    highest = np.maximum(np.maximum(red, green), blue)
    spread = highest - np.minimum(np.minimum(red, green), blue)
    # Where the highest channel is 0 the spread is 0 too; dividing by 1 instead gives the 0 that is meant.
    return float(np.mean(spread / np.maximum(highest, 1).astype(np.float32)))
