"""The known formats of images, by the names that configurations give them."""

from collections.abc import Iterator, Sequence

from facemon.domain.formats.heif import Heif
from facemon.domain.formats.image_format import ImageFormat, PluginFormat

FORMATS: dict[str, ImageFormat] = {
    each.name: each
    for each in (
        ImageFormat("jpeg", (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo")),
        ImageFormat("png", (".png",)),
        ImageFormat("webp", (".webp",)),
        ImageFormat("bmp", (".bmp",)),
        ImageFormat("tiff", (".tif", ".tiff"), upright_when_decoded=True),
        ImageFormat("gif", (".gif",)),
        ImageFormat("ppm", (".ppm", ".pgm", ".pbm", ".pnm")),
        ImageFormat("jpeg2000", (".jp2", ".j2k", ".j2c", ".jpf", ".jpx")),
        # Only its own properties turn it (ISO/IEC 23008-12, 6.5.10).
        ImageFormat("avif", (".avif",), ignores_xmp=True),
        Heif(),
    )
}
"""Formats that start another program (EPS) or hold no photographs are left out."""


def opened_format(pillow_name: str | None) -> ImageFormat:
    """Return the format of an image by Pillow's name of it; MPO is a JPEG with further images behind the first."""
    return FORMATS.get((pillow_name or "").lower(), FORMATS["jpeg"])


def plugin_formats() -> Iterator[PluginFormat]:
    """Yield the formats that take an extra to read."""
    yield from (each for each in FORMATS.values() if isinstance(each, PluginFormat))


def suffixes_of(formats: Sequence[str]) -> frozenset[str]:
    """Return the extensions, in lower case, of the formats that can be decoded here."""
    return frozenset(suffix for name in formats if FORMATS[name].is_readable for suffix in FORMATS[name].suffixes)
