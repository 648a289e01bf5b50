"""The exit codes that cron jobs and pipelines decide by, each by a real run.

tests/acceptance/test_each_command.py shows that those of the installed command are the same.
"""

import fcntl
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from facemon.errors import ExitCode
from tests.acceptance.tables import write_table
from tests.conftest import RunFacemon

pytestmark = pytest.mark.slow

COMMAND = Path(sys.executable).with_name("facemon")
TABLES = ("drift-check", "--check", "data", "--reference", "a.csv", "--current")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Tables with the same brightness twice, a darker one and one that is too short; a file that is not an image."""
    (tmp_path / "photo.jpg").write_text("not an image")
    write_table(tmp_path / "a.csv", seed=1)
    write_table(tmp_path / "same.csv", seed=1)
    write_table(tmp_path / "dark.csv", seed=2, brightness=0.3)
    write_table(tmp_path / "short.csv", seed=3, rows=50)
    return tmp_path


def test_the_table_itself() -> None:
    assert {code.name: code.value for code in ExitCode} == {
        "OK": 0, "FAILED": 1, "USAGE": 2, "FOUND": 3, "UNDECIDED": 4, "LOCKED": 75, "INTERRUPTED": 130,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--version",), 0),
        (("--help",), 0),
        ((*TABLES, "same.csv"), 0),
        (("predict", "photo.jpg"), 1),
        (("predict", "missing.jpg"), 2),
        (("store", "info"), 1),
        ((*TABLES, "missing.csv"), 1),
        (("no-such-command",), 2),
        (("store",), 2),
        (("store", "info", "--nonsense"), 2),
        ((*TABLES, "same.csv", "--fail-on", "nonsense"), 2),
        (("store", "info", "-c", "missing.yaml"), 2),
        ((*TABLES, "dark.csv"), 3),
        ((*TABLES, "short.csv"), 4),
        ((*TABLES, "dark.csv", "--exit-zero"), 0),
        ((*TABLES, "short.csv", "--exit-zero"), 0),
    ],
)
def test_each_by_a_real_run(facemon: RunFacemon, folder: Path, arguments: tuple[str, ...], code: int) -> None:
    outcome = facemon(*arguments, cwd=folder)
    assert outcome.returncode == code, outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert "unexpectedly" not in outcome.stderr


def test_another_run_holds_the_lock(facemon: RunFacemon, folder: Path) -> None:
    assert facemon(*TABLES, "same.csv", "--record", cwd=folder).returncode == 0
    path = folder / ".facemon" / "locks" / "drift-check.lock"
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        outcome = facemon(*TABLES, "same.csv", "--record", cwd=folder)
        assert facemon(*TABLES, "same.csv", cwd=folder).returncode == 0  # a look needs no lock
    assert outcome.returncode == 75
    assert f"another facemon drift-check is running on {folder / '.facemon'} (process {os.getpid()})" in outcome.stderr
    assert facemon(*TABLES, "same.csv", "--record", cwd=folder).returncode == 0


def test_interrupted(tmp_path: Path) -> None:
    with subprocess.Popen(
        [COMMAND, "predict", "-"], cwd=tmp_path, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        while not (tmp_path / ".facemon" / "ledger.sqlite").exists():
            time.sleep(0.02)
        try:
            # The first asks it to finish what has begun, the second ends it; a list on stdin never comes to an end. One
            # that comes while a library is being loaded may be lost in there: a user would press again.
            for patience in (0.5, 2.0, 10.0):
                process.send_signal(signal.SIGINT)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(patience)
                    break
            # Python has the signal's own handler back while it ends; a shell calls that 130 too.
            assert process.poll() in (130, -signal.SIGINT)
        finally:
            process.kill()
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()


def test_the_reader_has_left(folder: Path) -> None:
    line = f"set -o pipefail; {COMMAND} {' '.join(TABLES)} dark.csv --no-record | true"
    outcome = subprocess.run(["bash", "-c", line], cwd=folder, capture_output=True, text=True, check=False)
    assert (outcome.returncode, outcome.stderr) == (130, "")
