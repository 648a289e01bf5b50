"""The smoke tests notice what an installed facemon does otherwise than it should."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from release_notes import ROOT, version_of
from smoke import find_python, main, try_all, try_installed
from smoke_steps import Installation, SmokeError, run_steps

pytestmark = pytest.mark.slow


def program(folder: Path, script: str, name: str = "facemon") -> Path:
    """A program of a made-up installation."""
    path = folder / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path.parent


def test_a_wrong_exit_code_is_named_with_what_was_said(tmp_path: Path) -> None:
    installed = Installation(program(tmp_path, "echo out; echo why >&2; exit 3"), tmp_path, os.environ)
    with pytest.raises(SmokeError, match=r"facemon init ended in 3, not 0:\nout\nwhy"):
        installed.run("init")
    assert installed.run("init", expect=3) == "out\n"


def test_a_wrong_version_is_named(tmp_path: Path) -> None:
    installed = Installation(program(tmp_path, "echo facemon 9.9.9"), tmp_path, os.environ)
    with pytest.raises(SmokeError, match=r"prints 'facemon 9\.9\.9"):
        next(run_steps(installed, "0.2.0"))


def test_a_command_that_does_nothing_does_not_pass(tmp_path: Path) -> None:
    installed = Installation(
        program(tmp_path, 'test "$1" = --version && echo facemon 0.2.0 || true'), tmp_path, os.environ
    )
    with pytest.raises(SmokeError, match=r"wrote no facemon\.yaml"):
        list(run_steps(installed, "0.2.0"))


def test_a_facemon_of_another_place_is_named(tmp_path: Path) -> None:
    programs = program(tmp_path, "exit 0")
    script = 'case "$2" in *touch*) exit 1;; esac; echo /elsewhere/facemon/__init__.py'
    program(tmp_path, script, "python")
    folder = tmp_path / "apart"
    folder.mkdir()
    with pytest.raises(SmokeError, match="facemon is imported from /elsewhere/facemon"):
        list(try_installed(programs, folder, "0.2.0"))


def test_an_installation_that_can_be_written_to_is_not_tried(tmp_path: Path) -> None:
    program(tmp_path, "exit 0", "python")
    (tmp_path / "apart").mkdir()
    with pytest.raises(SmokeError, match="ended in 0, not 1"):
        list(try_installed(tmp_path / "bin", tmp_path / "apart", "0.2.0"))


def test_a_python_that_is_not_here_is_said_or_fails(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SmokeError, match=r"there is no python3\.2 on this machine"):
        try_all([], ["3.2"], "0.2.0", missing_fails=True)
    with pytest.raises(SmokeError, match="no Python to try them on"):
        try_all([], ["3.2"], "0.2.0", missing_fails=False)
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    try_all([], ["3.2", here], "0.2.0", missing_fails=False)
    assert "NOT RUN on Python 3.2, which is not on this machine\n" in capsys.readouterr().out


def test_the_interpreter_is_of_the_version_that_was_asked_for() -> None:
    for version in ("3.11", "3.12", "3.13"):
        python = find_python(version)
        if python is not None:
            command = [str(python), "-c", "import sys; print(*sys.version_info[:2], sep='.')"]
            assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == version


def test_a_folder_without_both_distributions_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    version = version_of(ROOT)
    (tmp_path / f"facemon-{version}-py3-none-any.whl").write_text("")
    (tmp_path / f"facemon-{version}0.tar.gz").write_text("")
    assert main([str(tmp_path)]) == 1
    assert "make build" in capsys.readouterr().err


@pytest.mark.only_at_length
def test_the_steps_pass_where_facemon_works(tmp_path: Path) -> None:
    environment = {**os.environ, "HOME": str(tmp_path)}
    steps = list(run_steps(Installation(Path(sys.executable).parent, tmp_path, environment), version_of(ROOT)))
    assert len(steps) == 12
