"""Bilinear resizing as OpenCV does it: between the four nearest pixels, however much smaller the image becomes."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_BITS = 11
"""Binary places of a weight (OpenCV's INTER_RESIZE_COEF_BITS)."""


Weights = Callable[[int, int], tuple[NDArray[np.intp], NDArray[np.float32]]]
"""From an axis' length and the wanted one: for each pixel the first of its two neighbours, and the second's share."""


def resize_bilinear(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Resize [height, width, channels] to `size` (width, height), as OpenCV's `resize` with INTER_LINEAR on bytes."""
    return resize_by_weights(pixels, size, _between_centres)


def resize_by_weights(pixels: NDArray[np.uint8], size: tuple[int, int], weights: Weights) -> NDArray[np.uint8]:
    """Resize [height, width, channels] to `size` (width, height) between two pixels of each axis.

    OpenCV's integer arithmetic (modules/imgproc/src/resize.cpp): weights of 11 bits, rows first, then
    `((w * (sum >> 4)) >> 16)` for both rows, rounded by `(… + 2) >> 2`.
    """
    height, width = pixels.shape[:2]
    if size == (width, height):
        return pixels
    left, right, from_left, from_right = _neighbours(width, size[0], weights, is_row=True)
    upper, lower, from_upper, from_lower = _neighbours(height, size[1], weights, is_row=False)
    # Only the rows that count are looked at, so that the cost follows the small image.
    rows, places = np.unique(np.concatenate([upper, lower]), return_inverse=True)
    needed = pixels[rows].astype(np.int32)
    across = needed[:, left] * from_left[:, np.newaxis] + needed[:, right] * from_right[:, np.newaxis]
    across >>= 4
    above = (across[places[: size[1]]] * from_upper[:, np.newaxis, np.newaxis]) >> 16
    below = (across[places[size[1] :]] * from_lower[:, np.newaxis, np.newaxis]) >> 16
    return ((above + below + 2) >> 2).astype(np.uint8)


@lru_cache(maxsize=64)
def _neighbours(
    length: int, wanted: int, weights: Weights, *, is_row: bool
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.int32], NDArray[np.int32]]:
    """For each of `wanted` pixels along an axis of `length`: its two neighbours and their weights."""
    first, share = weights(length, wanted)
    if is_row:
        # Beyond the ends of a row the pixel there counts alone; of a column it counts twice, and is rounded twice.
        share = np.where((first < 0) | (first >= length - 1), np.float32(0), share)
    second = np.clip(first + 1, 0, length - 1)
    first = np.clip(first, 0, length - 1)
    scale = np.float32(1 << _BITS)
    return first, second, np.rint((1 - share) * scale).astype(np.int32), np.rint(share * scale).astype(np.int32)


def _between_centres(length: int, wanted: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    # Pixel centres lie at halves. The quotient is a double and its use a float, as in OpenCV.
    centres = ((np.arange(wanted) + 0.5) * (length / wanted) - 0.5).astype(np.float32)
    first = np.floor(centres)
    return first.astype(np.intp), (centres - first).astype(np.float32)
