"""Failed inputs predicted again: what the log, the totals and the profiles say afterwards."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from facemon.domain.prediction import PredictedBatch
from facemon.errors import FacemonError, LockedError
from facemon.store import retry as retry_module
from facemon.store import segment_writer
from facemon.store.compaction import compact
from facemon.store.ledger.opening import open_ledger
from facemon.store.ledger.protocol import Ledger
from facemon.store.retention import prune
from facemon.store.retry import RetryWriter, failed_inputs, reopen_run
from facemon.store.runs import begin_run
from facemon.store.segment_files import SegmentDamagedError, read_segment
from facemon.store.segment_writer import SegmentWriter, prepare_segments
from facemon.store.totals import TotalKey
from facemon.store.verification import verify
from tests.store.damage import DAMAGE, files_of
from tests.store.log_rows import IDENTITY, MODEL, NOON, SCHEMA, log_images, make_batch
from tests.store.sql import sql

LATER = NOON + timedelta(days=2)
FACE = {"face": 0, "gender": "female", "gender_confidence": 0.9}


def again(ordinals: Sequence[int], run: str, *, failing: Sequence[int] = ()) -> PredictedBatch:
    """New rows of some inputs: a face each, or the same failure once more."""
    rows = [
        {
            "run": run, "ordinal": ordinal, "image": f"{ordinal:06}.jpg", "observed_at": NOON, "predicted_at": LATER,
            "model": MODEL, "origin": "batch",
        } | ({"error": "unreadable"} if ordinal in failing else FACE)
        for ordinal in ordinals
    ]  # fmt: skip
    return PredictedBatch(pa.RecordBatch.from_pylist(rows, SCHEMA), tuple(ordinals), (0.02,))


def rows_of(ledger: Ledger) -> list[dict[str, object]]:
    tables = [read_segment(ledger, segment) for segment in ledger.segments.within()]
    return sorted(pa.concat_tables(tables).to_pylist(), key=lambda row: (row["ordinal"], row["face"] or 0))


def images(ledger: Ledger) -> dict[str, float]:
    totals = ledger.totals.read()
    return {status: totals.get(TotalKey("images_processed_total", (status,), ""), 0) for status in ("ok", "failed")}


@pytest.mark.parametrize("compacted", [False, True])
def test_new_rows_supersede_the_failed_ones_and_attempts_are_counted(ledger: Ledger, compacted: bool) -> None:
    log_images(ledger, 100)
    if compacted:
        compact(ledger, LATER)
    before, counted = rows_of(ledger), images(ledger)
    run = reopen_run(ledger, IDENTITY)
    assert run is not None
    with run:
        failed = failed_inputs(ledger, run, MODEL)
        # Of ten one fails, and one without a face has not failed.
        assert list(failed) == list(range(0, 100, 10))
        writer = RetryWriter(ledger, run, MODEL)
        writer.add(again(list(failed), run.id, failing=[50]))
        writer.close()
    after = rows_of(ledger)
    assert [row["ordinal"] for row in after] == [row["ordinal"] for row in before]
    assert [row["ordinal"] for row in after if row["error"] == "unreadable"] == [50]
    kept, untouched = ([row for row in rows if row["ordinal"] not in failed] for rows in (after, before))
    assert kept == untouched
    assert images(ledger) == {"ok": counted["ok"] + 9, "failed": counted["failed"] + 1}
    assert verify(ledger).problems == ()


def test_a_retry_can_be_retried(ledger: Ledger) -> None:
    log_images(ledger, 30)
    for failing in ([0, 10], [10], []):
        run = reopen_run(ledger, IDENTITY)
        assert run is not None
        with run:
            failed = list(failed_inputs(ledger, run, MODEL))
            writer = RetryWriter(ledger, run, MODEL)
            writer.add(again(failed, run.id, failing=failing))
            writer.close()
            assert list(failed_inputs(ledger, run, MODEL)) == failing
        assert verify(ledger).problems == ()


def test_retention_and_compaction_in_between(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    log_images(ledger, 40)
    run = reopen_run(ledger, IDENTITY)
    assert run is not None
    original, calls = prepare_segments, 0

    def compacting(*arguments: object) -> object:
        nonlocal calls
        calls += 1
        if calls == 1:
            with open_ledger(ledger.folder) as other:
                compact(other, LATER)
        return original(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(retry_module, "prepare_segments", compacting)
    with run:
        writer = RetryWriter(ledger, run, MODEL)
        writer.add(again([0, 10], run.id))
        writer.close()
        assert calls > 2
        assert list(failed_inputs(ledger, run, MODEL)) == [20, 30]
        assert verify(ledger).problems == ()
        with open_ledger(ledger.folder) as other:
            prune(other, LATER + timedelta(seconds=1))
        writer.add(again([20], run.id))
        writer.close()
    assert ledger.segments.within() == []
    assert verify(ledger).problems == ()


def test_a_segment_that_is_folded_before_it_is_read_is_looked_for_again(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_images(ledger, 40)
    run = reopen_run(ledger, IDENTITY)
    assert run is not None

    def folded_before(*arguments: Any, **options: Any) -> pa.Table:
        monkeypatch.undo()
        with open_ledger(ledger.folder) as other:
            compact(other, LATER)
        return read_segment(*arguments, **options)

    with run:
        writer = RetryWriter(ledger, run, MODEL)
        writer.add(again([0, 10], run.id))
        monkeypatch.setattr(retry_module, "read_segment", folded_before)
        writer.close()
        assert list(failed_inputs(ledger, run, MODEL)) == [20, 30]
    assert verify(ledger).problems == ()


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_damaged_segments_keep_no_other_failure_from_being_retried(
    ledger: Ledger, damage: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the run's four files one is damaged, and that of another run is missing."""
    monkeypatch.setattr(segment_writer, "INLINE_ROWS", 1)
    log_images(ledger, 10, observed=NOON - timedelta(days=1))
    log_images(ledger, 60, spread=timedelta(days=50))
    other, _, hurt, *_ = files_of(ledger)
    other.unlink()
    damage(hurt)
    before, every = images(ledger), range(0, 60, 10)
    run = reopen_run(ledger, IDENTITY)
    assert run is not None
    with run:
        left_out: list[SegmentDamagedError] = []
        assert {0, 30, 40, 50} <= failed_inputs(ledger, run, MODEL, left_out).keys() <= set(every)
        writer = RetryWriter(ledger, run, MODEL, left_out)
        writer.add(again(every, run.id))
        writer.close()
        assert (
            sorted(str(path) in each.message for each in left_out for path in (other, hurt)) == [False] * 2 + [True] * 2
        )
        assert images(ledger) == before | {"ok": before["ok"] + 4}
        assert not {0, 30, 40, 50} & failed_inputs(ledger, run, MODEL, []).keys()
        writer = RetryWriter(ledger, run, MODEL)
        writer.add(again([10, 20], run.id))
        with pytest.raises(SegmentDamagedError):
            writer.close()


