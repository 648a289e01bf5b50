import os
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from facemon.domain.times import micros
from facemon.errors import FacemonError, LockedError
from facemon.store.ledger.protocol import Ledger
from facemon.store.run_state import RunIdentity
from facemon.store.runs import InputDigest, begin_run, check_same_inputs, finish_run, resume_run, taken_up
from facemon.store.segment_writer import SegmentWriter
from tests.store.log_rows import IDENTITY, NOON, log_images, make_batch

HOUR = timedelta(hours=1)


def test_the_newest_unfinished_run_with_the_same_identity_is_resumed(ledger: Ledger) -> None:
    assert resume_run(ledger, IDENTITY) is None
    log_images(ledger, 10)
    assert resume_run(ledger, IDENTITY) is None
    begin_run(ledger, IDENTITY, NOON).lock.release()
    begin_run(ledger, IDENTITY, NOON + timedelta(days=5000)).lock.release()  # by a clock that was wrong
    newer = begin_run(ledger, IDENTITY, NOON)
    newer.lock.release()
    resumed = resume_run(ledger, IDENTITY)
    assert resumed is not None
    with resumed:
        assert resumed.id == newer.id
        finish_run(ledger, resumed, NOON)
    older = resume_run(ledger, IDENTITY)
    assert older is not None
    assert older.id != newer.id
    older.lock.release()


@pytest.mark.parametrize(
    "other",
    [
        replace(IDENTITY, inputs=("others",)), replace(IDENTITY, model="faces@2"),
        replace(IDENTITY, fingerprint="0"), replace(IDENTITY, source="door"),
    ],
)  # fmt: skip
def test_a_run_of_another_identity_is_not_resumed(ledger: Ledger, other: RunIdentity) -> None:
    begin_run(ledger, IDENTITY, NOON).lock.release()
    assert resume_run(ledger, other) is None


def test_a_run_that_is_going_on_cannot_be_resumed(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facemon.store.process_lock._PATIENCE_SECONDS", 0.05)
    with (
        begin_run(ledger, IDENTITY, NOON) as run,
        pytest.raises(LockedError, match=f"run {run.id} is still going on .process {os.getpid()}"),
    ):
        resume_run(ledger, IDENTITY)


def test_the_inputs_of_a_resumed_run_must_be_the_same(ledger: Ledger) -> None:
    with begin_run(ledger, IDENTITY, NOON) as run:
        writer = SegmentWriter(ledger, run)
        writer.add(make_batch(0, 15, run=run.id))
        writer.add(make_batch(15, 10, run=run.id))
        writer.close()
    resumed = resume_run(ledger, IDENTITY)
    assert resumed is not None
    names = [f"{ordinal:06}.jpg" for ordinal in range(25)]
    with resumed:
        check_same_inputs(resumed, names)
        for wrong in (names[:-1], [*names, "x"], [*names[:3], "new.jpg", *names[3:-1]], names[::-1]):
            with pytest.raises(FacemonError, match="first 25 inputs are no longer those"):
                check_same_inputs(resumed, wrong)


def test_a_digest_goes_on_where_it_stopped() -> None:
    whole, half = InputDigest(), InputDigest()
    for name in ("a", "b\udcff", "c"):
        whole.add(name)
    half.add("a")
    half = InputDigest(half.value)
    half.add("b\udcff")
    half.add("c")
    assert half.value == whole.value


def test_a_run_that_cannot_be_taken_up_is_not_locked(ledger: Ledger) -> None:
    for _ in range(2):
        with pytest.raises(FacemonError, match="has no run 2026") as raised:
            taken_up(ledger, "20261101T000000-00000000")
        assert not isinstance(raised.value, LockedError)


def log_run(ledger: Ledger, fingerprint: str, begin: datetime, end: datetime | None, *, inputs: str = "a") -> None:
    """A run with rows, which was killed where it has no end."""
    with begin_run(ledger, replace(IDENTITY, inputs=(inputs,), fingerprint=fingerprint), begin) as run:
        writer = SegmentWriter(ledger, run)
        writer.add(make_batch(0, 5, run=run.id))
        writer.close()
        if end is not None:
            finish_run(ledger, run, end)


def test_fingerprints_are_those_of_runs_that_went_on_in_a_window(ledger: Ledger) -> None:
    hours = [micros(NOON + number * HOUR) for number in range(10)]
    assert ledger.runs.last_fingerprint(IDENTITY.model) is None
    log_run(ledger, "x", NOON, NOON + HOUR)
    log_run(ledger, "y", NOON + 3 * HOUR, NOON + 5 * HOUR)
    log_run(ledger, "x", NOON + 7 * HOUR, NOON + 8 * HOUR)
    begin_run(ledger, replace(IDENTITY, fingerprint="without rows"), NOON + 4 * HOUR).lock.release()
    model = IDENTITY.model
    assert ledger.runs.fingerprints(model, hours[0], hours[9]) == ["x", "y"]
    assert ledger.runs.fingerprints(model, hours[2], hours[6]) == ["y"]
    assert ledger.runs.fingerprints(model, hours[4], hours[4]) == ["y"]
    assert ledger.runs.fingerprints(model, hours[6], hours[9]) == ["x"]
    assert ledger.runs.fingerprints("faces@2", hours[0], hours[9]) == []
    assert ledger.runs.last_fingerprint(model) == "x"


def test_a_killed_run_does_not_go_on_for_ever(ledger: Ledger) -> None:
    """Its rows came before the next run on its inputs; of one that was never repeated only its begin is known."""
    log_run(ledger, "killed", NOON, None)
    log_run(ledger, "killed once", NOON, None, inputs="b")
    log_run(ledger, "now", NOON + 5 * HOUR, NOON + 6 * HOUR)
    later = micros(NOON + 5 * HOUR + timedelta(minutes=1)), micros(NOON + 9 * HOUR)
    assert ledger.runs.fingerprints(IDENTITY.model, *later) == ["now"]
    assert set(ledger.runs.fingerprints(IDENTITY.model, micros(NOON), micros(NOON + HOUR))) == {"killed", "killed once"}


def test_an_api_goes_on_until_it_ends_or_is_followed(ledger: Ledger) -> None:
    log_run(ledger, "api", NOON, None)
    (run, _), *_ = ledger.runs.states()
    with ledger.writing():
        ledger.runs.count_flushes(run, 1)
    later = micros(NOON + 8 * HOUR), micros(NOON + 9 * HOUR)
    assert ledger.runs.fingerprints(IDENTITY.model, *later) == ["api"]
    log_run(ledger, "next", NOON + 2 * HOUR, NOON + 10 * HOUR)
    assert ledger.runs.fingerprints(IDENTITY.model, *later) == ["next"]
