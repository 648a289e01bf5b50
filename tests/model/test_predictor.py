import hashlib
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from facemon.config.builtin_bundles import builtin_bundle
from facemon.config.model import ModelConfig
from facemon.config.serving import PredictConfig
from facemon.domain.image_input import ImageInput, ImageProblem, shown_name
from facemon.domain.prediction import ErrorCode, Undated, log_schema
from facemon.errors import FacemonError
from facemon.model.predictor import Predictor
from tests.model.onnx_files import flat_image, model_of, write_identity_model, write_reducing_model

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
THEN = datetime(2026, 11, 20, 8, tzinfo=UTC)
# With channel means r, g, b between 0 and 1: logits, probabilities and a number.
OUTPUTS = {
    "beard": [[10.0], [0.0], [-10.0]],
    "shared": [[8.0, 0.0, 0.0, 1.0], [0.0, 8.0, 0.0, 2.0], [0.0, 0.0, 8.0, 4.0]],
    "ages": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
}
ATTRIBUTES: list[dict[str, Any]] = [
    {"name": "beard", "output": "beard", "kind": "binary", "labels": ["no", "yes"], "activation": "sigmoid"},
    {"name": "hair", "output": "shared", "slice": [0, 3], "kind": "categorical", "labels": ["red", "green", "blue"],
     "activation": "softmax"},
    {"name": "score", "output": "shared", "index": 3, "kind": "number"},
    {"name": "age", "output": "ages", "kind": "ordinal", "values": [5, 25, 70], "activation": "softmax",
     "bands": {"child": [0, 18], "adult": [18, 65], "old": [65, 99]}},
]  # fmt: skip
COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "mixed": (51, 102, 204)}


def predictor_of(model: ModelConfig, **limits: Any) -> Predictor:
    return Predictor(model, PredictConfig(**limits), clock=lambda: NOW)


@pytest.mark.parametrize("batch", ["n", 1, 3])
@pytest.mark.parametrize(("layout", "channels"), [("nchw", "rgb"), ("nhwc", "bgr")])
def test_every_kind_from_a_graph_against_plain_numpy(
    tmp_path: Path, batch: int | str, layout: str, channels: str
) -> None:
    file = write_reducing_model(tmp_path / "m.onnx", OUTPUTS, layout=layout, batch=batch)
    model = model_of(file, ATTRIBUTES, layout=layout, channels=channels)
    images = [
        ImageInput(index, name, flat_image(tmp_path / f"{name}.png", colour))
        for index, (name, colour) in enumerate(COLOURS.items())
    ]
    rows = predictor_of(model).predict(images, "run").rows
    means = np.asarray(list(COLOURS.values())) / 255
    if channels == "bgr":
        means = means[:, ::-1]
    beard = 1 / (1 + np.exp(-means @ OUTPUTS["beard"]))[:, 0]
    shared = means @ OUTPUTS["shared"]
    hair = np.exp(shared[:, :3]) / np.exp(shared[:, :3]).sum(axis=1, keepdims=True)
    ages = np.exp(means) / np.exp(means).sum(axis=1, keepdims=True)
    value = ages @ [5, 25, 70]
    band = np.digitize(value, [18, 65])
    assert rows.schema == log_schema(model.attributes)
    read = rows.to_pydict()
    assert read["beard"] == [["no", "yes"][int(share >= 0.5)] for share in beard]
    assert read["beard_confidence"] == pytest.approx(np.maximum(beard, 1 - beard), rel=1e-5)
    assert read["hair"] == [["red", "green", "blue"][index] for index in hair.argmax(axis=1)]
    assert read["hair_confidence"] == pytest.approx(hair.max(axis=1), rel=1e-5)
    assert read["score_value"] == pytest.approx(shared[:, 3], rel=1e-5)
    assert read["age"] == [["child", "adult", "old"][index] for index in band]
    assert read["age_value"] == pytest.approx(value, rel=1e-5)
    assert read["age_confidence"] == pytest.approx(np.take_along_axis(ages, band[:, None], 1)[:, 0], rel=1e-5)
    assert read["face"] == [0, 0, 0, 0]
    assert read["box"] == [None] * 4
    assert read["image_face_share"] == [None] * 4


