import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from facemon.errors import FacemonError
from facemon.store import segment_writer
from facemon.store.ledger.opening import open_ledger
from facemon.store.ledger.protocol import Ledger
from facemon.store.ledger.sqlite_ledger import SqliteLedger
from facemon.store.runs import begin_run, resume_run
from facemon.store.segment_writer import SegmentWriter
from facemon.store.totals import TotalKey
from facemon.store.verification import verify
from tests.store import children
from tests.store.log_rows import IDENTITY, NOON, log_images, make_batch
from tests.store.oracles import expected_identities, log_rows, logged_identities
from tests.store.sql import sql

WRITE = """
segment_writer.SEGMENT_ROWS, segment_writer.INLINE_ROWS = 60, int(sys.argv[2])
segment_writer.SEGMENT_SECONDS = 0.05
until, batch = int(sys.argv[3]), int(sys.argv[4])
with open_ledger(folder, create=True) as ledger:
    run = resume_run(ledger, IDENTITY) or begin_run(ledger, IDENTITY, NOON)
    with run:
        writer = SegmentWriter(ledger, run)
        print(run.done, flush=True)
        for first in range(run.done, until, batch):
            images = min(batch, until - first)
            writer.add(make_batch(first, images, run=run.id, spread=timedelta(minutes=9), sources=("a", None)))
            print("added", flush=True)
        writer.close()
        finish_run(ledger, run, datetime.now(UTC))
"""


@pytest.mark.slow
@pytest.mark.long_proof
def test_a_writer_killed_at_random_moments_logs_every_row_once(folder: Path, at_length: bool) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    chance, starts = random.Random(seed), list[int]()
    for turn in range(22 if at_length else 9):
        child = children.start(WRITE, folder, 30 if turn % 2 else 1000, 10**6, chance.randint(3, 40))
        assert child.stdout is not None
        starts.append(int(child.stdout.readline()))
        # Counted in the child's own steps, so that a busy machine is as random as an idle one.
        for _ in range(chance.randint(0, 40)):
            child.stdout.readline()
        time.sleep(chance.uniform(0, 0.05))
        child.kill()
        child.communicate()
    assert starts == sorted(starts)
    assert len(set(starts)) > (5 if at_length else 2)
    end = starts[-1] + 3000
    children.run(WRITE, folder, 30, end, 50)
    with open_ledger(folder) as ledger:
        assert logged_identities(ledger) == expected_identities(end)
        assert verify(ledger).problems == ()
        kinds = {path is None for (path,) in sql(ledger).execute("SELECT path FROM segments")}
        assert kinds == {True, False}
        assert sql(ledger).execute("SELECT count(*), sum(done) FROM runs").fetchone() == (1, end)
        log_images(ledger, 10)  # a next run, whose start clears away what the killed ones left
        assert sql(ledger).execute("SELECT count(*) FROM intents").fetchone() == (0,)
    assert list(folder.rglob("*.part")) == []


@pytest.mark.slow
@pytest.mark.long_proof
def test_a_writer_that_dies_at_any_step_logs_every_row_once(tmp_path: Path, at_length: bool) -> None:
    """From making the store to finishing the run, one step later each time."""
    assert children.crash_everywhere("write", tmp_path, at_length=at_length) >= 25


