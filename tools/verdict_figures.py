"""Figures for docs/verdicts.md and its pictures, computed with the drift check's own functions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import prod

import numpy as np
from numpy.typing import NDArray

from facemon.config.drift import DriftConfig, ThresholdConfig
from facemon.config.model import AttributeConfig
from facemon.domain.drift_result import Check, ColumnResult
from facemon.domain.prediction import IMAGE_COLUMNS
from facemon.domain.profile import ColumnCounts, ColumnKind, Profile, Unit, binned_counts, categorical_counts
from facemon.drift.compared_columns import ComparedColumn, compared_columns, threshold_of
from facemon.drift.comparison import ComparedGroup, compare_groups
from facemon.drift.homogeneity import effective_rows, labels_p_value
from facemon.drift.power import detectable_labels
from facemon.drift.quiet_reach import reaches
from facemon.drift.sample import Sample
from facemon.drift.window_ladder import Rung, climb, rungs_of

_NOW = datetime(2026, 11, 30, 2, tzinfo=UTC)
_DAY = timedelta(days=1)
_CHECKS = (Check.DATA, Check.MODEL)
_FAMILIES = 4
_MANY = 100_000
_ATTRIBUTES = (
    AttributeConfig(name="gender", output="probabilities", kind="categorical", labels=("female", "male")),
    AttributeConfig(name="age", output="ages", kind="categorical", labels=tuple(f"band {at}" for at in range(6))),
)
REFERENCE_ROWS = 10_000
"""Rows of the reference in the pictures of power and of the two conditions."""
REFERENCE_DAYS = 14
RATES = (200, 2_000)
"""Images a day."""
THRESHOLDS = (0.1, 0.05, 0.02)


@dataclass(frozen=True, slots=True)
class Step:
    """One window of a ladder: its rows, and how often a quiet night reaches a threshold in it."""

    name: str
    days: float
    rows: int
    by_chance: float
    is_read: bool
    clears: bool
    decides: bool
    """Whether the window that clears holds enough rows; the longest one need not."""


def ladder(rate: int, settings: DriftConfig, *, days_since_reference: float | None = None) -> tuple[Step, ...]:
    """Return the windows that a check of so many images a day may compare, and say which it reads.

    The model is the built-in one, every image has one face, and the reference lasts `REFERENCE_DAYS`.
    """
    reference = _rows(rate * REFERENCE_DAYS)
    not_before = None if days_since_reference is None else _NOW - days_since_reference * _DAY
    rungs = rungs_of(_NOW - settings.window, _NOW, widen_to=settings.widen_to, not_before=not_before)

    def read(rung: Rung) -> Sample:
        return _rows(round(rate * ((_NOW - rung.since) / _DAY)))

    def columns(sample: Sample) -> list[tuple[Check, ComparedColumn]]:
        return [
            (check, column)
            for check in _CHECKS
            for column in compared_columns(check, _ATTRIBUTES, reference, sample, settings)
        ]

    used = climb(reference, rungs, read, columns, settings, judges_sources=False).whole
    last = rungs[used - 1], replace(rungs[used - 1], name="longer")
    decides = climb(reference, last, read, columns, settings, judges_sources=False).whole == 1
    steps = []
    for at, rung in enumerate(rungs):
        sample = read(rung)
        chance = _by_chance(reference, sample, columns(sample), settings)
        days, clears = (_NOW - rung.since) / _DAY, at == used - 1
        steps.append(Step(rung.name, days, sample.rows, chance, at < used, clears, clears and decides))
    return tuple(steps)


def _by_chance(
    reference: Sample, current: Sample, columns: Sequence[tuple[Check, ComparedColumn]], settings: DriftConfig
) -> float:
    """Return how often the score of any column reaches its threshold where nothing changed."""
    if current.rows < settings.min_rows:
        return 1.0
    worth = effective_rows(reference.rows, current.rows)
    held = reference.total.columns
    thresholds = [threshold_of(each, check, settings) for check, each in columns]
    reached = reaches([held[each.name] for _, each in columns], [worth] * len(columns), thresholds)
    return 1 - prod(1 - each for each in reached)


def plan_table() -> str:
    """Write, for each rate, the smallest shift in the first window, and by threshold the window that decides."""
    titles = ("images a day", "smallest shift in 24h", *(f"threshold {each:.2f}" for each in THRESHOLDS))
    rows = [titles, ("---",) * len(titles)]
    for rate in RATES:
        first = ladder(rate, DriftConfig())[0]
        rows.append((f"{rate:,}", _smallest(rate, first), *(_planned(rate, each) for each in THRESHOLDS)))
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def _planned(rate: int, threshold: float) -> str:
    last = next(step for step in ladder(rate, DriftConfig(model=ThresholdConfig(threshold=threshold))) if step.clears)
    smallest = _smallest(rate, last)
    if not last.decides:
        return f"never within {last.name} ({last.rows:,} rows, {smallest})"
    return f"{last.name} ({last.rows:,} rows, {smallest})"


def _smallest(rate: int, step: Step) -> str:
    shift = detectable(2, step.rows, reference_rows=rate * REFERENCE_DAYS, evenly=True)
    return f"{100 * shift:.1f} points"


def detectable(labels: int, rows: int, *, reference_rows: int = REFERENCE_ROWS, evenly: bool = False) -> float:
    """Return the smallest shift that these rows show of so many labels.

    The labels are equally frequent, or the share of the k-th falls with 1/k.
    """
    shares = np.ones(labels) if evenly else 1 / np.arange(1, labels + 1)
    counts = np.round(shares / shares.sum() * _MANY).astype(np.int64)
    return detectable_labels(counts, (float(reference_rows), float(rows)), DriftConfig().significance)


def proof(rows: int, moved: int) -> tuple[float, float]:
    """Return the score and the p-value where `moved` of so many rows have the other one of two equal labels."""
    half = REFERENCE_ROWS // 2
    current = np.array([rows // 2 - moved, rows - rows // 2 + moved], dtype=np.int64)
    return moved / rows, labels_p_value(np.array([half, half], dtype=np.int64), current)


@dataclass(frozen=True, slots=True)
class Camera:
    """One camera before and after: its rows, and the share of them that have the label."""

    name: str
    rows: tuple[int, int]
    shares: tuple[float, float]


MIX_CHANGED = (Camera("camera A", (1000, 500), (0.3, 0.3)), Camera("camera B", (1000, 1500), (0.6, 0.6)))
CAMERA_CHANGED = (Camera("camera A", (1000, 1000), (0.3, 0.45)), Camera("camera B", (1000, 1000), (0.6, 0.6)))


def pooled(cameras: Sequence[Camera], side: int) -> float:
    """Return the share over the rows of all cameras, in the reference (0) or in the window (1)."""
    rows = sum(each.rows[side] for each in cameras)
    return sum(each.rows[side] * each.shares[side] for each in cameras) / rows


def judged(cameras: Sequence[Camera]) -> list[ColumnResult]:
    """Return the verdict on all cameras together, then on each by itself."""
    sides = [
        Sample.of_sources({each.name: _glasses(each.rows[side], each.shares[side]) for each in cameras})
        for side in (0, 1)
    ]
    groups = [ComparedGroup.of(*sides)]
    groups += [ComparedGroup.of(*(side.of_source(each.name) for side in sides)) for each in cameras]
    column = ComparedColumn("eyeglasses", "eyeglasses")
    found = compare_groups(groups, columns=[column], settings=DriftConfig(), check=Check.MODEL, families=_FAMILIES)
    return [outcome.columns[0] for outcome in found]


def _glasses(rows: int, share: float) -> Profile:
    yes = round(rows * share)
    return Profile(rows, rows, rows, {"eyeglasses": categorical_counts({"yes": yes, "no": rows - yes})})


def _rows(rows: int) -> Sample:
    """Return rows as the built-in model logs them; of numbers only how many there are matters here."""
    columns: dict[str, ColumnCounts] = {
        attribute.name: categorical_counts(_evenly(rows, attribute.labels)) for attribute in _ATTRIBUTES
    }
    columns |= {
        f"{each.name}_confidence": _number_column(rows, ColumnKind.CONFIDENCE, Unit.FACE) for each in _ATTRIBUTES
    }
    columns |= {name: _number_column(rows, ColumnKind.NUMBER, Unit.IMAGE) for name in IMAGE_COLUMNS}
    return Sample.of_rows(Profile(rows, rows, rows, columns))


def _number_column(rows: int, kind: ColumnKind, unit: Unit) -> ColumnCounts:
    bins: NDArray[np.int32] = np.zeros(1, dtype=np.int32)
    return binned_counts(bins, np.array([rows], dtype=np.int64), kind, unit)


def _evenly(rows: int, labels: Sequence[str]) -> dict[str, int]:
    return {label: rows // len(labels) + (at < rows % len(labels)) for at, label in enumerate(labels)}
