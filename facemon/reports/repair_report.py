"""A repair of the store: remarks on what was done, and as the result what is left to do."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from facemon.domain.counted import counted
from facemon.reports.printed_parts import Part, Remark, Tone
from facemon.reports.store_report import verification_hints

if TYPE_CHECKING:
    from facemon.store.repair import Repair


_RESTORE = "facemon store recover BACKUP goes back to a backup and keeps what is newer"


def repair_report(folder: Path, done: "Repair") -> Iterator[Part]:
    """Yield what a repair of the store in `folder` did and what is left; the last remark says how to go on."""
    for record in done.dropped:
        yield Remark(f"dropped {record.text}: it {record.reason}", Tone.NOTICE)
    yield from map(Remark, _what_was_done(folder, done))
    left = done.left
    if done.would_drop:
        # The damaged segments are the other problems.
        yield from _how_to_drop(done)
        left = replace(left, problems=left.reference_problems)
    if left.problems:
        yield from left.problems
        yield Remark(f"{counted(len(left.problems), 'problem')} left, which facemon store repair cannot fix", Tone.WARN)
        yield from verification_hints(left, repair=_RESTORE)


def _what_was_done(folder: Path, done: "Repair") -> Iterator[str]:
    if done.dropped:
        rows = sum(record.rows for record in done.dropped)
        yield f"{counted(rows, 'row')} lost; counters keep them. What is left of their files is in {folder}/set-aside"
    for path in done.put_back:
        yield f"put back {path}"
    for record in done.taken_in:
        yield f"took in again {record.text}"
    for path in done.foreign:
        yield f"moved a file that no ledger entry names to {folder / path}"
    if done.totals and not done.dropped:
        yield f"corrected {counted(done.totals, 'total')}"
    if done.profiles:
        yield f"computed the profiles of {counted(done.profiles, 'hour')} again from their rows"


def _how_to_drop(done: "Repair") -> Iterator[Part]:
    rows = sum(record.rows for record in done.would_drop)
    for record in done.would_drop:
        yield f"{record.text} {record.reason}"
    damaged = f"{counted(len(done.would_drop), 'damaged segment')} with {counted(rows, 'row')} in the log"
    yield Remark(damaged, Tone.WARN)
    yield Remark(
        "  hint: put their files back from a backup and run facemon store repair again, or give up these rows: "
        "facemon store repair --drop-damaged",
        Tone.NOTICE,
    )
