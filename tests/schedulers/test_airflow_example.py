"""`examples/airflow_shards.py`: its commands against facemon's own, and its DAG run by Airflow where that is there."""

import ast
import re
import sys
from pathlib import Path

import pytest

from tests.acceptance.small_model import write_small_model
from tests.conftest import ROOT, RunFacemon
from tests.every_command import every_command, single_commands
from tests.model.onnx_files import flat_image
from tests.render.test_schedules_airflow import Airflow, airflow

__all__ = ["airflow"]
EXAMPLE = ROOT / "examples" / "airflow_shards.py"
IMAGES, SHARDS = 6, 3


def calls() -> list[list[str]]:
    """The words of each command that the DAG runs; those that are not literals are empty."""
    tree = ast.parse(EXAMPLE.read_text(encoding="utf-8"))
    found = [
        [str(word.value) if isinstance(word, ast.Constant) else "" for word in node.args]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "facemon"
    ]
    return [[*command.split(), *words] for command, *words in found]


def test_each_command_and_option_exists() -> None:
    commands = dict(single_commands())
    assert len(calls()) == 3
    for line in calls():
        (words,) = [words for words in commands if list(words) == line[: len(words)]]
        known = {option for parameter in commands[words].params for option in parameter.opts}
        assert {word for word in line if word.startswith("-")} <= known, line
    assert "--config" in {option for parameter in every_command().params for option in parameter.opts}


def site(folder: Path, **constants: object) -> str:
    """A model and images in a folder, and the text of the DAG for them."""
    write_small_model(folder)
    for name in ("day", "manifests", "log"):
        (folder / name).mkdir()
    for number in range(IMAGES):
        flat_image(folder / "day" / f"{number}.png", (20 * number, 0, 0))
    facemon = [sys.executable, "-m", "facemon", "--config", str(folder / "facemon.yaml")]
    values = {"FACEMON": facemon, "FOLDER": str(folder / "manifests"), "INPUTS": [str(folder / "day")],
              "LOG": (folder / "log").as_uri(), "SHARDS": SHARDS, **constants}  # fmt: skip
    text = EXAMPLE.read_text(encoding="utf-8")
    for name, value in values.items():
        (line,) = re.findall(rf"^{name} = .*$", text, flags=re.MULTILINE)
        text = text.replace(line, f"{name} = {value!r}")
    return text


@pytest.mark.slow
def test_a_run_registers_each_image_once(airflow: Airflow, tmp_path: Path, facemon: RunFacemon) -> None:
    states = airflow.test(site(tmp_path), "facemon_shards")
    assert set(states.values()) == {"success"}, states
    assert f"ok: {IMAGES} rows" in facemon("store", "verify", cwd=tmp_path).stdout


@pytest.mark.slow
def test_a_wrong_log_fails_the_run_at_once(airflow: Airflow, tmp_path: Path) -> None:
    states = airflow.test(site(tmp_path, LOG="ftp://log"), "facemon_shards")
    assert (states["run"], states["freeze"], states["predict"]) == ("failed", "success", "failed"), states
