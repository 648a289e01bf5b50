"""Bilinear resizing as OpenCV does it: between the four nearest pixels, however much smaller the image becomes."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_BITS = 11
"""Binary places of a weight (OpenCV's INTER_RESIZE_COEF_BITS)."""


def resize_as_opencv(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Resize [height, width, channels] to `size` (width, height).

    The integer arithmetic of OpenCV's `resize` with INTER_LINEAR on bytes (modules/imgproc/src/resize.cpp): weights
    of 11 bits, rows first, then `((w * (sum >> 4)) >> 16)` for both rows, rounded by `(… + 2) >> 2`.
    """
    height, width = pixels.shape[:2]
    if size == (width, height):
        return pixels
    left, right, from_left, from_right = _weights(width, size[0])
    upper, lower, from_upper, from_lower = _weights(height, size[1])
    # Only the rows that count are looked at, so that the cost follows the small image.
    rows, places = np.unique(np.concatenate([upper, lower]), return_inverse=True)
    needed = pixels[rows].astype(np.int32)
    across = needed[:, left] * from_left[:, np.newaxis] + needed[:, right] * from_right[:, np.newaxis]
    across >>= 4
    above = (across[places[: size[1]]] * from_upper[:, np.newaxis, np.newaxis]) >> 16
    below = (across[places[size[1] :]] * from_lower[:, np.newaxis, np.newaxis]) >> 16
    return ((above + below + 2) >> 2).astype(np.uint8)


@lru_cache(maxsize=64)
def _weights(
    length: int, wanted: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.int32], NDArray[np.int32]]:
    """For each of `wanted` pixels along an axis of `length`: its two neighbours and their weights."""
    # Pixel centres lie at halves. The quotient is a double and its use a float, as in OpenCV.
    centres = ((np.arange(wanted) + 0.5) * (length / wanted) - 0.5).astype(np.float32)
    first = np.floor(centres).astype(np.intp)
    share = centres - first
    share[(first < 0) | (first >= length - 1)] = 0
    first = np.clip(first, 0, length - 1)
    second = np.minimum(first + 1, length - 1)
    scale = np.float32(1 << _BITS)
    return first, second, np.rint((1 - share) * scale).astype(np.int32), np.rint(share * scale).astype(np.int32)
