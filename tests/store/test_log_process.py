"""The log in a process of its own: soon, all of it, also when either process is killed."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from facemon.errors import FacemonError
from facemon.store import live_writer, log_process
from facemon.store.ledger.opening import open_ledger
from facemon.store.live_writer import LiveWriter
from facemon.store.log_process import LogProcess
from facemon.store.totals import TotalKey
from tests.patience import HANG_S, wait_until
from tests.store.log_rows import IDENTITY, make_batch
from tests.store.logged import ASKED, asked_in, images_in, inputs_done

KILLED_SERVER = """
import os, signal, sys, time
from pathlib import Path
from tests.store.log_rows import make_batch
from tests.store.test_log_process import logging_to

with logging_to(Path(sys.argv[1])) as log:
    for image in range(40):
        log.add(make_batch(image, 1, run=""))
    log._hand_over()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@contextmanager
def logging_to(
    folder: Path,
    told: list[str] | None = None,
    killed: Callable[[], None] = lambda: None,
    counts: list[float] | None = None,
) -> Iterator[LogProcess]:
    """A log whose process is gone afterwards."""

    def begin(tell: Callable[[str], None]) -> LiveWriter:
        return LiveWriter(partial(open_ledger, folder), IDENTITY, tell, instance="here")

    def take() -> dict[TotalKey, float]:
        return {ASKED: counts.pop(0)} if counts else {}

    open_ledger(folder, create=True).close()
    log = LogProcess(begin, (told if told is not None else []).append, take_counts=take, killed=killed)
    try:
        yield log
    finally:
        log._stopping.set()
        with suppress(OSError):
            os.kill(process_of(log), signal.SIGCONT)
        log._process.end()
        log._process.join()


def process_of(log: LogProcess) -> int:
    pid = log._process._process.pid
    assert pid is not None
    return pid


def test_predictions_are_logged_as_they_come(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    with logging_to(folder, counts=[0.0, 3.0, 4.0]) as log:
        log.start()
        for number in range(3):
            log.add(make_batch(7, 1, run=""))
            expected = number + 1
            wait_until(lambda: inputs_done(folder) == expected)  # noqa: B023 - called at once
        log.close()
    assert images_in(folder) == ["000007.jpg"] * 3
    assert asked_in(folder) == 7


def test_batches_of_many_threads_all_arrive(tmp_path: Path) -> None:
    with logging_to(tmp_path / "store") as log:
        log.start()

        def add(first: int) -> None:
            for image in range(first, first + 100):
                log.add(make_batch(image, 1, run="", seed=1))

        threads = [threading.Thread(target=add, args=(number * 100,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        log.close()
    assert sorted(images_in(tmp_path / "store")) == [f"{image:06}.jpg" for image in range(400)]


def test_trouble_is_known_here_and_what_waited_arrives(tmp_path: Path) -> None:
    folder, told = tmp_path / "store", list[str]()
    with logging_to(folder, told) as log:
        log.start()
        folder.rename(tmp_path / "elsewhere")
        log.add(make_batch(0, 3, run=""))
        wait_until(lambda: log.trouble is not None)
        (tmp_path / "elsewhere").rename(folder)
        wait_until(lambda: log.trouble is None)
        log.close()
    assert len(images_in(folder)) == 3
    assert [text.split("; ")[-1][:11] for text in told] == ["predictions", "the store c"]


def test_no_more_can_wait_than_there_is_room_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_writer, "MOST_ROWS", 22)  # those of 20 images
    folder = tmp_path / "store"
    with logging_to(folder) as log:
        log.start()
        folder.rename(tmp_path / "elsewhere")
        log.add(make_batch(0, 10, run=""))
        wait_until(lambda: log.trouble is not None)
        assert not log.is_full
        log.add(make_batch(10, 10, run=""))
        wait_until(lambda: log.is_full)
        (tmp_path / "elsewhere").rename(folder)
        wait_until(lambda: log.trouble is None)
        assert not log.is_full
        log.close()
    assert len(images_in(folder)) == 20


def test_a_store_that_cannot_be_written_is_an_error_at_once(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "locks").write_text("in the way")
    with pytest.raises(FacemonError), logging_to(tmp_path / "store"):
        pass


def test_what_cannot_be_logged_is_an_error_at_the_end(tmp_path: Path) -> None:
    with logging_to(tmp_path / "store") as log:
        (tmp_path / "store").rename(tmp_path / "elsewhere")
        log.add(make_batch(0, 3, run=""))
        with pytest.raises(FacemonError, match="3 predictions were answered but not logged: there is no store"):
            log.close()


def test_its_end_by_force_is_told_and_no_silent_one(tmp_path: Path) -> None:
    killed = threading.Event()
    with logging_to(tmp_path / "store", killed=killed.set) as log:
        log.start()
        os.kill(process_of(log), signal.SIGKILL)
        assert killed.wait(HANG_S)
        assert log.trouble == "the process that writes the log was killed"
        log.add(make_batch(0, 3, run=""))
        with pytest.raises(FacemonError, match="answered but not logged: the process that writes the log was killed"):
            log.close()


def test_one_that_is_stuck_is_trouble_and_takes_no_more_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_process, "_PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr(log_process, "MOST_ROWS", 25)
    with logging_to(tmp_path / "store") as log:
        log.start()
        os.kill(process_of(log), signal.SIGSTOP)
        wait_until(lambda: log.trouble is not None)
        assert log.trouble == "the process that writes the log does not answer"
        assert not log.is_full
        for first in range(0, 40, 10):
            log.add(make_batch(first, 10, run=""))
        assert log.is_full
        os.kill(process_of(log), signal.SIGCONT)
        wait_until(lambda: log.trouble is None and not log.is_full)
        with pytest.raises(FacemonError, match="20 predictions were answered but not logged: too many waited"):
            log.close()
    assert len(images_in(tmp_path / "store")) == 20


def test_what_was_handed_over_is_logged_although_the_server_was_killed(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    outcome = subprocess.run([sys.executable, "-c", KILLED_SERVER, str(folder)], check=False, timeout=HANG_S)
    assert outcome.returncode == -signal.SIGKILL
    wait_until(lambda: not list((folder / "locks").iterdir()))
    assert len(images_in(folder)) == 40
