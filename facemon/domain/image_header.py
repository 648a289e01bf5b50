"""What the head of an image file says of the work of decoding it: bounded reading of bytes, without a decoder.

Only the formats that cameras and browsers make are read: JPEG, PNG and WebP. Of all others, and of files that are
built oddly, nothing is known, and a decoder must be watched.
"""

from collections.abc import Iterator
from struct import Struct
from struct import error as StructError  # noqa: N812 - a class
from typing import NamedTuple

MOST_SCANS = 100
"""Scans of a JPEG that are decoded: encoders write up to a dozen, and each costs a pass over all pixels."""
MOST_FRAGMENTS = 65_536
"""Pieces of a file (segments, chunks, frames), each of which costs a decoder's time whatever it holds."""
_QUICK_FRAGMENTS = 10_000

_PNG = b"\x89PNG\r\n\x1a\n"
_SHORT, _LONG, _LITTLE_LONG = Struct(">H"), Struct(">I"), Struct("<I")
_TWO_SHORTS, _TWO_LONGS, _LITTLE_SHORTS = Struct(">HH"), Struct(">II"), Struct("<HH")
_MARK, _SOS = 0xFF, 0xDA
_SCAN = bytes((_MARK, _SOS))
_FRAMES = {0xC0: False, 0xC1: False, 0xC2: True}
"""Markers of frames in Huffman's code, and whether the frame is progressive (ITU T.81, table B.1)."""
_UNREAD = {0xFF, 0xC3, *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0), 0xD8, 0xD9}
"""Other frames, a second beginning, an end, and fill bytes: allowed in places, and rare."""
_BARE = {0x01, *range(0xD0, 0xD8)}
"""Markers without a length."""
_JFIF, _PROFILE = 0xE0, 0xE2
_PLAIN = {*_FRAMES, 0xC4, 0xDB, 0xDD, 0xFE, _JFIF}
"""Markers of what every decoder needs, of a comment, and of what a JFIF file begins with."""
_LEAST_BYTES = 16
"""Of the segment that a JFIF file begins with, and of a colour profile; shorter ones are damaged."""

# Measured on one core of a busy machine, with flat pictures and with noise, and rounded up.
_NANOSECONDS = {"jpeg": (4, 40), "png": (25, 30), "webp": (30, 200)}
"""What a pixel costs in each scan, and a byte of the file."""
_BYTES = {"jpeg": 16, "png": 16, "webp": 25}
"""Memory for each pixel."""


class ImageHeader(NamedTuple):
    """The format, size and structure of an image file, as its head declares them."""

    format: str
    width: int
    height: int
    scans: int = 1
    """Passes over all pixels; more than one in progressive JPEGs."""
    fragments: int = 0
    bytes: int = 0
    """Of the file."""
    is_single_scan: bool = False
    """Whether it is a JPEG whose only scan holds all components of all pixels."""
    is_plain: bool = False
    """Whether it is a JPEG in colour whose pixels are all there is to it: nothing turns them, and no others follow."""

    @property
    def pixels(self) -> int:
        """Width times height."""
        return self.width * self.height

    @property
    def seconds(self) -> float:
        """Processor time that decoding takes, by a high estimate."""
        of_pixel, of_byte = _NANOSECONDS[self.format]
        return (self.pixels * self.scans * of_pixel + self.bytes * of_byte) / 1e9

    @property
    def memory(self) -> int:
        """Bytes that decoding takes, by a high estimate."""
        return self.pixels * _BYTES[self.format]

    @property
    def has_few_fragments(self) -> bool:
        """Whether going through the file's pieces takes less than a tenth of a second."""
        return self.fragments <= _QUICK_FRAGMENTS

    @property
    def excess(self) -> str | None:
        """What there is too much of to begin with decoding, whatever the time and memory."""
        if self.scans > MOST_SCANS:
            return f"the JPEG has {self.scans} scans; at most {MOST_SCANS} are decoded"
        if self.fragments > MOST_FRAGMENTS:
            return f"the file is in more than {MOST_FRAGMENTS} pieces, which would take too long to put together"
        return None


