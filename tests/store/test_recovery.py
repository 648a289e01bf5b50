import time
from pathlib import Path

import pytest

from facemon.store import recovery
from facemon.store.ledger.opening import open_ledger
from facemon.store.ledger.protocol import Ledger
from facemon.store.process_lock import ProcessLock, writer_lock_path
from facemon.store.recovery import draft_of, recover
from facemon.store.verification import verify
from tests.store import children
from tests.store.log_rows import log_images
from tests.store.sql import sql


def leave_behind(ledger: Ledger, writer: str, name: str) -> list[Path]:
    """What a writer leaves that dies while it writes a file, and one that dies after it."""
    path = ledger.folder / "segments" / f"{name}.parquet"
    with ProcessLock.waiting(writer_lock_path(ledger.folder, writer)):
        with ledger.writing():
            sql(ledger).execute("INSERT INTO intents VALUES (?, ?, ?)", (name, writer, f"segments/{name}.parquet"))
        path.write_bytes(b"whole")
        draft_of(path).write_bytes(b"half")
    return [path, draft_of(path)]


def test_a_dead_writers_files_go(ledger: Ledger) -> None:
    files = leave_behind(ledger, "dead", "x") + leave_behind(ledger, "dead", "y")
    assert recover(ledger) == 1
    assert not any(path.exists() for path in files)
    assert sql(ledger).execute("SELECT * FROM intents").fetchall() == []
    assert recover(ledger) == 0
    assert list((ledger.folder / "locks").glob("dead*")) == []


def test_a_living_writers_files_stay(ledger: Ledger) -> None:
    files = leave_behind(ledger, "living", "x")
    with ProcessLock.waiting(writer_lock_path(ledger.folder, "living")):
        assert recover(ledger) == 0
        assert all(path.exists() for path in files)
        assert recover(ledger, holding="living") == 1
    assert not any(path.exists() for path in files)


@pytest.mark.parametrize("length", [250, 300])
def test_an_intent_whose_name_is_too_long_for_a_file_is_taken_back(ledger: Ledger, length: int) -> None:
    """facemon 0.2 could leave one: the name of a draft is longer than that of its file."""
    files = leave_behind(ledger, "compact", "x")
    name = "c" * (length - len(".parquet"))
    with ledger.writing():
        ledger.files.intend("compact", [(name, f"segments/{name}.parquet")])
    assert recover(ledger) == 1
    assert not any(path.exists() for path in files)
    assert ledger.files.writers() == []
    assert recover(ledger) == 0


def test_files_that_were_given_up_stay_for_readers_for_a_while(ledger: Ledger) -> None:
    paths = [ledger.folder / "segments" / name for name in ("old.parquet", "new.parquet")]
    for path in paths:
        path.write_bytes(b"")
    now = int(time.time())
    with ledger.writing():
        rows = [("segments/old.parquet", now - recovery.GRACE_SECONDS - 2), ("segments/new.parquet", now)]
        sql(ledger).executemany("INSERT INTO discards VALUES (?, ?)", rows)
    recover(ledger)
    assert [path.exists() for path in paths] == [False, True]
    assert sql(ledger).execute("SELECT path FROM discards").fetchall() == [("segments/new.parquet",)]


@pytest.mark.slow
@pytest.mark.long_proof
def test_writers_and_openers_racing(folder: Path, at_length: bool) -> None:
    """Files are written while recovery runs more often than that, and clears away after writers that did die.

    They are 1,000 at length, and 200 else.
    """
    turns = 50 if at_length else 10
    write = """
    segment_writer.INLINE_ROWS = 1
    ledger = open_ledger(folder)
    for turn in range(int(sys.argv[2])):
        with begin_run(ledger, IDENTITY, NOON) as run:
            writer = SegmentWriter(ledger, run)
            for first in range(0, 15, 3):
                writer.add(make_batch(first, 3, run=run.id))
                writer.flush()
            finish_run(ledger, run, NOON)
    """
    clear = """
    from tests.store.test_recovery import leave_behind
    import itertools, os
    died = 0
    for turn in itertools.count():
        with open_ledger(folder) as ledger:
            if turn % 10 == 0:
                leave_behind(ledger, f"dead-{os.getpid()}-{turn}", f"orphan-{os.getpid()}-{turn}")
            died += recover(ledger)
        if turn >= 14 * int(sys.argv[2]) and (folder / "stop").exists():
            break
    print(turn, died)
    """
    open_ledger(folder, create=True).close()
    clearers = [children.start(clear, folder, str(turns)) for _ in range(2)]
    writers = [children.start(write, folder, str(turns)) for _ in range(4)]
    for writer in writers:
        children.finish(writer)
    (folder / "stop").touch()
    counts = [tuple(map(int, children.finish(clearer).split())) for clearer in clearers]
    assert sum(times for times, _ in counts) >= 20 * turns
    with open_ledger(folder) as ledger:
        recover(ledger)
        assert verify(ledger).problems == ()
        assert sql(ledger).execute("SELECT count(*), sum(rows) FROM segments").fetchone() == (
            20 * turns,
            68 * turns,
        )
        assert sql(ledger).execute("SELECT count(*) FROM intents").fetchone() == (0,)
    assert sum(died for _, died in counts) > 0
    assert list(folder.rglob("*orphan*")) == []


def test_recovery_needs_no_lock_file_to_be_there(ledger: Ledger) -> None:
    run = log_images(ledger, 10)
    assert not writer_lock_path(ledger.folder, run).exists()
    assert list((ledger.folder / "locks").iterdir()) == []
