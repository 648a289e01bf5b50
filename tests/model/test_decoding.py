import os
import subprocess
import sys
import warnings
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from random import Random
from struct import pack

import numpy as np
import pytest
from PIL import Image, ImageFile
from pillow_heif import register_heif_opener

from facemon.domain.image_input import FilePart, FileVersion, ImageProblem
from facemon.domain.prediction import ErrorCode
from facemon.model.decoding import DecodedImage, decode_image, read_image, silence_pillow
from facemon.model.image_opening import pillow_names

LIMIT = 100_000_000
# A test that may read everything, as root may, learns nothing from a file that it may not read.
UNPRIVILEGED = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all")


@pytest.fixture(autouse=True)
def _set_up_pillow() -> None:
    silence_pillow()
    register_heif_opener()


def encoded(image: Image.Image, file_format: str, **options: object) -> bytes:
    stream = BytesIO()
    image.save(stream, file_format, **options)
    return stream.getvalue()


def decoded(content: bytes) -> Image.Image:
    answer = decode_image(content, LIMIT)
    assert isinstance(answer, DecodedImage), answer
    assert answer.image.mode == "RGB"
    return answer.image


def problem(content: bytes, max_pixels: int = LIMIT) -> ImageProblem:
    answer = decode_image(content, max_pixels)
    assert isinstance(answer, ImageProblem)
    return answer


def gradient(width: int = 60, height: int = 40) -> Image.Image:
    across = np.linspace(0, 255, width).astype(np.uint8)
    down = np.linspace(0, 255, height).astype(np.uint8)
    red, green = np.broadcast_to(across, (height, width)), np.broadcast_to(down[:, None], (height, width))
    return Image.fromarray(np.dstack([red, green, np.full_like(red, 60)]))


@pytest.mark.parametrize("file_format", ["PNG", "BMP", "TIFF", "PPM"])
def test_formats_without_loss(file_format: str) -> None:
    assert np.array_equal(np.asarray(decoded(encoded(gradient(), file_format))), np.asarray(gradient()))


@pytest.mark.parametrize("file_format", ["JPEG", "MPO", "WEBP", "GIF", "JPEG2000", "AVIF", "HEIF"])
def test_formats_with_loss(file_format: str) -> None:
    difference = np.abs(np.asarray(decoded(encoded(gradient(), file_format)), int) - np.asarray(gradient(), int))
    assert difference.mean() < 10


def test_sixteen_bit_gray_is_scaled_not_cut_off() -> None:
    levels = np.asarray([[0, 257, 32768, 65535]], np.uint16)
    for file_format in ("PNG", "TIFF"):
        seen = np.asarray(decoded(encoded(Image.fromarray(levels), file_format)))
        assert seen[0, :, 0].tolist() == [0, 1, 128, 255]


def test_sixteen_bit_rgb_keeps_its_high_bytes() -> None:
    pixels = np.asarray([[[0x1234, 0x5678, 0xFFFF]] * 2], ">u2")
    seen = np.asarray(decoded(sixteen_bit_png(2, 1, pixels.tobytes())))
    assert np.abs(seen[0, 0].astype(int) - [0x12, 0x56, 0xFF]).max() <= 1


def test_cmyk_palette_alpha_and_bilevel() -> None:
    red = Image.new("RGB", (20, 20), (255, 0, 0))
    assert np.asarray(decoded(encoded(red.convert("CMYK"), "JPEG")))[5, 5] == pytest.approx([255, 0, 0], abs=3)
    palette = red.convert("P")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert decoded(encoded(palette, "PNG", transparency=bytes(range(256)))).getpixel((3, 3)) == (255, 0, 0)
    clear = Image.new("RGBA", (4, 4), (10, 20, 30, 0))
    assert decoded(encoded(clear, "PNG")).getpixel((1, 1)) == (10, 20, 30)
    assert decoded(encoded(Image.new("1", (4, 4), 1), "PNG")).getpixel((1, 1)) == (255, 255, 255)


