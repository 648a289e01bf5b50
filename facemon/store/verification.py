"""Whether the log is whole: every row once, every file as it was written, totals and profiles equal to the rows.

Files of references are whole, too.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from facemon.domain.times import format_time, start_of_hour
from facemon.store.ledger.protocol import Ledger
from facemon.store.log_survey import Survey, files_without_entry, have_rows_in, survey
from facemon.store.reference_files import damaged_references
from facemon.store.runs import UNKNOWN_INPUTS
from facemon.store.set_aside import read_records
from facemon.store.totals import TotalKey, differences

_MOST_FAULTS = 10
"""Of a damaged ledger; more of them tell nothing more."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What was looked at, and what is wrong with it."""

    segments: int
    rows: int
    problems: tuple[str, ...]
    is_ledger_damaged: bool = False
    """Damaged, or lost."""
    damaged_references: tuple[str, ...] = ()
    """The names of references whose files are missing or damaged; each is one of the last problems."""

    @property
    def reference_problems(self) -> tuple[str, ...]:
        """The problems of references, which no repair can fix."""
        return self.problems[len(self.problems) - len(self.damaged_references) :]

    @property
    def needs_repair(self) -> bool:
        """Whether there are problems beside those of references."""
        return len(self.problems) > len(self.damaged_references)


def verify(ledger: Ledger) -> Verification:
    """Read the whole log and compare; writers may go on meanwhile, one state of the ledger is looked at.

    Of a damaged ledger only the damage is told. Sums are not compared where the rows of a damaged segment are missing.
    """
    with ledger.reading():
        if lines := ledger.faults(_MOST_FAULTS):
            return Verification(0, 0, tuple(f"the ledger is damaged: {line}" for line in lines), is_ledger_damaged=True)
        found = survey(ledger)
        problems = [error.message for _, error in found.unreadable]
        problems += _verify_identities(found)
        problems += _verify_runs(ledger, found)
        problems += _verify_totals(found)
        problems += _verify_profiles(found)
        problems += [f"{ledger.folder / path} is in no ledger entry" for path in files_without_entry(ledger)]
        problems += _unfinished_repairs(ledger, found)
        references = dict(damaged_references(ledger))
    return Verification(
        len(found.segments), found.rows, (*problems, *references.values()), damaged_references=tuple(references)
    )


def _verify_identities(found: Survey) -> Iterator[str]:
    for run, parts in found.identities.items():
        numbers = np.concatenate(parts)
        if repeated := len(numbers) - len(np.unique(numbers)):
            yield f"run {run}: {repeated} rows are in the log more than once"


def _verify_runs(ledger: Ledger, found: Survey) -> Iterator[str]:
    """Inputs that a run says are done must have rows, unless retention took rows away; others must have none."""
    have_left = bool(found.departed or found.unreadable)
    for run, state in ledger.runs.states():
        done = state.done
        parts = found.identities.get(run, [])
        ordinals = np.unique(np.concatenate(parts) >> 16) if parts else np.empty(0, np.int64)
        beyond = len(ordinals) and ordinals[-1] >= done
        # Of a run that was found in files some inputs may be lost.
        is_known = state.digest != UNKNOWN_INPUTS and not have_left
        if beyond or (len(ordinals) != done and is_known):
            yield f"run {run}: {done} inputs are done, {len(ordinals)} are in the log"


def _verify_totals(found: Survey) -> Iterator[str]:
    if found.unreadable:
        return  # of which the rows are missing in the sums
    for key in differences(found.kept_totals, found.expected_totals):
        kept, expected = found.kept_totals.get(key, 0), found.expected_totals.get(key, 0)
        yield f"total {_name(key)} is {kept:g}, the rows add up to {expected:g}"


def _name(key: TotalKey) -> str:
    return f"{key.metric}{{{', '.join(key.labels)}}}{' ' + key.part if key.part else ''}"


def _verify_profiles(found: Survey) -> Iterator[str]:
    unreadable = [segment for segment, _ in found.unreadable]
    for key in found.differing_profiles():
        if have_rows_in(unreadable, key.hour, key.model):
            continue
        hour = format_time(start_of_hour(key.hour))
        yield f"the profile of {key.model}, source {key.source}, hour {hour} differs from its rows"


def _unfinished_repairs(ledger: Ledger, found: Survey) -> Iterator[str]:
    registered = {segment.id for segment in found.segments}
    for record in read_records(ledger.folder):
        if record.segment in registered:
            yield f"a repair that sets the segment {record.segment} aside did not come to its end"
