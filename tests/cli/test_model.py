"""`facemon model show` names every step of a description that is not the usual one."""

import json
from pathlib import Path

import pytest

from facemon.cli.main import run
from tests.model.detector_files import corner_shares, landmark_pixels, write_detector
from tests.model.onnx_files import write_reducing_model

CONFIG = """\
version: 1
model:
  name: m
  version: "1"
  faces:
    finder: onnx
    weights: d.onnx
    align: arcface-112
    detector:
      input: {name: input, size: [32, 24]}
      scores: {outputs: [scores], index: 1}
      boxes: {outputs: [boxes], unit: share}
      landmarks: {outputs: [points]}
  networks:
    - path: a.onnx
      input: {name: input, size: [4, 4], fit: pad, pad: {colour: [114, 114, 114], side: end}}
      crop: {scale: 2.7, outside: shift}
      attributes: [{name: age, output: age, kind: number, scale: 100, offset: -5, average: true}]
    - path: a.onnx
      input: {name: input, size: [4, 4], fit: crop, shorter_side: 8}
      attributes: [{name: age, output: age, kind: number, average: true}]
"""


def test_the_steps_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    size = (32, 24)
    write_detector(tmp_path / "d.onnx", size, {"boxes": corner_shares(size), "points": landmark_pixels(size)})
    write_reducing_model(tmp_path / "a.onnx", {"age": [[1], [0], [0]]})
    (tmp_path / "facemon.yaml").write_text(CONFIG)
    assert run(["-c", str(tmp_path / "facemon.yaml"), "model", "show"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    for part in (
        "onnx: align (template arcface-112), weights",
        "scores outputs [scores], activation none, index 1",
        "pad with (114, 114, 114) at the end",
        "crop shape square, scale 2.7, outside shift, edges round",
        "the middle of 8 pixels along the shorter side",
        "age, * 100 - 5, averaged over networks",
    ):
        assert part in shown
    assert run(["-c", str(tmp_path / "facemon.yaml"), "model", "show", "--format", "json"]) == 0
    card = json.loads(capsys.readouterr().out)
    assert [network["crop"] and network["crop"]["scale"] for network in card["networks"]] == [2.7, None]
    assert card["attributes"][0]["average"] is True
