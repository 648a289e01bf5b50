"""HEIC, the format of phones' photographs, which takes the library pillow-heif."""

from dataclasses import dataclass

from facemon.domain.formats.image_format import PluginFormat

_HEVC_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"))
"""Brands of still images and sequences in HEVC's code (ISO/IEC 23008-12, annex B)."""
_MOST_BRANDS = 64


@dataclass(frozen=True, slots=True)
class Heif(PluginFormat):
    """Images in HEVC's code."""

    name: str = "heif"
    suffixes: tuple[str, ...] = (".heic", ".heif", ".hif")
    upright_when_decoded: bool = True
    title: str = "HEIC"
    library: str = "pillow_heif"
    extra: str = "heif"

    def begins(self, content: bytes) -> bool:
        """Return whether a file begins with a box `ftyp` that names a brand of HEVC (ISO/IEC 14496-12, 4.3)."""
        if content[4:8] != b"ftyp":
            return False
        end = min(int.from_bytes(content[:4]), 16 + 4 * _MOST_BRANDS)
        brands = content[8:12], *(content[at : at + 4] for at in range(16, end, 4))
        return not _HEVC_BRANDS.isdisjoint(brands)

    def register(self) -> None:
        """Let Pillow open HEIC, too."""
        from pillow_heif import register_heif_opener

        # The image alone, by the one thread that a worker is.
        register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)