def test_rows_come_back_as_they_went_in(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment_writer, "INLINE_ROWS", 60)
    monkeypatch.setattr(segment_writer, "SEGMENT_ROWS", 100)
    run = log_images(ledger, 250, batch=50, spread=timedelta(hours=60), sources=("a", None))
    batches = [
        make_batch(first, 50, run=run, spread=timedelta(hours=60), sources=("a", None)) for first in range(0, 250, 50)
    ]
    expected = [row for batch in batches for row in batch.rows.to_pylist()]
    assert sorted(log_rows(ledger), key=lambda row: (row["ordinal"], row["face"] or 0)) == expected
    segments = sql(ledger).execute("SELECT path, rows, first_observed, last_observed FROM segments").fetchall()
    assert all((path is None) == (rows < 60) for path, rows, _, _ in segments)
    assert {first // 86_400_000_000 for _, _, first, _ in segments} == {20_779, 20_780}
    assert all(first // 86_400_000_000 == last // 86_400_000_000 for _, _, first, last in segments)


def test_a_segment_is_written_when_it_is_large_or_old(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    count = "SELECT count(*) FROM segments"
    with begin_run(ledger, IDENTITY, NOON) as run:
        writer = SegmentWriter(ledger, run)
        writer.close()
        writer.add(make_batch(0, 10, run=run.id))
        assert sql(ledger).execute(count).fetchone() == (0,)
        monkeypatch.setattr(segment_writer, "SEGMENT_ROWS", 20)
        writer.add(make_batch(10, 10, run=run.id))
        assert sql(ledger).execute(count).fetchone() == (1,)
        monkeypatch.setattr(segment_writer, "SEGMENT_SECONDS", 0)
        writer.add(make_batch(20, 10, run=run.id))
        assert sql(ledger).execute(count).fetchone() == (2,)
        writer.close()
        assert sql(ledger).execute(count).fetchone() == (2,)
    assert ledger.totals.read()[TotalKey("images_processed_total", ("ok",), "")] == 24
    latencies = TotalKey("model_inference_latency_seconds", ("faces@1",), "sum")
    assert ledger.totals.read()[latencies] == pytest.approx(3 * 0.31)


class InterruptedLedger(SqliteLedger):
    """A ledger whose next transactions are followed by a signal, before the caller has its answer."""

    signals = 0

    @contextmanager
    def writing(self) -> Iterator[None]:
        with super().writing():
            yield
        self.signals -= 1
        if self.signals == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("inline", [1, 1000])
def test_a_flush_that_was_interrupted_after_its_commit_is_not_repeated(
    folder: Path, monkeypatch: pytest.MonkeyPatch, inline: int
) -> None:
    monkeypatch.setattr(segment_writer, "INLINE_ROWS", inline)
    with InterruptedLedger.open(folder, create=True) as ledger, begin_run(ledger, IDENTITY, NOON) as run:
        writer = SegmentWriter(ledger, run)
        writer.add(make_batch(0, 20, run=run.id))
        ledger.signals = 1 if inline > 1 else 2
        with pytest.raises(KeyboardInterrupt):
            writer.flush()
        writer.close()
        writer.add(make_batch(20, 20, run=run.id))
        writer.close()
    with open_ledger(folder) as reopened:
        assert logged_identities(reopened) == expected_identities(40)
        log_images(reopened, 10)
        assert verify(reopened).problems == ()


def test_two_writers_of_one_run_are_noticed(ledger: Ledger) -> None:
    with begin_run(ledger, IDENTITY, NOON) as run:
        first, second = SegmentWriter(ledger, run), SegmentWriter(ledger, run)
        first.add(make_batch(0, 20, run=run.id))
        first.close()
        second.add(make_batch(0, 10, run=run.id))
        with pytest.raises(FacemonError, match="written by another process"):
            second.close()
    assert logged_identities(ledger) == expected_identities(20)
    assert verify(ledger).problems == ()


@pytest.mark.parametrize("inline", [1, pytest.param(10**6, marks=pytest.mark.slow)])
def test_a_disk_that_runs_full_leaves_the_store_whole(tmp_path: Path, inline: int) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    script = """
    from tests.store.oracles import expected_identities, logged_identities
    segment_writer.SEGMENT_ROWS, segment_writer.INLINE_ROWS = 100, int(sys.argv[2])
    ledger = open_ledger(folder, create=True)
    filler = folder.parent / "filler"
    filler.write_bytes(bytes(2 ** 20))
    def write(until):
        run = resume_run(ledger, IDENTITY) or begin_run(ledger, IDENTITY, NOON)
        with run:
            writer = SegmentWriter(ledger, run)
            for first in range(run.done, until, 50):
                writer.add(make_batch(first, 50, run=run.id))
            writer.close()
        return run
    try:
        write(10 ** 6)
    except FacemonError as error:
        print(error.message, "|", error.hint)
    filler.unlink()
    (done,) = sql(ledger).execute("SELECT done FROM runs").fetchone()
    assert done > 100
    assert verify(ledger).problems == (), verify(ledger).problems
    assert logged_identities(ledger) == expected_identities(done)
    write(done + 200)
    assert verify(ledger).problems == (), verify(ledger).problems
    assert logged_identities(ledger) == expected_identities(done + 200)
    recover(ledger)
    assert not list(folder.rglob("*.part"))
    """
    said = children.run(script, disk / "store", inline, wrapper=children.in_small_disk(disk, 3))
    assert "full" in said or "No space left" in said
    assert "free space" in said


def test_a_file_that_may_not_grow_is_a_message(folder: Path) -> None:
    script = """
    import resource, signal
    segment_writer.SEGMENT_ROWS, segment_writer.INLINE_ROWS = 100, 1
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with open_ledger(folder, create=True) as ledger:
        log_images(ledger, 200, batch=50)
        before = verify(ledger)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        try:
            log_images(ledger, 200, batch=50)
        except FacemonError as error:
            print(error.message)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert verify(ledger) == before and before.problems == ()
        log_images(ledger, 200, batch=50)
        assert verify(ledger).problems == ()
    """
    assert "store" in children.run(script, folder)


def test_resuming_goes_on_after_what_is_in_the_log(ledger: Ledger) -> None:
    with begin_run(ledger, IDENTITY, NOON) as run:
        writer = SegmentWriter(ledger, run)
        writer.add(make_batch(0, 30, run=run.id))
        writer.close()
        writer.add(make_batch(30, 30, run=run.id))  # lost: the process ends here
    resumed = resume_run(ledger, IDENTITY)
    assert resumed is not None
    assert (resumed.id, resumed.done) == (run.id, 30)
    resumed.lock.release()
