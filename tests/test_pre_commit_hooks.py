"""The hook that other repositories name: pre-commit takes its manifest, and its entry judges what is rendered."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from facemon.render.stack import render_stack
from tests.conftest import ROOT, RunFacemon
from tests.read_yaml import read_yaml
from tests.render.configurations import CONFIGURATIONS, SCHEDULES, config_of

MANIFEST = ROOT / ".pre-commit-hooks.yaml"
(HOOK,) = read_yaml(MANIFEST.read_text())


def test_pre_commit_takes_the_manifest(linters: Path, tmp_path: Path) -> None:
    def validate(manifest: Path) -> int:
        command = [str(linters / "python/bin/python"), "-m", "pre_commit", "validate-manifest", str(manifest)]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode

    assert validate(MANIFEST) == 0
    (tmp_path / "wrong.yaml").write_text(MANIFEST.read_text().replace("entry:", "entri:"))
    assert validate(tmp_path / "wrong.yaml") == 1


@pytest.mark.slow
def test_its_entry_fails_on_what_is_not_as_rendered(facemon: RunFacemon, tmp_path: Path) -> None:
    command, *words = shlex.split(HOOK["entry"])
    assert (command, HOOK["pass_filenames"]) == ("facemon", False)
    (tmp_path / "facemon.yaml").write_text(SCHEDULES)
    assert facemon(*words, cwd=tmp_path).returncode == 3
    assert facemon("render-config", cwd=tmp_path).returncode == 0
    assert facemon(*words, cwd=tmp_path).returncode == 0
    (tmp_path / ".github/workflows/monitoring.yml").write_text("on: push\n")
    assert facemon(*words, cwd=tmp_path).returncode == 3
    (tmp_path / "facemon.yaml").write_text("schedule: {targets: [crontab]}\n")
    assert facemon(*words, cwd=tmp_path).returncode == 2


def test_it_runs_when_any_of_its_files_changes() -> None:
    files = re.compile(HOOK["files"])
    for text in (*CONFIGURATIONS.values(), SCHEDULES):
        assert all(files.search(path) for path in render_stack(config_of(text)).files)
    assert files.search("facemon.yaml")
    assert not files.search("src/monitoring/model.py")
    assert not files.search(".github/workflows/build.yml")
