"""A plain JPEG, decoded without a reader of metadata, is what the reader of all files says of it."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from facemon.config.serving import PredictConfig
from facemon.domain.image_header import read_header
from facemon.domain.image_input import ImageProblem
from facemon.model.bounded_decoding import BoundedDecoder
from facemon.model.decoding import DecodedImage, decode_image
from facemon.model.plain_jpeg import decode_plain_jpeg

MOST_PIXELS = 10**6
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
PLAIN: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "full colours": {"subsampling": 0, "quality": 95},
    "half colours": {"subsampling": 1, "quality": 30},
    "progressive": {"progressive": True},
    "restarts": {"restart_marker_blocks": 3},
    "a comment": {"comment": b"\xff\xd8 no begin"},
    "a profile": {"icc_profile": PROFILE},
}


def photograph(width: int = 61, height: int = 45, mode: str = "RGB") -> Image.Image:
    noise = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC).convert(mode)


def saved(image: Image.Image, **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, options.pop("format", "JPEG"), **options)
    return file.getvalue()


def exif(orientation: int) -> Image.Exif:
    found = Image.Exif()
    found[274] = orientation
    return found


OTHERS = {
    "turned": saved(photograph(), exif=exif(6)),
    "turned by XMP": saved(photograph(), xmp=b'<x tiff:Orientation="6"/>'),
    "gray": saved(photograph(mode="L")),
    "CMYK": saved(photograph(mode="CMYK")),
    "several pictures": saved(photograph(), format="MPO", save_all=True, append_images=[photograph()]),
    "PNG": saved(photograph(), format="PNG"),
    "a beginning that is too short": b"\xff\xd8\xff\xe0\0\6JFIF" + saved(photograph())[2:],
}


def is_same(one: object, other: object) -> bool:
    if isinstance(one, DecodedImage) and isinstance(other, DecodedImage):
        return one.size == other.size and one.image.mode == "RGB" and one.image.tobytes() == other.image.tobytes()
    problem = getattr(one, "problem", None)
    return problem is not None and problem == other


@pytest.mark.parametrize("size", [(1, 1), (61, 45), (178, 218)])
@pytest.mark.parametrize("name", PLAIN)
def test_plain_jpegs_have_the_same_pixels(name: str, size: tuple[int, int]) -> None:
    content = saved(photograph(*size), **PLAIN[name])
    header = read_header(content)
    assert header is not None
    assert header.is_plain
    decoded = decode_plain_jpeg(content, header, None)
    assert decoded is not None
    assert is_same(decoded, decode_image(content, MOST_PIXELS))


@pytest.mark.parametrize("name", OTHERS)
def test_all_other_files_are_not_plain(name: str) -> None:
    header = read_header(OTHERS[name])
    assert header is not None
    assert not header.is_plain


@pytest.mark.parametrize("name", OTHERS)
def test_all_other_files_are_decoded_as_before(name: str) -> None:
    answer = BoundedDecoder(PredictConfig()).decode(OTHERS[name])
    assert is_same(answer, decode_image(OTHERS[name], MOST_PIXELS))


def test_a_damaged_file_has_the_same_pixels_or_problem() -> None:
    random = np.random.default_rng(1)
    decoder = BoundedDecoder(PredictConfig(max_pixels=MOST_PIXELS))
    whole = [saved(photograph(), **options) for options in PLAIN.values()]
    problems = 0
    for _ in range(1_000):
        content = bytearray(whole[random.integers(len(whole))])
        for place in random.integers(2, len(content), random.integers(1, 4)):
            content[place] = random.integers(256)
        damaged = bytes(content)
        header = read_header(damaged)
        if header is None or not header.is_plain:
            continue
        expected = decode_image(damaged, MOST_PIXELS)
        problems += isinstance(expected, ImageProblem)
        assert is_same(decoder.decode(damaged), expected), damaged.hex()
    assert problems


@pytest.mark.parametrize("name", PLAIN)
def test_a_file_that_ends_early_has_the_same_pixels_or_problem(name: str) -> None:
    content = saved(photograph(), **PLAIN[name])
    decoder = BoundedDecoder(PredictConfig(max_pixels=MOST_PIXELS))
    for end in [*range(len(content) - 20, len(content)), len(content) // 2]:
        assert is_same(decoder.decode(content[:end]), decode_image(content[:end], MOST_PIXELS)), end


def test_one_that_may_be_decoded_smaller_is() -> None:
    content = saved(photograph(400, 400))
    decoder = BoundedDecoder(PredictConfig())
    for least, side in ((50, 50), (150, 200), (201, 400)):
        decoded = decoder.decode(content, needed={(400, 400): (least, least)}.__getitem__)
        assert isinstance(decoded, DecodedImage)
        assert decoded.image.size == (side, side)
        assert decoded.size == (400, 400)


def test_limits_of_pixels_and_formats_hold() -> None:
    content = saved(photograph())
    for limits in (PredictConfig(max_pixels=100), PredictConfig(formats=("png",))):
        answer = BoundedDecoder(limits).decode(content)
        assert is_same(answer, decode_image(content, limits.max_pixels, formats=tuple(map(str.upper, limits.formats))))
