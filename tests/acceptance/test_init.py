"""`facemon init` and `facemon model show` through the installed command."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, load_model, numpy_helper, save_model
from PIL import Image

from facemon.config.loader import parse_config
from facemon.model.bundle import load_bundle
from tests.conftest import RunFacemon
from tests.model.detector_files import corner_shares, write_detector
from tests.model.open_files import write_dense, write_pooled, write_sequence, write_with_age, write_zipped
from tests.model.yunet_files import write_yunet

FORMS: dict[str, dict[str, Any]] = {
    "logits": {"outputs": {"hair": 4}},
    "one number": {"outputs": {"beard": 1}},
    "several heads": {"outputs": {"hair": 4, "beard": 1, "1.weird-name": 2}},
    "nhwc": {"layout": "nhwc"},
    "gray": {"channels": 1},
    "any size": {"size": ("h", "w")},
    "fixed batch": {"batch": 1},
    "bytes": {"element": TensorProto.UINT8},
    "half": {"element": TensorProto.FLOAT16},
    "softmax": {"outputs": {"hair": 4}, "last": "Softmax"},
    "sigmoid of many": {"outputs": {"attributes": 5}, "last": "Sigmoid"},
    "an output called image": {"outputs": {"image_source": 2}},
    "names that fill the same columns": {"outputs": {"hair": 4, "hair_confidence": 2, "hair.": 1, "face": 2}},
    "names that YAML does not take": {"outputs": {'a "quoted"\n\x07name': 3, "é: [": 2}},
    "a map": {"outputs": {"hair": 4, "embedding": 512}},
}
ATTRIBUTES = {"sigmoid of many": 5, "a map": 1}
"""How many attributes are described where it is not one for each output."""
OPEN: dict[str, tuple[Callable[[Path], Path], tuple[str, ...]]] = {
    "one usual size": (lambda path: write_dense(path, (128, 128)), ()),
    "one rare size, NHWC": (lambda path: write_dense(path, (24, 24), layout="nhwc"), ()),
    "gray": (lambda path: write_dense(path, (64, 64), channels=1), ()),
    "a size that is said": (lambda path: write_dense(path, (20, 12)), ("--size", "20x12")),
    "a layout that is said": (
        lambda path: write_dense(path, (20, 12), layout="nhwc"), ("--size", "20X12", "--layout", "nhwc"),
    ),
    "any size": (write_pooled, ()),
    "labels": (lambda path: write_zipped(path, labels={"classlabels_strings": ["no", "yes: ["]}), ()),
    "numbers as labels": (lambda path: write_zipped(path, labels={"classlabels_int64s": [-1, 0, 7]}), ()),
    "a sequence beside": (lambda path: write_sequence(path, beside=True), ()),
    "an input with a value": (lambda path: write_with_age(path, has_value=True), ()),
}  # fmt: skip
"""Files that leave something open, and what is said to init."""


def write(
    path: Path,
    *,
    outputs: dict[str, int] | None = None,
    layout: str = "nchw",
    channels: int = 3,
    size: tuple[int | str, int | str] = (12, 10),
    batch: int | str = "n",
    element: int = TensorProto.FLOAT,
    last: str | None = None,
    metadata: dict[str, str] | None = None,
) -> Path:
    """A network that takes each channel's mean and mixes them."""
    shape = [batch, channels, *size] if layout == "nchw" else [batch, *size, channels]
    axes = [2, 3] if layout == "nchw" else [1, 2]
    nodes = [
        helper.make_node("Cast", ["pixels"], ["plain"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["plain"], ["means"], axes=axes, keepdims=0),
    ]
    weights, values = [], []
    for name, width in (outputs or {"hair": 4}).items():
        matrix = np.random.default_rng(1).normal(0, 5, (channels, width)).astype(np.float32)
        weights.append(numpy_helper.from_array(matrix, f"{name}_w"))
        nodes.append(helper.make_node("MatMul", ["means", f"{name}_w"], [f"{name}_raw" if last else name]))
        if last:
            nodes.append(helper.make_node(last, [f"{name}_raw"], [name]))
        values.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [batch, width]))
    graph = helper.make_graph(
        nodes, "small", [helper.make_tensor_value_info("pixels", element, shape)], values, weights
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, metadata or {})
    save_model(model, path)
    return path