def test_pixels_without_an_agreed_range_are_refused() -> None:
    deep = Image.fromarray(np.asarray([[0.1, 900.0]], np.float32))
    assert problem(encoded(deep, "TIFF")).code is ErrorCode.UNREADABLE


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"No photograph, alas.\n" * 40, "is not an image but text"),
        ("Käse".encode() * 200, "is not an image but text"),
        (b"\0\0\0\x18ftypmp42" + bytes(900), "is a video or an image in a format that is not supported"),
        (b"\0\0\0\x18ftypheic" + bytes(900), "is not an image in a supported format, or its beginning is damaged"),
        (b"\xff" * 600, "is not an image in a supported format"),
        (bytes(range(256)) * 4, "is not an image in a supported format"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "is not an image but text"),
    ],
)
def test_what_is_no_image(content: bytes, message: str) -> None:
    found = problem(content)
    assert found.code is ErrorCode.UNREADABLE
    assert found.message.startswith(message)


def test_without_the_extra_heic_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    content = encoded(gradient(), "HEIF")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    assert problem(content).message == "is a HEIC image, which needs an extra package: pip install 'facemon[heif]'"


@pytest.mark.parametrize("brand", [b"heic", b"mif1"])
def test_heic_by_its_brands(brand: bytes) -> None:
    content = encoded(gradient(), "HEIF")
    assert decoded(content[:8] + brand + content[12:]).size == (60, 40)
    answer = decode_image(content[:8] + brand + content[12:], LIMIT, formats=("JPEG", "AVIF"))
    assert isinstance(answer, ImageProblem)
    assert answer.message == "images in the format heif are not accepted here, only avif, jpeg"


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_truncated(file_format: str) -> None:
    content = encoded(Image.effect_noise((200, 200), 80).convert("RGB"), file_format)
    found = problem(content[: len(content) // 2])
    assert found.code is ErrorCode.UNREADABLE
    if file_format in ("JPEG", "PNG"):
        assert found.message == "the file is cut off: its end is missing"


def test_a_bomb_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = bomb_png(20_000, 20_000)
    assert len(bomb) < 60_000
    with monkeypatch.context() as undecodable:
        undecodable.setattr(ImageFile.ImageFile, "load", lambda _: pytest.fail("it was decoded"))
        found = problem(bomb)
    assert found == ImageProblem(ErrorCode.TOO_LARGE, "the image has 400000000 pixels; the limit is 100000000")


def test_the_limit_counts_where_pillow_has_none() -> None:
    content = encoded(gradient(100, 50), "PNG")
    assert isinstance(decode_image(content, 5000), DecodedImage)
    expected = "the image has 100 x 50 pixels; the limit is 4999 pixels in all"
    assert problem(content, 4999) == ImageProblem(ErrorCode.TOO_LARGE, expected)
    # Pillow warns above 89 million pixels; below our limit that says nothing, and above it nothing is decoded.
    assert problem(bomb_png(12_000, 10_000)).code is ErrorCode.TOO_LARGE


@pytest.mark.slow
def test_damage_of_every_kind_ends_in_an_image_or_a_problem(astronaut: Path) -> None:
    silence_pillow()
    picture = Image.open(astronaut).convert("RGB").resize((64, 64))
    random = Random(7)
    for file_format in pillow_names():
        content = encoded(picture, file_format)
        for _ in range(150):
            damaged = bytearray(content)
            for _ in range(random.randrange(1, 20)):
                damaged[random.randrange(min(len(damaged), random.choice((64, 1024, len(damaged)))))] = (
                    random.randrange(256)
                )
            if random.random() < 0.3:
                del damaged[random.randrange(len(damaged)) :]
            answer = decode_image(bytes(damaged), LIMIT, dated_by=datetime.now(UTC))
            assert isinstance(answer, DecodedImage | ImageProblem)


def test_reading_respects_the_limit_and_says_what_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "a.jpg"
    file.write_bytes(b"12345")
    assert read_image(file, 5) == b"12345"
    assert read_image(file, 4) == ImageProblem(ErrorCode.TOO_LARGE, "the file has 5 bytes; the limit is 4")
    broken, loop, pipe = tmp_path / "broken.jpg", tmp_path / "loop.jpg", tmp_path / "pipe.jpg"
    broken.symlink_to("nowhere")
    loop.symlink_to("loop.jpg")
    os.mkfifo(pipe)
    messages = {
        tmp_path: "is a directory",
        tmp_path / "missing.jpg": "no such file",
        file / "below": "no such file",
        broken: "is a link to a file that does not exist",
        loop: "is a link that leads back to itself",
        pipe: "is not a regular file",
        tmp_path / "a\0b": "the name holds a null character, so no such file can exist",
        tmp_path / ("x" * 300): "cannot be read: file name too long",
    }
    for path, message in messages.items():
        assert read_image(path, 5) == ImageProblem(ErrorCode.UNREADABLE, message)


def test_a_part_of_a_file_is_read_as_long_as_the_file_is_the_same(tmp_path: Path) -> None:
    file = tmp_path / "x.tar"
    file.write_bytes(b"0123456789")
    part = FilePart(3, 4, FileVersion.of(file.stat()))
    assert read_image(file, 4, part=part) == b"3456"
    assert read_image(file, 3, part=part) == ImageProblem(ErrorCode.TOO_LARGE, "the file has 4 bytes; the limit is 3")
    with file.open("ab") as more:
        more.write(b"x")
    changed = ImageProblem(ErrorCode.UNREADABLE, "the archive was changed while it was read")
    assert read_image(file, 4, part=part) == changed
    file.unlink()
    assert read_image(file, 4, part=part) == ImageProblem(ErrorCode.UNREADABLE, "no such file")


def test_an_archive_and_what_would_be_in_it_are_called_so(tmp_path: Path) -> None:
    file = tmp_path / "x.tgz"
    file.write_bytes(b"x")
    (tmp_path / "folder.tar").mkdir()
    for path, said in (
        (file, "is a tar archive, which only predict reads"),
        (file / "a" / "b.jpg", "is in the archive x.tgz, which predict reads as a whole: name the archive"),
        (tmp_path / "folder.tar", "is a directory"),
        (tmp_path / "folder.tar" / "a.jpg", "no such file"),
    ):
        assert read_image(path, 5) == ImageProblem(ErrorCode.UNREADABLE, said)


def test_a_file_that_may_not_be_read(tmp_path: Path, unprivileged: Callable[[str], str]) -> None:
    file = tmp_path / "secret.jpg"
    file.write_bytes(b"x")
    file.chmod(0)
    imports = "from pathlib import Path; from facemon.model.decoding import read_image"
    program = f"{imports}; print(read_image(Path({str(file)!r}), 9))"
    assert "ErrorCode.DENIED: 'denied'" in unprivileged(program)


@pytest.fixture
def unprivileged() -> Callable[[str], str]:
    def run(program: str) -> str:
        prefix = UNPRIVILEGED if os.geteuid() == 0 else ()
        try:
            answer = subprocess.run(
                [*prefix, sys.executable, "-c", program], capture_output=True, text=True, check=True
            )
        except FileNotFoundError:
            pytest.skip("root reads every file, and setpriv, which could take that from a process, is not installed")
        return answer.stdout

    return run


def bomb_png(width: int, height: int) -> bytes:
    return png(width, height, 1, 0, bytes(height * (1 + (width + 7) // 8)))


def sixteen_bit_png(width: int, height: int, rows: bytes) -> bytes:
    length = len(rows) // height
    return png(width, height, 16, 2, b"".join(b"\0" + rows[at : at + length] for at in range(0, len(rows), length)))


def png(width: int, height: int, bits: int, colour: int, filtered_rows: bytes) -> bytes:
    """A PNG written by hand (ISO/IEC 15948), of kinds that Pillow does not write."""
    parts = [
        (b"IHDR", pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)),
        (b"IDAT", zlib.compress(filtered_rows, 9)),
        (b"IEND", b""),
    ]
    chunks = (pack(">I", len(data)) + name + data + pack(">I", zlib.crc32(name + data)) for name, data in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