def read_header(content: bytes) -> ImageHeader | None:
    """Read the head of a JPEG, PNG or WebP; none for other formats and for files that are damaged or built oddly.

    It reads at most `MOST_FRAGMENTS` pieces, and of a progressive JPEG each byte once.
    """
    try:
        if content.startswith(b"\xff\xd8\xff"):
            return _jpeg(content)
        if content.startswith(_PNG):
            return _png(content)
        if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
            return _webp(content)
    except (IndexError, StructError):
        return None  # the file ends too early
    return None


def _jpeg(content: bytes) -> ImageHeader | None:
    """Go through the segments up to the first scan (ITU T.81, B.1.1)."""
    place = 2
    width = height = components = 0
    is_progressive, is_plain = False, True
    for fragments in range(MOST_FRAGMENTS + 1):
        if content[place] != _MARK:
            return None
        marker = content[place + 1]
        if marker in _BARE:
            place += 2
            continue
        (length,) = _SHORT.unpack_from(content, place + 2)
        if marker in _FRAMES:
            if components:
                return None  # of two sizes a reader may take the second
            is_progressive = _FRAMES[marker]
            height, width, components = *_TWO_SHORTS.unpack_from(content, place + 5), content[place + 9]
            is_plain = is_plain and components == 3 and content[place + 4] == 8
        elif marker == _SOS:
            if not width * height:
                return None
            # One that holds all components at once is the only scan of its image.
            is_single = not is_progressive and content[place + 4] == components
            scans = 1 if is_single else content.count(_SCAN, place)
            return ImageHeader("jpeg", width, height, scans, fragments, len(content), is_single, is_plain)
        elif marker in _UNREAD or length < _SHORT.size:
            return None
        elif marker not in _PLAIN or (marker == _JFIF and length < _LEAST_BYTES):
            is_profile = marker == _PROFILE and content.startswith(b"ICC_PROFILE\0", place + 4)
            is_plain = is_plain and is_profile and length > _LEAST_BYTES
        place += 2 + length
    return ImageHeader("jpeg", width, height, fragments=MOST_FRAGMENTS + 1)


def _png(content: bytes) -> ImageHeader | None:
    """Read the first chunk, and go through the others (PNG, 5.3: length, type, data, checksum)."""
    if content[8:16] != b"\0\0\0\rIHDR":
        return None
    width, height = _TWO_LONGS.unpack_from(content, 16)
    types = list(_chunk_types(content, len(_PNG), _Layout(_LONG, 0, 4, 12, 1)))
    if types.count(b"IHDR") > 1:
        return None  # of two sizes a reader may take the second
    return ImageHeader("png", width, height, fragments=len(types), bytes=len(content))


def _webp(content: bytes) -> ImageHeader | None:
    """Read the canvas or the only frame, and go through the chunks (RFC 9649, 2.3: type, length, data, padding)."""
    match content[12:16]:
        case b"VP8X":
            width, height = (1 + int.from_bytes(content[at : at + 3], "little") for at in (24, 27))
        case b"VP8L":
            bits = _LITTLE_LONG.unpack_from(content, 21)[0]
            width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case b"VP8 ":
            width, height = (each & 0x3FFF for each in _LITTLE_SHORTS.unpack_from(content, 26))
        case _:
            return None
    fragments = sum(1 for _ in _chunk_types(content, 12, _Layout(_LITTLE_LONG, 4, 0, 8, 2)))
    return ImageHeader("webp", width, height, fragments=fragments, bytes=len(content))


class _Layout(NamedTuple):
    """Where a chunk has its length and type, the bytes beside its data, and what its data are padded to."""

    length: Struct
    length_at: int
    type_at: int
    rest: int
    multiple: int


def _chunk_types(content: bytes, place: int, layout: _Layout) -> Iterator[bytes]:
    """Yield the types of the chunks from a place on, one more than `MOST_FRAGMENTS` at most."""
    end = len(content) - layout.rest
    for _ in range(MOST_FRAGMENTS + 1):
        if place > end:
            return
        yield content[place + layout.type_at : place + layout.type_at + 4]
        (length,) = layout.length.unpack_from(content, place + layout.length_at)
        place += layout.rest + length + -length % layout.multiple