@pytest.mark.parametrize("form", FORMS)
def test_what_init_writes_can_predict_at_once(facemon: RunFacemon, tmp_path: Path, form: str) -> None:
    write(tmp_path / "my net.onnx", **FORMS[form])
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 30, 3), np.uint8)).save(tmp_path / "a.png")
    answer = facemon("init", "--model", "my net.onnx", cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    text = (tmp_path / "facemon.yaml").read_text()
    assert "# guess: " in text
    assert "guesses are marked" in answer.stderr
    predicted = facemon("predict", "--no-store", "a.png", cwd=tmp_path)
    assert predicted.returncode == 0, predicted.stderr
    row = json.loads(predicted.stdout)
    assert row["model"] == "my-net@1"
    assert len(row["attributes"]) == ATTRIBUTES.get(form, len(FORMS[form].get("outputs", {"hair": 4})))


@pytest.mark.parametrize("case", OPEN)
def test_what_init_writes_for_an_open_file_loads(facemon: RunFacemon, tmp_path: Path, case: str) -> None:
    write_network, options = OPEN[case]
    write_network(tmp_path / "net.onnx")
    answer = facemon("init", "--model", "net.onnx", *options, cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    text = (tmp_path / "facemon.yaml").read_text()
    load_bundle(parse_config(text, name="facemon.yaml", directory=tmp_path).model)
    assert "  decode: exact " in text
    assert "0.087" in text


def test_labels_of_a_zip_map_are_used(facemon: RunFacemon, tmp_path: Path) -> None:
    write_zipped(tmp_path / "z.onnx", labels={"classlabels_strings": ["blond", "brown"]})
    printed = facemon("init", "--model", "z.onnx", "-o", "-", cwd=tmp_path).stdout
    assert '{name: probabilities, output: "probabilities", kind: categorical, labels: ["blond", "brown"]' in printed
    assert "output_label int64 [n]: not taken for an attribute" in printed
    assert "output_probability seq(map(string,tensor(float))): a list of mappings; probabilities holds its" in printed


@pytest.mark.parametrize("finder", ["onnx", "yunet"])
def test_a_detector_is_offered_as_a_finder_and_runs_as_one(facemon: RunFacemon, tmp_path: Path, finder: str) -> None:
    write(tmp_path / "net.onnx")
    size = (160, 120)
    if finder == "onnx":
        write_detector(tmp_path / "d.onnx", size, {"boxes": corner_shares(size)})
    else:
        write_yunet(tmp_path / "d.onnx")
    alone = facemon("init", "--model", "d.onnx", cwd=tmp_path)
    assert alone.returncode == 2
    assert "d.onnx: is a face detector" in alone.stderr
    assert "facemon init --model NET.onnx --finder d.onnx" in alone.stderr
    assert not (tmp_path / "facemon.yaml").exists()
    answer = facemon("init", "--model", "net.onnx", "--finder", "d.onnx", cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    config = parse_config((tmp_path / "facemon.yaml").read_text(), name="facemon.yaml", directory=tmp_path)
    assert config.model.faces.finder == finder
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    pixels[56:64, 72:80] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    row = json.loads(facemon("predict", "--no-store", "a.png", cwd=tmp_path).stdout)
    assert row["error"] is None


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--model", "two.onnx"), 2, ["two.onnx: the model has 2 inputs", "age float [1, 1]: 1 number", "initializer"]),
        (("--model", "parts.onnx"), 1, ["parts seq(tensor(float)) is not a tensor", "export the network"]),
        (("--model", "dense.onnx", "--size", "30x20"), 2, ["dense.onnx: the model does not run on an image of 30x20"]),
        (("--model", "dense.onnx", "--size", "big"), 2, ["--size big is not WIDTHxHEIGHT"]),
        (("--model", "dense.onnx"), 1, ["runs on none of the", "--size WIDTHxHEIGHT"]),
        (("--size", "30x20"), 2, ["add --model NET.onnx to --size"]),
        (("--finder", "dense.onnx"), 2, ["add --model NET.onnx to --finder"]),
        (("--model", "net.onnx", "--finder", "net.onnx"), 1, ["net.onnx: is not recognised as a face detector"]),
        (("--model", "pointer.onnx"), 1, ["pointer.onnx: is a Git LFS pointer, not the model", "git lfs pull"]),
        (("--model", "net.onnx", "--finder", "pointer.onnx"), 1, ["pointer.onnx: is a Git LFS pointer"]),
    ],
)
def test_what_init_cannot_describe_is_explained(
    facemon: RunFacemon, tmp_path: Path, arguments: tuple[str, ...], code: int, says: list[str]
) -> None:
    write(tmp_path / "net.onnx")
    write_with_age(tmp_path / "two.onnx", has_value=False)
    write_sequence(tmp_path / "parts.onnx")
    write_dense(tmp_path / "dense.onnx", (20, 30))
    (tmp_path / "pointer.onnx").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n")
    answer = facemon("init", *arguments, cwd=tmp_path)
    assert answer.returncode == code, answer.stderr
    for words in says:
        assert words in answer.stderr
    assert not (tmp_path / "facemon.yaml").exists()


def test_init_says_how_many_images_a_threshold_takes(facemon: RunFacemon, tmp_path: Path) -> None:
    said = facemon("init", cwd=tmp_path).stderr
    assert "to decide a shift of 5 pts of the predictions" in said
    (images,) = re.findall(r"take about ([\d,]+) images each", said)
    # A distance of confidences that a quiet run reaches in a tenth of all cases takes 2 * (1.2238 / 0.05)**2 rows.
    assert 1_200 < int(images.replace(",", "")) < 2_400
    assert all(len(line) <= 80 for line in said.splitlines())
    quiet = facemon("-q", "init", "--force", cwd=tmp_path)
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")


def test_labels_of_the_metadata_are_used(facemon: RunFacemon, tmp_path: Path) -> None:
    write(tmp_path / "m.onnx", metadata={"names": "{0: 'blond', 1: 'brown', 2: 'red', 3: 'no: hair'}"})
    printed = facemon("init", "--model", "m.onnx", "-o", "-", cwd=tmp_path).stdout
    assert 'labels: ["blond", "brown", "red", "no: hair"], activation: softmax' in printed
    assert not (tmp_path / "facemon.yaml").exists()


def test_a_file_that_is_there_stays(facemon: RunFacemon, tmp_path: Path) -> None:
    (tmp_path / "facemon.yaml").write_text("version: 1\n")
    answer = facemon("init", cwd=tmp_path)
    assert answer.returncode == 2
    assert "facemon.yaml is there already" in answer.stderr
    assert (tmp_path / "facemon.yaml").read_text() == "version: 1\n"
    assert facemon("init", "--force", cwd=tmp_path).returncode == 0
    assert facemon("model", "show", cwd=tmp_path).returncode == 0


def test_the_file_of_config_is_the_one_that_is_written(facemon: RunFacemon, tmp_path: Path) -> None:
    """So that what the other commands would read is what it writes, whichever way it was named."""
    assert facemon("-c", "own.yaml", "init", cwd=tmp_path).returncode == 0
    assert facemon("init", cwd=tmp_path, env={"FACEMON_CONFIG": "other.yaml"}).returncode == 0
    assert facemon("-c", "own.yaml", "init", "-o", "third.yaml", cwd=tmp_path).returncode == 0
    assert {path.name for path in tmp_path.glob("*.yaml")} == {"own.yaml", "other.yaml", "third.yaml"}
    again = facemon("-c", "own.yaml", "init", cwd=tmp_path)
    assert (again.returncode, "own.yaml is there already" in again.stderr) == (2, True)


def test_models_that_are_none(facemon: RunFacemon, tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("no network")
    flat = load_model(write(tmp_path / "flat.onnx"))
    del flat.graph.input[0].type.tensor_type.shape.dim[3]
    flat.graph.node[1].CopyFrom(helper.make_node("ReduceMean", ["plain"], ["means"], axes=[2], keepdims=0))
    save_model(flat, tmp_path / "flat.onnx")
    write(tmp_path / "many.onnx", channels=7)
    for name, message in (
        ("none.onnx", "cannot be read: no such file"),
        ("text.onnx", "is text, not an ONNX model"),
        ("flat.onnx", "it needs four dimensions"),
        ("many.onnx", "7 channels; facemon feeds 1 or 3"),
    ):
        answer = facemon("init", "--model", name, cwd=tmp_path)
        assert answer.returncode == 1, name
        assert message in answer.stderr
        assert not (tmp_path / "facemon.yaml").exists()


def test_the_card_of_the_built_in_model(facemon: RunFacemon, tmp_path: Path) -> None:
    answer = facemon("model", "show", cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    said = ("age-gender@1", "CC0-1.0", "below about six years", "above 70", "near-profile", "4f9f0075200bd8ea")
    for words in (*said, "decisions about a person", "gender", "ordinal"):
        assert words in answer.stdout, words
    card = json.loads(facemon("model", "show", "--format", "json", cwd=tmp_path).stdout)
    assert card["schema"] == "facemon.model/1"
    assert [network["input"]["size"] for network in card["networks"]] == [[32, 32], [64, 64]]
    assert card["faces"]["finder"] == "dlib"


def test_a_card_that_nobody_wrote_says_so(facemon: RunFacemon, tmp_path: Path) -> None:
    write(tmp_path / "m.onnx")
    assert facemon("init", "-q", "--model", "m.onnx", cwd=tmp_path).returncode == 0
    shown = facemon("model", "show", cwd=tmp_path).stdout
    assert "not described: model.card.licence" in shown
    assert "not described: model.card.weaknesses" in shown
