"""A TIFF of any depth has the brightness that its tags say, or is an error row: never another brightness."""

from io import BytesIO
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from facemon.config.serving import PredictConfig
from facemon.domain.image_input import ImageInput, ImageProblem
from facemon.domain.prediction import ErrorCode
from facemon.model.bounded_decoding import BoundedDecoder, Undecoded
from facemon.model.decoding import DecodedImage, decode_image, silence_pillow
from facemon.model.predictor import Predictor
from tests.model.onnx_files import model_of, write_reducing_model
from tests.model.tiff_files import BLACK_IS_ZERO, FLOAT, RGB, SIGNED, UNSIGNED, WHITE_IS_ZERO, Samples, Tiff

PHOTOMETRIC = (WHITE_IS_ZERO, BLACK_IS_ZERO)
READ = {(bits, photometric) for bits in (1, 2, 4, 8, 16) for photometric in PHOTOMETRIC} | {(12, BLACK_IS_ZERO)}
"""Depths and photometric interpretations of gray that are read, in the usual byte order."""
NO_RANGE = "the pixels have 32 bits a channel, for which no range is agreed on"
NO_SIGN = "the pixels are signed numbers, for which no range is agreed on"


@pytest.fixture(autouse=True)
def _set_up_pillow() -> None:
    silence_pillow()


def drawn(bits: int, channels: int = 1) -> Samples:
    """Numbers of so many bits, both ends among them; an odd width, so that 12 bits end within a byte."""
    samples = np.random.default_rng(bits).integers(0, 2**bits, (5, 7, channels), np.uint64)
    samples[0, 0], samples[-1, -1] = 0, 2**bits - 1
    return samples


def brightness(tiff: Tiff, samples: Samples) -> NDArray[np.float64]:
    """What the specification says, from 0 to 255, before it is rounded."""
    share: NDArray[np.float64] = samples.astype(np.float64) / (2**tiff.bits - 1)
    return 255 * (1 - share) if tiff.photometric == WHITE_IS_ZERO else 255 * share


def answer_of(content: bytes, decoder: BoundedDecoder | None = None) -> DecodedImage | ImageProblem:
    """What becomes of a file in this process, or in the one of a decoder."""
    if decoder is None:
        return decode_image(content, 10**6)
    answer = decoder.decode(content)
    return answer.problem if isinstance(answer, Undecoded) else answer


@pytest.mark.parametrize("decoder", [None, BoundedDecoder(PredictConfig())], ids=["here", "in a process of its own"])
def test_gray_is_read_at_its_brightness_or_refused(decoder: BoundedDecoder | None) -> None:
    depths = (1, 2, 4, 8, 10, 12, 14, 16, 24, 32)
    for bits, photometric, order, sample_format, is_deflated in product(
        depths, PHOTOMETRIC, "<>", (UNSIGNED, SIGNED, FLOAT), (False, True)
    ):
        samples, tiff = drawn(bits), Tiff(bits, photometric, order, sample_format, is_deflated)
        answer = answer_of(tiff.content(samples), decoder)
        if isinstance(answer, ImageProblem):
            assert answer.code is ErrorCode.UNREADABLE
            assert (bits, photometric) not in READ or sample_format != UNSIGNED or order == ">", (tiff, answer)
            continue
        assert sample_format == UNSIGNED, tiff
        seen = np.asarray(answer.image)
        assert np.abs(seen - brightness(tiff, samples)).max() <= 0.5 + 1e-9, tiff


def encoded(levels: NDArray[np.uint16] | NDArray[np.int32], file_format: str) -> bytes:
    stream = BytesIO()
    Image.fromarray(levels).save(stream, file_format)
    return stream.getvalue()


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "PPM", "JPEG2000"])
def test_each_level_of_sixteen_bits_is_rounded_to_the_next(file_format: str) -> None:
    levels = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    options = levels.astype(np.int32) if file_format == "PPM" else levels
    answer = answer_of(encoded(options, file_format))
    assert isinstance(answer, DecodedImage)
    expected = (levels.astype(int) + 128) // 257
    assert np.array_equal(np.asarray(answer.image)[:, :, 1], expected)


