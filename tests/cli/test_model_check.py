"""`facemon model check` finds what is wrong with a description, on networks whose right description is known."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from facemon.cli.main import run
from tests.cli.described_networks import (
    SIDE,
    Description,
    configure,
    model_of,
    take_photographs,
    write_labels,
    write_network,
)  # fmt: skip
from tests.model.onnx_files import flat_image, write_reducing_model
from tests.read_yaml import read_yaml

Captured = pytest.CaptureFixture[str]
NUMBER: Description = {"name": "age", "output": "beard", "kind": "number"}
TRIAL_KEYS = (
    "attribute measure labelled value interval verdict best write labels_needed alternatives combined unreadable"
)
IMAGENET: Description = {"scale": 1 / 255, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}


def check(capsys: Captured, *arguments: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = run(["model", "check", *arguments, "--format", "json"])
    said = capsys.readouterr()
    assert said.out, said.err
    return code, json.loads(said.out)


WRONG: dict[str, tuple[float, Description, Description, str]] = {
    "channels": (-0.5, {"channels": "bgr"}, {}, "channels: bgr"),
    "bytes": (-128.0, {"scale": 1.0}, {}, "pixel"),
    "fractions": (-0.3, {}, {"scale": 1.0}, "pixel / 255"),
    "ImageNet": (0.3, IMAGENET, {}, "ImageNet's mean and std"),
    "no ImageNet": (-0.3, {}, IMAGENET, "pixel / 255"),
    "stretch": (-0.4, {}, {"fit": "pad"}, "fit: stretch"),
    "pad": (-0.2, {"fit": "pad"}, {}, "fit: pad"),
    "crop": (-0.4, {"fit": "crop"}, {}, "fit: crop"),
    "filter": (-0.5, {"resample": "opencv_bilinear"}, {"resample": "bilinear"}, "resample: opencv_bilinear"),
}
"""The network's bias, the right keys of its input, the wrong ones, and what is to be found."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("case", WRONG)
def test_each_single_wrong_key_of_the_input_is_found_and_named(folder: Path, capsys: Captured, case: str) -> None:
    bias, right, wrong, change = WRONG[case]
    write_network(folder, bias)
    images = take_photographs(folder, 80, (2 * SIDE, SIDE), dark=8 if case == "filter" else 2)
    write_labels(folder, model_of(right, {}, {}), images, None)
    configure(folder, model_of(wrong, {}, {}))
    code, found = check(capsys, ".", "--labels", "labels.csv")
    (trial,) = found["labels"]["attributes"]
    assert (code, found["verdict"], trial["verdict"], trial["best"]) == (3, "found", "better", change)
    best = next(each for each in trial["alternatives"] if each["change"] == change)
    assert (best["value"], trial["labelled"]) == (1.0, 80)
    written = read_yaml(f"{{{trial['write']}}}")
    scale = right.get("scale", 1 / 255)
    assert written.get("scale", scale) == scale  # to the last digit
    assert best["gain_interval"][0] > 0


@pytest.mark.parametrize(("right", "wrong"), [(0.2, 0.0), (0.0, 0.4), (0.4, 0.0)])
def test_a_wrong_margin_is_found(folder: Path, capsys: Captured, right: float, wrong: float) -> None:
    write_network(folder, -0.3)
    images, box = take_photographs(folder, 100), (4, 4, 11, 11)
    faces = [{"finder": "manifest", "crop": {"margin": margin}} for margin in (right, wrong)]
    write_labels(folder, model_of({}, {}, faces[0]), images, box)
    lines = ["image,box", *(f'{image},"{json.dumps(box)}"' for image in images)]
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")
    configure(folder, model_of({}, {}, faces[1]))
    code, found = check(capsys, "manifest.csv", "--labels", "labels.csv")
    (trial,) = found["labels"]["attributes"]
    assert (code, trial["best"]) == (3, f"crop.margin: {right:g}")


def test_swapped_labels_are_found(folder: Path, capsys: Captured) -> None:
    write_network(folder, -0.5)
    images = take_photographs(folder, 60)
    write_labels(folder, model_of({}, {}, {}), images, None)
    configure(folder, model_of({}, {"labels": ["yes", "no"]}, {}))
    code, found = check(capsys, ".", "--labels", "labels.csv")
    (trial,) = found["labels"]["attributes"]
    assert (code, trial["best"], trial["write"]) == (3, "labels: [no, yes]", "labels: [no, yes]")


