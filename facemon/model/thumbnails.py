"""Small copies of images for a page, decoded within the limits of predictions."""

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from facemon.domain.image_input import ImageProblem
from facemon.model.bounded_decoding import BoundedDecoder, Undecoded
from facemon.model.decoding import read_image

if TYPE_CHECKING:
    from facemon.config.serving import PredictConfig

_SIDE = 144
"""Pixels of the longer side."""
_QUALITY = 72


class Thumbnails:
    """Makes thumbnails of files, within limits of bytes, pixels, memory and time."""

    def __init__(self, limits: "PredictConfig") -> None:
        self._decoder, self._max_bytes = BoundedDecoder(limits), limits.max_bytes

    def read(self, path: Path) -> bytes | ImageProblem:
        """Return the bytes of a file, or why they cannot be had."""
        return read_image(path, self._max_bytes)

    def make(self, content: bytes) -> bytes | ImageProblem:
        """Return a JPEG of at most 144 pixels a side, upright and without metadata, or why there is none."""
        decoded = self._decoder.decode(content, needed=lambda _: (_SIDE, _SIDE))
        if isinstance(decoded, Undecoded):
            return decoded.problem
        small = decoded.image.convert("RGB")
        small.thumbnail((_SIDE, _SIDE))
        target = BytesIO()
        small.save(target, "JPEG", quality=_QUALITY)
        return target.getvalue()
