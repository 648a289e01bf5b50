"""Runs the steps of a rendered workflow as GitHub's runner does, with a gh that keeps its issues in a file."""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.read_yaml import read_yaml

CONTEXT = {
    "github.token": "secret",
    "github.repository": "owner/faces",
    "github.server_url": "https://github.example",
    "github.run_id": "77",
}
GH = """\
#!/bin/bash
printf '%s\\n' "$*" >> {folder}/gh.log
case "$1 $2" in
  "issue list") cat {folder}/issues 2> /dev/null || true ;;
  "issue create") echo 7 > {folder}/issues ;;
esac
while [ $# -gt 0 ]; do
  if [ "$1" = --body-file ]; then cp "$2" {folder}/body.md; fi
  if [ "$1" = --title ]; then printf '%s' "$2" > {folder}/title; fi
  shift
done
"""
SHELL = ("bash", "--noprofile", "--norc", "-eo", "pipefail")
"""What a runner starts for `shell: bash`; for a step without a shell it is `bash -e`."""


def evaluated(text: str) -> str:
    """A text of a workflow with its expressions replaced: names of contexts, and strings in quotes."""

    def value(match: re.Match[str]) -> str:
        return CONTEXT[match["name"]] if match["name"] else match["string"].replace("''", "'")

    return re.sub(r"\$\{\{ (?:'(?P<string>(?:[^']|'')*)'|(?P<name>[\w.]+)) \}\}", value, text)


@dataclass
class Runner:
    """A runner in a folder of its own; `programs` are found before those of the machine."""

    folder: Path
    programs: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    shell: tuple[str, ...] = SHELL

    def run(self, workflow: str) -> tuple[int, dict[str, str]]:
        """Run the job: the exit code of the check, and the outputs of its step."""
        install(self.programs / "gh", GH.format(folder=self.folder))
        check, tell, keep = read_yaml(workflow)["jobs"]["drift-check"]["steps"]
        (self.folder / "output").write_text("")
        (self.folder / "temp").mkdir(exist_ok=True)
        checked = self.step(check)
        outputs = dict(line.split("=", 1) for line in (self.folder / "output").read_text().splitlines())
        assert (tell["if"], keep["with"]["path"]) == (
            "steps.drift.outputs.code == '3'",
            "${{ runner.temp }}/facemon-drift",
        )
        if checked.returncode == 0 and outputs["code"] == "3":
            told = self.step(tell)
            assert told.returncode == 0, told.stderr
        return checked.returncode, outputs

    def step(self, step: Mapping[str, Any]) -> subprocess.CompletedProcess[str]:
        """Run one step's script."""
        script = self.folder / "step.sh"
        script.write_text(step["run"], encoding="utf-8")
        (self.folder / "summary").write_text("")
        variables = {
            **{name: evaluated(value) for name, value in step["env"].items()},
            "GITHUB_OUTPUT": str(self.folder / "output"),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
            "RUNNER_TEMP": str(self.folder / "temp"),
            "PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}",
            "LANG": "C.UTF-8",
            **self.environment,
        }
        command = [*self.shell, str(script)]
        return subprocess.run(command, env=variables, cwd=self.folder, capture_output=True, text=True, check=False)

    def calls(self) -> list[str]:
        """What gh was asked for."""
        log = self.folder / "gh.log"
        return [" ".join(line.split()[:2]) for line in log.read_text().splitlines()] if log.exists() else []

    def kept(self) -> dict[str, str]:
        """What the artifact holds."""
        return {path.name: path.read_text() for path in (self.folder / "temp/facemon-drift").iterdir()}


def install(path: Path, script: str) -> None:
    """A program of the tests' own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(script, encoding="utf-8")
    path.chmod(0o755)
