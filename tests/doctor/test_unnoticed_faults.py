"""Faults that end no command with an error: the doctor's first finding is the cause."""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, chdir, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from shutil import rmtree

import pyarrow.parquet
import pytest
from PIL import Image

from facemon import Monitor
from tests.conftest import RunFacemon
from tests.doctor.healthy import BATCHES, NEWEST_AGO, REFERENCE_AGO, diagnosis, log_rows
from tests.model.onnx_files import write_reducing_model
from tests.patience import wait_until
from tests.recent_hours import HOUR, hours_of_one_date

pytestmark = pytest.mark.slow
HOLDS_THE_LOCK = """\
import os, signal
from pathlib import Path
from facemon.store.process_lock import ProcessLock
with ProcessLock.for_command(Path(".facemon"), "drift-check"):
    os.kill(os.getpid(), signal.SIGSTOP)
"""


@contextmanager
def times_without_offset(_facemon: RunFacemon, folder: Path) -> Iterator[None]:
    """Rows of a place that is eight hours ahead, whose times were taken for UTC."""
    log_rows(folder, ago=timedelta(hours=-8), seed=7, rows=500)
    yield


@contextmanager
def other_weights(facemon: RunFacemon, folder: Path) -> Iterator[None]:
    """The file was replaced, and the name and version of the model stayed."""
    Image.new("RGB", (64, 64)).save(folder / "one.png")
    succeed(facemon, folder, "predict", "one.png")
    set_reference(facemon, folder)
    assert diagnosis(facemon, folder)["findings"] == []
    write_reducing_model(folder / "m.onnx", {"hair": [[0, 9], [9, 0], [0, 0]]})
    yield


@contextmanager
def a_camera_renamed(facemon: RunFacemon, folder: Path) -> Iterator[None]:
    rmtree(folder / ".facemon")
    for ago, source in ((REFERENCE_AGO, "door"), (REFERENCE_AGO, "gate"), (NEWEST_AGO, "Door"), (NEWEST_AGO, "gate")):
        log_source(folder, source, ago)
    set_reference(facemon, folder)
    assert facemon("-q", "drift-check", cwd=folder).returncode in (3, 4)
    yield


@contextmanager
def a_reference_of_labels_alone(facemon: RunFacemon, folder: Path) -> Iterator[None]:
    """The data check finds no column of images in it, compares nothing, and ends undecided every night."""
    rmtree(folder / ".facemon")
    log_rows(folder, ago=NEWEST_AGO, seed=2)
    (folder / "labels.csv").write_text("hair\n" + "a\nb\n" * 3_000)
    succeed(facemon, folder, "reference", "set", "labels.csv", "--kind", "labels", "--name", "truth")
    assert facemon("-q", "drift-check", "--check", "model", cwd=folder).returncode == 0
    assert facemon("-q", "drift-check", "--check", "data", cwd=folder).returncode == 4
    yield


@contextmanager
def a_stopped_check(_facemon: RunFacemon, folder: Path) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-c", HOLDS_THE_LOCK], cwd=folder)
    try:
        wait_until(lambda: state_of(process) == "T", "the stop")
        yield
        wait_until(lambda: process.poll() == 0, "the end of the continued command")
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


@contextmanager
def a_secret_that_is_missing(facemon: RunFacemon, folder: Path) -> Iterator[None]:
    receiver = "{name: chat, slack: [{api_url_file: secrets/slack, channel: '#faces'}]}"
    file = folder / "facemon.yaml"
    file.write_text(f"{file.read_text()}alertmanager: {{receivers: [{receiver}]}}\n")
    (folder / "secrets").mkdir()
    (folder / "secrets" / "slack").write_text("https://hooks.slack.example/x\n")
    succeed(facemon, folder, "render-config")
    assert diagnosis(facemon, folder)["findings"] == []
    (folder / "secrets" / "slack").unlink()
    yield


@contextmanager
def files_of_another_stack(facemon: RunFacemon, folder: Path) -> Iterator[None]:
    """The configuration has changed, and no longer has a file that it rendered before."""
    succeed(facemon, folder, "render-config")
    file = folder / "facemon.yaml"
    file.write_text(file.read_text().replace(BATCHES, "stack: {for: existing}\nprometheus: {jobs: [exporter]}\n"))
    succeed(facemon, folder, "render-config")
    file.write_text(file.read_text() + "exporter: {listen: '192.0.2.1:8001'}\n")
    succeed(facemon, folder, "render-config")
    yield