def test_two_wrong_keys_are_found_together(folder: Path, capsys: Captured) -> None:
    write_network(folder, -0.3)
    images = take_photographs(folder, 100)
    write_labels(folder, model_of({"channels": "bgr"}, {}, {}), images, None)
    configure(folder, model_of(IMAGENET, {}, {}))
    code, found = check(capsys, ".", "--labels", "labels.csv")
    (trial,) = found["labels"]["attributes"]
    assert (code, set(trial["best"].split("; "))) == (3, {"channels: bgr", "pixel / 255"})
    together = next(each for each in trial["combined"] if each["change"] == trial["best"])
    assert (together["value"], together["better"]) == (1.0, True)


def test_a_change_holds_for_all_networks_of_an_average(folder: Path, capsys: Captured) -> None:
    write_network(folder, -0.5)
    images = take_photographs(folder, 60)
    right, wrong = (model_of({"channels": order}, {"average": True}, {}) for order in ("bgr", "rgb"))
    for model in (right, wrong):
        model["networks"] *= 2
    write_labels(folder, right, images, None)
    configure(folder, wrong)
    code, found = check(capsys, ".", "--labels", "labels.csv")
    (trial,) = found["labels"]["attributes"]
    assert (code, trial["best"]) == (3, "channels: bgr")
    assert next(each["value"] for each in trial["alternatives"] if each["change"] == "channels: bgr") == 1


def test_a_number_is_held_by_its_mean_absolute_error(folder: Path, capsys: Captured) -> None:
    write_network(folder, 0.0, gain=100)
    images = take_photographs(folder, 40)
    number = {**NUMBER, "labels": [], "activation": "none"}
    write_labels(folder, model_of({"channels": "bgr"}, number, {}), images, None)
    configure(folder, model_of({}, number, {}))
    code, found = check(capsys, ".", "--labels", "labels.csv")
    (trial,) = found["labels"]["attributes"]
    assert (code, trial["best"], trial["measure"]) == (3, "channels: bgr", "mean_absolute_error")
    assert trial["value"] == pytest.approx(-min(-each["gain"] for each in trial["alternatives"]), rel=1e-3)


def test_few_labels_cannot_tell_and_it_says_how_many_would(folder: Path, capsys: Captured) -> None:
    write_network(folder, -0.5)
    images = take_photographs(folder, 12)
    write_labels(folder, model_of({}, {}, {}), images, None)
    configure(folder, model_of({}, {}, {}))
    code, found = check(capsys, ".", "--labels", "labels.csv")
    (trial,) = found["labels"]["attributes"]
    assert (code, found["verdict"], trial["verdict"], trial["best"]) == (4, "undecided", "undecided", None)
    needed = trial["labels_needed"]
    assert 12 < needed < 300
    assert run(["model", "check", ".", "--labels", "labels.csv"]) == 4
    assert (
        f"12 labels cannot tell whether another description fits better: about {needed} would"
        in capsys.readouterr().out
    )
    # So many do.
    take_photographs(folder, needed)
    write_labels(folder, model_of({}, {}, {}), [f"{index:03}.png" for index in range(needed)], None)
    assert check(capsys, ".", "--labels", "labels.csv")[0] == 0


SUSPICIOUS: dict[str, tuple[Description, Description, str | None, str, str]] = {
    "scale forgotten": ({**IMAGENET, "scale": 1.0}, {}, None, "range", "from -2.11"),
    "divided twice": ({"scale": 1 / 255 / 255}, {}, None, "range", "0 to 0.00392157"),
    "the image lost": ({"mean": [127.5] * 3, "std": [128.0] * 3}, {}, None, "range", "-0.99"),
    "sigmoid twice": ({}, {"activation": "sigmoid"}, "Sigmoid", "sigmoid_twice", "activation is sigmoid"),
    "logits": ({"scale": 1.0}, {"activation": "none"}, None, "unreadable", "which is not a probability"),
    "saturated": ({"scale": 1.0}, {}, None, "saturated", "for all 5 faces"),
}


@pytest.mark.parametrize("case", SUSPICIOUS)
def test_what_looks_wrong_without_labels_is_named(folder: Path, capsys: Captured, case: str) -> None:
    described, attribute, last, code, words = SUSPICIOUS[case]
    write_network(folder, 1.0, last=last)
    take_photographs(folder, 5)
    configure(folder, model_of(described, attribute, {}))
    exit_code, found = check(capsys, ".")
    said = {each["code"]: each["message"] for each in found["suspicions"]}
    assert exit_code == 3
    assert words in said[code]
    configure(folder, model_of({}, {"activation": "none"} if last else {}, {}))
    assert check(capsys, ".")[1]["suspicions"] == []


