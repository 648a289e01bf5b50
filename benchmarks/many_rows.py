"""drift-check over profiles of a hundred million rows, which machines have delivered within a day."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from benchmarks.command import FACEMON
from benchmarks.drift_simulation import BASE_RATES, Sources
from benchmarks.drift_store import BUSY, CAMERAS, STORES, Traffic, hour_of_rows, log_hour
from benchmarks.drift_tables import write_config
from benchmarks.machine import ROUNDS, Line
from benchmarks.process_usage import run_measured, with_bytecode
from facemon.config.loader import load_config
from facemon.config.model import ModelConfig
from facemon.domain.profile import ColumnCounts, Profile, ProfileKey, add_profiles
from facemon.drift.window_ladder import MOST_SOURCES
from facemon.store.ledger.header import STORE_VERSION
from facemon.store.ledger.opening import open_ledger
from facemon.store.references import set_from_window
from facemon.store.row_profiles import profile_rows
from facemon.store.run_state import RunIdentity
from facemon.store.runs import Run, begin_run, finish_run

ROWS, _HOURS = 100_000_000, 24
_ANY_VERDICT = (0, 3, 4)
_PART = Traffic("part", rows=64 * 2_000, segments=1, sources=64, attributes=20, before=range(0))
_PARTS = ROWS // _HOURS // _PART.rows
_SOURCES = (BUSY.sources, MOST_SOURCES)
_DAY = datetime(2026, 11, 2, tzinfo=UTC)
_MOST_S, _MOST_MB = 2.0, 400
ABOUT = f"""\
drift-check reads the profiles of {ROWS:,} rows in a day of whole hours: {_PART.attributes} attributes with confidences,
and the features of the images; the {BUSY.sources} sources of the busy log, or {MOST_SOURCES}, as many as a check judges
one by one. An hour was counted from {_PARTS} parts of {_PART.rows:,}
rows; the counts of {_HOURS} hours are drawn from its shares, and entered by the ledger itself. The rows are not there:
a window that cuts an hour reads the rows of half an hour at most at each end.
"""


def rows_lines(folder: Path) -> Iterator[Line]:
    """The wall time and the peak of a whole drift-check, for each number of sources."""
    for sources in _SOURCES:
        yield from _lines(_store(sources), folder, sources)


def _lines(store: Path, folder: Path, sources: int) -> Iterator[Line]:
    own = with_bytecode(folder)
    window = [f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in (_DAY, _DAY + timedelta(hours=_HOURS))]
    command: list[str | Path] = [FACEMON, "drift-check", "--since", window[0], "--until", window[1]]
    usages = [run_measured(command, store, environment=own, expected=_ANY_VERDICT) for _ in range(ROUNDS + 1)][1:]
    wall, peak = median(usage.wall for usage in usages), max(usage.peak for usage in usages)
    note = f"{median(usage.cpu for usage in usages):.2f} s of CPU"
    what = f"drift-check, profiles of {ROWS:,} rows, {sources} sources"
    yield Line(f"{what}: wall time", f"{wall:.2f} s", f"≤ {_MOST_S:.0f} s", wall <= _MOST_S, note)
    yield Line(f"{what}: peak memory", f"{peak:.0f} MB", f"≤ {_MOST_MB} MB", peak <= _MOST_MB)


def _store(sources: int) -> Path:
    """The folder of the store's facemon.yaml; the store is built once for each version of stores."""
    part, before = replace(_PART, sources=sources), replace(CAMERAS, sources=sources)
    folder = STORES / f"many-{sources}-version-{STORE_VERSION}"
    if folder.exists():
        return folder
    shutil.rmtree(draft := folder.with_suffix(".part"), ignore_errors=True)
    write_config(draft, dict.fromkeys(tuple(BASE_RATES)[: part.attributes], ("no", "yes")))
    model = load_config(draft / "facemon.yaml").model
    rates = Sources.draw(np.random.default_rng(7), sources, equal=True, name="camera").rates()
    later = _DAY + timedelta(days=2)
    with open_ledger(draft / ".facemon", create=True) as ledger:
        with begin_run(ledger, RunIdentity(("bench",), model.id, "", None), _DAY) as run:
            for hour in before.before:
                log_hour(
                    ledger,
                    run,
                    hour_of_rows(run, _DAY + timedelta(hours=hour), before, rates, model),
                    before.segments,
                )
            pool = _pool(part, run, rates, model)
            rng = np.random.default_rng(11)
            for hour in range(_HOURS):
                drawn = {key._replace(hour=key.hour + hour): _drawn(rng, profile) for key, profile in pool.items()}
                with ledger.writing():
                    ledger.profiles.add(drawn)
            finish_run(ledger, run, later)
        set_from_window(
            ledger, "before", _DAY + timedelta(hours=before.before.start), _DAY, model=model.id, note="", now=later
        )
    draft.rename(folder)
    return folder


def _pool(traffic: Traffic, run: Run, rates: NDArray[np.float64], model: ModelConfig) -> Mapping[ProfileKey, Profile]:
    """The profiles of an hour, as the log counts them."""
    found: dict[ProfileKey, list[Profile]] = {}
    for part in range(_PARTS):
        # Another hour has other rows; all of them count as the first.
        table = hour_of_rows(run, _DAY + timedelta(hours=part), traffic, rates, model)
        for key, profile in profile_rows(table).items():
            found.setdefault(key._replace(hour=key.hour - part), []).append(profile)
    return {key: add_profiles(profiles) for key, profiles in found.items()}


def _drawn(rng: np.random.Generator, profile: Profile) -> Profile:
    """A profile of as many rows of the same kind, one face in each image."""
    columns = {name: _drawn_counts(rng, counts) for name, counts in profile.columns.items()}
    return Profile(profile.images, profile.faces, profile.squares, columns)


def _drawn_counts(rng: np.random.Generator, column: ColumnCounts) -> ColumnCounts:
    counts = rng.multinomial(column.total, column.counts / column.total)
    held = np.flatnonzero(counts)
    labels = tuple(column.labels[at] for at in held) if column.labels else ()
    bins = column.bins if column.labels else column.bins[held]
    return ColumnCounts(column.kind, column.unit, counts[held], labels, bins)
