"""Which image formats there are, by which file names they are recognized, and what each needs installed."""

from collections.abc import Sequence
from importlib.util import find_spec

SUFFIXES = {
    "jpeg": (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"),
    "png": (".png",),
    "webp": (".webp",),
    "bmp": (".bmp",),
    "tiff": (".tif", ".tiff"),
    "gif": (".gif",),
    "ppm": (".ppm", ".pgm", ".pbm", ".pnm"),
    "jpeg2000": (".jp2", ".j2k", ".j2c", ".jpf", ".jpx"),
    "avif": (".avif",),
    "heif": (".heic", ".heif", ".hif"),
}
"""Each format of `predict.formats`, and the extensions of its files in lower case."""
HEIF_HINT = "pip install 'facemon[heif]'"
"""The command that makes HEIC readable."""

_HEVC_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"))
"""Brands of still images and sequences in HEVC's code (ISO/IEC 23008-12, annex B)."""
_MOST_BRANDS = 64


def heif_is_installed() -> bool:
    """Whether pillow-heif, of the extra `heif`, is there; it is not loaded."""
    return find_spec("pillow_heif") is not None


def is_heif(content: bytes) -> bool:
    """Whether a file begins as HEIC does: a box `ftyp` that names a brand of HEVC (ISO/IEC 14496-12, 4.3)."""
    if content[4:8] != b"ftyp":
        return False
    end = min(int.from_bytes(content[:4]), 16 + 4 * _MOST_BRANDS)
    brands = content[8:12], *(content[at : at + 4] for at in range(16, end, 4))
    return not _HEVC_BRANDS.isdisjoint(brands)


def suffixes_of(formats: Sequence[str]) -> frozenset[str]:
    """Return the extensions, in lower case, of the formats that can be decoded here."""
    return frozenset(
        suffix
        for name in formats
        if name != "heif" or heif_is_installed()
        for suffix in SUFFIXES[name]
    )  # fmt: skip
