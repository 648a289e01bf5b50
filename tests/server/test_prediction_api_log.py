"""What a server predicts gets into the log: soon, once, and also when the store was away for a while."""

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from facemon.errors import FacemonError
from facemon.store import live_writer
from facemon.store.ledger import LEDGER_NAME, Ledger
from facemon.store.live_writer import LiveWriter
from facemon.store.request_totals import read_request_totals
from facemon.store.segment_files import list_segments, read_segment
from facemon.store.segment_writer import SegmentWriter
from facemon.store.totals import TotalKey, Totals
from facemon.store.verification import verify
from tests.store.log_rows import IDENTITY, NOON, make_batch


def writer_of(folder: Path, told: list[str] | None = None) -> LiveWriter:
    Ledger.open(folder, create=True).close()
    return LiveWriter(partial(Ledger.open, folder), IDENTITY, (told if told is not None else []).append, NOON)


def images_in(folder: Path) -> list[str]:
    """The images of all rows, once for each input, in the order of their ordinals."""
    with Ledger.open(folder) as ledger:
        tables = [read_segment(ledger, segment) for segment in list_segments(ledger.connection)]
        assert verify(ledger).problems == ()
    rows = {
        (run, ordinal): image
        for table in tables
        for run, ordinal, image in zip(*(table[name].to_pylist() for name in ("run", "ordinal", "image")), strict=True)
    }
    return [image for _, image in sorted(rows.items())]


def inputs_done(folder: Path) -> int:
    """Inputs that the ledger says are logged."""
    with Ledger.open(folder) as ledger:
        return int(ledger.connection.execute("SELECT sum(done) FROM runs").fetchone()[0])


def until(is_so: Callable[[], bool], *, within_s: float = 10.0) -> float:
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < within_s
        time.sleep(0.01)
    return time.monotonic() - began


def test_a_prediction_is_logged_within_a_second(tmp_path: Path) -> None:
    with writer_of(tmp_path / "store") as writer:
        for number in range(3):
            writer.add(make_batch(7, 1, run=""))
            expected = number + 1
            assert until(lambda: inputs_done(tmp_path / "store") == expected) < 1  # noqa: B023 - called at once
    assert len(images_in(tmp_path / "store")) == 3