def set_reference(facemon: RunFacemon, folder: Path) -> None:
    begin = hours_of_one_date(ago=REFERENCE_AGO)
    window = ("--since", (begin - HOUR).isoformat(), "--until", (begin + 2 * HOUR).isoformat())
    succeed(facemon, folder, "reference", "set", *window, "--name", "again")


def log_source(folder: Path, source: str, ago: timedelta) -> None:
    """Log the rows of an hour once more, as another source."""
    begin = hours_of_one_date(ago=ago)
    rows = pyarrow.table({
        "image": [f"{source}-{index}.jpg" for index in range(1_000)],
        "observed_at": pyarrow.array([begin + timedelta(seconds=index) for index in range(1_000)]),
        "hair": ["a", "b"] * 500,
        "hair_confidence": [0.6 + index % 40 / 100 for index in range(1_000)],
    })  # fmt: skip
    with chdir(folder), Monitor("facemon.yaml") as monitor:
        monitor.log(rows, source=source)


def state_of(process: "subprocess.Popen[bytes]") -> str:
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]


def succeed(facemon: RunFacemon, folder: Path, *arguments: str) -> None:
    outcome = facemon("-q", *arguments, cwd=folder)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


@dataclass(frozen=True, slots=True)
class Fault:
    """How the folder is broken, and what the doctor's first finding must be."""

    breaks: Callable[[RunFacemon, Path], AbstractContextManager[object]]
    area: str
    what: str
    evidence: str
    command: str
    is_run: bool = False
    """Whether the command is run, after which nothing is wrong."""


FAULTS = {
    "times without their offset": Fault(
        times_without_offset,
        "store",
        "observed in the future",
        r"(7|8)\.\d hours ahead",
        "give times with their offset",
    ),
    "other weights under the same version": Fault(
        other_weights, "model", "small@1 is not the model that it was", "until the reference again was set", "give it a"
    ),
    "a camera renamed": Fault(
        a_camera_renamed,
        "checks of record",
        "door is silent, and Door is new",
        "",
        "facemon predict PATH --source do",
    ),
    "a check that compares nothing": Fault(
        a_reference_of_labels_alone,
        "checks of record",
        "the last data check compared no column with the reference",
        "ended undecided and has no undecided column",
        "facemon drift-check --check data --no-record --all",
    ),
    "a check that was stopped": Fault(
        a_stopped_check, "running commands", "drift-check is stopped, and holds its lock", "Ctrl-Z", "kill -CONT ", True
    ),
    "a secret that is missing": Fault(
        a_secret_that_is_missing, "secrets", "file of a secret is missing", "secrets/slack", "write the secret into"
    ),
    "files that are rendered no longer": Fault(
        files_of_another_stack, "rendered files", "renders no longer", "", "facemon render-config --prune", True
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_the_first_finding_is_the_cause(facemon: RunFacemon, healthy: Path, name: str) -> None:
    fault = FAULTS[name]
    with fault.breaks(facemon, healthy):
        first = diagnosis(facemon, healthy)["findings"][0]
        assert first["area"] == fault.area, first
        assert re.search(fault.what, first["what"]), first
        assert re.search(fault.evidence, first["evidence"]), first
        assert first["command"].startswith(fault.command), first
        if fault.is_run:
            program, *words = shlex.split(first["command"])
            if program == "facemon":
                succeed(facemon, healthy, *words)
            else:
                subprocess.run([program, *words], check=True)
    if fault.is_run:
        assert diagnosis(facemon, healthy)["findings"] == []


def test_secrets_that_this_user_may_not_see_are_no_fault(facemon: RunFacemon, healthy: Path) -> None:
    with a_secret_that_is_missing(facemon, healthy):
        locked = healthy / "secrets"
        locked.chmod(0)
        if os.access(locked, os.X_OK):
            pytest.skip("root may look into every folder")
        found = diagnosis(facemon, healthy)
        locked.chmod(0o700)
    assert found["findings"] == []
    (area,) = (each for each in found["areas"] if each["area"] == "secrets")
    assert f"files of secrets in {locked}: permission denied" in area["not_looked_at"][0]
