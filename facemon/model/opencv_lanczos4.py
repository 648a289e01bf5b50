"""Lanczos resizing as OpenCV does it: between 64 pixels, however much smaller the image becomes."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_NEIGHBOURS = 8
_BITS = 11
"""Weights are multiples of 1/2048."""
_HALF = 0.5**0.5
# sin and cos of a quarter of pi further for each neighbour, from those of the first.
_TURNS = ((1, 0), (-_HALF, -_HALF), (0, 1), (_HALF, -_HALF), (-1, 0), (_HALF, _HALF), (0, -1), (-_HALF, _HALF))


def resize_lanczos4(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Resize [height, width, channels] to `size` (width, height): the bytes of OpenCV 4's and 5's INTER_LANCZOS4.

    Duchon, "Lanczos filtering in one and two dimensions", 1979, with four lobes on each side.
    """
    height, width = pixels.shape[:2]
    if size == (width, height):
        return pixels
    columns, across = _weights(width, size[0])
    lines, down = _weights(height, size[1])
    # Only the rows that count are looked at, so that the cost follows the small image.
    rows, places = np.unique(lines, return_inverse=True)
    places = places.reshape(lines.shape)
    needed = pixels[rows].astype(np.int32)
    summed = sum(needed[:, columns[k]] * across[k][:, np.newaxis] for k in range(_NEIGHBOURS))
    total = sum(np.asarray(summed)[places[k]] * down[k][:, np.newaxis, np.newaxis] for k in range(_NEIGHBOURS))
    rounded = (np.asarray(total) + (1 << (2 * _BITS - 1))) >> (2 * _BITS)
    return np.clip(rounded, 0, 255).astype(np.uint8)


@lru_cache(maxsize=64)
def _weights(length: int, wanted: int) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
    """For each of `wanted` pixels along an axis of `length`: eight neighbours and their weights, [8, wanted].

    In float32 where OpenCV has it, whose rounding decides about the last of the 11 bits.
    """
    scale = 1 / (wanted / length)
    centres = ((np.arange(wanted) + 0.5) * scale - 0.5).astype(np.float32)  # pixel centres lie at halves
    first = np.floor(centres)
    offset = centres - first
    places = first.astype(np.intp) + np.arange(-3, _NEIGHBOURS - 3)[:, np.newaxis]
    start = -(offset + np.float32(3)).astype(np.float64) * np.pi / 4
    sine, cosine = np.sin(start), np.cos(start)
    weights = np.zeros((_NEIGHBOURS, wanted), np.float32)
    on_a_pixel = offset < np.finfo(np.float32).eps
    for index, (of_sine, of_cosine) in enumerate(_TURNS):
        angle = -(offset + np.float32(3) - np.float32(index)).astype(np.float64) * np.pi / 4
        angle[on_a_pixel] = 1.0  # would divide by zero at the pixel itself
        weights[index] = (of_sine * sine + of_cosine * cosine) / (angle * angle)
    weights[:, on_a_pixel] = 0
    weights[3, on_a_pixel] = 1
    total = np.zeros(wanted, np.float32)
    for each in weights:
        total += each
    shares = weights * (np.float32(1) / total)
    return np.clip(places, 0, length - 1), np.rint(shares * np.float32(1 << _BITS)).astype(np.int32)
