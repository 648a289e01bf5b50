"""How large a shift drift-check detects, and how it takes labels that the reference lacks: simulated rows."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr

from benchmarks.machine import Line
from benchmarks.repeats import REPEATS, repeated
from benchmarks.shares import Share, percent
from facemon.drift.homogeneity import labels_p_value, numbers_p_value
from facemon.drift.new_labels import new_labels_test, with_new_labels
from facemon.drift.power import detectable_labels, detectable_numbers

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_LEVEL = 0.05
_SIZES = ((10_000, 500), (10_000, 1_000), (10_000, 10_000), (500, 500), (1_000, 1_000))
_OPEN_SIZES = ((10_000, 1_000), (1_000, 1_000), (1_000, 200), (10_000, 10_000))
_EXPONENTS = (0.5, 1.0, 1.5, 2.0)
_EDGES = np.concatenate([[-np.inf], np.linspace(-5, 5, 201), [np.inf]])
ABOUT = f"""\
Detectable shifts, new labels: {REPEATS:,} repeats of every figure; each column is tested alone, at a level of 0.05. The
share of the k-th most frequent label falls with 1/k, or with the power of k that is named. "Found at the detectable
shift": the shares p of k labels move by that total variation towards random targets, half of them from Dirichlet(1),
half from Dirichlet(k·p), without those that would need a share below 0; normal numbers move, spread, or go in part to
one value in their tail, until their KS distance is the detectable one. Alarms are of the test of labels and that of new
labels together, as a mean over the powers. Intervals are of 95 % (Wilson's); a figure is reached where its interval
overlaps what is wanted.
"""


def detectable_label_lines() -> Iterator[Line]:
    """How often a shift of the detectable size is found, for labels."""
    for labels in (2, 7, 20, 300):
        shares = [Share.of(repeated(partial(_moved_labels, labels, rows))) for rows in _SIZES]
        shifts = [_detectable(_zipf(labels), rows) for rows in _SIZES]
        highest = 0.9 if labels <= 20 else 1.0
        yield _detectable_line(f"{labels} labels", shares, shifts, 0.7, highest)


def detectable_number_lines() -> Iterator[Line]:
    """How often a shift of the detectable size is found, for numbers."""
    shifts = [detectable_numbers(rows, _LEVEL) for rows in _SIZES]
    for change, highest in (("location", 0.9), ("spread", 1.0), ("tail", 1.0)):
        shares = [Share.of(repeated(partial(_moved_numbers, change, rows))) for rows in _SIZES]
        yield _detectable_line(f"numbers, {change}", shares, shifts, 0.75, highest)


def quiet_vocabulary_lines() -> Iterator[Line]:
    """How often the test of labels and that of new labels alarm together where nothing moved."""
    for labels in (7, 300, 3_000, 30_000):
        for rows in _OPEN_SIZES:
            alarms = {power: Share.of(repeated(partial(_quiet, labels, power, rows))) for power in _EXPONENTS}
            every = Share(sum(share.hits for share in alarms.values()), len(alarms) * REPEATS)
            power, highest = max(alarms.items(), key=lambda item: item[1].value)
            note = f"{every.shown_interval}; the highest, power {power}: {percent(highest.value)}"
            what = f"{labels:,} labels, {_shown(rows)} rows: alarms, powers {_EXPONENTS[0]} to {_EXPONENTS[-1]}"
            reached = every.interval[0] <= _LEVEL
            yield Line(
                what, percent(every.value), "≤ 5 %, within chance", reached, f"{note} ({highest.shown_interval})"
            )


def new_label_lines() -> Iterator[Line]:
    """How often new labels are found: 5 % of the rows, and a case that was once overlooked."""
    for labels in (7, 300, 3_000):
        counts = {"one label": [50], "five labels": [10] * 5, "all different": [1] * 50}
        shares = [Share.of(repeated(partial(_new_labels, labels, new, _LEVEL))) for new in counts.values()]
        value = " / ".join(percent(share.value) for share in shares)
        what = f"{labels:,} labels, 10,000 and 1,000 rows, 50 of new labels: found as {' / '.join(counts)}"
        yield Line(what, value, "≥ 95 %", all(share.interval[1] >= 0.95 for share in shares))
    found = Share.of(repeated(partial(_new_labels, 300, [7] * 33, 0.001)))
    what = "300 labels, 10,000 and 1,000 rows, 231 of 33 new labels: p < 0.001"
    yield Line(what, percent(found.value), "100 %", found.hits == found.repeats)


def _detectable_line(
    what: str, shares: Sequence[Share], shifts: Sequence[float], lowest: float, highest: float
) -> Line:
    value = " / ".join(percent(share.value) for share in shares)
    reached = all(share.interval[1] >= lowest and share.interval[0] <= highest for share in shares)
    wanted = f"{percent(lowest)} to {percent(highest)}" if highest < 1 else f"≥ {percent(lowest)}"
    note = f"detectable {' / '.join(f'{shift:.3g}' for shift in shifts)}; rows {' / '.join(map(_shown, _SIZES))}"
    return Line(f"{what}: found at the detectable shift", value, wanted, reached, note)


def _shown(rows: tuple[int, int]) -> str:
    return f"{rows[0]:,} and {rows[1]:,}"


def _zipf(labels: int, power: float = 1.0) -> Floats:
    weights = np.arange(1, labels + 1) ** -power
    return np.asarray(weights / weights.sum())


def _detectable(shares: Floats, rows: tuple[int, int]) -> float:
    return detectable_labels(np.round(shares * 1e9).astype(np.int64), rows, _LEVEL)


def _p_value(reference: Ints, current: Ints) -> float:
    kept = reference + current > 0
    return labels_p_value(reference[kept], current[kept])


def _moved_labels(labels: int, rows: tuple[int, int], seed: int) -> bool:
    rng, shares = np.random.default_rng([6, labels, *rows, seed]), _zipf(labels)
    shift = _detectable(shares, rows)
    moved = np.full(labels, -1.0)
    while moved.min() < 0:
        target = rng.dirichlet(labels * shares if seed % 2 else np.ones(labels))
        moved = shares + shift * (target - shares) / (np.abs(target - shares).sum() / 2)
    return _p_value(rng.multinomial(rows[0], shares), rng.multinomial(rows[1], moved)) <= _LEVEL


def _moved_numbers(change: str, rows: tuple[int, int], seed: int) -> bool:
    rng, before, wanted = np.random.default_rng([7, *rows, seed]), ndtr(_EDGES), detectable_numbers(rows, _LEVEL)
    low, high = (1.0, 20.0) if change == "spread" else (0.0, 1.0)
    size = brentq(lambda size: float(np.abs(_changed(change, size) - before).max()) - wanted, low, high)
    sides = [
        rng.multinomial(*side) for side in zip(rows, (np.diff(before), np.diff(_changed(change, size))), strict=True)
    ]
    return numbers_p_value(sides[0], sides[1]) <= _LEVEL


def _changed(change: str, size: float) -> Floats:
    """The distribution function of standard normal numbers that moved, spread, or went to 3.02 in part."""
    if change == "location":
        return np.asarray(ndtr(_EDGES - size))
    if change == "spread":
        return np.asarray(ndtr(_EDGES / size))
    return np.asarray((1 - size) * ndtr(_EDGES) + size * (_EDGES > 3.02))


def _quiet(labels: int, power: float, rows: tuple[int, int], seed: int) -> bool:
    rng = np.random.default_rng([8, labels, round(10 * power), *rows, seed])
    reference, current = (rng.multinomial(count, _zipf(labels, power)) for count in rows)
    return _together(reference, current) <= _LEVEL


def _new_labels(labels: int, new: Sequence[int], level: float, seed: int) -> bool:
    rng = np.random.default_rng([9, labels, len(new), seed])
    reference = np.append(rng.multinomial(10_000, _zipf(labels)), np.zeros(len(new), dtype=np.int64))
    current = np.append(rng.multinomial(1_000 - sum(new), _zipf(labels)), np.array(new))
    return _together(reference, current) <= level


def _together(reference: Ints, current: Ints) -> float:
    return with_new_labels(_p_value(reference, current), new_labels_test(reference[None], current[None]))
