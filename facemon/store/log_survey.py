"""What the rows of the whole log add up to, beside what the ledger keeps of them: what verify and repair compare."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from facemon.domain.profile import OTHER, Profile, ProfileKey, add_profiles
from facemon.domain.times import HOUR_MICROS
from facemon.errors import FacemonError
from facemon.store.ledger.opening import open_ledger
from facemon.store.ledger.protocol import Ledger
from facemon.store.recovery import draft_of
from facemon.store.row_counts import LATENCIES, count_rows
from facemon.store.row_profiles import profile_rows
from facemon.store.segment import Segment
from facemon.store.segment_files import read_segment
from facemon.store.totals import Totals, sum_totals


@dataclass
class Survey:
    """One state of the log: its segments, the sums of their rows, and what the ledger keeps."""

    segments: list[Segment]
    kept_totals: Totals
    """Without how long inference took, which is in no row."""
    departed: Totals
    kept_profiles: dict[ProfileKey, Profile]
    unreadable: list[tuple[Segment, FacemonError]] = field(default_factory=list)
    """Segments that are in none of the sums, and why."""
    rows: int = 0
    totals: Totals = field(default_factory=dict)
    profiles: dict[ProfileKey, list[Profile]] = field(default_factory=dict)
    identities: dict[str, list[NDArray[np.int64]]] = field(default_factory=dict)
    """The rows of each run as one number each, made of ordinal and face."""

    @property
    def expected_totals(self) -> Totals:
        """What the totals must be: the sums of the rows and of those that are no longer in the log."""
        return sum_totals(self.totals, self.departed)

    def differing_profiles(self) -> list[ProfileKey]:
        """The profiles that are not those of their rows; without a source where an hour had too many sources."""
        kept, rows = self.kept_profiles, {key: add_profiles(parts) for key, parts in self.profiles.items()}
        crowded = {key._replace(source=None) for key in kept if key.source == OTHER}
        kept, rows = _merge_crowded(kept, crowded), _merge_crowded(rows, crowded)
        return [key for key in sorted(kept.keys() | rows.keys(), key=str) if kept.get(key) != rows.get(key)]

    def _add(self, table: pa.Table) -> None:
        self.rows += table.num_rows
        self.totals = sum_totals(self.totals, count_rows(table))
        for key, profile in profile_rows(table).items():
            self.profiles.setdefault(key, []).append(profile)
        for run, identity in _identities_of(table):
            self.identities.setdefault(run, []).append(identity)


def survey(ledger: Ledger) -> Survey:
    """Read the whole log; segments that cannot be read are told. Call it in a transaction."""
    kept = {key: value for key, value in ledger.totals.read().items() if key.metric != LATENCIES}
    found = Survey(ledger.segments.within(), kept, ledger.totals.departed(), ledger.profiles.all())
    for segment in found.segments:
        try:
            found._add(read_segment(ledger, segment, proven=True))  # noqa: SLF001 - its own module
        except FacemonError as error:
            found.unreadable.append((segment, error))
    return found


def have_rows_in(segments: Iterable[Segment], hour: int, model: str) -> bool:
    """Whether segments may have rows of a model in a UTC hour, counted from 1970."""
    return any(
        segment.model == model and segment.first_observed // HOUR_MICROS <= hour <= segment.last_observed // HOUR_MICROS
        for segment in segments
    )


def _identities_of(table: pa.Table) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Each run's rows as one number each, made of ordinal and face; no run has 2**47 inputs."""
    runs = table["run"].to_numpy()
    faces = table["face"].fill_null(0).to_numpy().astype(np.int64)
    numbers = (table["ordinal"].to_numpy() << 16) | faces
    for run in table["run"].unique().to_pylist():
        yield run, numbers[runs == run]


def files_without_entry(ledger: Ledger) -> list[str]:
    """Files below `segments` that the ledger does not name, relative to the store."""
    files = (path for path in (ledger.folder / "segments").rglob("*") if not path.is_dir())
    found = sorted(path.relative_to(ledger.folder).as_posix() for path in files)
    known = _known_files(ledger)
    if all(name in known for name in found):
        return []
    # A file that came after this state of the ledger was taken is a living writer's, which has entered it by now.
    with open_ledger(ledger.folder) as fresh:
        known |= _known_files(fresh)
    # One that has gone since it was listed had its entry cleared away with it.
    return [name for name in found if name not in known and (ledger.folder / name).exists()]


def _known_files(ledger: Ledger) -> set[str]:
    paths = ledger.files.known()
    return {*paths, *(draft_of(Path(path)).as_posix() for path in paths)}


def _merge_crowded(profiles: dict[ProfileKey, Profile], crowded: set[ProfileKey]) -> dict[ProfileKey, Profile]:
    """Add up the sources of hours that had too many: which ones were kept apart depends on who came first."""
    merged: dict[ProfileKey, list[Profile]] = {}
    for key, profile in profiles.items():
        together = key._replace(source=None)
        merged.setdefault(together if together in crowded else key, []).append(profile)
    return {key: add_profiles(parts) for key, parts in merged.items()}
