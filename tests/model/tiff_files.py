"""TIFF files written by hand: of any depth, either photometric interpretation, both byte orders (TIFF 6.0)."""

import zlib
from dataclasses import dataclass
from struct import pack

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.uint64]
"""Rows, columns and channels of the numbers that a file stores, as unsigned ones of its own bits."""

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB = 0, 1, 2
UNSIGNED, SIGNED, FLOAT = 1, 2, 3
_SHORT, _LONG = 3, 4


@dataclass(frozen=True, slots=True)
class Tiff:
    """How samples are stored."""

    bits: int
    photometric: int = BLACK_IS_ZERO
    order: str = "<"
    sample_format: int = UNSIGNED
    is_deflated: bool = False
    is_planar: bool = False

    def content(self, samples: Samples, orientation: int = 1) -> bytes:
        """Write a file of the samples, in one strip for each plane."""
        height, width, channels = samples.shape
        planes = [samples[:, :, [each]] for each in range(channels)] if self.is_planar else [samples]
        strips = [zlib.compress(strip) if self.is_deflated else strip for strip in map(self._packed, planes)]
        offsets = [8 + sum(len(strip) + len(strip) % 2 for strip in strips[:index]) for index in range(len(strips))]
        data = b"".join(strip + b"\0" * (len(strip) % 2) for strip in strips)
        tags = {
            256: (_LONG, [width]), 257: (_LONG, [height]), 258: (_SHORT, [self.bits] * channels),
            259: (_SHORT, [8 if self.is_deflated else 1]), 262: (_SHORT, [self.photometric]), 273: (_LONG, offsets),
            274: (_SHORT, [orientation]), 277: (_SHORT, [channels]), 278: (_LONG, [height]),
            279: (_LONG, [len(strip) for strip in strips]), 284: (_SHORT, [2 if self.is_planar else 1]),
            339: (_SHORT, [self.sample_format] * channels),
        }  # fmt: skip
        return self._file(data, tags)

    def _packed(self, plane: Samples) -> bytes:
        """Pack each row: whole bytes in the file's order, fewer or other bits with the highest one first."""
        if self.bits in (16, 32):
            return plane.astype(f"{self.order}u{self.bits // 8}").tobytes()
        places = np.arange(self.bits - 1, -1, -1, dtype=np.uint64)
        bits = (plane.reshape(len(plane), -1)[:, :, None] >> places) & 1
        return np.packbits(bits.reshape(len(plane), -1).astype(np.uint8), axis=1).tobytes()

    def _file(self, data: bytes, tags: dict[int, tuple[int, list[int]]]) -> bytes:
        order = self.order
        head = pack(f"{order}2sHI", b"II" if order == "<" else b"MM", 42, 8 + len(data))
        begin = 8 + len(data) + 2 + 12 * len(tags) + 4
        entries, beyond = b"", b""
        for tag, (kind, values) in tags.items():
            value = pack(f"{order}{len(values)}{'H' if kind == _SHORT else 'I'}", *values)
            if len(value) > 4:
                value, beyond = pack(f"{order}I", begin + len(beyond)), beyond + value
            entries += pack(f"{order}HHI", tag, kind, len(values)) + value.ljust(4, b"\0")
        return head + data + pack(f"{order}H", len(tags)) + entries + pack(f"{order}I", 0) + beyond
