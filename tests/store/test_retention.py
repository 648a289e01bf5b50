from datetime import timedelta
from pathlib import Path

import pytest

from facemon.errors import LockedError
from facemon.store import segment_writer
from facemon.store.compaction import compact
from facemon.store.ledger import Ledger
from facemon.store.process_lock import ProcessLock
from facemon.store.profiles import read_all_profiles
from facemon.store.retention import Pruning, prune
from facemon.store.totals import differences, read_totals, sum_totals
from facemon.store.verification import verify
from tests.store import children
from tests.store.log_rows import NOON, log_images
from tests.store.oracles import log_rows


@pytest.mark.parametrize("is_compacted", [False, True])
def test_old_rows_go_and_the_totals_stay(ledger: Ledger, monkeypatch: pytest.MonkeyPatch, is_compacted: bool) -> None:
    monkeypatch.setattr(segment_writer, "SEGMENT_ROWS", 30)
    monkeypatch.setattr(segment_writer, "INLINE_ROWS", 30)
    log_images(ledger, 200, batch=10, spread=timedelta(hours=480), sources=("a", None))
    totals = read_totals(ledger.connection)
    midnight = NOON + timedelta(hours=12)
    if is_compacted:
        compact(ledger, NOON + timedelta(days=30))
    old = [row for row in log_rows(ledger) if row["observed_at"] < midnight]
    assert prune(ledger, midnight).rows == len(old) > 0
    assert {row["observed_at"] >= midnight for row in log_rows(ledger)} == {True}
    assert read_totals(ledger.connection) == totals
    assert verify(ledger).problems == ()
    assert prune(ledger, midnight) == Pruning(0, 0)
    prune(ledger, NOON + timedelta(days=30))
    assert log_rows(ledger) == []
    assert read_all_profiles(ledger.connection) == {}
    departed = read_totals(ledger.connection, "departed")
    latencies = {key: v for key, v in totals.items() if key.metric == "model_inference_latency_seconds"}
    assert differences(sum_totals(departed, latencies), totals) == []
    assert verify(ledger).problems == ()


def test_a_segment_that_reaches_beyond_stays_whole(ledger: Ledger) -> None:
    log_images(ledger, 100, spread=timedelta(hours=10))
    assert prune(ledger, NOON + timedelta(minutes=30)) == Pruning(0, 0)
    last = max(row["observed_at"] for row in log_rows(ledger))
    assert prune(ledger, last) == Pruning(0, 0)
    assert prune(ledger, last + timedelta(microseconds=1)) == Pruning(1, 110)


def test_one_retention_at_a_time(ledger: Ledger) -> None:
    with ProcessLock.for_command(ledger.folder, "prune"), pytest.raises(LockedError, match="another facemon prune"):
        prune(ledger, NOON)


@pytest.mark.slow
def test_a_retention_that_dies_at_any_step_is_done_by_the_next(tmp_path: Path) -> None:
    assert children.crash_everywhere("remove", tmp_path) >= 6
