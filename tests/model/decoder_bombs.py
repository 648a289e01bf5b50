"""Small files that cost a decoder much: format by trick, made here."""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

from PIL import Image
from pillow_heif import register_heif_opener

SIDE = 6000


def saved(
    file_format: str, size: tuple[int, int] = (SIDE, SIDE), mode: str = "RGB", color: Any = 0, **options: Any
) -> bytes:
    """A flat picture."""
    register_heif_opener()  # which also writes
    stream = BytesIO()
    Image.new(mode, size, color).save(stream, file_format, **options)
    return stream.getvalue()


def progressive_jpeg(side: int, scans: int) -> bytes:
    """A gray progressive JPEG that refines the same coefficients in so many scans (ITU T.81, annex G)."""
    blocks = ((side + 7) // 8) ** 2
    # Table 0 has one symbol, the code 0: the end of a band for 2^14 blocks and as many more as 14 bits say.
    runs, left = "", blocks
    while left > 0:
        runs, left = runs + "0" + "1" * 14, left - 32767
    scan = _bits(runs)
    head = b"\xff\xd8" + _segment(0xDB, b"\0" + b"\1" * 64)
    head += _segment(0xC2, struct.pack(">BHHB", 8, side, side, 1) + b"\1\x11\0")
    head += _segment(0xC4, b"\x10\1" + bytes(15) + b"\xe0") + _segment(0xC4, b"\0\1" + bytes(15) + b"\0")
    first = _segment(0xDA, b"\1\1\0\0\0\0") + _bits("0" * blocks) + _segment(0xDA, b"\1\1\0\1\x3f\1") + scan
    return head + first + (_segment(0xDA, b"\1\1\0\1\x3f\x10") + scan) * scans + b"\xff\xd9"


def jpeg_of_many_segments(segments: int = 100_000) -> bytes:
    """A JPEG behind empty comments."""
    whole = saved("JPEG", (8, 8))
    return whole[:2] + _segment(0xFE, b"") * segments + whole[2:]


def jpeg_of_fill_bytes(size: int = 3_000_000) -> bytes:
    """A JPEG behind fill bytes, which may precede any marker."""
    whole = saved("JPEG", (8, 8))
    return whole[:2] + b"\xff" * size + whole[2:]


def png_of_many_chunks(chunks: int = 100_000) -> bytes:
    """A PNG with empty chunks that any reader may skip."""
    whole = saved("PNG", (8, 8))
    return whole[:33] + _chunk(b"teXt", b"") * chunks + whole[33:]


def png_of_packed_text(texts: int = 200) -> bytes:
    """A PNG whose compressed texts unpack to a megabyte each."""
    whole = saved("PNG", (8, 8))
    text = _chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(2**20 - 64), 9))
    return whole[:33] + text * texts + whole[33:]


def png_of_packed_profile(size: int = 2**27) -> bytes:
    """A PNG whose colour profile unpacks to 128 MiB."""
    whole = saved("PNG", (8, 8))
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(2**20)) for _ in range(size >> 20)) + packer.flush()
    return whole[:33] + _chunk(b"iCCP", b"a\0\0" + packed) + whole[33:]


def tiff_of_a_huge_tile() -> bytes:
    """A TIFF of 16 x 16 pixels in a tile of 60,000 x 60,000, compressed."""
    data = zlib.compress(bytes(2**20), 9)
    tags = [(256, 16), (257, 16), (258, 8), (259, 8), (262, 1), (277, 1), (322, 60_000), (323, 60_000)]
    return _tiff([*tags, (324, 8), (325, len(data))], data)


def tiff_of_many_strips(strips: int = 65_000) -> bytes:
    """A TIFF in strips of one row, all of which are the same few bytes."""
    data = zlib.compress(bytes(1000))
    tags = [(256, 1000), (257, strips), (258, 8), (259, 8), (262, 1), (277, 1), (278, 1)]
    tables = struct.pack(f"<{strips}I", *[8] * strips) + struct.pack(f"<{strips}I", *[len(data)] * strips)
    start = 8 + len(data)
    content = data + tables
    entries = [struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags]
    entries.append(struct.pack("<HHII", 273, 4, strips, start))
    entries.append(struct.pack("<HHII", 279, 4, strips, start + 4 * strips))
    entries.sort(key=lambda entry: entry[:2][::-1])
    directory = struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    return b"II*\0" + struct.pack("<I", 8 + len(content)) + content + directory


def gif_of_many_comments(blocks: int = 200_000) -> bytes:
    """A GIF behind a comment in blocks of one byte."""
    whole = saved("GIF", (8, 8), "P")
    head = 13 + 3 * 2 ** ((whole[10] & 7) + 1)
    return whole[:head] + b"!\xfe" + b"\1a" * blocks + b"\0" + whole[head:]


def ppm_of_text(side: int = 1000) -> bytes:
    """A PPM whose pixels are decimal numbers."""
    return b"P3 %d %d 255\n" % (side, side) + b"0 " * (3 * side * side)


def bmp_of_runs(side: int = 8000) -> bytes:
    """A BMP of eight bits whose rows are runs."""
    row = b"\xff\0" * (side // 255) + bytes([side % 255, 0]) + b"\0\0"
    data, palette = row * side + b"\0\1", bytes(1024)
    offset = 14 + 40 + len(palette)
    head = struct.pack("<2sIHHI", b"BM", offset + len(data), 0, 0, offset)
    return head + struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, len(data), 0, 0, 256, 0) + palette + data


BOMBS: dict[str, Callable[[], bytes]] = {
    "jpeg, 400 scans": lambda: progressive_jpeg(SIDE, 400),
    "jpeg, 90 scans": lambda: progressive_jpeg(SIDE, 90),
    "jpeg, many segments": jpeg_of_many_segments,
    "jpeg, fill bytes": jpeg_of_fill_bytes,
    "png, many pixels": lambda: saved("PNG", (4000, 4000), "RGBA"),
    "png, many chunks": png_of_many_chunks,
    "png, packed texts": png_of_packed_text,
    "png, packed profile": png_of_packed_profile,
    "webp, many pixels": lambda: saved("WEBP", (5000, 5000), lossless=True),
    "gif, many comments": gif_of_many_comments,
    "tiff, huge tile": tiff_of_a_huge_tile,
    "tiff, many strips": tiff_of_many_strips,
    "jpeg2000, many pixels": lambda: saved("JPEG2000", (2500, 2500)),
    "avif, many pixels": lambda: saved("AVIF", (2500, 2500)),
    "heif, many pixels": lambda: saved("HEIF", (4000, 4000), enc_params={"preset": "ultrafast"}),
    "bmp, run lengths": bmp_of_runs,
    "ppm, decimal": ppm_of_text,
}


def _tiff(tags: list[tuple[int, int]], data: bytes) -> bytes:
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + directory + bytes(4)


def _segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content


def _bits(text: str) -> bytes:
    """Bits as entropy-coded data: padded with ones, and a zero byte after each 0xff."""
    text += "1" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\0")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
