"""JPEGs that have nothing but their pixels: decoded without the reader of metadata, which takes a third of the time."""

from PIL import Image

from facemon.domain.image_header import ImageHeader
from facemon.model.decoding import DecodedImage, NeededSize


def decode_plain_jpeg(content: bytes, header: ImageHeader, needed: NeededSize | None) -> DecodedImage | None:
    """Decode a JPEG whose header is plain, with the result of `decode_image`.

    None for one that is damaged, or that `needed` lets be decoded at a smaller scale: `decode_image` does that, and
    says what is wrong.
    """
    size = header.width, header.height
    if header.pixels > (Image.MAX_IMAGE_PIXELS or header.pixels) or (needed is not None and _shrinks(size, needed)):
        return None
    try:
        image = Image.new("RGB", size, None)  # not filled: the decoder writes each pixel, or fails
        # As Pillow's own reader asks its decoder: no other colours than the file's, and no smaller scale.
        image.frombytes(content, "jpeg", ("RGB", ""))
        return DecodedImage(image, size)
    except (OSError, ValueError, MemoryError):
        return None


def _shrinks(size: tuple[int, int], needed: NeededSize) -> bool:
    """Whether half of the size is enough, so that Pillow decodes at a smaller scale."""
    across, down = needed(size)
    return size[0] >= 2 * across and size[1] >= 2 * down
