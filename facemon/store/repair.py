"""What repairs a log whose files are damaged, missing or foreign: nothing is deleted, and no total falls.

Each step can be interrupted: a repair that is run again goes on where the first one ended.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from facemon.errors import FacemonError
from facemon.store import compaction
from facemon.store.layout import WORK
from facemon.store.ledger.protocol import Ledger
from facemon.store.log_balance import LogChangedError, balance, take_in_again
from facemon.store.log_survey import Survey, files_without_entry, survey
from facemon.store.permissions import GIVE_BACK, make_folder
from facemon.store.process_lock import ProcessLock
from facemon.store.recovery import recover
from facemon.store.segment import Segment
from facemon.store.segment_files import SIGNS_OF_DAMAGE, SegmentDamagedError, sha256_of
from facemon.store.set_aside import (
    SetAside,
    is_registered,
    keep_bytes,
    move_aside,
    read_records,
    remove_record,
    set_aside,
    write_record,
)
from facemon.store.verification import Verification, verify

_ATTEMPTS = 20
"""How often the log is read again because retries changed it meanwhile."""


@dataclass
class Repair:
    """What a repair did, and what is left to do."""

    put_back: list[str] = field(default_factory=list)
    """Files that were somewhere else below `segments`, and are in their place again."""
    taken_in: list[SetAside] = field(default_factory=list)
    """Segments that an earlier repair had set aside, and whose files are whole again."""
    foreign: list[str] = field(default_factory=list)
    """Where files are now that no ledger entry names."""
    dropped: list[SetAside] = field(default_factory=list)
    would_drop: list[SetAside] = field(default_factory=list)
    """Damaged segments that stay in the log because `drop_damaged` was not asked for."""
    profiles: int = 0
    """Hours whose profiles were computed again from their rows."""
    totals: int = 0
    """Totals that were raised, or whose surplus was counted as rows that are gone."""
    left: Verification = field(default_factory=lambda: Verification(0, 0, ()))
    """What a verification still finds afterwards."""


def repair(ledger: Ledger, *, drop_damaged: bool, now: datetime) -> Repair:
    """Mend what loses nothing and, with `drop_damaged`, take the damaged segments out of the log.

    LockedError while compaction or retention runs; FacemonError when a file cannot be read for another reason than
    damage, or when the store's folders cannot be written.
    """
    ledger.refuse_foreign_root()
    done = Repair()
    with ProcessLock.for_command(ledger.folder, "recover"):
        shutil.rmtree(ledger.folder / WORK, ignore_errors=True)  # of a recovery that was killed
    with (
        ProcessLock.for_command(ledger.folder, compaction.WRITER),
        ProcessLock.for_command(ledger.folder, "prune"),
    ):
        recover(ledger, holding=compaction.WRITER)
        try:
            _finish_earlier(ledger)
            _place_files(ledger, done, now)
            for attempt in range(_ATTEMPTS):
                try:
                    _balance(ledger, done, now, drop_damaged=drop_damaged)
                    break
                except LogChangedError:
                    if attempt == _ATTEMPTS - 1:
                        raise
            _place_files(ledger, done, now)
        except OSError as error:
            raise FacemonError(
                f"{error.filename or ledger.folder}: {error.strerror}; the repair is not complete",
                GIVE_BACK
                if isinstance(error, PermissionError)
                else "check its disk and run facemon store repair again",
            ) from error
    done.left = verify(ledger)
    return done


def _finish_earlier(ledger: Ledger) -> None:
    """Forget records of segments that are in the log: a repair ended before its transaction, or after a return."""
    for record in read_records(ledger.folder):
        if is_registered(ledger, record):
            remove_record(ledger.folder, record)


def _place_files(ledger: Ledger, done: Repair, now: datetime) -> None:
    """Give each file that no entry names its place: that of a segment which lacks it, or among what is set aside."""
    folder, names, records = ledger.folder, files_without_entry(ledger), read_records(ledger.folder)
    lacking = {segment.sha256: segment for segment in _without_file(ledger)} if names else {}
    for name in names:
        digest = _digest(folder / name)
        record = next((each for each in records if each.path is not None and each.sha256 == digest), None)
        if segment := lacking.pop(digest, None):
            _put_back(folder, name, segment)
            done.put_back.append(str(segment.path))
        elif record is not None and take_in_again(ledger, record, name):
            remove_record(folder, record)
            done.taken_in.append(record)
        elif record := next((each for each in records if each.path == name), None):
            # Of a segment that was dropped: its record is there already.
            move_aside(folder, name, record.name)
        else:
            done.foreign.append(move_aside(folder, name, f"{now:%Y%m%dT%H%M%S}-{Path(name).name.lstrip('.')}"))


def _without_file(ledger: Ledger) -> Iterator[Segment]:
    for segment in ledger.segments.within():
        if segment.path is not None and _digest(ledger.folder / segment.path) != segment.sha256:
            yield segment


def _digest(path: Path) -> str:
    """A file's sha256; empty where there is none, or one that is damaged so that it cannot be read."""
    if not path.is_file():
        return ""
    try:
        return sha256_of(path)
    except OSError as error:
        if error.errno not in SIGNS_OF_DAMAGE:
            raise
        return ""


def _put_back(folder: Path, name: str, segment: Segment) -> None:
    target = folder / str(segment.path)
    if target.exists():
        move_aside(folder, str(segment.path), f"{segment.id}.parquet")
    make_folder(target.parent)
    (folder / name).rename(target)


def _balance(ledger: Ledger, done: Repair, now: datetime, *, drop_damaged: bool) -> None:
    """Make totals and profiles equal to the rows that are there, without the damaged segments if they are dropped."""
    with ledger.reading():
        found = survey(ledger)
    lost = list(_lost(ledger, found))
    records = [set_aside(segment, error.fault, now) for segment, error in lost]
    if not drop_damaged:
        done.would_drop = records
        done.totals, done.profiles = balance(ledger, found, kept=[segment for segment, _ in lost])
        return
    for record in records:
        # Before the rows leave the log, so that a check never finds them gone without being told.
        write_record(ledger.folder, record)
        if record.path is None:
            keep_bytes(ledger, record)
    done.totals, done.profiles = balance(ledger, found, dropped=[segment for segment, _ in lost])
    done.dropped = records


def _lost(ledger: Ledger, found: Survey) -> Iterator[tuple[Segment, SegmentDamagedError]]:
    """The segments whose rows are lost; FacemonError when one cannot be read although nothing is wrong with it."""
    for segment, error in found.unreadable:
        if not isinstance(error, SegmentDamagedError):
            raise error
        if segment.path is not None and _digest(ledger.folder / segment.path) == segment.sha256:
            raise FacemonError(
                f"{error.message}, although it is the file that was written",
                "repair the store on a machine with more memory or with the facemon that wrote it",
            )
        yield segment, error
