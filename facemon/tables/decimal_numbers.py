"""Decimal columns as float64: the very number that the same digits in a CSV file are."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_EXACT = 2**53
_LARGEST_POWER = 22
"""10^22 is the largest power of ten that float64 holds exactly; a quotient of two exact numbers is rounded once."""


def doubles_of(cells: pa.Array) -> NDArray[np.float64]:
    """Decimals as the nearest float64, missing ones as NaN.

    Arrow's own cast multiplies by a power of ten and is off in the last bit of every second number, so that 0.3
    would not equal the 0.3 of another file.
    """
    if cells.type.scale < 0 or cells.type.scale > _LARGEST_POWER or pa.types.is_decimal256(cells.type):
        return _by_text(cells)
    words = pc.cast(cells, pa.decimal128(38, cells.type.scale)) if cells.type.bit_width != 128 else cells
    data = words.buffers()[1]
    if data is None:
        return np.full(len(cells), np.nan)
    pairs = np.frombuffer(data, "<i8")[2 * words.offset : 2 * (words.offset + len(words))].reshape(-1, 2)
    low, high = pairs[:, 0], pairs[:, 1]
    is_missing = pc.is_null(cells).to_numpy(zero_copy_only=False)
    is_small = (high == low >> 63) & (low >= -_EXACT) & (low <= _EXACT)
    if not (is_small | is_missing).all():
        return _by_text(cells)
    return np.where(is_missing, np.nan, low / 10.0**cells.type.scale)


def _by_text(cells: pa.Array) -> NDArray[np.float64]:
    return pc.cast(pc.cast(cells, pa.string()), pa.float64()).to_numpy(zero_copy_only=False)
