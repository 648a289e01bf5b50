"""JPEGs without their end marker, as cameras and streams write them: whether all else is there."""

import re
from dataclasses import dataclass
from io import BytesIO
from math import ceil
from struct import Struct

from PIL import Image

from facemon.domain.image_header import read_header

_SHORT = Struct(">H")
_SOF, _DRI, _SOS, _RESTARTS = range(0xC0, 0xC3), 0xDD, 0xDA, range(0xD0, 0xD8)
_END = b"\xff\xd9"
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
_OTHER_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7]")
_MORE_UNITS = 8
"""More units than the up to seven bits of padding behind the last one can be read as."""
_LONGEST_SIDE = 65_500
"""Of an image that libjpeg decodes (JPEG_MAX_DIMENSION)."""
_BLEEDS = 4
"""Pixels at the edge of a unit that interpolated colours of its neighbours may reach."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """What the segments before the only scan say, as ITU T.81 names it."""

    frame: int
    """Place of the frame's height in the file; its width follows."""
    restarts: tuple[int, ...]
    """Places of the restart intervals."""
    interval: int
    """Units (MCUs) between two restarts; 0 = there are none."""
    scan: int
    """Place of the scan's data."""
    unit: tuple[int, int]
    """Width and height of a unit in pixels."""
    across: int
    """Units in a row."""
    units: int
    """Units in all."""


def with_end(content: bytes) -> bytes | None:
    """Return a JPEG with the end marker that it lacks; none if more than that is missing, or if it cannot be told.

    Only of one scan of all components can it be told: in a file of several the later ones may be missing.

    A decoder that runs out of data fills the unit it reads with zeros, and leaves all further ones gray. So the scan
    is asked for a few units more than it has: if the first of these is not gray, it found the data before it whole.
    This never takes a damaged image for a whole one. It may do the reverse where a picture ends in exactly that gray.
    """
    header = read_header(content)
    if header is None or not header.is_single_scan:
        return None
    data = content.removesuffix(b"\xff")  # half of the end marker, or of a byte that is missing without its zero
    layout = _layout(data)
    if _OTHER_MARKER.search(data, layout.scan):
        return None
    last, units = data[layout.scan :], layout.units
    if layout.interval:
        *before, last = _RESTART.split(last)
        units -= layout.interval * len(before)
        if not 0 < units <= layout.interval:
            return None
    return data + _END if _is_whole(data, layout, last, units) else None


def _is_whole(data: bytes, layout: _Layout, last: bytes, units: int) -> bool:
    """Whether so many units are in the data behind the last restart."""
    width, height = layout.unit
    rows = units // layout.across + 1 + ceil(_MORE_UNITS / layout.across)
    if max(width * layout.across, height * rows) > _LONGEST_SIDE:
        return False
    head = bytearray(data[: layout.scan])
    _SHORT.pack_into(head, layout.frame, height * rows)
    _SHORT.pack_into(head, layout.frame + _SHORT.size, width * layout.across)
    for place in layout.restarts:
        _SHORT.pack_into(head, place, 0)
    try:
        picture = Image.open(BytesIO(head + last + _END), formats=("JPEG",))
        picture.load()
    except OSError:
        return False
    unread = _inside(picture, layout, rows * layout.across - 1)
    first = _inside(picture, layout, units)
    return all(low == high for low, high in _extremes(unread)) and first.tobytes() != unread.tobytes()


def _inside(picture: Image.Image, layout: _Layout, unit: int) -> Image.Image:
    """The pixels of a unit that depend on no other."""
    down, across = divmod(unit, layout.across)
    width, height = layout.unit
    left, top = across * width, down * height
    from_x, from_y = (_BLEEDS if length > 8 else 0 for length in layout.unit)
    return picture.crop((left + from_x, top + from_y, left + width - from_x, top + height - from_y))


def _extremes(picture: Image.Image) -> list[tuple[int, int]]:
    """The least and greatest value of each band."""
    return [band.getextrema() for band in picture.split()]  # type: ignore[misc] # bands of 8 bits


def _layout(content: bytes) -> _Layout:
    """Read the segments of a file whose header is sound (ITU T.81, B.2)."""
    place, frame, interval, restarts = 2, 0, 0, list[int]()
    while (marker := content[place + 1]) != _SOS:
        if marker == 0x01 or marker in _RESTARTS:
            place += 2
            continue
        if marker in _SOF:
            frame = place + 5
        elif marker == _DRI:
            restarts.append(place + 4)
            (interval,) = _SHORT.unpack_from(content, place + 4)
        place += 2 + _SHORT.unpack_from(content, place + 2)[0]
    scan = place + 2 + _SHORT.unpack_from(content, place + 2)[0]
    height, width = (_SHORT.unpack_from(content, frame + at)[0] for at in (0, 2))
    factors = [content[frame + 6 + 3 * at] for at in range(content[frame + 4])]
    # The only component of a gray image is read block by block, whatever its factors (A.2.2).
    unit = (8, 8) if len(factors) == 1 else (8 * max(each >> 4 for each in factors), 8 * max(f & 15 for f in factors))
    across = ceil(width / unit[0])
    units = across * ceil(height / unit[1])
    return _Layout(frame, tuple(restarts), interval, scan, unit, across, units)