def test_softmax_twice_and_outputs_that_never_change(folder: Path, capsys: Captured) -> None:
    write_reducing_model(folder / "m.onnx", {"beard": [[1, 2], [0, 1], [1, 0]]}, last="Softmax")
    take_photographs(folder, 3)
    softmax = {"kind": "categorical", "labels": ["a", "b"], "activation": "softmax"}
    configure(folder, model_of({}, softmax, {}))
    assert [each["code"] for each in check(capsys, ".")[1]["suspicions"]] == ["softmax_twice"]
    write_reducing_model(folder / "m.onnx", {"beard": [[0, 0], [0, 0], [0, 0]]}, biases={"beard": [1, 3]})
    assert [each["code"] for each in check(capsys, ".")[1]["suspicions"]] == ["same_outputs"]
    assert [each["code"] for each in check(capsys, "000.png")[1]["suspicions"]] == []


def test_outputs_of_which_only_far_numbers_differ_are_not_the_same(folder: Path, capsys: Captured) -> None:
    rows = [[0.0] * 20 + [1.0], [0.0] * 21, [0.0] * 21]
    write_reducing_model(folder / "m.onnx", {"beard": rows})
    take_photographs(folder, 3)
    configure(folder, model_of({}, {**NUMBER, "labels": [], "index": 20, "activation": "none"}, {}))
    assert check(capsys, ".")[1]["suspicions"] == []


def test_a_value_beyond_the_numbers_of_the_log_is_named(folder: Path, capsys: Captured) -> None:
    write_reducing_model(folder / "m.onnx", {"beard": [[1.0], [1.0], [1.0]]})
    take_photographs(folder, 3)
    configure(folder, model_of({}, {**NUMBER, "labels": [], "activation": "none", "scale": 1.5e39}, {}))
    code, found = check(capsys, ".")
    assert (code, found["images"][0]["faces"][0]["attributes"]["age"]["value"]) == (3, None)
    assert "the model gave no number for age" in found["suspicions"][0]["message"]


def test_a_picture_of_one_colour_is_named(folder: Path, capsys: Captured) -> None:
    write_network(folder, -0.5)
    flat_image(folder / "a.png", (0, 0, 0))
    configure(folder, model_of({}, {}, {}))
    assert [each["code"] for each in check(capsys, "a.png")[1]["suspicions"]] == ["flat"]


def test_the_steps_are_what_plain_code_computes(folder: Path, capsys: Captured) -> None:
    write_network(folder, -0.5)
    take_photographs(folder, 1, (4, 4))
    configure(folder, model_of({**IMAGENET, "channels": "bgr"}, {}, {}))
    code, found = check(capsys, "000.png")
    pixels = np.asarray(Image.open("000.png"), np.float64)[:, :, ::-1]
    tensor = (pixels / 255 - IMAGENET["mean"]) / IMAGENET["std"]
    (face,) = found["images"][0]["faces"]
    (network,) = face["networks"]
    assert (code, found["images"][0]["size"], face["box"]) == (0, [4, 4], None)
    assert [each["channel"] for each in network["channels"]] == ["blue", "green", "red"]
    for index, channel in enumerate(network["channels"]):
        values = tensor[:, :, index]
        plain = {"min": values.min(), "mean": values.mean(), "max": values.max(), "std": values.std()}
        assert {key: channel[key] for key in plain} == pytest.approx(plain, abs=1e-5)
    logit = tensor[:, :, 0].mean() - 0.5
    assert network["outputs"][0]["first"] == pytest.approx([logit], abs=1e-5)
    share = 1 / (1 + np.exp(-abs(logit)))
    read = face["attributes"]["beard"]
    assert (read["label"], read["confidence"]) == ("yes" if logit > 0 else "no", pytest.approx(share, abs=1e-5))


