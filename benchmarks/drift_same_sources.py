"""How drift-check judges the same few sources in both windows, and a mix of them that changed: simulated rows."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from benchmarks.drift_simulation import BASE_RATES, Sources, three_of
from benchmarks.judged import ALARM_LIMIT, alarm_line, alarms_at_zero, binary_attributes, drifted, found_line, judged
from benchmarks.machine import Line
from benchmarks.repeats import REPEATS, repeated
from benchmarks.shares import Share, percent
from facemon.domain.drift_result import DriftResult, Verdict

_SIZES = ((200, 200), (1_000, 1_000), (10_000, 1_000), (10_000, 10_000))
_DECIDING = _SIZES[2:]
"""Fewer rows do not clear columns at the default threshold, whatever the mix."""
_MOST_UNDECIDED = 0.1
_ATTRIBUTES = binary_attributes(BASE_RATES)
ABOUT = f"""\
Same sources, mix: {REPEATS:,} repeats; the 40 binary attributes of "false alarms and power" in a model check;
sources with their own rates and unequal numbers of rows; values are for
{" / ".join(f"{a:,} and {b:,}" for a, b in _SIZES)} rows of the reference and the window. The attributes are
independent, for which the correction for many columns is exact: at threshold 0, where every proven shift is an
alarm, 5 % are due, and the mark is for the mean over the rows. "Reversed": the source with the most rows in the
reference has the fewest in the window, and so on; no source changes. Each repeat of "found" moves three attributes,
in turn.
"""


@dataclass(frozen=True, slots=True)
class _Quiet:
    alarm_at_zero: bool
    alarm: bool
    undecided: bool
    undecided_columns: float

    @classmethod
    def of(cls, result: DriftResult) -> "_Quiet":
        columns = [column.verdict for check in result.checks.values() for column in check.columns]
        return cls(
            alarms_at_zero(result),
            result.verdict is Verdict.DRIFT,
            result.verdict is Verdict.UNDECIDED,
            columns.count(Verdict.UNDECIDED) / len(columns),
        )


def same_source_lines() -> Iterator[Line]:
    """Alarms where the sources are the same and nothing moved."""
    for count in (1, 2, 4, 8):
        repeats = repeated(partial(_quiet, count, False))
        yield from _alarm_lines(f"{count} source{'s' * (count > 1)}, the same in both windows", repeats)


def same_source_power_lines() -> Iterator[Line]:
    """How often a shift in all of the same sources is found."""
    counts = (2, 4, 5, 8)
    shares = [Share.of([hit for found in repeated(partial(_moved, count)) for hit in found]) for count in counts]
    what = "found, +8 points, 10,000 and 1,000 rows, 2 / 4 / 5 / 8 of the same sources"
    yield found_line(what, shares, 0.95, f"{shares[0].repeats:,} shifts each")


def reversed_mix_lines() -> Iterator[Line]:
    """Alarms and undecided checks where the mix of the sources is reversed and no source changed."""
    for count in (2, 4, 8):
        what, repeats = f"{count} sources, their mix reversed", repeated(partial(_quiet, count, True))
        yield from _alarm_lines(what, repeats)
        shares = [Share.of([repeat[rows].undecided for repeat in repeats]) for rows in _DECIDING]
        columns = [np.mean([repeat[rows].undecided_columns for repeat in repeats]) for rows in _DECIDING]
        note = f"of the columns {' / '.join(percent(float(share)) for share in columns)}"
        yield Line(
            f"{what}: undecided checks, {' / '.join(f'{a:,} and {b:,}' for a, b in _DECIDING)} rows",
            " / ".join(percent(share.value) for share in shares),
            "≤ 10 %, within chance",
            all(share.interval[0] <= _MOST_UNDECIDED for share in shares),
            note,
        )


def _alarm_lines(what: str, repeats: list[dict[tuple[int, int], _Quiet]]) -> Iterator[Line]:
    at_zero = [Share.of([repeat[rows].alarm_at_zero for repeat in repeats]) for rows in _SIZES]
    at_default = [Share.of([repeat[rows].alarm for repeat in repeats]) for rows in _SIZES]
    every = Share(sum(share.hits for share in at_zero), sum(share.repeats for share in at_zero))
    yield Line(
        f"{what}: any alarm, threshold 0",
        percent(every.value),
        "≤ 5 %, within chance",
        every.interval[0] <= ALARM_LIMIT,
        f"interval {every.shown_interval}; by rows {' / '.join(percent(share.value) for share in at_zero)}",
    )
    yield alarm_line(f"{what}: any alarm, threshold 0.05", at_default)


def _sources(rng: np.random.Generator, count: int) -> Sources:
    sources = Sources.draw(rng, count, equal=False, name="camera")
    return replace(sources, weights=np.sort(sources.weights))


def _quiet(count: int, is_reversed: bool, seed: int) -> dict[tuple[int, int], _Quiet]:
    rng = np.random.default_rng([20, count, is_reversed, seed])
    sources = _sources(rng, count)
    then = replace(sources, weights=sources.weights[::-1]) if is_reversed else sources
    return {
        rows: _Quiet.of(judged(sources.sample(rng, rows[0]), then.sample(rng, rows[1]), _ATTRIBUTES)) for rows in _SIZES
    }


def _moved(count: int, seed: int) -> list[bool]:
    rng, names = np.random.default_rng([21, count, seed]), three_of(seed)
    sources = _sources(rng, count)
    result = judged(sources.sample(rng, 10_000), sources.sample(rng, 1_000, names, 0.08), _ATTRIBUTES)
    return [name in drifted(result) for name in names]
