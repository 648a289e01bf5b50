"""What the head of an image file says, against what Pillow reads, and that no bytes make reading it fail."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from facemon.domain.image_header import MOST_FRAGMENTS, ImageHeader, read_header
from tests.model.decoder_bombs import jpeg_of_fill_bytes, jpeg_of_many_segments, png_of_many_chunks, saved

_KINDS: list[tuple[str, str, dict[str, Any]]] = [
    ("JPEG", "RGB", {}),
    ("JPEG", "L", {"quality": 5}),
    ("JPEG", "RGB", {"progressive": True}),
    ("JPEG", "CMYK", {"comment": b"a comment"}),
    ("PNG", "RGBA", {}),
    ("PNG", "P", {"bits": 4}),
    ("WEBP", "RGB", {}),
    ("WEBP", "RGB", {"lossless": True}),
    ("WEBP", "RGBA", {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"}),
]

_BEGINNINGS = (
    b"",
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"RIFF1234WEBPVP8X",
    b"RIFF1234WEBPVP8L",
    b"RIFF1234WEBPVP8 ",
)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(_KINDS), st.integers(1, 300), st.integers(1, 300))
def test_format_and_size_are_those_of_the_image(kind: tuple[str, str, dict[str, Any]], width: int, height: int) -> None:
    file_format, mode, options = kind
    header = read_header(saved(file_format, (width, height), mode, **options))
    assert header is not None
    assert (header.format, header.width, header.height) == (file_format.lower(), width, height)
    assert header.excess is None
    assert header.has_few_fragments
    assert (header.scans > 1) == bool(options.get("progressive"))


def test_an_animation_is_counted_by_its_frames() -> None:
    frames = [Image.new("RGB", (20, 20), (index * 20, 0, 0)) for index in range(1, 10)]
    whole = saved("WEBP", (20, 20), save_all=True, append_images=frames)
    header = read_header(whole)
    assert header is not None
    assert header.fragments >= len(frames)


@pytest.mark.parametrize("make", [jpeg_of_many_segments, png_of_many_chunks])
def test_too_many_pieces_are_an_excess_and_are_not_counted_further(make: Any) -> None:
    header = read_header(make())
    assert header is not None
    assert header.fragments == MOST_FRAGMENTS + 1
    assert header.excess is not None


def twice(content: bytes, start: int, end: int) -> bytes:
    """The content with one of its pieces repeated."""
    return content[:end] + content[start:end] + content[end:]


def test_of_what_is_built_oddly_nothing_is_known() -> None:
    png, jpeg = saved("PNG", (8, 8)), saved("JPEG", (8, 8))
    frame = jpeg.index(b"\xff\xc0")
    two_sizes = twice(png, 8, 33), twice(jpeg, frame, frame + 19)
    for content in (jpeg_of_fill_bytes(10), saved("GIF", (8, 8)), saved("TIFF", (8, 8)), *two_sizes, b"", b"text"):
        assert read_header(content) is None


@given(
    st.sampled_from((b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF1234WEBPVP8X", b"RIFF1234WEBPVP8L")), st.binary()
)
@example(b"\xff\xd8\xff", b"\xda\0\x03\0")
@example(b"\xff\xd8\xff", b"\xc0\0\0")
def test_no_bytes_make_it_fail(beginning: bytes, rest: bytes) -> None:
    assert isinstance(read_header(beginning + rest), ImageHeader | None)


@given(st.sampled_from(_KINDS), st.integers(0, 2**16), st.integers(0, 255))
def test_no_changed_byte_makes_it_fail(kind: tuple[str, str, dict[str, Any]], place: int, value: int) -> None:
    content = bytearray(saved(kind[0], (30, 20), kind[1], **kind[2]))
    content[place % len(content)] = value
    assert isinstance(read_header(bytes(content)), ImageHeader | None)