def test_pictures_are_written_below_the_folder_and_nowhere_else(folder: Path, capsys: Captured) -> None:
    write_network(folder, -0.5)
    (folder / "in").mkdir()
    outside = folder / "outside.png"
    outside.write_text("kept")
    flat_image(folder / "in" / "..;rm -rf \x1b[2J.png", (9, 99, 200))
    flat_image(folder / "in" / f"{'é' * 100}.png", (200, 99, 9))
    configure(folder, model_of({}, {}, {}))
    (folder / "crops").mkdir()
    first = check(capsys, "in", "--crops", "crops")[1]
    files = [file for image in first["images"] for file in image["faces"][0]["networks"][0]["files"]]
    assert sorted(path.name for path in (folder / "crops").iterdir()) == sorted(files)
    assert all(name.isascii() and name.isprintable() and len(name) < 120 for name in files)
    (folder / "crops" / files[0]).unlink()
    (folder / "crops" / files[0]).symlink_to(outside)
    assert check(capsys, "in", "--crops", "crops")[1] == first
    assert outside.read_text() == "kept"
    assert np.asarray(Image.open(folder / "crops" / files[0])).shape == (4, 4, 3)
    assert run(["model", "check", "in", "--crops", "outside.png"]) == 1
    assert "--crops outside.png: cannot be written" in capsys.readouterr().err


def test_a_look_changes_nothing_and_bad_input_is_told(folder: Path, capsys: Captured) -> None:
    write_network(folder, -0.5)
    take_photographs(folder, 2)
    configure(folder, model_of({}, {}, {}))
    (folder / "text.png").write_text("no picture")
    (folder / "labels.csv").write_text("image,beard\nelsewhere.png,yes\n")
    before = sorted(folder.rglob("*"))
    for arguments, code, words in (
        (["nothing.png"], 2, "nothing.png: no such file or directory"),
        (["-"], 2, "model check takes no list on stdin"),
        ([".", "--crops", "seen/here"], 2, "--crops seen/here lies in ."),
        (["000.png", "--attribute", "bears"], 2, "did you mean beard?"),
        (["000.png", "--labels", "none.csv"], 1, "none.csv"),
        (["000.png", "text.png"], 1, "1 of 2 images could not be read"),
        (["000.png", "--labels", "labels.csv"], 3, "none of the 1 labels is about a face of these photographs"),
        (["000.png", "001.png"], 0, ""),
    ):
        capsys.readouterr()
        assert (run(["model", "check", *arguments]), arguments) == (code, arguments)
        assert words in capsys.readouterr().err
    assert run(["-q", "model", "check", "000.png"]) == 0
    assert capsys.readouterr() == ("", "")
    assert sorted(folder.rglob("*")) == before


def test_no_face_leaves_it_undecided(folder: Path, capsys: Captured) -> None:
    write_network(folder, -0.5)
    (folder / "manifest.csv").write_text("image,box\n000.png,\n")
    take_photographs(folder, 1)
    configure(folder, model_of({}, {}, {"finder": "manifest"}))
    code, found = check(capsys, "manifest.csv")
    assert (code, found["verdict"], found["images"][0]["error"]) == (4, "undecided", "no_face")


def test_the_keys_of_the_document(folder: Path, capsys: Captured) -> None:
    """Keys are only ever added."""
    write_network(folder, -0.5)
    images = take_photographs(folder, 3)
    write_labels(folder, model_of({}, {}, {}), images, None)
    configure(folder, model_of({}, {}, {}))
    document = check(capsys, ".", "--labels", "labels.csv")[1]
    face = document["images"][0]["faces"][0]
    trial = document["labels"]["attributes"][0]
    keys = {
        "document": (document, "schema model fingerprint verdict images suspicions labels"),
        "image": (document["images"][0], "image image_sha256 size orientation error error_message faces"),
        "face": (face, "face box confidence landmarks networks attributes"),
        "network": (face["networks"][0], "network crop files usual_range channels outputs"),
        "channel": (face["networks"][0]["channels"][0], "channel min mean max std outside_usual not_numbers"),
        "output": (face["networks"][0]["outputs"][0], "output count first min max sum not_numbers"),
        "read": (face["attributes"]["beard"], "label confidence value error_message"),
        "labels": (document["labels"], "labels matched_by left_out unlabelled attributes"),
        "trial": (trial, TRIAL_KEYS),
        "alternative": (
            trial["alternatives"][0],
            "change value interval gain gain_interval p_value p_adjusted same better",
        ),
    }
    assert document["schema"] == "facemon.model_check/1"
    assert {name: set(part) for name, (part, _) in keys.items()} == {
        name: set(text.split()) for name, (_, text) in keys.items()
    }