def test_batches_of_many_threads_get_ordinals_without_a_gap(tmp_path: Path) -> None:
    writer = writer_of(tmp_path / "store")

    def add(first: int) -> None:
        for image in range(first, first + 100):
            writer.add(make_batch(image, 1, run="", seed=1))

    threads = [threading.Thread(target=add, args=(number * 100,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()
    assert sorted(images_in(tmp_path / "store")) == [f"{image:06}.jpg" for image in range(400)]
    with Ledger.open(tmp_path / "store") as ledger:
        runs = ledger.connection.execute("SELECT done, finished IS NOT NULL FROM runs").fetchall()
    assert runs == [(400, 1)]
    assert list((tmp_path / "store" / "locks").iterdir()) == []


def test_a_store_that_was_away_gets_what_waited(tmp_path: Path) -> None:
    told: list[str] = []
    writer = writer_of(tmp_path / "store", told)
    writer.add(make_batch(0, 3, run=""))
    until(lambda: inputs_done(tmp_path / "store") == 3)
    (tmp_path / "store").rename(tmp_path / "elsewhere")
    writer.add(make_batch(3, 4, run=""))
    until(lambda: writer.trouble is not None)
    writer.add(make_batch(7, 2, run=""))
    time.sleep(2.5 * live_writer.FLUSH_SECONDS)
    (tmp_path / "elsewhere").rename(tmp_path / "store")
    until(lambda: writer.trouble is None)
    writer.close()
    assert images_in(tmp_path / "store") == [f"{image:06}.jpg" for image in range(9)]
    assert len(told) == 2, "told once that it failed, and once that it works again"
    assert "predictions are answered, and wait" in told[0]
    assert "can be written again" in told[1]


def test_another_store_in_its_place_gets_a_run_of_its_own(tmp_path: Path) -> None:
    writer = writer_of(tmp_path / "store")
    writer.add(make_batch(0, 3, run=""))
    until(lambda: inputs_done(tmp_path / "store") == 3)
    (tmp_path / "store").rename(tmp_path / "elsewhere")
    Ledger.open(tmp_path / "store", create=True).close()
    writer.add(make_batch(3, 2, run=""))
    writer.close()
    assert images_in(tmp_path / "store") == ["000003.jpg", "000004.jpg"]
    assert images_in(tmp_path / "elsewhere") == ["000000.jpg", "000001.jpg", "000002.jpg"]


@pytest.fixture
def _answers_are_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first two writes succeed, and end in an error all the same."""

    class Forgetful(SegmentWriter):
        failures = 2

        def flush(self, also: Callable[[sqlite3.Connection], None] | None = None) -> None:
            super().flush(also)
            if Forgetful.failures:
                Forgetful.failures -= 1
                raise FacemonError("the disk did not answer")

    monkeypatch.setattr(live_writer, "SegmentWriter", Forgetful)


@pytest.mark.usefixtures("_answers_are_lost")
def test_a_write_whose_answer_was_lost_is_not_written_twice(tmp_path: Path) -> None:
    with writer_of(tmp_path / "store") as writer:
        writer.add(make_batch(0, 3, run=""))
        until(lambda: writer.trouble is not None)
        writer.add(make_batch(3, 3, run=""))
        until(lambda: writer.trouble is None)
    assert images_in(tmp_path / "store") == [f"{image:06}.jpg" for image in range(6)]


def test_what_does_not_fit_in_memory_is_counted_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_writer, "MOST_ROWS", 25)
    told: list[str] = []
    writer = writer_of(tmp_path / "store", told)
    (tmp_path / "store").rename(tmp_path / "elsewhere")
    for first in range(0, 40, 10):
        writer.add(make_batch(first, 10, run=""))  # eleven rows
    until(lambda: writer.trouble is not None)
    (tmp_path / "elsewhere").rename(tmp_path / "store")
    until(lambda: writer.trouble is None)
    assert "20 more are lost" in told[-1]
    writer.add(make_batch(40, 10, run=""))
    with pytest.raises(FacemonError, match="20 predictions were answered but not logged"):
        writer.close()
    assert len(images_in(tmp_path / "store")) == 30


def test_a_store_that_never_returns_is_an_error_at_the_end(tmp_path: Path) -> None:
    writer = writer_of(tmp_path / "store")
    (tmp_path / "store").rename(tmp_path / "elsewhere")
    writer.add(make_batch(0, 10, run=""))
    with pytest.raises(FacemonError, match="10 predictions were answered but not logged: there is no store"):
        writer.close()
    assert not (tmp_path / "store").exists()


def test_a_locked_ledger_is_waited_for(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    writer = writer_of(folder)
    other = sqlite3.connect(folder / LEDGER_NAME, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    writer.add(make_batch(0, 10, run=""))
    time.sleep(2 * live_writer.FLUSH_SECONDS)
    other.execute("COMMIT")
    other.close()
    writer.close()
    assert len(images_in(folder)) == 10


def test_what_waits_takes_as_much_memory_as_is_said() -> None:
    merged = live_writer._merged([make_batch(image, 1, run="") for image in range(500)])
    assert merged.ordinals == range(500)
    assert merged.rows["ordinal"].to_pylist()[-1] == 499
    assert merged.rows.nbytes / merged.rows.num_rows < 400


ASKED = TotalKey("api_requests_total", ("/predict", "POST", "success", "200"), "")


def counting_writer(folder: Path, counts: list[float], told: list[str], **options: Any) -> LiveWriter:
    """A writer for which each number is what was counted since the one before."""
    Ledger.open(folder, create=True).close()

    def take() -> Totals:
        return {ASKED: counts.pop(0)} if counts else {}

    opened = options.get("opened", partial(Ledger.open, folder))
    return LiveWriter(opened, IDENTITY, told.append, NOON, instance="here", take_counts=take)


def asked_in(folder: Path) -> float:
    with Ledger.open(folder) as ledger:
        return read_request_totals(ledger.connection, "here").get(ASKED, 0.0)


def test_counts_arrive_without_predictions_and_with_them(tmp_path: Path) -> None:
    folder, counts = tmp_path / "store", [3.0]
    with counting_writer(folder, counts, []) as writer:
        until(lambda: asked_in(folder) == 3)
        writer.add(make_batch(0, 3, run=""))
        counts.append(4.0)
        until(lambda: asked_in(folder) == 7)
        counts.append(0.5)  # taken at the end at the latest
    assert asked_in(folder) == 7.5
    assert len(images_in(folder)) == 3


@pytest.mark.usefixtures("_answers_are_lost")
def test_counts_arrive_once_although_the_answer_of_a_write_was_lost(tmp_path: Path) -> None:
    folder, counts = tmp_path / "store", [3.0, 4.0, 5.0]
    with counting_writer(folder, counts, []) as writer:
        until(lambda: writer.trouble is not None)
        writer.add(make_batch(0, 2, run=""))
        until(lambda: writer.trouble is None)
    assert asked_in(folder) == 12
    assert len(images_in(folder)) == 2


def test_counts_wait_while_the_store_is_away_and_take_no_more_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_writer, "FLUSH_SECONDS", 0.01)
    folder, counts, told = tmp_path / "store", list[float](), list[str]()
    with counting_writer(folder, counts, told) as writer:
        folder.rename(tmp_path / "elsewhere")
        counts += [1.0] * 60
        until(lambda: not counts)
        assert len(writer._waiting) <= 2
        (tmp_path / "elsewhere").rename(folder)
        until(lambda: writer.trouble is None)
    assert asked_in(folder) == 60
    assert len(told) == 2


def test_a_ledger_that_stays_locked_is_trouble_that_passes(tmp_path: Path) -> None:
    folder = tmp_path / "store"

    def impatient() -> Ledger:
        ledger = Ledger.open(folder)
        ledger.connection.execute("PRAGMA busy_timeout = 50")
        return ledger

    told: list[str] = []
    with counting_writer(folder, [2.0], told, opened=impatient) as writer:
        with closing(sqlite3.connect(folder / LEDGER_NAME, isolation_level=None)) as other:
            until(lambda: asked_in(folder) == 2)
            other.execute("BEGIN IMMEDIATE")
            writer.add(make_batch(0, 3, run=""))
            until(lambda: writer.trouble is not None)
            other.execute("COMMIT")
        until(lambda: writer.trouble is None)
    assert "database is locked; predictions are answered, and wait in memory" in told[0]
    assert (len(images_in(folder)), asked_in(folder)) == (3, 2)
