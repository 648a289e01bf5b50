"""`drift.on_drift`: a command of the user's own hears of each new drift once."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.tables import CONFIGURATION, write_table
from tests.conftest import RunFacemon

HOOK = """\
#!/bin/sh
cat >> heard.jsonl
echo "ticket opened"
exit $(cat code)
"""
CHECK = ("drift-check", "-q", "--record", "--check", "model", "--reference", "normal.csv", "--current")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    configure(tmp_path, "[./hook.sh]")
    (tmp_path / "hook.sh").write_text(HOOK)
    (tmp_path / "hook.sh").chmod(0o755)
    (tmp_path / "code").write_text("0")
    write_table(tmp_path / "normal.csv", seed=1)
    write_table(tmp_path / "bearded.csv", seed=2, beards=0.6)
    write_table(tmp_path / "few.csv", seed=2, rows=20, beards=0.6)
    return tmp_path


def configure(folder: Path, command: str, timeout: str = "30s") -> None:
    drift = f"drift: {{on_drift: {command}, on_drift_timeout: {timeout}}}\n"
    (folder / "facemon.yaml").write_text(CONFIGURATION + drift)


def heard(folder: Path) -> list[str]:
    path = folder / "heard.jsonl"
    return [json.loads(line)["verdict"] for line in path.read_text().splitlines()] if path.exists() else []


def test_once_for_each_new_drift(facemon: RunFacemon, folder: Path) -> None:
    def check(table: str, *options: str) -> subprocess.CompletedProcess[str]:
        shutil.copy(folder / table, folder / "today.csv")
        return facemon(*CHECK, "today.csv", *options, cwd=folder)

    first = check("bearded.csv", "--format", "json")
    assert (first.returncode, heard(folder), first.stderr) == (3, ["drift"], "ticket opened\n")
    json.loads(first.stdout)  # the hook's output is not on stdout
    assert check("bearded.csv").returncode == 3
    assert heard(folder) == ["drift"]
    # A check that cannot decide is no all-clear; one that finds nothing is.
    assert check("few.csv").returncode == 4
    assert check("bearded.csv").returncode == 3
    assert heard(folder) == ["drift"]
    assert check("normal.csv").returncode == 0
    assert check("bearded.csv").returncode == 3
    assert heard(folder) == ["drift", "drift"]


def test_a_hook_that_fails_is_told_again(facemon: RunFacemon, folder: Path) -> None:
    (folder / "code").write_text("7")
    answer = facemon(*CHECK, "bearded.csv", cwd=folder)
    assert answer.returncode == 3
    assert "drift.on_drift: ./hook.sh ended with exit code 7; the next check runs it again" in answer.stderr
    (folder / "code").write_text("0")
    for _ in range(2):
        assert "exit code" not in facemon(*CHECK, "bearded.csv", cwd=folder).stderr
    assert heard(folder) == ["drift", "drift"]


def test_a_hook_that_hangs_is_ended_with_all_that_it_started(facemon: RunFacemon, folder: Path) -> None:
    configure(folder, '[sh, -c, "sleep 86400 & sleep 86400; wait"]', timeout="1s")
    answer = facemon(*CHECK, "bearded.csv", cwd=folder)
    assert (answer.returncode, "took longer than 1 s" in answer.stderr) == (3, True)


def test_a_hook_that_is_not_there_is_told(facemon: RunFacemon, folder: Path) -> None:
    configure(folder, "[./nothing.sh]")
    answer = facemon(*CHECK, "bearded.csv", cwd=folder)
    assert answer.returncode == 3
    assert "drift.on_drift: ./nothing.sh cannot be run: No such file or directory" in answer.stderr


def test_what_one_comparison_told_does_not_silence_another(facemon: RunFacemon, folder: Path) -> None:
    write_table(folder / "later.csv", seed=5, beards=0.6)
    for table in ("bearded.csv", "later.csv", "bearded.csv"):
        assert facemon(*CHECK, table, cwd=folder).returncode == 3
    assert heard(folder) == ["drift", "drift"]


def test_a_relative_command_is_relative_to_the_configuration(facemon: RunFacemon, folder: Path) -> None:
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    tables = ("--reference", "../normal.csv", "--current", "../bearded.csv")
    answer = facemon("-c", "../facemon.yaml", *CHECK[:5], *tables, cwd=elsewhere)
    assert (answer.returncode, heard(folder), answer.stderr) == (3, ["drift"], "ticket opened\n")


def test_it_is_told_though_the_result_cannot_be_printed(facemon: RunFacemon, folder: Path) -> None:
    answer = facemon(*CHECK, "bearded.csv", "--explain", "bread", cwd=folder)
    assert (answer.returncode, heard(folder)) == (2, ["drift"])


def test_it_may_run_a_check_itself(facemon: RunFacemon, folder: Path) -> None:
    again = f"{Path(sys.executable).with_name('facemon')} drift-check --no-record --check model --reference normal.csv"
    configure(folder, f'[sh, -c, "{again} --current normal.csv > second.txt"]')
    answer = facemon(*CHECK, "bearded.csv", cwd=folder)
    assert (answer.returncode, answer.stderr) == (3, "")
    assert (folder / "second.txt").read_text().startswith("No drift.")