@pytest.mark.slow
def test_which_run_is_retried(ledger: Ledger) -> None:
    assert reopen_run(ledger, IDENTITY) is None
    with begin_run(ledger, IDENTITY, datetime.now(UTC)) as going_on:
        with pytest.raises(LockedError, match=f"run {going_on.id} is still going on"):
            reopen_run(ledger, IDENTITY)
        writer = SegmentWriter(ledger, going_on)
        writer.add(make_batch(0, 10, run=going_on.id))
        writer.close()
    with pytest.raises(FacemonError, match="is not finished"):
        reopen_run(ledger, IDENTITY)
    newest = log_images(ledger, 10)
    run = reopen_run(ledger, IDENTITY)
    assert run is not None
    with run:
        assert run.id == newest


def test_a_row_beyond_what_is_done_is_a_problem_even_after_a_retry(ledger: Ledger, tmp_path: Path) -> None:
    log_images(ledger, 20)
    run = reopen_run(ledger, IDENTITY)
    assert run is not None
    with run:
        writer = RetryWriter(ledger, run, MODEL)
        writer.add(again([0], run.id))
        writer.close()
    with ledger.writing():
        sql(ledger).execute("UPDATE runs SET done = 15")
    assert any("15 inputs are done" in problem for problem in verify(ledger).problems)
