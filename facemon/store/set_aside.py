"""Segments that a repair took out of the log: their files, and a record of each that tells which rows are lost."""

import json
import os
import shutil
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from facemon.domain.counted import counted
from facemon.domain.times import format_time, from_micros, micros
from facemon.store.layout import SET_ASIDE
from facemon.store.ledger.protocol import Ledger
from facemon.store.permissions import make_file, make_folder
from facemon.store.recovery import draft_of
from facemon.store.segment import Segment

_LONGEST_NAME = 250
"""In bytes: a number may be put before it. Names that records tell are shorter."""
KEPT_AT_LEAST = timedelta(days=7)
"""So long a file that was set aside stays, although retention would remove its rows."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """A segment that is no longer in the log; times are microseconds since 1970."""

    segment: str
    path: str | None
    """Where its file was below the store; none for rows that the ledger itself held."""
    sha256: str
    rows: int
    model: str
    first_observed: int
    last_observed: int
    last_predicted: int | None
    reason: str
    """What was wrong with it, as the end of a sentence."""
    at: int
    """When it was set aside."""

    @property
    def name(self) -> str:
        """What its file is called where it was set aside."""
        return f"{self.segment}.parquet" if self.path else f"{self.segment}.arrow"

    @property
    def text(self) -> str:
        """Which rows these are, for a message."""
        first, last = (f"{from_micros(time):%Y-%m-%d %H:%M}" for time in (self.first_observed, self.last_observed))
        rows = counted(self.rows, "row")
        return f"{self.path or f'segment {self.segment}'} ({rows} of {self.model}, observed {first} to {last} UTC)"


def set_aside(segment: Segment, reason: str, now: datetime) -> SetAside:
    """The record of a segment that is taken out of the log now."""
    return SetAside(
        segment.id, segment.path, segment.sha256, segment.rows, segment.model, segment.first_observed,
        segment.last_observed, segment.last_predicted, reason, micros(now),
    )  # fmt: skip


def read_records(folder: Path) -> list[SetAside]:
    """The records of a store, oldest rows first; a file that is not a whole record is none."""
    found = []
    for path in (folder / SET_ASIDE).glob("*.json"):
        try:
            found.append(SetAside(**json.loads(path.read_text(encoding="utf-8"))["segment"]))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return sorted(found, key=lambda record: (record.first_observed, record.segment))


def write_record(folder: Path, record: SetAside) -> None:
    """Write a record whole or not at all, on the disk before this returns."""
    path = _record_path(folder, record)
    make_folder(path.parent)
    # The times once more, because people read this file.
    times = {
        "first_observed_at": format_time(from_micros(record.first_observed)),
        "last_observed_at": format_time(from_micros(record.last_observed)),
        "set_aside_at": format_time(from_micros(record.at)),
    }
    draft = draft_of(path)
    make_file(draft)
    with draft.open("w", encoding="utf-8") as file:
        json.dump({"segment": asdict(record)} | times, file, indent=2, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)


def remove_record(folder: Path, record: SetAside) -> None:
    """Forget that a segment was set aside; its damaged file stays."""
    _record_path(folder, record).unlink(missing_ok=True)


def keep_bytes(ledger: Ledger, record: SetAside) -> None:
    """Write what the ledger holds of a segment without a file to where files are set aside."""
    path = ledger.folder / SET_ASIDE / record.name
    make_file(path)
    path.write_bytes(ledger.segments.data(record.segment) or b"")


def move_aside(folder: Path, name: str, new_name: str) -> str:
    """Move a file of a store, `name` below it, among what is set aside; return where it is now, below the store."""
    place = folder / SET_ASIDE / new_name
    called = _fitting(place.name)
    target, number = place.with_name(called), 1
    make_folder(target.parent)
    while target.exists():
        number += 1
        target = target.with_name(f"{number}-{called}")
    (folder / name).rename(target)
    return target.relative_to(folder).as_posix()


def _fitting(name: str) -> str:
    """A name without its middle where a file cannot be called so: what was put before it made it too long."""
    content = os.fsencode(name)
    return name if len(content) <= _LONGEST_NAME else os.fsdecode(content[:100] + content[-100:])


def lost_rows(ledger: Ledger, since: datetime, until: datetime, model: str) -> int:
    """How many rows of a model observed in `[since, until)` are lost; at most, where a segment lies in it in part."""
    start, stop = micros(since), micros(until)
    return sum(
        record.rows
        for record in read_records(ledger.folder)
        if record.model == model
        and record.first_observed < stop
        and record.last_observed >= start
        and not is_registered(ledger, record)
    )


def is_registered(ledger: Ledger, record: SetAside) -> bool:
    """Whether the log has the segment: its repair did not come to its end, or it was taken in again."""
    return ledger.segments.has(record.segment)


def prune_set_aside(folder: Path, before: datetime, now: datetime) -> int:
    """Remove what retention would have removed from the log, and return how many files, ledgers and segments that are.

    What has no record, such as a foreign file or a damaged ledger, goes when it was set aside before `before`.
    """
    longest = now - KEPT_AT_LEAST
    old = [
        record
        for record in read_records(folder)
        if max(record.last_observed, record.last_predicted or record.last_observed) < micros(before)
        and record.at < micros(longest)
    ]
    for record in old:
        # The record last: a crash in between leaves it, and the next call meets it again.
        (folder / SET_ASIDE / record.name).unlink(missing_ok=True)
        remove_record(folder, record)
    segments = {record.segment for record in read_records(folder)}
    others = [
        path
        for path in (folder / SET_ASIDE).glob("*")
        if path.name.split(".")[0] not in segments and path.lstat().st_ctime < min(before, longest).timestamp()
    ]
    for path in others:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return len(old) + len(others)


def _record_path(folder: Path, record: SetAside) -> Path:
    return folder / SET_ASIDE / f"{record.segment}.json"
