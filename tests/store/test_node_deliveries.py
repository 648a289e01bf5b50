"""Deliveries of nodes: whatever ends, comes late, is copied or restored, each row is collected once."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facemon.domain.times import micros
from facemon.errors import FacemonError, LockedError, UsageError
from facemon.object_storage.folder_address import parse_folder
from facemon.object_storage.object_folder import ObjectFolder, open_folder
from facemon.object_storage.storage_error import StorageError
from facemon.store.backup import back_up
from facemon.store.compaction import compact
from facemon.store.ledger.opening import open_ledger
from facemon.store.ledger.protocol import Ledger
from facemon.store.ledger_recovery import recover_ledger
from facemon.store.node_state import PendingDelivery
from facemon.store.process_lock import ProcessLock
from facemon.store.retention import prune
from facemon.store.retry import failed_inputs, reopen_run, without_delivered
from facemon.store.shared_log.collecting import collect
from facemon.store.shared_log.undelivered import next_delivery
from facemon.store.verification import verify
from tests.object_storage.origin import Origin, running_origin
from tests.short_form import examples
from tests.store.delivered import deliver as deliver_shard
from tests.store.delivered import facts_of, shared_folder
from tests.store.log_rows import IDENTITY, MODEL, NOON, log_images
from tests.store.nodes import images_of, send, state_of
from tests.store.sql import sql

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FAR = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def origin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Origin]:
    with running_origin() as origin:
        origin.buckets["logs"] = {}
        for name, value in origin.environment().items():
            monkeypatch.setenv(name, value)
        yield origin


@pytest.fixture
def objects(tmp_path: Path) -> ObjectFolder:
    return shared_folder(tmp_path / "log")


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(tmp_path / "centre", create=True) as opened:
        yield opened


STEPS = st.lists(st.sampled_from(["log", "log late", "deliver", "compact", "collect"]), min_size=3, max_size=9)


@given(steps=STEPS)
@settings(max_examples=examples(0.4), deadline=None)
def test_whatever_the_order_the_centre_has_what_the_node_has(
    steps: Sequence[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("orders")
    objects = shared_folder(folder / "log")
    with open_ledger(folder / "node", create=True) as node, open_ledger(folder / "centre", create=True) as centre:
        for number, step in enumerate([*steps, "log", "deliver", "collect", "deliver", "collect"]):
            match step:
                case "log":
                    log_images(node, 12, observed=NOON + number * HOUR, spread=30 * DAY, seed=number)
                case "log late":
                    log_images(node, 7, observed=NOON - number * HOUR, sources=("a", None), seed=number)
                case "deliver":
                    send(node, objects)
                case "compact":
                    compact(node, datetime.now(UTC))
                case _:
                    assert collect(centre, objects).damaged == []
        assert images_of(centre) == images_of(node)
        assert facts_of(centre) == facts_of(node)
        assert verify(centre).problems == ()
        assert send(node, objects).deliveries == 0


def test_rows_of_an_open_hour_wait(ledger: Ledger, objects: ObjectFolder, centre: Ledger) -> None:
    log_images(ledger, 10, observed=ledger.now())
    log_images(ledger, 10, observed=ledger.now() - 2 * HOUR)
    done = send(ledger, objects)
    assert (done.deliveries, done.rows, state_of(ledger)[1]) == (1, 11, 1)
    assert done.until <= ledger.now()
    assert collect(centre, objects).rows == 11
    assert send(ledger, objects).deliveries == 0


def test_a_run_that_is_half_delivered_goes_on(ledger: Ledger, objects: ObjectFolder, centre: Ledger) -> None:
    """Hours of observation are in no order within a run."""
    log_images(ledger, 20, observed=ledger.now() - 2 * HOUR, spread=200 * HOUR)  # 12 minutes apart
    first = send(ledger, objects).rows
    assert 0 < first < 22
    (run, state), *_ = ledger.runs.states()
    assert state.done == 20
    (_, behind), *_ = ledger.nodes.sent(run)
    assert behind < 20
    collect(centre, objects)
    assert verify(centre).problems == ()


def test_a_run_whose_last_images_are_the_oldest_is_delivered_whole(ledger: Ledger) -> None:
    run = log_images(ledger, 20, spread=-200 * HOUR)  # 12 minutes apart, backwards
    parts = []
    for until in (NOON - 2 * HOUR, NOON + HOUR):
        pending = next_delivery(ledger, micros(until), {}, {}).pending
        assert pending is not None
        parts.append(list(pending.rows[run]))
        with ledger.writing():
            ledger.nodes.send(pending.rows)
    assert parts == [[(11, 20)], [(0, 11)]]


@pytest.mark.parametrize("cut", ["before", "after"])
def test_a_network_that_ends_at_each_request(cut: str, origin: Origin, ledger: Ledger, centre: Ledger) -> None:
    objects = open_folder(parse_folder("s3://logs/log/"), create=True)
    log_images(ledger, 30, spread=100 * DAY)
    requests = 0
    for allowed in range(200):
        left = iter([""] * allowed + [cut])
        origin.cut = lambda _, left=left: next(left, "")  # type: ignore[misc]
        try:
            send(ledger, objects)
        except StorageError:
            requests = allowed
            log_images(ledger, 2, observed=NOON + allowed * HOUR, seed=allowed)
        if next(left, None) is not None:
            break
    origin.cut = lambda _: ""
    assert requests > 4
    send(ledger, objects)
    assert collect(centre, objects).damaged == []
    assert images_of(centre) == images_of(ledger)
    assert facts_of(centre) == facts_of(ledger)
    assert verify(centre).problems == ()


def test_a_commit_that_the_ledger_does_not_know_is_found(ledger: Ledger, objects: ObjectFolder, centre: Ledger) -> None:
    """A process was killed between the commit and its own transaction."""
    log_images(ledger, 10)
    send(ledger, objects)
    state = ledger.nodes.state()
    assert state is not None
    (commit,) = objects.listed("node-deliveries/")
    # As it was before that transaction.
    with ledger.writing():
        sql(ledger).execute("DELETE FROM sent_rows")
    log_images(ledger, 10, observed=NOON + HOUR)
    planned = {run: [(0, 10)] for run, _ in list(ledger.runs.states())[:1]}
    with ledger.writing():
        ledger.nodes.keep(replace(state, number=0, latencies=None, pending=PendingDelivery(MODEL, planned, {})))
    done = send(ledger, objects)
    assert (done.deliveries, state_of(ledger)) == (2, (state.epoch, 2))
    assert objects.entry(commit.key) is not None
    collect(centre, objects)
    assert images_of(centre) == images_of(ledger)


def test_two_at_once_give_way(ledger: Ledger, objects: ObjectFolder) -> None:
    log_images(ledger, 10)
    with ProcessLock.for_command(ledger.folder, "deliver"), pytest.raises(LockedError, match="another facemon deliver"):
        send(ledger, objects)
    assert send(ledger, objects).rows == 11


def test_a_copied_store_gets_another_epoch_and_brings_nothing_twice(
    ledger: Ledger, folder: Path, objects: ObjectFolder, centre: Ledger
) -> None:
    log_images(ledger, 10)
    send(ledger, objects)
    log_images(ledger, 20, observed=NOON + HOUR)
    ledger.close()
    shutil.copytree(folder, folder.with_name("copy"))
    epochs = set()
    for place in (folder, folder.with_name("copy")):
        with open_ledger(place) as each:
            log_images(each, 5, observed=NOON + 2 * HOUR)
            done = send(each, objects)
            epochs.add(state_of(each)[0])
            assert (done.new_epoch is None) == (place == folder)
            collect(centre, objects)
    assert len(epochs) == 2
    found = collect(centre, objects)
    assert (found.damaged, [node.missing for node in found.nodes]) == ([], [[], []])
    assert len(images_of(centre)) == len(set(images_of(centre))) == 11 + 22 + 6 + 6
    assert centre.totals.read()
    assert verify(centre).problems == ()


def test_a_copy_with_the_same_inode_is_noticed_by_its_number(
    ledger: Ledger, folder: Path, objects: ObjectFolder, centre: Ledger
) -> None:
    """As the image of a disk has it."""
    log_images(ledger, 10)
    send(ledger, objects)
    ledger.close()
    copy = folder.with_name("copy")
    shutil.copytree(folder, copy)
    with open_ledger(copy) as second:
        state = second.nodes.state()
        assert state is not None
        with second.writing():
            second.nodes.keep(replace(state, ledger_file=(copy / "ledger.sqlite").stat().st_ino))
        log_images(second, 5, observed=NOON + HOUR)
        assert send(second, objects).new_epoch is None
    with open_ledger(folder) as first:
        log_images(first, 7, observed=NOON + HOUR)
        done = send(first, objects)
        assert done.new_epoch == "another copy of this store used the same numbers"
        assert (done.rows, state_of(first)[1]) == (8, 1)
    collect(centre, objects)
    assert len(images_of(centre)) == len(set(images_of(centre))) == 11 + 6 + 8
    assert verify(centre).problems == ()


@pytest.mark.parametrize("has_backup", [True, False])
def test_a_restored_store_brings_nothing_twice(
    has_backup: bool, ledger: Ledger, folder: Path, objects: ObjectFolder, centre: Ledger, tmp_path: Path
) -> None:
    log_images(ledger, 2000)
    send(ledger, objects)
    back_up(ledger, tmp_path / "saved.tar")
    log_images(ledger, 3000, observed=NOON + HOUR)
    send(ledger, objects)
    log_images(ledger, 1500, observed=NOON + 2 * HOUR)
    rows = images_of(ledger)
    ledger.close()
    (folder / "ledger.sqlite").write_bytes(b"\xa5" * 4096)
    (folder / "ledger.sqlite-wal").unlink(missing_ok=True)
    recover_ledger(folder, tmp_path / "saved.tar" if has_backup else None, NOON, mode="private", as_root=False)
    collect(centre, objects)
    with open_ledger(folder) as restored:
        done = send(restored, objects)
        assert (done.new_epoch is not None) == has_backup
    found = collect(centre, objects)
    assert found.repeated_rows == (3300 if has_backup else 5500)
    assert images_of(centre) == rows
    assert verify(centre).problems == ()


def test_retention_waits_for_the_delivery(ledger: Ledger, objects: ObjectFolder, centre: Ledger) -> None:
    log_images(ledger, 10)
    send(ledger, objects)
    log_images(ledger, 20, observed=NOON + HOUR)
    done = prune(ledger, FAR)
    assert (done.rows, done.undelivered) == (11, 1)
    send(ledger, objects)
    done = prune(ledger, FAR)
    assert (done.rows, done.undelivered) == (22, 0)
    collect(centre, objects)
    assert len(images_of(centre)) == 33
    log_images(ledger, 30, observed=NOON + 2 * HOUR)
    assert prune(ledger, FAR, undelivered=True).rows == 33
    assert send(ledger, objects).deliveries == 0


def test_a_retry_leaves_what_is_delivered(ledger: Ledger, objects: ObjectFolder) -> None:
    log_images(ledger, 40)
    run = reopen_run(ledger, IDENTITY)
    assert run is not None
    with run:
        failed = failed_inputs(ledger, run, MODEL)
        assert without_delivered(ledger, run, failed) == failed != {}
        send(ledger, objects)
        assert without_delivered(ledger, run, failed) == {}


def test_a_store_delivers_or_collects(ledger: Ledger, objects: ObjectFolder, centre: Ledger) -> None:
    deliver_shard(objects, 1)
    collect(centre, objects)
    with pytest.raises(UsageError, match="collects deliveries of other machines"):
        send(centre, objects)


def test_another_location_is_refused_unless_all_was_moved(
    ledger: Ledger, objects: ObjectFolder, tmp_path: Path, centre: Ledger
) -> None:
    log_images(ledger, 10)
    send(ledger, objects)
    shutil.copytree(tmp_path / "log", tmp_path / "moved")
    moved = shared_folder(tmp_path / "moved")
    with pytest.raises(UsageError, match="this store delivers to s3://logs/log/") as refused:
        send(ledger, moved, location="s3://moved/")
    assert "--moved" in str(refused.value.hint)
    log_images(ledger, 10, observed=NOON + HOUR)
    send(ledger, moved, location="s3://moved/", is_moved=True)
    collect(centre, moved)
    assert images_of(centre) == images_of(ledger)


def test_gaps_and_damage_are_named(ledger: Ledger, objects: ObjectFolder, centre: Ledger) -> None:
    for number in range(5):
        log_images(ledger, 10, observed=NOON + number * HOUR)
        send(ledger, objects)
    epoch, _ = state_of(ledger)
    keys = {number: f"node-deliveries/gate/{epoch}/{number}.json" for number in range(1, 6)}
    whole = {key: objects.read(key) or b"" for key in keys.values()}
    objects.remove([keys[2]])
    objects.write(keys[4], whole[keys[3]])
    objects.write("node-deliveries/gate/notes.txt", b"")
    found = collect(centre, objects)
    (node,) = found.nodes
    assert (node.node, node.missing, node.new) == ("gate", [(2, 2), (4, 4)], 3)
    assert sorted(text.partition(" ")[2] for text in found.damaged) == [
        "is not the commit of a node", f"is the commit of {keys[3]}",
    ]  # fmt: skip
    for key, content in whole.items():
        objects.write(key, content)
    assert [node.missing for node in collect(centre, objects).nodes] == [[]]
    objects.write(keys[2], whole[keys[2]].replace(b'"attempt":"', b'"attempt":"0'))
    assert "its digest does not match" in " ".join(collect(centre, objects).damaged)
    assert images_of(centre) == images_of(ledger)


def test_a_node_with_a_clock_ahead_is_refused_by_the_clock_of_the_storage(
    origin: Origin, ledger: Ledger, centre: Ledger
) -> None:
    objects = open_folder(parse_folder("s3://logs/log/"), create=True)
    log_images(ledger, 10)
    origin.now = lambda: NOON - timedelta(days=3)
    with pytest.raises(FacemonError, match="the clock of this machine is wrong"):
        send(ledger, objects)
    assert not list(objects.listed("node-deliveries/"))
    origin.now = lambda: NOON - timedelta(days=1)
    assert send(ledger, objects).rows == 11
    (commit,) = objects.listed("node-deliveries/")
    origin.modified[f"logs/log/{commit.key}"] = NOON - timedelta(days=3)
    found = collect(centre, objects)
    assert "the clock of gate is wrong" in found.damaged[0]
    assert (images_of(centre), found.nodes[0].missing) == ([], [(1, 1)])
    origin.modified[f"logs/log/{commit.key}"] = NOON - timedelta(days=1)
    assert collect(centre, objects).rows == 11