@pytest.mark.parametrize(
    ("tiff", "message"),
    [
        (Tiff(32), NO_RANGE),
        (Tiff(32, sample_format=SIGNED), NO_RANGE),
        (Tiff(32, sample_format=FLOAT), NO_RANGE),
        (Tiff(32, WHITE_IS_ZERO, sample_format=FLOAT), NO_RANGE),
        (Tiff(16, sample_format=SIGNED), NO_SIGN),
        (Tiff(8, sample_format=SIGNED), NO_SIGN),
    ],
)
def test_numbers_without_an_agreed_range_are_refused_whatever_they_are(tiff: Tiff, message: str) -> None:
    for level in (0, 1, 100):
        answer = answer_of(tiff.content(np.full((3, 4, 1), level, np.uint64)))
        assert answer == ImageProblem(ErrorCode.UNREADABLE, message)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("is_deflated", [False, True])
def test_sixteen_bit_colours_keep_their_high_bytes_or_are_refused(order: str, is_deflated: bool) -> None:
    samples = drawn(16, 3)
    together = Tiff(16, RGB, order, is_deflated=is_deflated)
    answer = answer_of(together.content(samples))
    assert isinstance(answer, DecodedImage)
    assert np.array_equal(np.asarray(answer.image), samples >> np.uint64(8))
    apart = answer_of(Tiff(16, RGB, order, is_deflated=is_deflated, is_planar=True).content(samples))
    if is_deflated:
        assert isinstance(apart, DecodedImage)
        assert np.array_equal(np.asarray(apart.image), np.asarray(answer.image))
    else:
        assert isinstance(apart, ImageProblem)
        assert "the channels of 16 bits lie apart in the file" in apart.message
    eight = drawn(8, 3)
    answer = answer_of(Tiff(8, RGB, order, is_deflated=is_deflated, is_planar=True).content(eight))
    assert isinstance(answer, DecodedImage)
    assert np.array_equal(np.asarray(answer.image), eight)


@pytest.mark.parametrize(("bits", "photometric"), [(12, BLACK_IS_ZERO), (16, WHITE_IS_ZERO)])
def test_a_turned_image_has_its_brightness_too(bits: int, photometric: int) -> None:
    tiff, samples = Tiff(bits, photometric), drawn(bits)
    answer = answer_of(tiff.content(samples, orientation=6))
    assert isinstance(answer, DecodedImage)
    expected = np.rot90(brightness(tiff, samples), -1)
    assert np.abs(np.asarray(answer.image) - expected).max() <= 0.5 + 1e-9


def test_files_and_requests_are_predicted_from_the_same_brightness(tmp_path: Path) -> None:
    file = write_reducing_model(tmp_path / "m.onnx", {"x": [[1.0], [0.0], [0.0]]})
    predictor = Predictor(model_of(file, [{"name": "x", "output": "x", "kind": "number"}]), PredictConfig())
    combinations = [*sorted(READ), (32, BLACK_IS_ZERO)]
    expected: list[float | None] = []
    images = []
    for index, (bits, photometric) in enumerate(combinations):
        level = 2**bits // 4
        samples = np.full((8, 8, 1), level, np.uint64)
        tiff = Tiff(bits, photometric)
        path = tmp_path / f"{bits}-{photometric}.tiff"
        path.write_bytes(tiff.content(samples))
        images += [ImageInput(2 * index, "i", path), ImageInput(2 * index + 1, "i", content=path.read_bytes())]
        expected += [None if bits == 32 else round(brightness(tiff, samples).max()) / 255] * 2
    rows = predictor.predict(images, "run").rows.to_pylist()
    seen = [row["x_value"] for row in rows]
    assert [row["error"] for row in rows] == [None if each is not None else "unreadable" for each in expected]
    assert seen == [None if each is None else pytest.approx(each, abs=1e-3) for each in expected]
