"""Whether the log is whole: every row once, every file as it was written, totals and profiles equal to the rows."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from facemon.errors import FacemonError
from facemon.store.ledger import Ledger
from facemon.store.profiles import read_all_profiles
from facemon.store.row_counts import LATENCIES, count_rows
from facemon.store.row_profiles import profile_rows
from facemon.store.segment_files import Segment, list_segments, read_segment
from facemon.store.totals import TotalKey, Totals, differences, read_totals, sum_totals
from facemon.values.profile import OTHER, Profile, ProfileKey, add_profiles
from facemon.values.times import format_time, start_of_hour


@dataclass(frozen=True, slots=True)
class Verification:
    """What was looked at, and what is wrong with it."""

    segments: int
    rows: int
    problems: tuple[str, ...]


@dataclass
class _Found:
    """What the rows say, gathered over all segments."""

    totals: Totals = field(default_factory=dict)
    profiles: dict[ProfileKey, list[Profile]] = field(default_factory=dict)
    identities: dict[str, list[NDArray[np.int64]]] = field(default_factory=dict)
    rows: int = 0


def verify(ledger: Ledger) -> Verification:
    """Read the whole log and compare; writers may go on meanwhile, one state of the ledger is looked at."""
    found, problems = _Found(), list[str]()
    with ledger.reading() as connection:
        segments = list_segments(connection)
        for segment in segments:
            try:
                problems += _verify_segment(ledger, segment, found)
            except FacemonError as error:
                problems.append(error.message)
        problems += _verify_identities(found)
        problems += _verify_runs(ledger, found)
        problems += _verify_totals(ledger, found.totals)
        problems += _verify_profiles(ledger, found)
        problems += _unknown_files(ledger, segments)
    return Verification(len(segments), found.rows, tuple(problems))


def _verify_segment(ledger: Ledger, segment: Segment, found: _Found) -> Iterator[str]:
    if segment.path is not None and (path := ledger.folder / segment.path).exists():
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != segment.sha256:
                yield f"{path} is not the file that was written"
                return
    table = read_segment(ledger, segment)
    if table.num_rows != segment.rows:
        yield f"segment {segment.id} has {table.num_rows} rows, the ledger says {segment.rows}"
    found.rows += table.num_rows
    found.totals = sum_totals(found.totals, count_rows(table))
    for key, profile in profile_rows(table).items():
        found.profiles.setdefault(key, []).append(profile)
    for run, identity in _identities(table):
        found.identities.setdefault(run, []).append(identity)


def _identities(table: pa.Table) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Each run's rows as one number each, made of ordinal and face; no run has 2**47 inputs."""
    runs = table["run"].to_numpy()
    faces = table["face"].fill_null(0).to_numpy().astype(np.int64)
    numbers = (table["ordinal"].to_numpy() << 16) | faces
    for run in table["run"].unique().to_pylist():
        yield run, numbers[runs == run]


def _verify_identities(found: _Found) -> Iterator[str]:
    for run, parts in found.identities.items():
        numbers = np.concatenate(parts)
        if repeated := len(numbers) - len(np.unique(numbers)):
            yield f"run {run}: {repeated} rows are in the log more than once"


def _verify_runs(ledger: Ledger, found: _Found) -> Iterator[str]:
    """Inputs that a run says are done must have rows, unless retention took rows away; others must have none."""
    have_left = bool(read_totals(ledger.connection, "departed"))
    for run, done in ledger.connection.execute("SELECT id, done FROM runs"):
        parts = found.identities.get(run, [])
        ordinals = np.unique(np.concatenate(parts) >> 16) if parts else np.empty(0, np.int64)
        beyond = len(ordinals) and ordinals[-1] >= done
        if beyond or (len(ordinals) != done and not have_left):
            yield f"run {run}: {done} inputs are done, {len(ordinals)} are in the log"


def _verify_totals(ledger: Ledger, from_rows: Totals) -> Iterator[str]:
    expected = sum_totals(from_rows, read_totals(ledger.connection, "departed"))
    # How long inference took stands in no row.
    kept = {key: value for key, value in read_totals(ledger.connection).items() if key.metric != LATENCIES}
    for key in differences(kept, expected):
        yield f"total {_name(key)} is {kept.get(key, 0):g}, the rows add up to {expected.get(key, 0):g}"


def _name(key: TotalKey) -> str:
    return f"{key.metric}{{{', '.join(key.labels)}}}{' ' + key.part if key.part else ''}"


def _verify_profiles(ledger: Ledger, found: _Found) -> Iterator[str]:
    kept = read_all_profiles(ledger.connection)
    rows = {key: add_profiles(parts) for key, parts in found.profiles.items()}
    crowded = {key._replace(source=None) for key in kept if key.source == OTHER}
    kept, rows = _merge_crowded(kept, crowded), _merge_crowded(rows, crowded)
    for key in sorted(kept.keys() | rows.keys(), key=str):
        if kept.get(key) != rows.get(key):
            hour = format_time(start_of_hour(key.hour))
            yield f"the profile of {key.model}, source {key.source}, hour {hour} differs from its rows"


def _merge_crowded(profiles: dict[ProfileKey, Profile], crowded: set[ProfileKey]) -> dict[ProfileKey, Profile]:
    """Add up the sources of hours that had too many: which ones were kept apart depends on who came first."""
    merged: dict[ProfileKey, list[Profile]] = {}
    for key, profile in profiles.items():
        together = key._replace(source=None)
        merged.setdefault(together if together in crowded else key, []).append(profile)
    return {key: add_profiles(parts) for key, parts in merged.items()}


def _unknown_files(ledger: Ledger, segments: list[Segment]) -> Iterator[str]:
    query = "SELECT path FROM intents UNION SELECT path FROM discards"
    known = {segment.path for segment in segments} | {path for (path,) in ledger.connection.execute(query)}
    for path in sorted((ledger.folder / "segments").rglob("*.parquet")):
        # A file that came after this state of the ledger was taken is a living writer's.
        name = path.relative_to(ledger.folder).as_posix()
        # One that has gone since it was listed had its entry cleared away with it.
        if name not in known and not _is_known_now(ledger, name) and path.exists():
            yield f"{path} is in no ledger entry"


def _is_known_now(ledger: Ledger, path: str) -> bool:
    with Ledger.open(ledger.folder) as fresh:
        known = "SELECT path FROM segments UNION SELECT path FROM intents UNION SELECT path FROM discards"
        return (path,) in fresh.connection.execute(known).fetchall()
