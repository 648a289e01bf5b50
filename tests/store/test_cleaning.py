"""`store collect --clean`: what was never delivered goes after 24 hours of the storage's clock, and nothing else."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from facemon.errors import LockedError
from facemon.object_storage.folder_address import parse_folder
from facemon.object_storage.object_folder import ObjectFolder, open_folder
from facemon.store.ledger.opening import open_ledger
from facemon.store.ledger.protocol import Ledger
from facemon.store.shared_log.cleaning import clean
from facemon.store.shared_log.collecting import collect
from facemon.store.shared_log.layout import CLEANING
from facemon.store.verification import verify
from tests.object_storage.origin import Origin
from tests.object_storage.reached_storage import reached_origin
from tests.store.delivered import deliver
from tests.store.log_rows import log_images
from tests.store.nodes import send, state_of

START = datetime(2031, 1, 1, tzinfo=UTC)
"""Another year than that of this machine, whose clock says nothing here."""


@pytest.fixture
def origin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Origin]:
    with reached_origin(monkeypatch, now=lambda: START) as origin:
        origin.buckets["logs"] = {}
        yield origin


@pytest.fixture
def objects(origin: Origin) -> ObjectFolder:
    return open_folder(parse_folder("s3://logs/log/"), create=True)


def go_on(origin: Origin, hours: float) -> None:
    """Set the clock of the storage so many hours after the start."""
    origin.now = lambda: START + timedelta(hours=hours)


def keys(origin: Origin) -> set[str]:
    return {key.removeprefix("log/") for key in origin.buckets["logs"]}


ABANDONED = "segments/images/2-20310101T000000-dead/date=2031-01-01/a.parquet"


def test_only_old_segments_without_a_commit_go(origin: Origin, objects: ObjectFolder, ledger: Ledger) -> None:
    deliver(objects, 1)
    deliver(objects, 3)
    objects.write("segments/images/1-20310101T000000-lost/date=2031-01-01/a.parquet", b"1234")  # lost a race
    objects.write(ABANDONED, b"12")
    objects.write("probes/left", b"1")
    kept = {"segments/notes.txt", "segments/images/notes.txt", "photos/a.jpg", "jobs/others.json"}
    for key in kept:
        objects.write(key, b"another's")
    before = keys(origin)
    go_on(origin, 23.9)
    assert (clean(objects).objects, keys(origin)) == (0, before)
    young = ABANDONED.replace("dead", "young")
    objects.write(young, b"12345")
    go_on(origin, 24.1)
    done = clean(objects)
    assert (done.objects, done.bytes) == (3, 7)
    assert before - keys(origin) == {
        ABANDONED, "probes/left", "segments/images/1-20310101T000000-lost/date=2031-01-01/a.parquet",
    }  # fmt: skip
    assert young in keys(origin)
    assert kept < keys(origin)
    assert {job.new for job in collect(ledger, objects).jobs} == {2}
    assert verify(ledger).problems == ()


def test_segments_of_nodes_go_in_the_same_way(origin: Origin, objects: ObjectFolder, ledger: Ledger) -> None:
    node = open_ledger(ledger.folder.parent / "node", create=True)
    with node:
        log_images(node, 10)
        origin.now = lambda: datetime(2026, 12, 24, tzinfo=UTC)
        send(node, objects)
        epoch, _ = state_of(node)
    lost = f"node-segments/gate/{epoch}/1-00dead/date=2026-11-22/a.parquet"
    early = f"node-segments/gate/{epoch}/2-00dead/date=2026-11-22/a.parquet"
    for key in (lost, early):
        objects.write(key, b"12")
    before = keys(origin)
    origin.now = lambda: datetime(2026, 12, 24, 23, tzinfo=UTC)
    assert clean(objects).objects == 0
    origin.now = lambda: datetime(2026, 12, 25, 1, tzinfo=UTC)
    assert clean(objects).objects == 2
    assert before - keys(origin) == {lost, early}
    assert collect(ledger, objects).rows == 11


@pytest.mark.parametrize("commit", [b"not JSON", b'{"format": "facemon.delivery/2", "run": 5}', b"[]"])
def test_the_segments_of_a_commit_that_cannot_be_read_stay(
    commit: bytes, origin: Origin, objects: ObjectFolder
) -> None:
    """A newer facemon may have delivered them."""
    objects.write(ABANDONED, b"12")
    objects.write("deliveries/images/2.json", commit)
    go_on(origin, 48)
    assert clean(objects).objects == 0


def test_an_attempt_that_commits_while_it_is_cleaned_keeps_its_segments(origin: Origin, objects: ObjectFolder) -> None:
    objects.write(ABANDONED, b"12")
    go_on(origin, 48)

    class CommittedMeanwhile(ObjectFolder):
        def listed(self, prefix: str) -> Iterator[object]:  # type: ignore[override]
            yield from super().listed(prefix)
            if prefix == "segments/":
                self.write(
                    "deliveries/images/2.json", b'{"format": "facemon.delivery/1", "run": "20310101T000000-dead"}'
                )

    objects.__class__ = CommittedMeanwhile
    assert clean(objects).objects == 0
    assert ABANDONED in keys(origin)


def test_one_cleans_at_a_time_and_takes_over_what_a_killed_one_left(origin: Origin, objects: ObjectFolder) -> None:
    objects.write(ABANDONED, b"12")
    objects.write(CLEANING, b"another process")
    go_on(origin, 0.9)
    with pytest.raises(LockedError, match="another facemon store collect --clean is at work"):
        clean(objects)
    assert objects.read(CLEANING) == b"another process"
    go_on(origin, 30)
    assert clean(objects).objects == 1
    assert CLEANING not in keys(origin)


def test_one_of_two_takes_over_the_same_lock(origin: Origin, objects: ObjectFolder) -> None:
    objects.write(CLEANING, b"a process that was killed")
    go_on(origin, 2)
    both, outcomes = threading.Barrier(2, timeout=60), list[str]()

    def wait_for_both(request: str) -> None:
        if request.startswith("PUT logs/log/probes/"):
            both.wait()

    origin.before_answer = wait_for_both

    def clean_once() -> None:
        own = open_folder(parse_folder("s3://logs/log/"), create=True)
        try:
            clean(own)
            outcomes.append("cleaned")
        except LockedError:
            outcomes.append("locked")

    threads = [threading.Thread(target=clean_once) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # The second one may come when the first one has ended.
    assert sorted(outcomes) in (["cleaned", "locked"], ["cleaned", "cleaned"])
    assert CLEANING not in keys(origin)
