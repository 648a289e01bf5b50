"""JPEGs without metadata, by Pillow's decoder alone: its reading of their head in Python is a fifth of the decoding.

The header was read already, for the limits. What the decoder does not take whole goes through `decode_image`, which
says what is wrong with it.
"""

from math import ceil

from PIL import Image

from facemon.domain.image_header import ImageHeader
from facemon.model.decoding import DecodedImage, NeededSize

_MOST_PIXELS = 2**22
"""Of a larger image the head takes no share that counts, and a damaged one would be decoded twice."""
_SCALES = (8, 4, 2)


def decode_plain_jpeg(content: bytes, header: ImageHeader, needed: NeededSize | None) -> DecodedImage | None:
    """Decode a JPEG whose header `is_plain` to the pixels that `decode_image` gives; none for all other images.

    `needed` as for `decode_image`.
    """
    size = header.width, header.height
    most = min(_MOST_PIXELS, Image.MAX_IMAGE_PIXELS or _MOST_PIXELS)
    if not (header.is_plain and header.is_single_scan) or header.pixels > most:
        return None
    scale = _scale(size, needed(size)) if needed is not None else 1
    try:
        image = Image.frombytes("RGB", _scaled(size, scale), content, "jpeg", "RGB", "", scale, 0)
    except (ValueError, OSError, MemoryError):
        return None
    return DecodedImage(image, size)


def _scale(size: tuple[int, int], least: tuple[float, float]) -> int:
    """The largest of the decoder's scales that leaves so many pixels across and down, as `Image.draft` has it."""
    most = min(size[0] // ceil(least[0]), size[1] // ceil(least[1]))
    return next((scale for scale in _SCALES if most >= scale), 1)


def _scaled(size: tuple[int, int], scale: int) -> tuple[int, int]:
    return -(-size[0] // scale), -(-size[1] // scale)
