"""What the tags of a TIFF say of its numbers where Pillow's modes do not: their range, their sign, what zero means."""

from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

NO_RANGE = "the pixels have 32 bits a channel, for which no range is agreed on"
_BITS, _PHOTOMETRIC, _PLANES, _FORMAT = 258, 262, 284, 339
_WHITE_IS_ZERO, _APART, _SIGNED = 0, 2, 2
"""Values of the tags PhotometricInterpretation, PlanarConfiguration and SampleFormat (TIFF 6.0)."""


def sample_fault(opened: Image.Image) -> str | None:
    """Return why the brightness of a TIFF that is not decoded yet cannot be known; None for all other images."""
    tags = _tags(opened)
    if tags is None:
        return None
    bits = max(tags.get(_BITS, (1,)))
    if bits == 32:
        return NO_RANGE
    if _SIGNED in tags.get(_FORMAT, ()):
        return "the pixels are signed numbers, for which no range is agreed on"
    is_libtiff = any(codec == "libtiff" for codec, *_ in getattr(opened, "tile", ()))
    if bits > 8 and tags.get(_PLANES) == _APART and len(opened.getbands()) > 1 and not is_libtiff:
        # Pillow takes the bytes of a number for two numbers of 8 bits.
        return f"the channels of {bits} bits lie apart in the file; write it with the channels of a pixel together"
    return None


def gray_range(image: Image.Image) -> tuple[int, bool]:
    """Return the highest level of a gray image of more than 8 bits, and whether it is black.

    Pillow gives the numbers as the file has them, also where zero is white; of 8 bits it inverts them itself. All other
    formats come scaled to 16 bits.
    """
    tags = _tags(image)
    if tags is None:
        return 65535, False
    # A file without the tag is read as Pillow reads one of 8 bits.
    return (1 << max(tags.get(_BITS, (16,)))) - 1, tags.get(_PHOTOMETRIC, _WHITE_IS_ZERO) == _WHITE_IS_ZERO


def _tags(image: Image.Image) -> "ImageFileDirectory_v2 | None":
    if image.format != "TIFF":
        return None
    from PIL.TiffImagePlugin import TiffImageFile

    return image.tag_v2 if isinstance(image, TiffImageFile) else None
