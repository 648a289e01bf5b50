"""Deliveries of shards: each is registered once, in any order, and adds what one store has that predicts all."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facemon.domain.shard import Shard
from facemon.domain.times import micros
from facemon.errors import FacemonError
from facemon.object_storage.object_folder import ObjectFolder
from facemon.object_storage.probe import storage_time
from facemon.store.backup import back_up
from facemon.store.compaction import compact
from facemon.store.ledger.opening import open_ledger
from facemon.store.ledger.protocol import Ledger
from facemon.store.process_lock import ProcessLock, writer_lock_path
from facemon.store.retention import prune
from facemon.store.shared_log import delivery_writer
from facemon.store.shared_log.collecting import Collection, collect
from facemon.store.shared_log.entry import enter_job
from facemon.store.shared_log.layout import delivery_key, job_key
from facemon.store.verification import verify
from tests.short_form import examples
from tests.store.delivered import JOB, deliver, facts_of, other_job, shared_folder
from tests.store.log_rows import log_images
from tests.store.sql import sql

OPTIONS: Mapping[str, Any] = {"spread": timedelta(days=30), "sources": ("a", "b", None)}
"""Rows of some days and sources, so that each shard has several segments and profiles."""


@pytest.fixture
def objects(tmp_path: Path) -> ObjectFolder:
    return shared_folder(tmp_path / "log")


def registered(found: Collection) -> tuple[int, int, list[str]]:
    return sum(job.new for job in found.jobs), found.rows, found.damaged


@given(
    order=st.permutations([1, 2, 3]),
    collected_after=st.lists(st.booleans(), min_size=3, max_size=3),
    repeats=st.integers(1, 3),
)
@settings(max_examples=examples(0.3), deadline=None)
def test_any_order_gives_what_one_store_has_that_predicted_all(
    order: Sequence[int], collected_after: Sequence[bool], repeats: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("orders")
    objects = shared_folder(folder / "log")
    with open_ledger(folder / "one", create=True) as one, open_ledger(folder / "many", create=True) as many:
        log_images(one, JOB.rows, batch=10, **OPTIONS)
        for number, is_collected in zip(order, collected_after, strict=True):
            assert deliver(objects, number, **OPTIONS)
            if is_collected:
                collect(many, objects)
        for _ in range(repeats):
            found = collect(many, objects)
        assert (found.jobs[0].missing, found.damaged) == ([], [])
        assert facts_of(many) == facts_of(one)
        assert verify(many).problems == ()


def test_each_delivery_is_registered_once_in_each_store(objects: ObjectFolder, tmp_path: Path) -> None:
    deliver(objects, 3)
    deliver(objects, 1)
    for name in ("one", "two"):
        with open_ledger(tmp_path / name, create=True) as ledger:
            found = collect(ledger, objects)
            assert registered(found)[0] == 2
            assert found.jobs[0].missing == [(2, 2)]
            before = facts_of(ledger)
            assert registered(collect(ledger, objects)) == (0, 0, [])
            assert facts_of(ledger) == before


def test_a_shard_without_rows_is_a_delivery(objects: ObjectFolder, ledger: Ledger) -> None:
    job = other_job(rows=1, shards=3)
    assert [deliver(objects, number, job=job) for number in (1, 2, 3)] == [True] * 3
    found = collect(ledger, objects)
    assert (registered(found)[0], found.rows, found.jobs[0].missing) == (3, 1, [])
    assert verify(ledger).problems == ()


def test_a_second_attempt_is_not_predicted_and_one_that_loses_a_race_does_not_count(
    objects: ObjectFolder, ledger: Ledger
) -> None:
    assert deliver(objects, 1, run="first")
    assert not deliver(objects, 1, run="second")
    # One that began before the first one had ended.
    commit = objects.read(delivery_key("images", 1))
    assert commit is not None
    objects.remove([delivery_key("images", 1)])
    entered = enter_job(objects, "images", JOB, Shard(1, 3))
    assert entered.began is not None
    objects.write(delivery_key("images", 1), commit)
    attempt = delivery_writer.ShardRun("images", JOB, Shard(1, 3), "third", entered.began)
    with delivery_writer.DeliveryWriter(objects, attempt) as writer:
        assert not writer.commit()
    collect(ledger, objects)
    assert [run for run, _ in ledger.runs.states()] == ["first"]


def test_a_commit_whose_answer_is_lost_is_found_to_be_ones_own(objects: ObjectFolder) -> None:
    """The library makes the request again, and the storage says that the object is there."""
    content = b"the commit of one attempt"
    objects.write("deliveries/images/1.json", content)
    assert objects.create("deliveries/images/1.json", content)
    assert not objects.create("deliveries/images/1.json", b"the commit of another attempt")


def test_an_attempt_of_twelve_hours_is_not_delivered(objects: ObjectFolder) -> None:
    long_ago = storage_time(objects) - timedelta(hours=12, minutes=1)
    attempt = delivery_writer.ShardRun("images", JOB, Shard(1, 3), "slow", long_ago)
    with (
        delivery_writer.DeliveryWriter(objects, attempt) as writer,
        pytest.raises(FacemonError, match="took more than 12 hours"),
    ):
        writer.commit()
    assert objects.read(delivery_key("images", 1)) is None


def test_a_job_that_differs_is_named(objects: ObjectFolder) -> None:
    deliver(objects, 1)
    others = {
        "manifest": other_job(manifest="b" * 64), "shards": other_job(shards=4), "model": other_job(model="m@2"),
        "fingerprint": other_job(fingerprint="e" * 64), "source": other_job(source="gate"),
        "facemon": other_job(facemon="9.9"), "observed_at": other_job(settings={"observed_at": "mtime"}),
    }  # fmt: skip
    for what, job in others.items():
        (difference,) = enter_job(objects, "images", job, Shard(2, 3)).differences
        assert difference.what == what
        assert difference.theirs != difference.ours
    assert enter_job(objects, "others", other_job(shards=4), Shard(2, 4)).began is not None


DAMAGE: dict[str, tuple[Callable[[ObjectFolder], None], str]] = {
    "no segments": (lambda objects: objects.remove(segments_of(objects, 2)[:1]), "which is missing"),
    "half a segment": (lambda objects: change(objects, segments_of(objects, 2)[0], lambda data: data[:9]), "has 9 of"),
    "another segment": (
        lambda objects: change(objects, segments_of(objects, 2)[0], lambda data: data[:-1] + b"x"), "not those that"
    ),
    "no JSON": (lambda objects: change(objects, delivery_key("images", 2), lambda data: data[:-9]), "is not JSON"),
    "an empty commit": (lambda objects: change(objects, delivery_key("images", 2), lambda _: b""), "is not JSON"),
    "another document": (lambda objects: change(objects, delivery_key("images", 2), lambda _: b"[1]"), "not a docu"),
    "a newer facemon": (
        lambda objects: replace(objects, 2, b"facemon.delivery/1", b"facemon.delivery/2"), "of a newer facemon"
    ),
    "fewer rows": (lambda objects: replace(objects, 2, b'"images":30', b'"images":29'), "its digest does not match"),
    "another total": (lambda objects: replace(objects, 2, b'["ok"],"",', b'["ok"],"",1'), "its digest does not match"),
    "no part": (lambda objects: replace(objects, 2, b'"totals":', b'"others":'), "lacks a part"),
    "the commit of another shard": (
        lambda objects: objects.write(delivery_key("images", 2), objects.read(delivery_key("images", 1)) or b""),
        "is the commit of shard 1/3 of images",
    ),
    "a foreign object": (lambda objects: objects.write("deliveries/images/two.json", b"{}"), "is not the commit of"),
}  # fmt: skip


def segments_of(objects: ObjectFolder, number: int) -> list[str]:
    return sorted(e.key for e in objects.listed("segments/") if e.key.startswith(f"segments/images/{number}-"))


def change(objects: ObjectFolder, key: str, how: Callable[[bytes], bytes]) -> None:
    content = objects.read(key)
    assert content is not None
    assert how(content) != content
    objects.write(key, how(content))


def replace(objects: ObjectFolder, number: int, old: bytes, new: bytes) -> None:
    change(objects, delivery_key("images", number), lambda data: data.replace(old, new))


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_named_and_the_others_are_registered(damage: str, objects: ObjectFolder, ledger: Ledger) -> None:
    for number in (1, 2, 3):
        deliver(objects, number, **OPTIONS)
    do, said = DAMAGE[damage]
    whole = {entry.key: objects.read(entry.key) or b"" for entry in objects.listed("")}
    do(objects)
    found = collect(ledger, objects)
    assert len(found.damaged) == 1
    assert said in found.damaged[0]
    is_beside = damage == "a foreign object"
    assert (registered(found)[0], found.jobs[0].missing) == ((3, []) if is_beside else (2, [(2, 2)]))
    assert verify(ledger).problems == (), "neither files nor rows of it are left"
    for key, content in whole.items():
        objects.write(key, content)
    assert registered(collect(ledger, objects))[0] == (0 if is_beside else 1)
    assert verify(ledger).problems == ()


def test_a_missing_job_is_named(objects: ObjectFolder, ledger: Ledger) -> None:
    deliver(objects, 1)
    deliver(objects, 1, name="others")
    objects.remove([job_key("images")])
    found = collect(ledger, objects)
    assert "jobs/images.json, which is missing" in found.damaged[0]
    assert [(job.name, job.new) for job in found.jobs] == [("others", 1)]


def test_another_delivery_in_its_place_is_refused_and_named(
    objects: ObjectFolder, ledger: Ledger, tmp_path: Path
) -> None:
    deliver(objects, 1)
    collect(ledger, objects)
    before = facts_of(ledger)
    again, another = shared_folder(tmp_path / "again"), shared_folder(tmp_path / "another")
    deliver(again, 1, run="again")
    deliver(another, 2, job=other_job(manifest="b" * 64))
    for other, said in ((again, "has shard 1 of images with the digest"), (another, "shards of another job images")):
        found = collect(ledger, other)
        assert said in found.damaged[0]
        assert registered(found)[:2] == (0, 0)
    assert facts_of(ledger) == before
    assert verify(ledger).problems == ()


def test_a_copy_of_the_shared_log_brings_nothing_twice(objects: ObjectFolder, ledger: Ledger, tmp_path: Path) -> None:
    deliver(objects, 1)
    collect(ledger, objects)
    copy = shared_folder(tmp_path / "copy")
    for entry in objects.listed(""):
        copy.write(entry.key, objects.read(entry.key) or b"")
    found = collect(ledger, copy)
    assert (registered(found), found.jobs[0].missing) == ((0, 0, []), [(2, 3)])


def test_identities_stay_when_rows_are_folded_or_removed(objects: ObjectFolder, ledger: Ledger, tmp_path: Path) -> None:
    deliver(objects, 1)
    deliver(objects, 2)
    collect(ledger, objects)
    later = datetime.now(UTC) + timedelta(days=3)
    assert compact(ledger, later).folded == 2
    assert registered(collect(ledger, objects)) == (0, 0, [])
    back_up(ledger, tmp_path / "saved.tar")
    assert prune(ledger, datetime(2100, 1, 1, tzinfo=UTC)).rows > 0
    for entry in objects.listed("deliveries/"):
        objects.remove([entry.key])
    found = collect(ledger, objects)
    assert (registered(found), found.jobs[0].missing) == ((0, 0, []), [(3, 3)])
    assert ledger.segments.within() == []
    assert verify(ledger).problems == ()


class OvertakenFolder(ObjectFolder):
    """A shared log in which another collector registers everything while the first segment is read."""

    def overtaken_by(self, collector: Callable[[], None]) -> None:
        self._collector = collector

    def read(self, name: str) -> bytes | None:
        content = super().read(name)
        if name.startswith("segments/"):
            self._collector()
            self._collector = lambda: None
        return content


def test_two_collectors_on_one_store_register_each_delivery_once(
    objects: ObjectFolder, ledger: Ledger, folder: Path
) -> None:
    for number in (1, 2, 3):
        deliver(objects, number)
    others = list[Collection]()

    def collect_all() -> None:
        with open_ledger(folder) as second:
            others.append(collect(second, objects))

    overtaken = shared_folder(folder.parent / "log")
    overtaken.__class__ = OvertakenFolder
    assert isinstance(overtaken, OvertakenFolder)
    overtaken.overtaken_by(collect_all)
    found = collect(ledger, overtaken)
    assert (registered(found)[0], registered(others[0])[0], found.jobs[0].missing) == (0, 3, [])
    assert verify(ledger).problems == ()
    assert sql(ledger).execute("SELECT count(*) FROM runs").fetchone() == (3,)


def test_what_a_killed_collector_left_goes_with_the_next(objects: ObjectFolder, ledger: Ledger, folder: Path) -> None:
    deliver(objects, 1)
    left = folder / "segments" / "date=2026-11-22" / "left.parquet"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    with ledger.writing():
        ledger.files.intend("collect-dead", [("left", left.relative_to(folder).as_posix())])
    with ProcessLock.waiting(writer_lock_path(folder, "collect-dead")):
        collect(ledger, objects)
        assert left.exists(), "its writer lives"
    collect(ledger, objects)
    assert not left.exists()
    assert verify(ledger).problems == ()


def test_runs_are_stamped_by_the_clock_of_the_store(objects: ObjectFolder, ledger: Ledger) -> None:
    """The machine that predicted may have a wrong clock, and its stamps would make this one's seem wrong."""
    deliver(objects, 1, run="20990101T000000-00000000", predicted=datetime(2099, 1, 1, tzinfo=UTC))
    before = micros(ledger.now())
    collect(ledger, objects)
    ((_, state),) = ledger.runs.states()
    assert ledger.clock.doubt() is None
    assert state.started == state.finished
    assert before <= state.started <= micros(ledger.now())
