import os
from dataclasses import replace
from datetime import timedelta

import pytest

from facemon.errors import FacemonError, LockedError
from facemon.store.ledger.protocol import Ledger
from facemon.store.run_state import RunIdentity
from facemon.store.runs import InputDigest, begin_run, check_same_inputs, finish_run, resume_run, taken_up
from facemon.store.segment_writer import SegmentWriter
from tests.store.log_rows import IDENTITY, NOON, log_images, make_batch


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