@pytest.mark.parametrize("channels", ["rgb", "bgr", "gray"])
@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
def test_the_network_sees_what_is_described(tmp_path: Path, channels: str, layout: str) -> None:
    count = 1 if channels == "gray" else 3
    file = write_identity_model(tmp_path / "m.onnx", channels=count, layout=layout, size=(5, 4))
    numbers = [{"name": f"n{index}", "output": "seen", "kind": "number", "index": index} for index in range(20 * count)]
    model = model_of(file, numbers, channels=channels, layout=layout, size=[5, 4], scale=1.0)
    pixels = np.random.default_rng(2).integers(0, 256, (4, 5, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "i.png")
    row = predictor_of(model).predict([ImageInput(0, "i", tmp_path / "i.png")], "run").rows.to_pylist()[0]
    seen = np.asarray([row[f"n{index}_value"] for index in range(20 * count)])
    if channels == "gray":
        expected = np.asarray(Image.fromarray(pixels).convert("L"))[:, :, None]
    else:
        expected = pixels if channels == "rgb" else pixels[:, :, ::-1]
    if layout == "nchw":
        expected = expected.transpose(2, 0, 1)
    assert seen.tolist() == expected.ravel().tolist()


@pytest.mark.parametrize("orientation", [1, 3, 6, 7])
def test_the_network_sees_upright_images_from_files_and_from_requests(tmp_path: Path, orientation: int) -> None:
    file = write_identity_model(tmp_path / "m.onnx", channels=3, layout="nchw", size=(5, 4))
    numbers = [{"name": f"n{index}", "output": "seen", "kind": "number", "index": index} for index in range(60)]
    predictor = predictor_of(model_of(file, numbers, channels="rgb", layout="nchw", size=[5, 4], scale=1.0))
    pixels = np.random.default_rng(2).integers(0, 256, (4, 5, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    for suffix in ("png", "tiff"):
        Image.fromarray(pixels).save(tmp_path / f"i.{suffix}", exif=exif)
    files = [ImageInput(index, "i", tmp_path / f"i.{suffix}") for index, suffix in enumerate(("png", "tiff"))]
    bodies = [ImageInput(2 + each.ordinal, "i", content=each.path.read_bytes()) for each in files if each.path]
    rows = predictor.predict(files + bodies, "run").rows
    seen = [tuple(row[f"n{index}_value"] for index in range(60)) for row in rows.to_pylist()]
    assert None not in seen[0]
    assert len(seen) == 4
    assert len(set(seen)) == 1


def test_an_output_that_is_no_number_makes_one_error_row(tmp_path: Path) -> None:
    # Infinity times 0 is NaN: every image without red is broken, and so is red itself, by infinity.
    file = write_reducing_model(tmp_path / "m.onnx", {"x": [[np.inf], [1.0], [1.0]]})
    model = model_of(file, [{"name": "x", "output": "x", "kind": "number"}])
    images = [
        ImageInput(index, name, flat_image(tmp_path / f"{name}.png", COLOURS[name]))
        for index, name in enumerate(COLOURS)
    ]
    rows = predictor_of(model).predict(images, "run").rows.to_pydict()
    assert rows["error"] == ["nan"] * 4
    assert rows["error_message"][0] == "the model gave no number for x"
    assert rows["face"] == [None] * 4
    assert rows["x_value"] == [None] * 4


def test_a_neighbour_of_a_broken_image_keeps_its_own_result(tmp_path: Path) -> None:
    # Only where green is at its full does the sum overflow float32.
    file = write_reducing_model(tmp_path / "m.onnx", {"x": [[1.0], [3.4e38], [2.0]], "y": [[1.0], [2.0], [3.0]]})
    attributes = [{"name": name, "output": name, "kind": "number"} for name in ("x", "y")]
    model = model_of(file, attributes, scale=2.0)
    images = [
        ImageInput(index, name, flat_image(tmp_path / f"{name}.png", COLOURS[name]))
        for index, name in enumerate(COLOURS)
    ]
    rows = predictor_of(model).predict(images, "run").rows.to_pydict()
    assert rows["error"] == [None, "nan", None, "nan"]
    assert rows["x_value"] == [510, None, 1020, None]
    assert rows["y_value"] == [510, None, 1530, None]


def test_a_value_beyond_the_numbers_of_the_log_makes_an_error_row(tmp_path: Path) -> None:
    file = write_reducing_model(tmp_path / "m.onnx", {"x": [[5.0], [1.0], [-5.0]]})
    model = model_of(file, [{"name": "x", "output": "x", "kind": "number", "scale": 1e38}])
    images = [
        ImageInput(index, name, flat_image(tmp_path / f"{name}.png", COLOURS[name]))
        for index, name in enumerate(("red", "green", "blue"))
    ]
    rows = predictor_of(model).predict(images, "run").rows.to_pydict()
    assert rows["error"] == ["nan", None, "nan"]
    assert rows["error_message"][0] == "the model gave no number for x"
    assert rows["x_value"] == [None, pytest.approx(1e38), None]


def test_each_input_has_its_row_whatever_is_wrong_with_it(tmp_path: Path, astronaut: Path) -> None:
    text, empty, link, flat = (tmp_path / name for name in ("text.jpg", "empty.jpg", "link.jpg", "flat.png"))
    text.write_text("no image")
    empty.touch()
    link.symlink_to("nowhere.jpg")
    flat_image(flat, (9, 9, 9), (100, 80))
    large = flat_image(tmp_path / "large.png", (9, 9, 9), (1000, 600))
    known = ImageProblem(ErrorCode.DENIED, "the directory cannot be listed: permission denied")
    paths = [text, astronaut, empty, link, flat, large, tmp_path / "missing.jpg", astronaut]
    images = [ImageInput(10 + index, path.name, path) for index, path in enumerate(paths)]
    images.append(ImageInput(18, "locked", tmp_path, problem=known, source="gate", observed_at=THEN))
    model = builtin_bundle("age-gender")
    batch = predictor_of(model, max_pixels=500_000).predict(images, "run-1")
    rows = batch.rows.to_pydict()
    assert rows["error"] == [
        "unreadable", None, "unreadable", "unreadable", "no_face", "too_large", "unreadable", None, "denied"
    ]  # fmt: skip
    assert rows["ordinal"] == list(range(10, 19)) == list(batch.ordinals)
    assert rows["image"] == [image.name for image in images]
    assert rows["box"][1] == rows["box"][7] == [179, 83, 266, 170]
    assert rows["gender"][1] == rows["gender"][7] == "female"
    assert [face for face in rows["face"] if face is not None] == [0, 0]
    assert all(rows["error_message"][index] for index, error in enumerate(rows["error"]) if error)
    assert rows["image_sha256"][0] == hashlib.sha256(b"no image").hexdigest()
    assert rows["image_sha256"][3] is None
    # What could be decoded was measured, face or not.
    assert rows["image_brightness"][4] == pytest.approx(9 / 255)
    assert rows["image_brightness"][0] is None
    assert rows["source"][8] == "gate"
    assert rows["observed_at"][8] == THEN
    assert set(rows["predicted_at"]) == {NOW} == set(rows["observed_at"][:8])
    assert set(rows["run"]) == {"run-1"}
    assert set(rows["model"]) == {"age-gender@1"}
    assert set(rows["origin"]) == {"batch"}
    assert len(batch.latencies) == 1


def test_without_a_face_nothing_is_inferred(tmp_path: Path) -> None:
    flat = flat_image(tmp_path / "flat.png", (9, 9, 9), (100, 80))
    batch = predictor_of(builtin_bundle("age-gender")).predict([ImageInput(0, "flat", flat)], "run")
    assert batch.latencies == ()
    assert batch.rows.column("gender").null_count == 1
    assert predictor_of(builtin_bundle("age-gender")).predict([], "run").rows.num_rows == 0


def test_the_camera_s_time_goes_first_where_it_is_asked_for(tmp_path: Path) -> None:
    file = write_reducing_model(tmp_path / "m.onnx", {"x": [[1.0], [1.0], [1.0]]})
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2026:11:19 10:00:00"
    Image.new("RGB", (9, 9)).save(tmp_path / "timed.jpg", exif=exif)
    flat_image(tmp_path / "plain.png", (1, 2, 3))
    images = [
        ImageInput(index, name, tmp_path / name, observed_from_exif=asked)
        for index, (name, asked) in enumerate([("timed.jpg", True), ("timed.jpg", False), ("plain.png", True)])
    ]
    model = model_of(file, [{"name": "x", "output": "x", "kind": "number"}])
    batch = predictor_of(model).predict(images, "run")
    assert batch.rows.column("observed_at").to_pylist() == [datetime(2026, 11, 19, 10, tzinfo=UTC), NOW, NOW]
    # Who did not ask for the camera's time is not told that there is none.
    assert batch.undated == (Undated.MISSING,)
    assert pickle.loads(pickle.dumps(batch)).undated == batch.undated  # noqa: S301 - our own
    cut = tmp_path / "cut.jpg"
    cut.write_bytes((tmp_path / "timed.jpg").read_bytes()[:-8])
    failed = predictor_of(model).predict([ImageInput(0, "cut.jpg", cut, observed_from_exif=True)], "run")
    assert failed.rows.column("error").to_pylist() == ["unreadable"]
    assert failed.rows.column("observed_at").to_pylist() == [datetime(2026, 11, 19, 10, tzinfo=UTC)]
    assert failed.undated == ()


def test_content_in_memory_has_the_same_limits(tmp_path: Path) -> None:
    file = write_reducing_model(tmp_path / "m.onnx", {"x": [[1.0], [1.0], [1.0]]})
    content = flat_image(tmp_path / "a.png", (1, 2, 3)).read_bytes()
    model = model_of(file, [{"name": "x", "output": "x", "kind": "number"}])
    images = [ImageInput(0, "a", content=content)]
    assert predictor_of(model).predict(images, "run").rows.column("error").to_pylist() == [None]
    small = predictor_of(model, max_bytes=len(content) - 1)
    assert small.predict(images, "run").rows.column("error").to_pylist() == ["too_large"]


def test_wrong_probabilities_stop_the_run(tmp_path: Path) -> None:
    file = write_reducing_model(tmp_path / "m.onnx", OUTPUTS)
    predictor = predictor_of(model_of(file, [ATTRIBUTES[1] | {"activation": "none"}]))
    with pytest.raises(FacemonError, match="gives 8 for the attribute hair, which is not a probability"):
        predictor.predict([ImageInput(0, "a", flat_image(tmp_path / "a.png", (255, 0, 0)))], "run")


def test_many_threads_get_what_one_gets(photographs: Path) -> None:
    predictor = predictor_of(builtin_bundle("age-gender"))
    paths = sorted(photographs.glob("*.jpg"))[:3]
    chunks = [[ImageInput(at, str(at), path) for at, path in enumerate(paths)] for _ in range(3)]
    alone = predictor.predict(chunks[0], "run").rows
    gate = threading.Barrier(3)

    def predict(chunk: list[ImageInput]) -> Any:
        gate.wait()
        return predictor.predict(chunk, "run").rows

    with ThreadPoolExecutor(3) as pool:
        assert all(rows.equals(alone) for rows in pool.map(predict, chunks))


def test_names_that_are_not_utf_8_are_shown_with_escapes() -> None:
    assert shown_name("caf\udce9.jpg") == "caf\\xe9.jpg"
    assert shown_name("café.jpg") == "café.jpg"
