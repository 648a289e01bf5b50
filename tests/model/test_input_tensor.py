from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydantic import ValidationError

from facemon.config.model import InputConfig
from facemon.model.input_tensor import input_batch, input_pixels


def config(**options: Any) -> InputConfig:
    return InputConfig.model_validate({"name": "input", "size": [4, 2], "scale": 1.0} | options)


def photograph(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(3).integers(0, 256, (height, width, 3), np.uint8))


def test_channels_are_ordered_before_mean_and_std_are_taken() -> None:
    image = Image.new("RGB", (4, 2), (10, 20, 30))
    bgr = config(channels="bgr", scale=0.5, mean=[1, 2, 3], std=[1, 2, 4])
    batch = input_batch([input_pixels(image, bgr)], bgr)
    assert batch.shape == (1, 3, 2, 4)
    assert batch.dtype == np.float32
    assert batch.flags.c_contiguous
    assert batch[0, :, 1, 3].tolist() == [(30 * 0.5 - 1) / 1, (20 * 0.5 - 2) / 2, (10 * 0.5 - 3) / 4]


def test_layouts_hold_the_same_numbers() -> None:
    image = photograph(4, 2)
    nchw, nhwc = config(), config(layout="nhwc")
    first, second = (input_batch([input_pixels(image, each)], each) for each in (nchw, nhwc))
    assert second.shape == (1, 2, 4, 3)
    assert np.array_equal(first.transpose(0, 2, 3, 1), second)
    assert np.array_equal(second[0], np.asarray(image))


def test_gray_is_the_luma() -> None:
    gray = config(channels="gray", mean=[10.0], std=[2.0])
    batch = input_batch([input_pixels(Image.new("RGB", (4, 2), (200, 100, 50)), gray)], gray)
    assert batch.shape == (1, 1, 2, 4)
    assert np.unique(batch) == pytest.approx([(round(0.299 * 200 + 0.587 * 100 + 0.114 * 50) - 10) / 2])


@pytest.mark.parametrize("by", ["pillow", "opencv"])
def test_gray_is_the_gray_of_its_library_before_and_after_resizing(by: str) -> None:
    image = photograph(64, 48)
    pixels = np.asarray(image)

    def gray(colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if by == "opencv":
            return cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY)
        return np.asarray(Image.fromarray(colours).convert("L"))

    plain = {"after": gray(cv2.resize(pixels, (16, 12))), "before": cv2.resize(gray(pixels), (16, 12))}
    assert (plain["after"] != plain["before"]).any()
    for when, expected in plain.items():
        options = config(size=[16, 12], channels="gray", gray={"by": by, "when": when}, resample="opencv_bilinear")
        assert np.array_equal(input_pixels(image, options)[:, :, 0], expected)


def test_the_libraries_round_gray_differently() -> None:
    """All 2 to the power of 24 colours would take a second; a cube with every third level tells as well."""
    cube = np.stack(np.meshgrid(*[np.arange(0, 256, 3, np.uint8)] * 3), axis=-1).reshape(86, -1, 3)
    size = [cube.shape[1], cube.shape[0]]
    by_pillow, by_opencv = (
        input_pixels(Image.fromarray(cube), config(size=size, channels="gray", gray={"by": by}))[:, :, 0]
        for by in ("pillow", "opencv")
    )
    assert np.array_equal(by_opencv, cv2.cvtColor(cube, cv2.COLOR_RGB2GRAY))
    assert np.array_equal(by_pillow, np.asarray(Image.fromarray(cube).convert("L")))
    assert (by_pillow != by_opencv).any()


def test_gray_for_colours_is_refused() -> None:
    with pytest.raises(ValidationError, match="write channels: gray"):
        config(channels="rgb", gray={"by": "opencv"})


def test_stretch_uses_the_named_filter() -> None:
    image = photograph(40, 30)
    for name, method in (("nearest", 0), ("lanczos", 1), ("bilinear", 2), ("bicubic", 3)):
        assert np.array_equal(
            input_pixels(image, config(resample=name)), np.asarray(image.resize((4, 2), Image.Resampling(method)))
        )


def test_crop_is_the_middle_of_the_resized_image() -> None:
    image = photograph(8, 8)
    resized = np.asarray(image.resize((4, 4), Image.Resampling.BILINEAR))
    assert np.array_equal(input_pixels(image, config(fit="crop")), resized[1:3])


def test_pad_keeps_all_of_the_image_and_its_proportions() -> None:
    image = Image.new("RGB", (8, 8), (255, 255, 255))
    padded = input_pixels(image, config(fit="pad", resample="nearest"))
    assert padded[:, [0, 3]].max() == 0
    assert padded[:, [1, 2], 0].min() == 255


def test_the_formula_in_float32() -> None:
    options = config(scale=1 / 255, mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
    pixels = np.asarray(photograph(4, 2))
    mean, std = np.asarray(options.mean, np.float32), np.asarray(options.std, np.float32)
    expected = (pixels.astype(np.float32) / np.float32(255) - mean) / std
    assert np.array_equal(input_batch([pixels, pixels], options)[1].transpose(1, 2, 0), expected)


@pytest.mark.parametrize("divisor", [255, 256, 128])
def test_a_scale_of_one_over_a_whole_number_divides_by_it(divisor: int) -> None:
    levels = np.arange(256, dtype=np.uint8)[:, np.newaxis, np.newaxis].repeat(3, axis=2)
    batch = input_batch([levels], config(scale=1 / divisor))
    assert np.array_equal(batch[0, 0, :, 0], np.arange(256, dtype=np.float32) / np.float32(divisor))


def test_another_scale_multiplies() -> None:
    levels = np.arange(256, dtype=np.uint8)[:, np.newaxis, np.newaxis].repeat(3, axis=2)
    for scale in (0.0039, 0.017, 1.5, 3.0):
        batch = input_batch([levels], config(scale=scale))
        assert np.array_equal(batch[0, 0, :, 0], np.arange(256, dtype=np.float32) * np.float32(scale))


def test_whole_numbers_are_rounded_half_to_even() -> None:
    options = config(scale=0.5, mean=[64] * 3)
    pixels = np.array([[[0, 1, 2], [3, 253, 255]]], np.uint8)
    batch = input_batch([pixels], options, np.int8)
    assert batch.dtype == np.int8
    assert batch.transpose(0, 2, 3, 1).ravel().tolist() == [-64, -64, -63, -62, 62, 64]
