"""Small graphs that answer what they were fed, for every form of input, against plain numpy and Pillow."""

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto
from PIL import Image, ImageOps

from facemon.config.serving import PredictConfig
from facemon.domain.image_input import ImageInput
from facemon.model.predictor import Predictor
from tests.model.onnx_files import model_of, write_identity_model

WIDTH, HEIGHT = 6, 5
TYPES = {
    "float": TensorProto.FLOAT, "float16": TensorProto.FLOAT16, "double": TensorProto.DOUBLE,
    "uint8": TensorProto.UINT8, "int8": TensorProto.INT8, "int32": TensorProto.INT32,
}  # fmt: skip
WHOLE_MEAN = {"uint8": 0, "int8": 128, "int32": 100}
"""For the types without fractions."""
MEAN, STD = (0.5, 0.25, 0.125), (0.25, 0.5, 2.0)
FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


def seen_by(path: Path, images: list[Path], **options: Any) -> NDArray[np.float32]:
    """What the network saw of each image, read through the predictor as one number attribute an element."""
    count = WIDTH * HEIGHT * (1 if options.get("channels") == "gray" else 3)
    attributes = [{"name": f"p{index}", "output": "seen", "kind": "number", "index": index} for index in range(count)]
    model = model_of(path, attributes, size=[WIDTH, HEIGHT], **options)
    inputs = [ImageInput(index, image.name, image) for index, image in enumerate(images)]
    rows = Predictor(model, PredictConfig(decode="exact")).predict(inputs, "run").rows
    assert rows.column("error").to_pylist() == [None] * len(images)
    return np.stack([rows.column(f"p{index}_value").to_numpy() for index in range(count)], axis=1)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder, random = tmp_path_factory.mktemp("images"), np.random.default_rng(8)
    paths = []
    for index, size in enumerate([(11, 7), (6, 5), (20, 31)]):
        paths.append(folder / f"{index}.png")
        Image.fromarray(random.integers(0, 256, (size[1], size[0], 3), np.uint8)).save(paths[-1])
    return paths


def reference(path: Path, *, layout: str, channels: str, element: str) -> NDArray[np.float64]:
    image = Image.open(path).resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR)
    pixels = np.asarray(image.convert("L") if channels == "gray" else image, np.float64).reshape(HEIGHT, WIDTH, -1)
    if channels == "bgr":
        pixels = pixels[:, :, ::-1]
    if element in WHOLE_MEAN:
        pixels = pixels - WHOLE_MEAN[element]
    else:
        count = pixels.shape[2]
        pixels = (pixels / 255 - MEAN[:count]) / STD[:count]
    return (pixels.transpose(2, 0, 1) if layout == "nchw" else pixels).ravel()


@pytest.mark.parametrize("batch", ["n", 1, 2])
@pytest.mark.parametrize(
    ("layout", "channels", "element"), list(product(["nchw", "nhwc"], ["rgb", "bgr", "gray"], list(TYPES)))
)
def test_every_form_of_input(
    tmp_path: Path, photographs: list[Path], layout: str, channels: str, element: str, batch: int | str
) -> None:
    path = write_identity_model(
        tmp_path / "m.onnx",
        layout=layout,
        channels=1 if channels == "gray" else 3,
        size=(WIDTH, HEIGHT),
        batch=batch,
        element=TYPES[element],
    )
    numbers: dict[str, Any] = {"mean": MEAN, "std": STD}
    if element in WHOLE_MEAN:
        numbers = {"scale": 1, "mean": [WHOLE_MEAN[element]] * 3}
    seen = seen_by(path, photographs, layout=layout, channels=channels, **numbers)
    expected = [reference(image, layout=layout, channels=channels, element=element) for image in photographs]
    tolerance = {"float": 1e-6, "double": 1e-6, "float16": 4e-3}.get(element, 0)
    np.testing.assert_allclose(seen, expected, atol=tolerance, rtol=1e-3 if element == "float16" else 1e-6)


@pytest.mark.parametrize("resample", [*FILTERS, "opencv_bilinear"])
@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
def test_every_fit_with_every_filter(tmp_path: Path, photographs: list[Path], fit: str, resample: str) -> None:
    path = write_identity_model(tmp_path / "m.onnx", layout="nhwc", size=(WIDTH, HEIGHT))
    seen = seen_by(path, photographs, layout="nhwc", fit=fit, resample=resample, scale=1)
    expected = [fitted(Image.open(image), fit, resample).ravel() for image in photographs]
    # Pillow cuts a fraction of a pixel where OpenCV's users cut whole ones; black borders lie in the same place.
    np.testing.assert_allclose(seen, expected, atol=1 if resample == "opencv_bilinear" else 0)


