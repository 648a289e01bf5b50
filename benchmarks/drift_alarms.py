"""How often drift-check alarms where nothing moved, and how often it finds what did: rows of known distributions."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks.drift_simulation import BASE_RATES, MIXED_COLUMNS, Sources, binary_sample, mixed_sample, moved, three_of
from benchmarks.machine import Line
from benchmarks.repeats import REPEATS, repeated
from benchmarks.shares import Share, mean_interval, percent
from facemon.config.drift import DriftConfig, ThresholdConfig
from facemon.domain.drift_result import Check, CheckResult, Verdict
from facemon.drift.compared_columns import ComparedColumn
from facemon.drift.comparison import compare
from facemon.drift.sample import Sample

_REFERENCE_ROWS = 10_000
_SIZES = (200, 1_000, 10_000)
_LEVELS = (0.001, 0.01, 0.05)
_ALARM_LIMIT = 0.05
_DEFAULTS = DriftConfig()
_SHARP = DriftConfig(model=ThresholdConfig(threshold=0.02))
_RATES = ", ".join(f"{name} {100 * rate:.1f}" for name, rate in BASE_RATES.items())
ABOUT = f"""\
{REPEATS:,} repeats, each with a reference of {_REFERENCE_ROWS:,} rows; values are for current data of 200 / 1,000 /
10,000 rows. The binary attributes have CelebA's base rates, in per cent: {_RATES}. All columns share three
factors of a Gaussian copula, which make up 40 % of each. The mixed columns are 16 of 3 to 8 labels, one of them rare,
12 confidences, some of them saturated, and 12 numbers: skewed, whole or partly missing. Intervals are of 95 %
(Wilson's for shares of runs; for p-values over runs, whose columns are correlated, of 99 %). Each repeat of "found"
moves three attributes, in turn. Rows of one source are beta-binomial with an intra-class correlation of 0.1; the
weights of unequal sources are log-normal, the largest of five usually nine times the smallest; new sources come from
the same population.

A figure is reached within chance where its interval begins at or below the mark; that goes for the p-values too.
Without sources each attribute must be found often enough, up to chance; with the same 20 sources all together must.
With five sources and 1,000 rows a shift of 8 points is mostly undecided: 18 of 75 were found in a run of its own, and
all of 75 with 10,000 rows.
"""


@dataclass(frozen=True, slots=True)
class Quiet:
    """One check of columns that did not move."""

    alarm_at_zero: bool
    alarm: bool
    ok: float
    """The share of columns with that verdict."""
    below: tuple[float, ...]
    """The share of columns whose unadjusted p-value is at most each of the levels."""


@dataclass(frozen=True, slots=True)
class Found:
    """Which attributes were moved in one repeat, and which of them the check found."""

    moved: tuple[str, ...]
    found: frozenset[str]


def measure(_: Path) -> Iterator[Line]:
    """False alarms, p-values and verdicts of quiet columns; power; all of it with sources too."""
    for world, draw, columns in (
        ("40 binary attributes", _binary, tuple(BASE_RATES)),
        ("mixed columns", mixed_sample, MIXED_COLUMNS),
    ):
        yield from _quiet_lines(world, repeated(partial(_quiet_rows, draw, columns)))
    yield from _power_lines()
    yield from _cluster_lines()


def _binary(rng: np.random.Generator, rows: int) -> Sample:
    return binary_sample(rng, rows, BASE_RATES)


def _quiet_rows(
    draw: Callable[[np.random.Generator, int], Sample], columns: Sequence[str], seed: int
) -> dict[int, Quiet]:
    rng = np.random.default_rng([1, seed])
    reference = draw(rng, _REFERENCE_ROWS)
    return {rows: _quiet(_judged(reference, draw(rng, rows), columns)) for rows in _SIZES}


def _judged(
    reference: Sample, current: Sample, columns: Sequence[str] = tuple(BASE_RATES), settings: DriftConfig = _DEFAULTS
) -> CheckResult:
    compared = [ComparedColumn(name, name) for name in columns]
    return compare(reference, current, columns=compared, settings=settings, check=Check.MODEL)


def _quiet(result: CheckResult) -> Quiet:
    adjusted = [column.p_adjusted for column in result.columns if column.p_adjusted is not None]
    p_values = [column.p_value for column in result.columns if column.p_value is not None]
    return Quiet(
        # Every score reaches the threshold 0, so that the adjusted p-value alone decides there.
        alarm_at_zero=any(p_value <= _DEFAULTS.significance for p_value in adjusted),
        alarm=result.verdict is Verdict.DRIFT,
        ok=sum(column.verdict is Verdict.OK for column in result.columns) / len(result.columns),
        below=tuple(sum(p_value <= level for p_value in p_values) / len(result.columns) for level in _LEVELS),
    )


def _quiet_lines(world: str, repeats: Sequence[Mapping[int, Quiet]]) -> Iterator[Line]:
    yield from _alarm_lines(world, repeats)
    for at, level in enumerate(_LEVELS):
        means = [mean_interval([repeat[rows].below[at] for repeat in repeats]) for rows in _SIZES]
        value = " / ".join(f"{mean:.3g}" for mean, _, _ in means)
        note = f"intervals over runs begin at {', '.join(f'{low:.3g}' for _, low, _ in means)}"
        yield Line(f"{world}: P(p ≤ {level})", value, f"≤ {level}", all(low <= level for _, low, _ in means), note)
    for rows in _SIZES[1:]:
        ok = float(np.mean([repeat[rows].ok for repeat in repeats]))
        yield Line(f"{world}: quiet columns that are ok, {rows:,} rows", percent(ok), "≥ 90 %", ok >= 0.9)


def _alarm_lines(world: str, repeats: Sequence[Mapping[int, Quiet]]) -> Iterator[Line]:
    """Any alarm at each size, at both thresholds."""
    at_zero = [Share.of([repeat[rows].alarm_at_zero for repeat in repeats]) for rows in _SIZES]
    at_default = [Share.of([repeat[rows].alarm for repeat in repeats]) for rows in _SIZES]
    for threshold, shares in (("threshold 0", at_zero), ("default threshold", at_default)):
        value = " / ".join(percent(share.value) for share in shares)
        reached = all(share.interval[0] <= _ALARM_LIMIT for share in shares)
        note = f"intervals {', '.join(share.shown_interval for share in shares)}"
        yield Line(f"{world}: any alarm, {threshold}", value, "≤ 5 %, within chance", reached, note)


def _power_lines() -> Iterator[Line]:
    """Each repeat moves three attributes; every attribute has its turn."""
    for shift, settings, rows, wanted in (
        (0.08, _DEFAULTS, 1_000, 0.95),
        (0.08, _DEFAULTS, 10_000, 0.99),
        (0.05, _SHARP, 10_000, 0.99),
    ):
        repeats = repeated(partial(_moved_rows, shift, settings, rows))
        what = f"+{100 * shift:.0f} points, threshold {settings.model.threshold}, 10,000 and {rows:,} rows"
        yield _power_line(what, repeats, wanted)
    repeats = repeated(_rare_rows)
    yield _power_line("2 % → 6 %, threshold 0.02, 10,000 and 10,000 rows", repeats, 0.99)


def _power_line(what: str, repeats: Sequence[Found], wanted: float, *, each: bool = True) -> Line:
    """The share of the shifts that were found; with `each` no attribute may fall short by more than chance."""
    found = Share.of([name in repeat.found for repeat in repeats for name in repeat.moved])
    per_attribute = {
        name: Share.of([name in repeat.found for repeat in repeats if name in repeat.moved])
        for name in dict.fromkeys(name for repeat in repeats for name in repeat.moved)
    }
    name, lowest = min(per_attribute.items(), key=lambda item: item[1].value)
    shown = f"{name}, {percent(lowest.value)} ({lowest.shown_interval})"
    note = f"{found.repeats} shifts; the lowest of {len(per_attribute)}: {shown}"
    reached = found.value >= wanted and (lowest.interval[1] >= wanted or not each)
    return Line(f"found, {what}", percent(found.value), f"≥ {percent(wanted)}", reached, note)


def _moved_rows(shift: float, settings: DriftConfig, rows: int, seed: int) -> Found:
    rng, names = np.random.default_rng([2, seed]), three_of(seed)
    reference = binary_sample(rng, _REFERENCE_ROWS, BASE_RATES)
    current = binary_sample(rng, rows, moved(BASE_RATES, names, shift))
    return Found(names, _found(_judged(reference, current, settings=settings)))


def _rare_rows(seed: int) -> Found:
    rng, rates = np.random.default_rng([3, seed]), {**BASE_RATES, "bald": 0.02}
    reference = binary_sample(rng, _REFERENCE_ROWS, rates)
    current = binary_sample(rng, _REFERENCE_ROWS, {**rates, "bald": 0.06})
    return Found(("bald",), _found(_judged(reference, current, settings=_SHARP)))


def _found(result: CheckResult) -> frozenset[str]:
    return frozenset(column.column for column in result.columns if column.verdict is Verdict.DRIFT)


def _cluster_lines() -> Iterator[Line]:
    for count, equal, same in product((5, 20), (True, False), (True, False)):
        sizes, second = "equal" if equal else "unequal", "the same" if same else "new"
        repeats = repeated(partial(_quiet_sources, count, equal, same))
        yield from _alarm_lines(f"{count} {sizes} sources, {second} in the second window", repeats)
    for rows in _SIZES[1:]:
        for equal in (True, False):
            what = f"8 points, the same 20 {'equal' if equal else 'unequal'} sources, 10,000 and {rows:,} rows"
            yield _power_line(what, repeated(partial(_moved_sources, equal, rows)), 0.9, each=False)


def _quiet_sources(count: int, equal: bool, same: bool, seed: int) -> dict[int, Quiet]:
    rng = np.random.default_rng([4, count, equal, same, seed])
    sources = Sources.draw(rng, count, equal=equal, name="camera")
    reference = sources.sample(rng, _REFERENCE_ROWS)
    if not same:
        sources = Sources.draw(rng, count, equal=equal, name="new camera")
    return {rows: _quiet(_judged(reference, sources.sample(rng, rows))) for rows in _SIZES}


def _moved_sources(equal: bool, rows: int, seed: int) -> Found:
    rng, names = np.random.default_rng([5, equal, seed]), three_of(seed)
    sources = Sources.draw(rng, 20, equal=equal, name="camera")
    reference = sources.sample(rng, _REFERENCE_ROWS)
    return Found(names, _found(_judged(reference, sources.sample(rng, rows, names, 0.08))))
