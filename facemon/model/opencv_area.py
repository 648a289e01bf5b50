"""Resizing by areas as OpenCV does it: each pixel is the mean of what it covers."""

from functools import lru_cache
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from facemon.model.opencv_bilinear import resize_by_weights

_LEAST_SHARE = 1e-3
"""A smaller part of a pixel is left out, as in OpenCV."""


def resize_area(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Resize [height, width, channels] to `size` (width, height).

    OpenCV's `resize` with INTER_AREA on bytes (modules/imgproc/src/resize.cpp): means over whole blocks of pixels
    where both sides shrink by whole numbers, else sums in float32 of pixels by their covered shares. Where a side
    grows, both are interpolated, with weights that leave each pixel flat.
    """
    height, width = pixels.shape[:2]
    if size == (width, height):
        return pixels
    across, down = width / size[0], height / size[1]
    if across < 1 or down < 1:
        return resize_by_weights(pixels, size, _flat_weights)
    if across.is_integer() and down.is_integer():
        return _block_means(pixels, size, (int(across), int(down)))
    columns, rows = _shares(width, size[0]), _shares(height, size[1])
    summed = _weighted(pixels, columns, axis=1)
    return np.clip(np.rint(_weighted(summed, rows, axis=0)), 0, 255).astype(np.uint8)


def _block_means(pixels: NDArray[np.uint8], size: tuple[int, int], block: tuple[int, int]) -> NDArray[np.uint8]:
    sums = pixels.reshape(size[1], block[1], size[0], block[0], -1).sum(axis=(1, 3), dtype=np.int64)
    if block == (2, 2):
        return ((sums + 2) >> 2).astype(np.uint8)
    return np.rint(sums.astype(np.float32) * np.float32(1 / (block[0] * block[1]))).astype(np.uint8)


def _weighted(
    numbers: NDArray[np.uint8] | NDArray[np.float32], shares: tuple[NDArray[np.intp], NDArray[np.float32]], *, axis: int
) -> NDArray[np.float32]:
    """Sum along an axis in float32, in the order of the pixels."""
    places, weights = shares
    along = (-1, 1, 1) if axis == 0 else (-1, 1)
    total = np.take(numbers, places[0], axis) * weights[0].reshape(along)  # bytes times float32 are float32
    for place, weight in zip(places[1:], weights[1:], strict=True):
        total += np.take(numbers, place, axis) * weight.reshape(along)
    return total


@lru_cache(maxsize=64)
def _shares(length: int, wanted: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """For each of `wanted` pixels along an axis of `length` the pixels under it and their shares: [most, wanted].

    Those that have fewer pixels than others have some with the share 0.
    """
    scale = 1 / (wanted / length)
    covered: list[list[tuple[int, float]]] = []
    for index in range(wanted):
        low, high = index * scale, (index + 1) * scale
        whole = min(scale, length - low)
        last = min(floor(high), length - 1)
        first = min(ceil(low), last)
        each = [(first - 1, (first - low) / whole)] if first - low > _LEAST_SHARE else []
        each += [(place, 1 / whole) for place in range(first, last)]
        if high - last > _LEAST_SHARE:
            each.append((last, min(high - last, 1, whole) / whole))
        covered.append(each)
    most = max(map(len, covered))
    table = np.array([each + [(0, 0.0)] * (most - len(each)) for each in covered])
    return table[:, :, 0].T.astype(np.intp), table[:, :, 1].T.astype(np.float32)


def _flat_weights(length: int, wanted: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    # The inverse of the inverse, as in OpenCV: its last digit decides where a pixel ends.
    index, inverse = np.arange(wanted), wanted / length
    first = np.floor(index * (1 / inverse)).astype(np.intp)
    share = ((index + 1) - (first + 1) * inverse).astype(np.float32)
    return first, np.where(share <= 0, 0, share - np.floor(share)).astype(np.float32)