def fitted(image: Image.Image, fit: str, resample: str) -> NDArray[np.uint8]:
    """The fit written down plainly: scale, then cut or fill evenly on both sides."""
    if resample != "opencv_bilinear":
        method = FILTERS[resample]
        match fit:
            case "stretch":
                return np.asarray(image.resize((WIDTH, HEIGHT), method))
            case "crop":
                return np.asarray(ImageOps.fit(image, (WIDTH, HEIGHT), method))
            case _:
                return letterbox(np.asarray(image.resize(inside(image, min), method)))
    import cv2

    size = (WIDTH, HEIGHT) if fit == "stretch" else inside(image, min if fit == "pad" else max)
    pixels = np.asarray(cv2.resize(np.asarray(image), size, interpolation=cv2.INTER_LINEAR), np.uint8)
    if fit == "crop":
        left, top = (size[0] - WIDTH) // 2, (size[1] - HEIGHT) // 2
        return pixels[top : top + HEIGHT, left : left + WIDTH]
    return letterbox(pixels)


def inside(image: Image.Image, choose: Callable[[float, float], float]) -> tuple[int, int]:
    scale = choose(WIDTH / image.width, HEIGHT / image.height)
    return round(image.width * scale), round(image.height * scale)


def letterbox(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    canvas = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    height, width = pixels.shape[:2]
    top, left = (HEIGHT - height) // 2, (WIDTH - width) // 2
    canvas[top : top + height, left : left + width] = pixels
    return canvas


def test_fast_decoding_moves_pixels_little_and_exact_not_at_all(tmp_path: Path, astronaut: Path) -> None:
    photograph = tmp_path / "photograph.jpg"
    Image.open(astronaut).convert("RGB").resize((1600, 1200)).save(photograph, quality=92)
    path = write_identity_model(tmp_path / "m.onnx", layout="nhwc", size=(64, 48))
    count = 64 * 48 * 3
    attributes = [{"name": f"p{i}", "output": "seen", "kind": "number", "index": i} for i in range(0, count, 7)]
    model = model_of(path, attributes, size=[64, 48], layout="nhwc", scale=1)
    seen = {}
    for decode in ("exact", "fast"):
        predictor = Predictor(model, PredictConfig(decode=decode))
        rows = predictor.predict([ImageInput(0, "photograph", photograph)], "run").rows
        assert rows.column("image_size").to_pylist() == [pytest.approx(1.92)]
        seen[decode] = np.array([rows.column(f"p{i}_value")[0].as_py() for i in range(0, count, 7)])
    exact = np.asarray(Image.open(photograph).resize((64, 48), Image.Resampling.BILINEAR), float).ravel()[::7]
    assert np.array_equal(seen["exact"], exact)
    moved = np.abs(seen["fast"] - exact)
    assert 0 < moved.mean() < 0.5


def test_fast_decoding_keeps_turned_photographs_upright(tmp_path: Path, astronaut: Path) -> None:
    photograph = Image.open(astronaut).convert("RGB").resize((1600, 1200))
    upright, turned = tmp_path / "upright.jpg", tmp_path / "turned.jpg"
    photograph.save(upright, quality=92)
    exif = Image.Exif()
    exif[0x0112] = 6
    photograph.transpose(Image.Transpose.ROTATE_90).save(turned, quality=92, exif=exif)
    path = write_identity_model(tmp_path / "m.onnx", layout="nhwc", size=(16, 8))
    attributes = [{"name": f"p{i}", "output": "seen", "kind": "number", "index": i} for i in range(384)]
    model = model_of(path, attributes, size=[16, 8], layout="nhwc", scale=1)
    rows = (
        Predictor(model, PredictConfig(decode="fast"))
        .predict([ImageInput(index, str(index), file) for index, file in enumerate((upright, turned))], "run")
        .rows
    )
    numbers = np.array([rows.column(f"p{i}_value").to_numpy() for i in range(384)])
    assert np.abs(numbers[:, 0] - numbers[:, 1]).mean() < 1.5
