"""Run as a program: does one operation on copies of a store, dying one step later each time.

A step is the begin or the end of a transaction, or a change to a file. After each death the operation is run again,
as the next run of facemon would, and what is wrong with the store then is printed, one line each; last, how many
steps the operation has.
"""

import itertools
import os
import random
import shutil
import sqlite3
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from facemon.errors import FacemonError, UsageError
from facemon.store import segment_writer
from facemon.store.backup import back_up
from facemon.store.compaction import compact
from facemon.store.layout import SET_ASIDE
from facemon.store.ledger.opening import open_ledger
from facemon.store.ledger_recovery import recover_ledger
from facemon.store.references import list_references, set_from_window
from facemon.store.repair import repair
from facemon.store.retention import prune
from facemon.store.runs import begin_run, finish_run, resume_run
from facemon.store.segment_writer import SegmentWriter
from facemon.store.set_aside import read_records
from facemon.store.verification import verify
from tests.store.damage import files_of, flip_bytes
from tests.store.log_rows import IDENTITY, MODEL, NOON, log_images, make_batch
from tests.store.sql import sql

IMAGES = 100
_DIED = 9
FILE_EVENTS = ("os.rename", "os.remove", "os.mkdir", "open")


def write(folder: Path) -> None:
    segment_writer.SEGMENT_ROWS, segment_writer.INLINE_ROWS = 60, 30
    with open_ledger(folder, create=True) as ledger:
        if sql(ledger).execute("SELECT 1 FROM runs WHERE finished IS NOT NULL").fetchone():
            return
        run = resume_run(ledger, IDENTITY) or begin_run(ledger, IDENTITY, NOON)
        with run:
            writer = SegmentWriter(ledger, run)
            for first in range(run.done, IMAGES, 10):
                # Two dates in some segments, of which one is small: files and inline segments.
                writer.add(make_batch(first, 10, run=run.id, observed=NOON, spread=timedelta(hours=160)))
            writer.close()
            finish_run(ledger, run, NOON)


def fold(folder: Path) -> None:
    with open_ledger(folder) as ledger:
        compact(ledger, datetime.now(UTC) + timedelta(days=3650))


def remove(folder: Path) -> None:
    with open_ledger(folder) as ledger:
        prune(ledger, NOON + timedelta(hours=12))


def refer(folder: Path) -> None:
    with open_ledger(folder) as ledger:
        if not list_references(ledger):
            since, until = NOON - timedelta(days=1), NOON + timedelta(days=9)
            set_from_window(ledger, "normal", since, until, model=MODEL, note="", now=NOON)


def drop(folder: Path) -> None:
    with open_ledger(folder) as ledger:
        repair(ledger, drop_damaged=True, now=NOON)


def take_in(folder: Path) -> None:
    """Repair a store to which the file of a dropped segment came back."""
    with open_ledger(folder) as ledger:
        repair(ledger, drop_damaged=False, now=NOON)


def recover(folder: Path) -> None:
    with suppress(UsageError):  # it has been recovered
        recover_ledger(folder, folder.parent / "saved.tar", NOON, mode="private", as_root=False)
    with open_ledger(folder) as ledger:
        repair(ledger, drop_damaged=False, now=NOON)


OPERATIONS: dict[str, Callable[[Path], None]] = {
    "write": write, "fold": fold, "remove": remove, "refer": refer, "drop": drop, "take_in": take_in,
    "recover": recover,
}  # fmt: skip


def prepare(name: str, folder: Path) -> None:
    """Make the store that an operation is for."""
    fill(folder)
    if name == "recover":
        with open_ledger(folder) as ledger:
            back_up(ledger, folder.parent / "saved.tar")
        fold(folder)
        (folder / "ledger.sqlite").write_bytes(b"damaged")
    if name not in ("drop", "take_in"):
        return
    with open_ledger(folder) as ledger:
        damaged, missing = files_of(ledger)[:2]
    kept = damaged.read_bytes()
    flip_bytes(damaged)
    missing.unlink()
    if name == "take_in":
        drop(folder)
        damaged.write_bytes(kept)


def fill(folder: Path) -> None:
    """The store that all operations but `write` begin with: files and inline segments on two dates."""
    segment_writer.SEGMENT_ROWS, segment_writer.INLINE_ROWS = 30, 20
    with open_ledger(folder, create=True) as ledger:
        log_images(ledger, IMAGES, batch=10, spread=timedelta(hours=160), sources=("a", None))


