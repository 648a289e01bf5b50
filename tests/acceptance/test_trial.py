"""The folder in which a contributor tries a new kind or finder by hand holds what each command needs."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from facemon.cli.main import run
from tests.acceptance import trial

ROOT = Path(__file__).parents[2]
COMMANDS = [shlex.split(line, comments=True)[1:] for line in str(trial.__doc__).splitlines() if "facemon " in line]


@pytest.mark.parametrize(
    ("kind", "measure", "red", "blue"),
    [
        ("kind: number, scale: 2", "value", 18.0, 0.0),
        ("kind: categorical, labels: [a, b, c], activation: softmax", "label", "a", "c"),
    ],
)
def test_the_commands_of_its_docstring_run_and_find_a_shift(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    kind: str,
    measure: str,
    red: object,
    blue: object,
) -> None:
    folder = tmp_path / "trial"
    subprocess.run([sys.executable, "-m", "tests.acceptance.trial", folder, kind], cwd=ROOT, check=True)
    monkeypatch.chdir(folder)
    predict, *others = COMMANDS
    for words in (predict, ["predict", "-q", "2026-11-02.jsonl", "-o", "second.jsonl"], others[0]):
        assert run(words) == 0
    rows = [json.loads(line) for name in ("first", "second") for line in Path(f"{name}.jsonl").read_text().splitlines()]
    found = {Path(row["image"]).stem: row["attributes"]["trial"][measure] for row in rows}
    assert (len(rows), found["red"], found["blue"]) == (800, red, blue)
    assert run(others[1]) == 3
    capfd.readouterr()
    assert run(others[2]) == 0
    assert 'drift_detected{attribute="trial"' in capfd.readouterr().out
