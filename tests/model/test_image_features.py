import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from facemon.model.image_features import ImageFeatures, face_share, small_copy
from facemon.model.image_features import measure as measure_all


def noise(width: int, height: int, spread: int = 255) -> Image.Image:
    return Image.fromarray(np.random.default_rng(5).integers(0, spread + 1, (height, width, 3), np.uint8))


def measure(image: Image.Image) -> ImageFeatures:
    return measure_all([small_copy(image, image.size)])[0]


def test_flat_images_have_the_numbers_of_their_colour() -> None:
    white, black, red = (measure(Image.new("RGB", (300, 200), colour)) for colour in ("white", "black", "red"))
    assert white == pytest.approx((1, 0, 0, 0, 0.06))
    assert black == pytest.approx((0, 0, 0, 0, 0.06))
    assert red == pytest.approx((76 / 255, 0, 0, 1, 0.06))


def test_contrast_and_saturation_follow_their_formula() -> None:
    image = noise(120, 100)
    pixels = np.asarray(image).astype(float)[::4]
    luma = np.asarray(image.convert("L")) / 255
    measured = measure(image)
    assert measured.brightness == pytest.approx(luma.mean())
    assert measured.contrast == pytest.approx(luma.std())
    highest = np.maximum(pixels.max(axis=2), 1)
    assert measured.saturation == pytest.approx(((highest - pixels.min(axis=2)) / highest).mean(), rel=1e-4)


def test_sharpness_is_the_variance_of_the_laplacian() -> None:
    image = noise(100, 80)
    luma = np.asarray(image.convert("L")).astype(float)
    laplacian = [
        luma[y - 1, x] + luma[y + 1, x] + luma[y, x - 1] + luma[y, x + 1] - 4 * luma[y, x]
        for y in range(1, 79, 4)
        for x in range(1, 99)
    ]
    assert measure(image).sharpness == pytest.approx(np.var(laplacian), rel=1e-4)


def test_a_dark_camera_and_a_blurred_one_show(photograph: Image.Image) -> None:
    usual = measure(photograph)
    dark = measure(ImageEnhance.Brightness(photograph).enhance(0.4))
    assert dark.brightness == pytest.approx(0.4 * usual.brightness, rel=0.02)
    assert measure(photograph.filter(ImageFilter.GaussianBlur(8))).sharpness < usual.sharpness / 4
    assert measure(ImageEnhance.Color(photograph).enhance(0)).saturation < 0.01


def test_the_same_scene_at_another_size_has_nearly_the_same_features(photograph: Image.Image) -> None:
    usual = measure(photograph)
    large = measure(photograph.resize((1536, 1536), Image.Resampling.LANCZOS))
    assert large[:4] == pytest.approx(usual[:4], rel=0.1)
    assert large.size == pytest.approx(1536**2 / 1e6)


@pytest.mark.parametrize("size", [(1, 1), (2, 500), (3000, 1), (257, 3)])
def test_odd_sizes(size: tuple[int, int]) -> None:
    assert np.isfinite(measure(noise(*size))).all()


def test_images_of_several_sizes_are_measured_together_as_alone() -> None:
    images = [noise(100, 80), noise(300, 200), noise(100, 80, 90), noise(1, 1), noise(300, 200, 40)]
    together = measure_all([small_copy(image, image.size) for image in images])
    assert together == [measure(image) for image in images]
    assert measure_all([]) == []


def test_a_reduced_image_has_the_size_of_the_whole() -> None:
    assert measure_all([small_copy(noise(100, 80), (4000, 3200))])[0].size == pytest.approx(12.8)


def test_face_share_counts_only_what_lies_in_the_image() -> None:
    assert face_share((0, 0, 9, 9), 10, 10) == 1
    assert face_share((2, 2, 3, 3), 10, 10) == pytest.approx(0.04)
    assert face_share((-5, -5, 4, 4), 10, 10) == pytest.approx(0.25)
    assert face_share((-9, 0, -2, 5), 10, 10) == 0


@pytest.fixture
def photograph(astronaut: object) -> Image.Image:
    return Image.open(str(astronaut)).convert("RGB")
