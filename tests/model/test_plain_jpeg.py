"""What is decoded without Pillow's look at the head has the pixels, sizes and dates that Pillow's own way gives."""

import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from facemon.config.serving import PredictConfig
from facemon.domain.image_header import read_header
from facemon.domain.image_input import ImageProblem, Undated
from facemon.domain.prediction import ErrorCode
from facemon.model.bounded_decoding import BoundedDecoder, Undecoded
from facemon.model.decoding import DecodedImage, NeededSize, decode_image
from facemon.model.plain_jpeg import decode_plain_jpeg

_OPTIONS: list[dict[str, Any]] = [
    {},
    {"quality": 30, "subsampling": 0},
    {"quality": 95, "subsampling": 1, "optimize": True},
    {"comment": b"a comment", "restart_marker_blocks": 3},
    {"qtables": [list(range(1, 65)), list(range(64, 0, -1))]},
]


def jpeg(size: tuple[int, int], mode: str = "RGB", **options: Any) -> bytes:
    """A picture in which each pixel differs from its neighbours."""
    stream = io.BytesIO()
    channels = [Image.linear_gradient("L").rotate(turn).resize(size) for turn in (0, 90, 180, 270)]
    Image.merge("RGB", channels[:3]).convert(mode).save(stream, "JPEG", **options)
    return stream.getvalue()


def plain(content: bytes, needed: NeededSize | None = None) -> DecodedImage | None:
    header = read_header(content)
    return None if header is None else decode_plain_jpeg(content, header, needed)


def same(one: DecodedImage | Undecoded, other: DecodedImage | ImageProblem) -> bool:
    if isinstance(one, DecodedImage) and isinstance(other, DecodedImage):
        pixels = (one.image.mode, one.image.tobytes()) == (other.image.mode, other.image.tobytes())
        return pixels and replace(one, image=other.image) == other
    return isinstance(one, Undecoded) and one.problem == other


@given(st.sampled_from(_OPTIONS), st.integers(1, 300), st.integers(1, 300), st.sampled_from([None, 20, 64, 5000]))
def test_ordinary_jpegs_have_the_same_pixels_at_each_scale(
    options: dict[str, Any], width: int, height: int, least: int | None
) -> None:
    content, needed = jpeg((width, height), **options), (lambda _: (least, least / 2)) if least else None
    found = plain(content, needed)
    assert found is not None
    assert same(found, decode_image(content, 10**6, needed=needed))


@given(st.sampled_from(_OPTIONS), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=3), st.data())
def test_damage_changes_nothing_of_what_is_said(
    options: dict[str, Any], changes: list[tuple[float, int]], data: st.DataObject
) -> None:
    content = bytearray(jpeg((40, 30), **options))
    # Half of the changes in the head, which is most of a small file.
    for place, value in changes:
        content[int(place * (len(content) - 1))] = value
    cut = data.draw(st.sampled_from([len(content), data.draw(st.integers(0, len(content)))]))
    decoder = BoundedDecoder(PredictConfig())
    header = read_header(bytes(content[:cut]))
    if header is None or header.pixels > 10**6:
        return
    assert same(decoder.decode(bytes(content[:cut])), decode_image(bytes(content[:cut]), 10**9))


def _with_segment(marker: int, text: bytes) -> bytes:
    whole = jpeg((40, 30))
    return whole[:2] + bytes((0xFF, marker)) + (len(text) + 2).to_bytes(2) + text + whole[2:]


@pytest.mark.parametrize(
    "content",
    [
        jpeg((40, 30), "L"),
        jpeg((40, 30), "CMYK"),
        jpeg((40, 30), progressive=True),
        jpeg((40, 30), exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"),
        jpeg((40, 30), icc_profile=b"a profile"),
        _with_segment(0xEE, b"Adobe\0\x64\0\0\0\0\0"),
        _with_segment(0xED, b"Photoshop 3.0\0"),
        _with_segment(0xE0, b"JFIF\0"),
        _with_segment(0xDB, b"\0" + b"\1" * 63),
        _with_segment(0xDB, b"\x10" + b"\0\1" * 64 + b"\0"),
        jpeg((40, 30))[:-100],
        jpeg((40, 30))[:-2],
    ],
)
def test_all_else_takes_the_usual_way(content: bytes) -> None:
    assert plain(content) is None
    assert same(BoundedDecoder(PredictConfig()).decode(content), decode_image(content, 10**6))


def test_limits_and_formats_hold() -> None:
    content = jpeg((40, 30))
    large = BoundedDecoder(PredictConfig(max_pixels=1199)).decode(content)
    refused = BoundedDecoder(PredictConfig(formats=("png",))).decode(content)
    assert isinstance(large, Undecoded)
    assert large.problem.code == ErrorCode.TOO_LARGE
    assert isinstance(refused, Undecoded)
    assert "not accepted here" in refused.problem.message


def test_an_image_without_metadata_has_no_date() -> None:
    now = datetime(2026, 11, 30, tzinfo=UTC)
    found = BoundedDecoder(PredictConfig()).decode(jpeg((40, 30)), dated_by=now)
    assert isinstance(found, DecodedImage)
    assert found.taken_at is Undated.MISSING
    assert same(found, decode_image(jpeg((40, 30)), 10**6, dated_by=now))


def test_pillows_own_limit_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500)
    found = BoundedDecoder(PredictConfig()).decode(jpeg((40, 30)))
    assert isinstance(found, Undecoded)
    assert found.problem.code == ErrorCode.TOO_LARGE
