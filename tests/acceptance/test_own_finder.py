"""A finder that is registered as a contributor would register it, in each command that has to do with faces."""

import json
import os
import re
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from facemon.cli.main import run
from facemon.finders.registry import FINDERS
from tests.acceptance.served import served
from tests.acceptance.small_model import small_config
from tests.cli.described_networks import configure, model_of, take_photographs, write_labels, write_network
from tests.finders.whole_finder import Whole
from tests.model.onnx_files import flat_image, write_reducing_model
from tests.started import neutral_environment

FACES = "finder: whole, margin: 0.5"
CONFIG = small_config("name: light, output: light, kind: number").replace(
    "  networks:", f"  faces: {{{FACES}}}\n  networks:"
)
ROOT = Path(__file__).parents[2]
Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FINDERS, Whole.name, Whole())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A white image, and a network that says how light a picture is, from 0 to 1."""
    monkeypatch.chdir(tmp_path)
    write_reducing_model(tmp_path / "m.onnx", {"light": [[1], [0], [0]]})
    Path("facemon.yaml").write_text(CONFIG)
    flat_image(Path("a.png"), (255, 255, 255))
    return tmp_path


def start_with_whole(*arguments: str, cwd: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.finders.whole_finder", *arguments],
        cwd=cwd,
        env=neutral_environment() | {"PYTHONPATH": os.fspath(ROOT)},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def predicted(capfd: Captured, *arguments: str) -> dict[str, Any]:
    capfd.readouterr()
    assert run(["predict", "a.png", "--no-store", "--format", "jsonl", *arguments]) == 0
    return dict(json.loads(capfd.readouterr().out))


@pytest.mark.parametrize(("margin", "light"), [("0", 1.0), ("0.5", 0.25), ("1", 1 / 9)])
def test_the_margin_lies_around_the_image(folder: Path, capfd: Captured, margin: str, light: float) -> None:
    Path("facemon.yaml").write_text(CONFIG.replace("0.5", margin))
    row = predicted(capfd)
    assert (row["box"], row["face_confidence"]) == ([0, 0, 7, 7], None)
    assert row["attributes"]["light"]["value"] == pytest.approx(light, abs=0.05)


def test_predictions_are_logged_with_their_box(folder: Path, capfd: Captured) -> None:
    flat_image(Path("b.png"), (0, 0, 0), (30, 20))
    assert run(["-q", "predict", "a.png", "b.png", "-o", "all.jsonl"]) == 0
    rows = [json.loads(line) for line in Path("all.jsonl").read_text().splitlines()]
    assert [row["box"] for row in rows] == [[0, 0, 7, 7], [0, 0, 29, 19]]
    assert run(["store", "verify"]) == 0


def test_the_card_names_the_finder_and_its_margin(folder: Path, capfd: Captured) -> None:
    assert run(["model", "show"]) == 0
    assert re.search(r"faces +whole: margin 0\.5, min_size 1, keep all", capfd.readouterr().out)
    prints = set()
    for margin in ("0.5", "0.4"):
        Path("facemon.yaml").write_text(CONFIG.replace("0.5", margin))
        assert run(["model", "show", "--format", "json"]) == 0
        card = json.loads(capfd.readouterr().out)
        prints.add(card["fingerprint"])
        assert (card["faces"]["finder"], card["decode"]) == ("whole", "exact")
    assert len(prints) == 2


def test_a_wrong_margin_is_found_by_the_model_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    write_network(tmp_path, -0.2)
    images = take_photographs(tmp_path, 100)
    right, wrong = (model_of({}, {}, {"finder": "whole", "margin": margin}) for margin in (0.4, 0.0))
    write_labels(tmp_path, right, images, None)
    configure(tmp_path, wrong)
    capfd.readouterr()
    assert run(["model", "check", ".", "--labels", "labels.csv", "--format", "json"]) == 3
    found = json.loads(capfd.readouterr().out)
    (trial,) = found["labels"]["attributes"]
    assert trial["best"] == "crop.margin: 0.4"


def test_the_api_starts_with_it_and_predicts(folder: Path) -> None:
    with served(folder, start=start_with_whole) as api:
        content = BytesIO()
        Image.new("RGB", (16, 16), (255, 255, 255)).save(content, "PNG")
        status, text = api.ask("POST", "/predict", content.getvalue())
        assert status == 200, text
        (row,) = json.loads(text)["predictions"]
        assert row["box"] == [0, 0, 15, 15]
        assert row["attributes"]["light"]["value"] == pytest.approx(0.25, abs=0.05)
        assert api.stop() == 0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("finder: whol", f"is 'whol', must be one of {', '.join(FINDERS)}, whole; did you mean whole?"),
        ("finder: whole, min_confidence: 0.5", "min_confidence: the finder whole has no confidence"),
        ("finder: whole, align: arcface-112", "the finder whole does not give the eyes, nose and mouth that align"),
        ("finder: whole, weights: w.onnx", "the finder whole has no use for weights"),
    ],
)
def test_keys_without_an_effect_are_refused(folder: Path, capfd: Captured, given: str, message: str) -> None:
    Path("facemon.yaml").write_text(CONFIG.replace(FACES, given))
    assert run(["store", "info"]) == 2
    assert message in capfd.readouterr().err


def test_it_is_named_where_a_manifest_s_boxes_are_missing(folder: Path, capfd: Captured) -> None:
    Path("facemon.yaml").write_text(CONFIG.replace("whole", "manifest"))
    assert run(["predict", "a.png"]) == 2
    assert re.search(r"set model\.faces\.finder to [\w, ]*\bwhole or none\b", capfd.readouterr().err)
