"""action.yml: GitHub's schema and shellcheck accept it, and its check runs the installed command with each outcome."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.read_yaml import read_yaml
from tests.render.github_runner import SHELL
from tests.render.shellcheck import faults

pytestmark = pytest.mark.slow
FILE = Path(__file__).parents[2] / "action.yml"
ACTION = read_yaml(FILE.read_text())
INSTALL, CHECK = ACTION["runs"]["steps"]


def table(path: Path, mean: float, rows: int = 20_000) -> str:
    values = np.random.default_rng(0).normal(mean, 1, rows)
    path.write_text("\n".join(["score", *map(str, values)]) + "\n")
    return path.name


def run_check(folder: Path, **inputs: str) -> tuple[int, str, str]:
    """The exit code of the step, its output `code`, and the job's summary."""
    variables = {"REFERENCE": "", "CURRENT": "", "CONFIG": "", "CHECK": "data", "FAIL_ON_DRIFT": "true", **inputs}
    assert set(variables) == set(CHECK["env"])
    (folder / "temp").mkdir(exist_ok=True)
    installed = folder / "temp/facemon"
    if not installed.exists():
        installed.symlink_to(sys.prefix)
    places = {"RUNNER_TEMP": folder / "temp", "GITHUB_OUTPUT": folder / "output", "GITHUB_STEP_SUMMARY": folder / "sum"}
    for place in ("output", "sum"):
        (folder / place).write_text("")
    script = folder / "step.sh"
    script.write_text(CHECK["run"])
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), **variables, **{k: str(v) for k, v in places.items()}}
    ended = subprocess.run([*SHELL, str(script)], cwd=folder, env=environment, capture_output=True, check=False)
    output = (folder / "output").read_text().strip().removeprefix("code=").splitlines()
    return ended.returncode, output[-1].removeprefix("code="), (folder / "sum").read_text()


def test_github_and_shellcheck_accept_it(linters: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-actions", str(FILE)]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert [faults(step["run"], linters) for step in (INSTALL, CHECK)] == ["", ""]


def test_its_scripts_read_the_inputs_from_variables_only() -> None:
    """An expression in a script would run what a name of a branch or a file holds."""
    assert ["${{" in step["run"] for step in (INSTALL, CHECK)] == [False, False]
    assert {f"${{{{ inputs.{name} }}}}" for name in ACTION["inputs"]} == {
        value for step in (INSTALL, CHECK) for value in step["env"].values()
    }


def test_drift_fails_the_step_unless_it_may_not(tmp_path: Path) -> None:
    inputs = {"REFERENCE": table(tmp_path / "june.csv", 0), "CURRENT": table(tmp_path / "odd $(name).csv", 1)}
    ended, code, summary = run_check(tmp_path, **inputs)
    assert (ended, code) == (3, "3")
    assert "score" in summary
    assert run_check(tmp_path, **inputs, FAIL_ON_DRIFT="false")[:2] == (0, "3")


def test_no_drift_and_too_few_rows_pass(tmp_path: Path) -> None:
    reference = table(tmp_path / "a.csv", 0)
    assert run_check(tmp_path, REFERENCE=reference, CURRENT=table(tmp_path / "b.csv", 0))[:2] == (0, "0")
    few = table(tmp_path / "c.csv", 0, 5)
    assert run_check(tmp_path, REFERENCE=reference, CURRENT=few)[:2] == (0, "4")


@pytest.mark.only_at_length
def test_all_checks_of_tables_without_predictions_pass(tmp_path: Path) -> None:
    """Without a configuration, the tables lack the attributes of the built-in model. The step loads Evidently."""
    tables = {"REFERENCE": table(tmp_path / "a.csv", 0), "CURRENT": table(tmp_path / "b.csv", 0)}
    assert run_check(tmp_path, **tables, CHECK="all")[:2] == (0, "4")


def test_a_missing_table_fails_the_step(tmp_path: Path) -> None:
    reference = table(tmp_path / "a.csv", 0)
    assert run_check(tmp_path, REFERENCE=reference, CURRENT="none.csv")[:2] == (1, "1")
