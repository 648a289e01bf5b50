"""Deliveries of nodes after damage, recoveries, copies of objects and wrong clocks: nothing counts twice or unseen."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from facemon.domain.times import micros
from facemon.object_storage.folder_address import parse_folder
from facemon.object_storage.object_folder import ObjectFolder, open_folder
from facemon.store.ledger.opening import open_ledger
from facemon.store.ledger.protocol import Ledger
from facemon.store.ledger_recovery import recover_ledger
from facemon.store.retention import prune
from facemon.store.row_counts import LATENCIES
from facemon.store.runs import new_run_id
from facemon.store.segment import Segment
from facemon.store.shared_log.collecting import collect
from facemon.store.shared_log.undelivered import next_delivery, rows_of
from facemon.store.verification import verify
from tests.object_storage.origin import Origin, running_origin
from tests.store.delivered import deliver as deliver_shard
from tests.store.delivered import shared_folder
from tests.store.log_rows import NOON, log_images
from tests.store.nodes import images_of, send, state_of
from tests.store.sql import sql

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FAR = datetime(2100, 1, 1, tzinfo=UTC)
PAGE = 4096


@pytest.fixture
def objects(tmp_path: Path) -> ObjectFolder:
    return shared_folder(tmp_path / "log")


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(tmp_path / "centre", create=True) as opened:
        yield opened


def test_a_commit_whose_sums_were_changed_is_named(ledger: Ledger, objects: ObjectFolder, centre: Ledger) -> None:
    log_images(ledger, 10)
    send(ledger, objects)
    (commit,) = objects.listed("node-deliveries/")
    whole = objects.read(commit.key) or b""
    objects.write(commit.key, whole.replace(b'["ok"],"",', b'["ok"],"",1'))
    assert "its digest does not match" in collect(centre, objects).damaged[0]
    objects.write(commit.key, whole)
    assert collect(centre, objects).rows == 11
    assert verify(centre).problems == ()


def inferences(ledger: Ledger) -> float:
    """How many calls the totals of latencies have."""
    return sum(value for key, value in ledger.totals.read().items() if key.metric == LATENCIES and key.part != "sum")


def recover_with_a_damaged_page(folder: Path) -> None:
    """Of a table that has nothing to do with deliveries; there is no backup."""
    with open_ledger(folder) as ledger:
        (page,) = sql(ledger).execute("SELECT rootpage FROM sqlite_schema WHERE name = 'profiles'").fetchone()
        sql(ledger).execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path = folder / "ledger.sqlite"
    content = bytearray(path.read_bytes())
    content[(page - 1) * PAGE : page * PAGE] = b"\xa5" * PAGE
    path.write_bytes(content)
    recover_ledger(folder, None, NOON, mode="private", as_root=False)


def test_a_recovered_ledger_knows_what_it_has_delivered(
    ledger: Ledger, folder: Path, objects: ObjectFolder, centre: Ledger
) -> None:
    run = log_images(ledger, 10)
    send(ledger, objects)
    assert prune(ledger, FAR).rows == 11
    kept = log_images(ledger, 30, observed=NOON + HOUR)
    send(ledger, objects)
    epoch, _ = state_of(ledger)
    ledger.close()
    recover_with_a_damaged_page(folder)
    with open_ledger(folder) as recovered:
        assert [list(recovered.nodes.sent(each)) for each in (run, kept)] == [[(0, 10)], [(0, 30)]]
        log_images(recovered, 20, observed=NOON + 2 * HOUR)
        done = send(recovered, objects, None)
        assert (done.node, done.rows, done.new_epoch) == ("gate", 22, "the store is a copy, or was restored")
        assert state_of(recovered)[0] != epoch
        assert collect(centre, objects).repeated_rows == 0
        # Rows of before went by retention, so nothing but the ledger tells that their latencies were delivered.
        assert inferences(centre) == 4 < inferences(recovered) == 6
    assert verify(centre).problems == ()


def test_objects_that_were_copied_are_read_once(
    ledger: Ledger, objects: ObjectFolder, centre: Ledger, tmp_path: Path
) -> None:
    """A copy has another ETag."""
    log_images(ledger, 10)
    send(ledger, objects)
    deliver_shard(objects, 1)
    collect(centre, objects)
    shutil.copytree(tmp_path / "log", tmp_path / "copy")
    copies = shared_folder(tmp_path / "copy")
    found = collect(centre, copies)
    assert (found.rows, found.damaged) == (0, [])
    (delivery,), (shard,) = copies.listed("node-deliveries/"), copies.listed("deliveries/")
    (identity,), (of_shard,) = centre.nodes.registered(), centre.deliveries.of_job("images").values()
    assert (identity.etag, of_shard.etag) == (delivery.etag, shard.etag)


def test_a_delivery_reads_no_segment_behind_its_rows(ledger: Ledger, folder: Path) -> None:
    """The first delivery of a long log would read all of it, and each delivery after it again."""
    log_images(ledger, 10)
    (pending,) = [next_delivery(ledger, micros(FAR), {}, {}).pending]
    log_images(ledger, 10, observed=NOON + HOUR)
    later: Segment = ledger.segments.within()[-1]
    with ledger.writing():
        sql(ledger).execute("UPDATE segments SET data = x'00' WHERE id = ?", (later.id,))
    damaged: dict[str, object] = {}
    assert pending is not None
    assert sum(table.num_rows for table in rows_of(ledger, pending, damaged)) == 11  # type: ignore[arg-type]
    assert damaged == {}


def test_rows_that_were_predicted_in_the_future_wait_alone(
    ledger: Ledger, objects: ObjectFolder, centre: Ledger
) -> None:
    """Old photographs, predicted while the clock was ahead: at the centre they would stay for years."""
    log_images(ledger, 10, predicted=ledger.now() + 900 * DAY)
    log_images(ledger, 20, observed=NOON + HOUR)
    done = send(ledger, objects)
    assert (done.rows, done.ahead) == (22, 11)
    assert send(ledger, objects).ahead == 11
    assert prune(ledger, ledger.now() + 1000 * DAY).undelivered == 1
    assert collect(centre, objects).rows == 22


def test_the_centre_refuses_rows_that_were_predicted_ahead_of_the_storage(
    ledger: Ledger, centre: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_origin() as origin:
        origin.buckets["logs"] = {}
        for name, value in origin.environment().items():
            monkeypatch.setenv(name, value)
        refused_by_the_centre(origin, ledger, centre)


def refused_by_the_centre(origin: Origin, ledger: Ledger, centre: Ledger) -> None:
    objects = open_folder(parse_folder("s3://logs/log/"), create=True)
    log_images(ledger, 10, predicted=NOON + 5 * DAY)
    send(ledger, objects)
    (commit,) = objects.listed("node-deliveries/")
    origin.modified[f"logs/log/{commit.key}"] = NOON + DAY
    assert "the clock of gate is wrong" in collect(centre, objects).damaged[0]
    assert images_of(centre) == []
    origin.modified[f"logs/log/{commit.key}"] = NOON + 4 * DAY
    assert collect(centre, objects).rows == 11


def test_runs_of_a_thousand_machines_in_one_second_have_names_of_their_own() -> None:
    """A row is known by its run in each store: 32 bits are the same twice in a year of such seconds."""
    assert len(new_run_id(NOON).rpartition("-")[2]) * 4 >= 64
