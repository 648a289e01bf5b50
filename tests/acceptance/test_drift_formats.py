"""`facemon drift-check` in each of its formats on two tables, as CI servers and workflows use it."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.acceptance.tables import CONFIGURATION, write_table
from tests.conftest import RunFacemon

CHECK = ("drift-check", "--no-record", "--check", "model", "--reference", "normal.csv", "--current")
WORKFLOW = """\
step_one() {
  facemon drift-check --no-record --check model --reference normal.csv --current "$1" --format github $2
}
step_two() {
  while IFS='=' read -r name value; do export "OUTPUT_$name=$value"; done < "$GITHUB_OUTPUT"
  case "$OUTPUT_verdict" in
    drift) echo "retrain because of $OUTPUT_drifted"; exit "$OUTPUT_exit_code" ;;
    ok) echo "deploy" ;;
    *) exit 1 ;;
  esac
}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "facemon.yaml").write_text(CONFIGURATION)
    write_table(tmp_path / "normal.csv", seed=1)
    write_table(tmp_path / "bearded.csv", seed=2, beards=0.6)
    write_table(tmp_path / "same.csv", seed=1)
    write_table(tmp_path / "few.csv", seed=3, rows=20)
    return tmp_path


def run_step(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """One step of a workflow: the runner writes it to a file and starts `bash -e` with the step's variables."""
    (folder / "step.sh").write_text(WORKFLOW + script)
    variables = {name: str(folder / name.lower()) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "step.sh"],
        cwd=folder,
        env=os.environ | variables | {"PATH": path, "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_workflow_reads_the_verdict_in_its_next_step(folder: Path) -> None:
    checked = run_step("step_one bearded.csv --exit-zero\necho and on", folder)
    assert (checked.returncode, checked.stderr) == (0, "")
    notice, error, end = checked.stdout.splitlines()
    assert notice.startswith("::notice title=drift-check::Drift. ")
    assert error.startswith("::error title=drift of beard (model check)::shift ")
    assert end == "and on"
    assert "| model | beard | **drift** |" in (folder / "github_step_summary").read_text()
    decided = run_step("step_two", folder)
    assert (decided.returncode, decided.stdout) == (3, "retrain because of beard\n")


def test_a_step_that_fails_has_written_its_outputs(folder: Path) -> None:
    checked = run_step("step_one bearded.csv\necho never", folder)
    assert checked.returncode == 3
    assert "never" not in checked.stdout
    assert run_step("step_two", folder).stdout == "retrain because of beard\n"


def test_no_drift_and_no_doubt_lets_the_workflow_go_on(folder: Path) -> None:
    assert run_step("step_one same.csv", folder).returncode == 0
    assert run_step("step_two", folder).stdout == "deploy\n"
    undecided = run_step("step_one few.csv", folder)
    assert undecided.returncode == 4
    assert "::warning title=undecided of beard (model check)::" in undecided.stdout
    assert (folder / "github_output").read_text().splitlines()[-4:] == [
        "verdict=undecided", "drifted=", "drifted_sources=", "exit_code=4"
    ]  # fmt: skip


@pytest.mark.parametrize("variable", ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"])
def test_a_file_of_the_runner_that_cannot_be_written(facemon: RunFacemon, folder: Path, variable: str) -> None:
    outcome = facemon(*CHECK, "same.csv", "--format", "github", cwd=folder, env={variable: str(folder / "no" / "file")})
    assert (outcome.returncode, outcome.stdout) == (1, "")
    assert f"error: {folder / 'no' / 'file'} cannot be written: No such file or directory" in outcome.stderr
    assert f"hint: it is the file that {variable} names" in outcome.stderr


def test_outside_a_runner_nothing_is_written(facemon: RunFacemon, folder: Path) -> None:
    before = sorted(folder.iterdir())
    neither: Mapping[str, str] = {"GITHUB_OUTPUT": "", "GITHUB_STEP_SUMMARY": ""}
    assert facemon(*CHECK, "bearded.csv", "--format", "github", cwd=folder, env=neither).returncode == 3
    assert sorted(folder.iterdir()) == before


def test_junit(facemon: RunFacemon, folder: Path) -> None:
    outcome = facemon(*CHECK, "bearded.csv", "--format", "junit", cwd=folder)
    assert outcome.returncode == 3
    (suite,) = ET.fromstring(outcome.stdout)  # noqa: S314 - our own text
    (case,) = suite
    assert (suite.get("name"), suite.get("failures"), case.get("name")) == ("model", "1", "beard")
    assert case.find("failure") is not None
    quiet = facemon(*CHECK, "same.csv", "--format", "junit", cwd=folder)
    assert (quiet.returncode, 'failures="0" errors="0"' in quiet.stdout) == (0, True)


def test_markdown(facemon: RunFacemon, folder: Path) -> None:
    outcome = facemon(*CHECK, "bearded.csv", "--format", "markdown", cwd=folder)
    assert (outcome.returncode, outcome.stderr) == (3, "")
    assert outcome.stdout.startswith("**Drift. Current bearded.csv: 600 rows, reference normal.csv: 600 rows.**\n\n")
    assert outcome.stdout.endswith(
        "|\n\nRows are taken as independent: only windows of the log show how often frames repeat.\n"
    )


@pytest.mark.parametrize("format_", ["text", "json", "markdown"])
def test_a_page_beside_any_format(facemon: RunFacemon, folder: Path, format_: str) -> None:
    plain = facemon(*CHECK, "bearded.csv", "--format", format_, cwd=folder)
    outcome = facemon(*CHECK, "bearded.csv", "--format", format_, "--html", cwd=folder)
    page = folder / ".facemon" / "reports" / "drift.html"
    assert (outcome.returncode, outcome.stderr) == (3, f"report: {page}\n")
    if format_ == "json":
        assert json.loads(outcome.stdout) | {"at": ""} == json.loads(plain.stdout) | {"at": ""}
    else:
        assert outcome.stdout == plain.stdout
    assert "<h1" in page.read_text(encoding="utf-8")
    assert [path.name for path in page.parent.iterdir()] == ["drift.html"]


def test_a_page_that_cannot_be_written(facemon: RunFacemon, folder: Path) -> None:
    (folder / ".facemon" / "reports" / "drift.html").mkdir(parents=True)
    outcome = facemon(*CHECK, "same.csv", "--html", cwd=folder)
    assert (outcome.returncode, outcome.stdout) == (1, "")
    assert "drift.html cannot be written: Is a directory" in outcome.stderr
    assert [path.name for path in (folder / ".facemon" / "reports").iterdir()] == ["drift.html"]


def test_quiet_is_silent_but_leaves_its_files(facemon: RunFacemon, folder: Path) -> None:
    variables = {"GITHUB_OUTPUT": str(folder / "outputs")}
    outcome = facemon(*CHECK, "same.csv", "-q", "--html", "--format", "github", cwd=folder, env=variables)
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (0, "", "")
    assert (folder / "outputs").read_text().startswith("verdict=ok\n")
    assert (folder / ".facemon" / "reports" / "drift.html").is_file()


def test_the_history_is_text_or_json(facemon: RunFacemon, folder: Path) -> None:
    assert facemon(*CHECK, "same.csv", "--record", cwd=folder).returncode == 0
    outcome = facemon("drift-check", "--history", "--format", "junit", cwd=folder)
    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert "--history has no --format junit" in outcome.stderr
