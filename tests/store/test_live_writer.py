"""What a server predicts gets into the log: once, and also when the store was away for a while."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from facemon.errors import FacemonError
from facemon.store import live_writer
from facemon.store.layout import LEDGER_NAME
from facemon.store.ledger.opening import open_ledger
from facemon.store.ledger.protocol import Ledger
from facemon.store.live_writer import LiveWriter
from facemon.store.segment_writer import SegmentWriter
from tests.store.log_rows import IDENTITY, make_batch
from tests.store.logged import ASKED, asked_in, images_in, inputs_done
from tests.store.sql import sql


def writer_of(folder: Path, told: list[str] | None = None, opened: Callable[[], Ledger] | None = None) -> LiveWriter:
    open_ledger(folder, create=True).close()
    tell = (told if told is not None else []).append
    return LiveWriter(opened or partial(open_ledger, folder), IDENTITY, tell, instance="here")


def names(*ordinals: int) -> list[str]:
    return [f"{ordinal:06}.jpg" for ordinal in ordinals]


def test_batches_get_ordinals_of_one_run_without_a_gap(tmp_path: Path) -> None:
    with writer_of(tmp_path / "store") as writer:
        writer.write([make_batch(7, 1, run=""), make_batch(3, 2, run="")], {ASKED: 2.0})
        assert inputs_done(tmp_path / "store") == 3
        writer.write([make_batch(0, 4, run="")], {})
    assert images_in(tmp_path / "store") == names(7, 3, 4, 0, 1, 2, 3)
    assert asked_in(tmp_path / "store") == 2
    with open_ledger(tmp_path / "store") as ledger:
        runs = sql(ledger).execute("SELECT done, finished IS NOT NULL FROM runs").fetchall()
    assert runs == [(7, 1)]
    assert list((tmp_path / "store" / "locks").iterdir()) == []


def test_a_store_that_was_away_gets_what_waited(tmp_path: Path) -> None:
    told: list[str] = []
    with writer_of(tmp_path / "store", told) as writer:
        writer.write([make_batch(0, 3, run="")], {})
        (tmp_path / "store").rename(tmp_path / "elsewhere")
        writer.write([make_batch(3, 4, run="")], {ASKED: 1.0})
        assert writer.trouble is not None
        writer.write([make_batch(7, 2, run="")], {})
        writer.write([], {ASKED: 0.5})
        (tmp_path / "elsewhere").rename(tmp_path / "store")
        writer.write([], {})
        assert writer.trouble is None
    assert images_in(tmp_path / "store") == names(*range(9))
    assert asked_in(tmp_path / "store") == 1.5
    assert len(told) == 2, "told once that it failed, and once that it works again"
    assert "predictions are answered, and wait" in told[0]
    assert "can be written again" in told[1]


def test_another_store_in_its_place_gets_a_run_of_its_own(tmp_path: Path) -> None:
    with writer_of(tmp_path / "store") as writer:
        writer.write([make_batch(0, 3, run="")], {})
        (tmp_path / "store").rename(tmp_path / "elsewhere")
        open_ledger(tmp_path / "store", create=True).close()
        writer.write([make_batch(3, 2, run="")], {})
    assert images_in(tmp_path / "store") == names(3, 4)
    assert images_in(tmp_path / "elsewhere") == names(0, 1, 2)


def test_a_write_whose_answer_was_lost_is_not_written_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Forgetful(SegmentWriter):
        """The first two writes succeed, and end in an error all the same."""

        failures = 2

        def flush(self, also: Callable[[], None] | None = None) -> None:
            super().flush(also)
            if Forgetful.failures:
                Forgetful.failures -= 1
                raise FacemonError("the disk did not answer")

    monkeypatch.setattr(live_writer, "SegmentWriter", Forgetful)
    with writer_of(tmp_path / "store") as writer:
        writer.write([make_batch(0, 3, run="")], {ASKED: 3.0})
        assert writer.trouble == "the disk did not answer"
        writer.write([make_batch(3, 3, run="")], {ASKED: 4.0})
        writer.write([], {ASKED: 5.0})
        assert writer.trouble is None
    assert images_in(tmp_path / "store") == names(*range(6))
    assert asked_in(tmp_path / "store") == 12


def test_what_does_not_fit_in_memory_is_counted_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_writer, "MOST_ROWS", 25)
    told: list[str] = []
    writer = writer_of(tmp_path / "store", told)
    (tmp_path / "store").rename(tmp_path / "elsewhere")
    for first in range(0, 40, 10):
        writer.write([make_batch(first, 10, run="")], {})  # eleven rows
    (tmp_path / "elsewhere").rename(tmp_path / "store")
    writer.write([], {})
    assert "20 more are lost" in told[-1]
    writer.write([make_batch(40, 10, run="")], {})
    with pytest.raises(FacemonError, match="20 predictions were answered but not logged"):
        writer.close()
    assert len(images_in(tmp_path / "store")) == 30


def test_a_store_that_never_returns_is_an_error_at_the_end(tmp_path: Path) -> None:
    writer = writer_of(tmp_path / "store")
    (tmp_path / "store").rename(tmp_path / "elsewhere")
    writer.write([make_batch(0, 10, run="")], {})
    with pytest.raises(FacemonError, match="10 predictions were answered but not logged: there is no store"):
        writer.close()
    assert not (tmp_path / "store").exists()


def test_what_waits_takes_as_much_memory_as_is_said() -> None:
    merged = live_writer._merged([make_batch(image, 1, run="") for image in range(500)])
    assert merged.ordinals == range(500)
    assert merged.rows["ordinal"].to_pylist()[-1] == 499
    assert merged.rows.nbytes / merged.rows.num_rows < 400


def test_counts_take_no_more_room_the_longer_the_store_is_away(tmp_path: Path) -> None:
    folder, told = tmp_path / "store", list[str]()
    with writer_of(folder, told) as writer:
        folder.rename(tmp_path / "elsewhere")
        for _ in range(60):
            writer.write([], {ASKED: 1.0})
        assert len(writer._waiting) <= 2
        (tmp_path / "elsewhere").rename(folder)
        writer.write([], {})
    assert asked_in(folder) == 60
    assert len(told) == 2


def test_a_ledger_that_stays_locked_is_trouble_that_passes(tmp_path: Path) -> None:
    folder, told = tmp_path / "store", list[str]()

    def impatient() -> Ledger:
        ledger = open_ledger(folder)
        sql(ledger).execute("PRAGMA busy_timeout = 50")
        return ledger

    with writer_of(folder, told, impatient) as writer:
        with closing(sqlite3.connect(folder / LEDGER_NAME, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            writer.write([make_batch(0, 3, run="")], {ASKED: 2.0})
            assert writer.trouble is not None
            other.execute("COMMIT")
        writer.write([], {})
        assert writer.trouble is None
    assert "database is locked; predictions are answered, and wait in memory" in told[0]
    assert (len(images_in(folder)), asked_in(folder)) == (3, 2)
