"""The processes of a long run: they end with it, however it ends."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.acceptance.small_model import write_small_model
from tests.conftest import RunFacemon
from tests.model.onnx_files import flat_image
from tests.patience import HANG_S, wait_until

COMMAND = Path(sys.executable).with_name("facemon")
IMAGES = 100_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_small_model(tmp_path)
    flat_image(tmp_path / "a.png", (255, 0, 0))
    (tmp_path / "list.jsonl").write_text('{"image": "a.png"}\n' * IMAGES)
    return tmp_path


def children_of(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def worked_s(process: int) -> float:
    """Seconds of processor time."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def long_run(folder: Path) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A predict that leads a process group, as in a shell, and its workers once they work; last what begins others."""
    command = [str(COMMAND), "predict", "-q", "--threads", "2", "list.jsonl"]
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True, start_new_session=True)
    wait_until(lambda: process.poll() is not None or len(children_of(process.pid)) == 3)
    assert process.poll() is None
    workers = children_of(process.pid)
    # By then each has ended some chunks, however busy the machine is.
    wait_until(lambda: process.poll() is not None or min(map(worked_s, workers[:2])) >= 0.4)
    try:
        yield process, workers
    finally:
        process.kill()
        process.wait()


def all_gone(processes: list[int]) -> bool:
    deadline = time.monotonic() + HANG_S
    while any(Path(f"/proc/{process}").exists() for process in processes):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_whole_group_finishes_the_chunks(folder: Path, number: int, facemon: RunFacemon) -> None:
    with long_run(folder) as (process, workers):
        os.killpg(process.pid, number)
        _, said = process.communicate(timeout=HANG_S)
    assert process.returncode == 130
    assert said.count("\n") <= 2, said
    assert "--resume continues" in said
    assert all_gone(workers)
    assert facemon("store", "verify", cwd=folder).returncode == 0
    rows = json.loads(facemon("store", "info", "--json", cwd=folder).stdout)["rows"]
    assert 0 < rows < IMAGES


def test_workers_die_with_a_killed_run_and_hold_no_lock(folder: Path, facemon: RunFacemon) -> None:
    with long_run(folder) as (process, workers):
        process.kill()
        process.wait()
        assert all_gone(workers)
    assert facemon("predict", "-q", "a.png", "--resume", cwd=folder).returncode == 0


def test_killed_workers_are_replaced_and_each_image_is_predicted_once(folder: Path, facemon: RunFacemon) -> None:
    (folder / "list.jsonl").write_text('{"image": "a.png"}\n' * (IMAGES // 5))
    with long_run(folder) as (process, workers):
        for worker in workers[:2]:
            os.kill(worker, signal.SIGKILL)
        _, said = process.communicate(timeout=HANG_S)
    assert process.returncode == 0, said
    assert all_gone(workers)
    assert facemon("store", "verify", cwd=folder).returncode == 0
    assert json.loads(facemon("store", "info", "--json", cwd=folder).stdout)["rows"] == IMAGES // 5


def test_without_the_process_that_begins_workers_a_killed_one_ends_the_run(folder: Path, facemon: RunFacemon) -> None:
    with long_run(folder) as (process, workers):
        for worker in (workers[2], workers[0]):
            os.kill(worker, signal.SIGKILL)
        _, said = process.communicate(timeout=HANG_S)
    assert process.returncode == 1
    assert "a worker process was killed" in said
    assert "--resume goes on" in said
    assert "Traceback" not in said
    assert all_gone(workers)
    assert facemon("store", "verify", cwd=folder).returncode == 0
