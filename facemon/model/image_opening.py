"""From the bytes of a file to the image that Pillow opens and loads: which formats, and what a decoder may lack."""

from io import BytesIO

from PIL import Image

from facemon.domain.formats.registry import FORMATS, plugin_formats
from facemon.model.unended_jpeg import with_end

JPEGS = ("JPEG", "MPO")
"""What Pillow calls a JPEG; MPO has further images behind the first, which alone is read."""


def pillow_names() -> tuple[str, ...]:
    """Return all that is opened, as Pillow names it: the formats of the configuration in capitals."""
    return tuple(map(str.upper, FORMATS))


def open_image(content: bytes, formats: tuple[str, ...]) -> Image.Image:
    """Open an image without decoding it; Pillow's errors, UnidentifiedImageError where it has none of the formats.

    `formats` are Pillow's names. The library behind a plugin's format is loaded for files of that format alone.
    """
    for plugin in plugin_formats():
        name = plugin.name.upper()
        if name in formats and plugin.begins(content) and plugin.is_readable:
            plugin.register()
        else:
            formats = tuple(each for each in formats if each != name)
    return Image.open(BytesIO(content), formats=formats)


def scaled(opened: Image.Image, least: tuple[int, int] | None) -> Image.Image:
    """Let a JPEG be decoded at the smallest of the scales 1, 1/2, 1/4 and 1/8 that is no smaller than `least`."""
    if least is not None:
        opened.draft(None, least)
    return opened


def accepted_formats(content: bytes) -> list[str]:
    """Return the formats whose beginning the content has, whether or not their decoder is installed."""
    plugins = list(plugin_formats())
    if own := [each.name.upper() for each in plugins if each.begins(content)]:
        return own
    Image.init()
    of_plugins = {each.name.upper() for each in plugins}
    known = [(name, Image.OPEN[name][1]) for name in pillow_names() if name not in of_plugins]
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
