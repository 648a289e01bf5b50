"""Every format, orientation and way of decoding gives the upright pixels."""

from collections.abc import Callable
from io import BytesIO

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from pillow_heif import register_heif_opener

from facemon.config.serving import PredictConfig
from facemon.domain.image_header import read_header
from facemon.model.bounded_decoding import BoundedDecoder
from facemon.model.decoding import DecodedImage, silence_pillow

WIDTH, HEIGHT = 96, 64
ORIENTATION, XMP_TAG = 0x0112, 700
Pixels = npt.NDArray[np.uint8]

UPRIGHT: dict[int, Callable[[Pixels], Pixels]] = {
    1: lambda stored: stored,
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.transpose(1, 0, 2),
    6: lambda stored: stored[::-1].transpose(1, 0, 2),
    7: lambda stored: stored[::-1, ::-1].transpose(1, 0, 2),
    8: lambda stored: stored[:, ::-1].transpose(1, 0, 2),
}
"""Where the stored first row and first column belong (EXIF 2.32, tag 274), in numpy alone."""


def quarters() -> Pixels:
    """A picture that each turn changes, in areas that a decoder with loss keeps."""
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[: HEIGHT // 2, : WIDTH // 2] = (220, 30, 30)
    pixels[: HEIGHT // 2, WIDTH // 2 :] = (30, 200, 30)
    pixels[HEIGHT // 2 :, : WIDTH // 2] = (40, 40, 210)
    return pixels


def turned_file(file_format: str, orientation: int, **options: object) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    stream = BytesIO()
    Image.fromarray(quarters()).save(stream, file_format, exif=exif.tobytes(), **options)
    return stream.getvalue()


def tiff(orientation: int, compression: str) -> bytes:
    stream = BytesIO()
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    Image.fromarray(quarters()).save(stream, "TIFF", exif=exif, compression=compression)
    return stream.getvalue()


def mpo(orientation: int) -> bytes:
    second = Image.new("RGB", (WIDTH, HEIGHT), "white")
    return turned_file("MPO", orientation, save_all=True, append_images=[second], quality=95, subsampling=0)


def jpeg_in_pieces(orientation: int) -> bytes:
    """So many comments that a process of its own decodes it."""
    whole = turned_file("JPEG", orientation, quality=95, subsampling=0)
    return whole[:2] + b"\xff\xfe\0\2" * 10_001 + whole[2:]


def told_by_xmp(file_format: str, orientation: int, **options: object) -> bytes:
    xmp = f'<rdf:Description tiff:Orientation="{orientation}"/>'.encode()
    stream = BytesIO()
    options |= {"tiffinfo": {XMP_TAG: xmp}} if file_format == "TIFF" else {"xmp": xmp}
    Image.fromarray(quarters()).save(stream, file_format, **options)
    return stream.getvalue()


FILES: dict[str, Callable[[int], bytes]] = {
    "jpeg": lambda tag: turned_file("JPEG", tag, quality=95, subsampling=0),
    "jpeg, progressive": lambda tag: turned_file("JPEG", tag, quality=95, subsampling=0, progressive=True),
    "jpeg, another process": jpeg_in_pieces,
    "jpeg, without its end": lambda tag: turned_file("JPEG", tag, quality=95, subsampling=0)[:-2],
    "mpo": mpo,
    "png": lambda tag: turned_file("PNG", tag),
    "webp": lambda tag: turned_file("WEBP", tag, lossless=True),
    "webp, by xmp": lambda tag: told_by_xmp("WEBP", tag, lossless=True),
    "tiff, by xmp": lambda tag: told_by_xmp("TIFF", tag),
    "tiff": lambda tag: tiff(tag, "raw"),
    "tiff, libtiff": lambda tag: tiff(tag, "tiff_lzw"),
    "avif": lambda tag: turned_file("AVIF", tag, quality=90, subsampling="4:4:4"),
    "heif": lambda tag: turned_file("HEIF", tag, quality=90, chroma=444),
}


@pytest.fixture(scope="module")
def decoder() -> BoundedDecoder:
    return BoundedDecoder(PredictConfig())


@pytest.fixture(autouse=True)
def _set_up_pillow() -> None:
    silence_pillow()
    register_heif_opener()


@pytest.mark.parametrize("mode", ["exact", "fast"])
@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("kind", FILES)
def test_pixels_are_upright(decoder: BoundedDecoder, kind: str, orientation: int, mode: str) -> None:
    content = FILES[kind](orientation)
    expected = UPRIGHT[orientation](quarters())
    fast = mode == "fast"
    answer = decoder.decode(content, needed=(lambda size: (size[0] / 4, size[1] / 4)) if fast else None)
    assert isinstance(answer, DecodedImage), answer
    assert answer.size == (expected.shape[1], expected.shape[0])
    scale = 4 if fast and kind.startswith(("jpeg", "mpo")) else 1
    seen = np.asarray(answer.image)
    assert seen.shape[:2] == (expected.shape[0] // scale, expected.shape[1] // scale)
    height, width = seen.shape[:2]
    # The middle of each quarter, away from edges that scaling blurs.
    places = [(height * down // 8, width * across // 8) for down in (2, 6) for across in (2, 6)]
    for down, across in places:
        assert np.abs(seen[down, across].astype(int) - expected[down * scale, across * scale]).max() <= 12
    if kind.startswith(("png", "webp", "tiff")):
        assert np.array_equal(seen, expected)


def test_which_process_decodes_a_file_in_many_pieces(decoder: BoundedDecoder) -> None:
    content = jpeg_in_pieces(6)
    assert not decoder._is_quick(content, read_header(content))


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_the_standard_does_not_know_turns_nothing(
    decoder: BoundedDecoder, orientation: int
) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    for file_format in ("PNG", "TIFF"):
        stream = BytesIO()
        Image.fromarray(quarters()).save(stream, file_format, exif=exif)
        answer = decoder.decode(stream.getvalue())
        assert isinstance(answer, DecodedImage)
        assert np.array_equal(np.asarray(answer.image), quarters())


@pytest.mark.parametrize(
    ("content", "orientation"),
    [
        (lambda: told_by_xmp("AVIF", 6, quality=90), 1),
        (lambda: turned_file("HEIF", 3, quality=90, xmp=b'<rdf:Description tiff:Orientation="6"/>'), 3),
    ],
    ids=["AVIF", "HEIF"],
)
def test_metadata_turn_no_image_that_its_container_turns(
    decoder: BoundedDecoder, content: Callable[[], bytes], orientation: int
) -> None:
    answer = decoder.decode(content())
    assert isinstance(answer, DecodedImage)
    difference = np.abs(np.asarray(answer.image, int) - UPRIGHT[orientation](quarters()))
    assert np.median(difference) <= 12


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("damaged", [b"Exif\0\0no TIFF at all", b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x12\x01" * 9])
def test_damaged_metadata_damage_no_pixels(decoder: BoundedDecoder, file_format: str, damaged: bytes) -> None:
    stream = BytesIO()
    Image.fromarray(quarters()).save(stream, file_format, exif=damaged)
    answer = decoder.decode(stream.getvalue())
    assert isinstance(answer, DecodedImage)
    assert answer.size == (WIDTH, HEIGHT)
