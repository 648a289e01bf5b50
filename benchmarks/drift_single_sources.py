"""How drift-check judges the whole and each of its sources in one run: simulated rows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks.judged import alarm_line, alarms_at_zero, found_line, judged, one_rung
from benchmarks.machine import Line
from benchmarks.repeats import REPEATS, repeated
from benchmarks.shares import Share, percent
from benchmarks.watched_world import ATTRIBUTES, LABELS, Distribution, counts_of, distributions
from facemon.domain.drift_result import Check, DriftResult, Verdict
from facemon.domain.profile import Profile
from facemon.drift.sample import Sample

_ROWS = 1_000
_BOTH = (Check.DATA, Check.MODEL)
_COUNTS = (8, 64)
ABOUT = f"""\
Single sources: {REPEATS:,} repeats with {" and with ".join(map(str, _COUNTS))} sources,
of {_ROWS:,} images each in the reference and in the window; the data and the model check, of the whole and of each
source. The 18 columns are six image features, failed images and images without a face, and the labels and
confidences of five attributes; they are independent. Each source has its own shares and levels. One source, in
turn, moves by 20 points in three attributes, or its image_brightness falls to a quarter; in the same run another
source has no rows.
"""


@dataclass(frozen=True, slots=True)
class _Changed:
    """What a check says of a run with one source that changed and one that has no rows."""

    is_found: bool
    """The verdict is drift, and the source that changed is named."""
    named_others: bool
    is_silent: bool
    """The source without rows is named as silent, and no other is."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    alarm_at_zero: bool
    alarm: bool
    alarm_of_whole: bool
    undecided: bool
    moved: _Changed
    black: _Changed


def single_source_lines() -> Iterator[Line]:
    """Alarms in quiet runs, and what is found in runs in which one source changed."""
    for count in _COUNTS:
        outcomes = repeated(partial(_outcome, count))
        what = f"{count} sources and the whole"
        yield alarm_line(f"{what}: any alarm, threshold 0", [Share.of([each.alarm_at_zero for each in outcomes])])
        of_whole, undecided = (
            Share.of([getattr(each, name) for each in outcomes]) for name in ("alarm_of_whole", "undecided")
        )
        note = f"of the whole {percent(of_whole.value)}; undecided {percent(undecided.value)}"
        yield alarm_line(f"{what}: any alarm, default thresholds", [Share.of([each.alarm for each in outcomes])], note)
        yield from _changed_lines(f"{what}: one at +20 points", [each.moved for each in outcomes])
        yield from _changed_lines(f"{what}: one black", [each.black for each in outcomes])


def _changed_lines(what: str, outcomes: list[_Changed]) -> Iterator[Line]:
    others = Share.of([each.named_others for each in outcomes])
    note = f"another named too in {percent(others.value)}"
    yield found_line(f"{what}, found and named", [Share.of([each.is_found for each in outcomes])], 0.99, note)
    silent = Share.of([each.is_silent for each in outcomes])
    yield Line(
        f"{what}, another without rows: named silent", percent(silent.value), "100 %", silent.hits == silent.repeats
    )


def _outcome(count: int, seed: int) -> _Outcome:
    rng = np.random.default_rng([23, count, seed])
    world = distributions(rng, count)
    reference = _sample(rng, count, world)
    current = _sample(rng, count, world)
    quiet = judged(reference, current, ATTRIBUTES, checks=_BOTH, ladder=one_rung(reference, current))
    changed, silent = seed % count, (seed + 3) % count
    names = [list(LABELS)[(3 * seed + step) % len(LABELS)] for step in range(3)]
    moved = world | {name: world[name].moved(changed, 0.2) for name in names}
    black = world | {"image_brightness": world["image_brightness"].darkened(changed)}
    return _Outcome(
        alarms_at_zero(quiet),
        quiet.verdict is Verdict.DRIFT,
        any(check.verdict is Verdict.DRIFT for check in quiet.checks.values()),
        quiet.verdict is Verdict.UNDECIDED,
        *(_changed(rng, count, reference, columns, changed, silent) for columns in (moved, black)),
    )


def _changed(
    rng: np.random.Generator,
    count: int,
    reference: Sample,
    columns: Mapping[str, Distribution],
    changed: int,
    silent: int,
) -> _Changed:
    current = _sample(rng, count, columns, without=silent)
    result = judged(reference, current, ATTRIBUTES, checks=_BOTH, ladder=one_rung(reference, current))
    named = _named(result)
    return _Changed(
        result.verdict is Verdict.DRIFT and _name(changed) in named,
        bool(named - {_name(changed)}),
        [part.source for part in result.sources if part.is_silent] == [_name(silent)],
    )


def _named(result: DriftResult) -> set[str | None]:
    return {part.source for part in result.sources if part.verdict is Verdict.DRIFT}


def _name(at: int) -> str:
    return f"camera {at:02}"


def _sample(
    rng: np.random.Generator, count: int, columns: Mapping[str, Distribution], *, without: int | None = None
) -> Sample:
    faces, counts = counts_of(rng, np.full(count, _ROWS), columns)
    profiles: dict[str | None, Profile] = {}
    for at in range(count):
        if at != without:
            counted = {name: columns[name].keys.counted(each[at]) for name, each in counts.items()}
            held = {name: each for name, each in counted.items() if len(each.counts)}
            profiles[_name(at)] = Profile(_ROWS, int(faces[at]), int(faces[at]), held)
    return Sample.of_sources(profiles)