def faults(name: str, folder: Path) -> Iterator[str]:
    """What is wrong with a store after an operation that died and was run again."""
    with open_ledger(folder) as ledger:
        yield from verify(ledger).problems
        if left := sql(ledger).execute("SELECT * FROM intents").fetchall():
            yield f"intents are left: {left}"
        discards = {path for (path,) in sql(ledger).execute("SELECT path FROM discards")}
        kept = {path for (path,) in sql(ledger).execute("SELECT path FROM segments WHERE path IS NOT NULL")}
        kept |= {reference.path for reference in list_references(ledger)}
        kept |= set_aside_in(folder)
        there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        there = {path for path in there if not path.startswith(("ledger.sqlite", "locks/"))}
        if there - discards != kept:
            yield f"files {sorted(there)}, the ledger knows {sorted(kept)} and {sorted(discards)}"
        count, rows = sql(ledger).execute("SELECT count(*), sum(rows) FROM segments").fetchone()
        (images,) = (
            sql(ledger).execute("SELECT sum(value) FROM totals WHERE metric = 'images_processed_total'").fetchone()
        )
        if images != IMAGES:
            yield f"{images} images"
        expected = {"fold": (2, 110), "remove": (2, 27), "drop": (3, 44), "take_in": (4, 77)}.get(name, (count, 110))
        if (count, rows) != expected:
            yield f"{count} segments with {rows} rows"
        if name == "refer" and [reference.rows for reference in list_references(ledger)] != [110]:
            yield "no whole reference"


def set_aside_in(folder: Path) -> set[str]:
    """The records of a store, and the files that belong to them."""
    records = read_records(folder)
    names = {f"{record.segment}.json" for record in records} | {record.name for record in records}
    there = {path.name for path in (folder / SET_ASIDE).glob("*")}
    # Of a missing segment there is only the record; the damaged file of one that came back stays.
    ledgers = {path.relative_to(folder).as_posix() for path in (folder / SET_ASIDE).glob("ledger-*/*")}
    return ledgers | {
        f"{SET_ASIDE}/{name}" for name in names & there | {name for name in there if name.endswith(".parquet")}
    }


def die_at(step: int, store: Path, taken: Path) -> None:
    """Let this process end hard at its n-th step on a store from here on; at 0 never, but count the steps it takes."""
    steps = itertools.count(1)

    def tick(*_: object) -> None:
        if (now := next(steps)) == step:
            os._exit(_DIED)
        if not step:
            taken.write_text(str(now))

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        is_ours = event in FILE_EVENTS and str(arguments[0]).startswith(str(store))
        # A file that is only read is no step.
        if is_ours and (event != "open" or (isinstance(arguments[2], int) and arguments[2] & os.O_CREAT)):
            tick()

    sys.addaudithook(hook)
    sync, connect = os.fsync, sqlite3.connect

    def look_at(statement: str) -> None:
        if statement.startswith(("BEGIN", "COMMIT")):
            tick()

    def traced_connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **options)
        connection.set_trace_callback(look_at)
        return connection

    def dying_sync(descriptor: int) -> None:
        tick()
        sync(descriptor)

    os.fsync = dying_sync  # type: ignore[assignment]
    sqlite3.connect = traced_connect  # type: ignore[assignment]


def in_child(body: Callable[[], None]) -> int:
    """Run a body in a forked process; answer its exit code."""
    sys.stdout.flush()
    if pid := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    code = 1
    try:
        body()
        code = 0
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        sys.stdout.flush()
        os._exit(code)


def main(name: str, work: Path, deaths: int) -> None:
    """Crash an operation at some of its steps, which differ from run to run: as many as `deaths`, or all of them at 0.

    This process forks only, so that no thread of Arrow's is in the way.
    """
    operation, template, taken = OPERATIONS[name], work / "template", work / "taken"
    pa.set_cpu_count(1)
    if name != "write":
        in_child(lambda: prepare(name, template))

    def crash(step: int) -> None:
        """Let the operation die at a step of a copy (at 0, let it live), run it again, and print what is wrong."""
        store = work / str(step)
        if template.exists():
            shutil.copytree(template, store)

        def dying() -> None:
            die_at(step, store, taken)
            operation(store)

        def look() -> None:
            try:
                operation(store)
            except FacemonError as error:
                print(f"step {step}: {error.message}")
            for fault in faults(name, store):
                print(f"step {step}: {fault}")

        ended = in_child(dying)
        if ended != (_DIED if step else 0):
            print(f"step {step}: it ended with {ended}")
        if in_child(look):
            print(f"step {step}: the next run failed")
        shutil.rmtree(store)

    crash(0)
    count = int(taken.read_text())
    for step in sorted(random.SystemRandom().sample(range(1, count + 1), deaths)) if deaths else range(1, count + 1):
        crash(step)
    print(f"{count} steps")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
