"""The README's commands of every day, typed in a new folder with 40 photographs: none is refused."""

import re
import shlex
from datetime import UTC, datetime
from pathlib import Path

import pytest
from camera_day import simulate_day

from facemon.errors import ExitCode
from tests.conftest import RunFacemon

pytestmark = pytest.mark.slow

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
COMMANDS = [shlex.split(line, comments=True) for line in re.findall(r"^\$ facemon (.+)$", README, flags=re.MULTILINE)]


def test_the_commands_of_every_day_run_in_a_new_folder(facemon: RunFacemon, tmp_path: Path) -> None:
    simulate_day(tmp_path / "photos", datetime.now(UTC), images=40, exposure=1.0, seed=1)
    assert len(COMMANDS) == 5
    for command in COMMANDS:
        outcome = facemon(*command, cwd=tmp_path)
        assert outcome.returncode in (ExitCode.OK, ExitCode.UNDECIDED), (command, outcome.stderr)
        assert "Traceback" not in outcome.stderr


def test_the_readme_is_one_screen() -> None:
    assert len(README.splitlines()) <= 65
