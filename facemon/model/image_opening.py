"""From the bytes of a file to the image that Pillow opens and loads: which formats, and what a decoder may lack."""

from io import BytesIO

from PIL import Image

from facemon.domain.image_formats import SUFFIXES, heif_is_installed, is_heif
from facemon.model.unended_jpeg import with_end

FORMATS = tuple(map(str.upper, SUFFIXES))
"""All that is opened, as Pillow names it: the formats of the configuration in capitals."""
JPEGS = ("JPEG", "MPO")
"""What Pillow calls a JPEG; MPO has further images behind the first, which alone is read."""


def open_image(content: bytes, formats: tuple[str, ...]) -> Image.Image:
    """Open an image without decoding it; Pillow's errors, UnidentifiedImageError where it has none of the formats."""
    if not ("HEIF" in formats and is_heif(content) and _register_heif()):
        formats = tuple(name for name in formats if name != "HEIF")
    return Image.open(BytesIO(content), formats=formats)


def scaled(opened: Image.Image, least: tuple[int, int] | None) -> Image.Image:
    """Let a JPEG be decoded at the smallest of the scales 1, 1/2, 1/4 and 1/8 that is no smaller than `least`."""
    if least is not None:
        opened.draft(None, least)
    return opened


def accepted_formats(content: bytes) -> list[str]:
    """Return the formats whose beginning the content has, whether or not their decoder is installed."""
    if is_heif(content):
        return ["HEIF"]
    Image.init()
    known = [(name, Image.OPEN[name][1]) for name in FORMATS if name != "HEIF"]
    return [name for name, accept in known if accept is None or accept(content[:16]) is True]


def loaded(opened: Image.Image, content: bytes, least: tuple[int, int] | None) -> Image.Image:
    """Return an opened image with its pixels decoded; `least` as for `scaled`. Pillow's errors.

    A JPEG that lacks only its end marker is whole: cameras and streams write such files. Pillow reads them only with
    a setting for the whole process, which would also fill the missing part of damaged ones with gray.
    """
    try:
        opened.load()
    except OSError:
        whole = with_end(content) if opened.format == "JPEG" else None
        if whole is None:
            raise
        opened = scaled(open_image(whole, ("JPEG",)), least)
        opened.load()
    return opened


def _register_heif() -> bool:
    """Let Pillow open HEIC too, if pillow-heif is installed."""
    if not heif_is_installed():
        return False
    from pillow_heif import register_heif_opener

    # The image alone, by the one thread that a worker is.
    register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)
    return True
