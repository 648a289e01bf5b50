"""How drift-check judges night after night with few images a day: simulated logs of 60 nights."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean, median

import numpy as np

from benchmarks.judged import ALARM_LIMIT, drifted
from benchmarks.machine import Line
from benchmarks.repeats import repeated
from benchmarks.shares import Share, mean_interval, percent
from benchmarks.simulated_nights import LONGEST_FROM, NIGHTS, REFERENCE_DAYS, SimulatedLog
from benchmarks.watched_world import LABELS
from facemon.domain.drift_result import Verdict

_REPEATS = 200
_IMAGES = (200, 500, 1_000, 2_000)
"""Images a day."""
_CHANGE, _SHIFT, _SPELL = 20, 0.1, 5
"""The first night on which an attribute is moved, by how much, and for how many nights where it does not last."""
_LAST = _CHANGE + LONGEST_FROM - 1
"""The first night whose longest window began after the change."""
_NAMES = tuple(LABELS)
ABOUT = f"""\
Nights: a reference of {REFERENCE_DAYS} days and a check after each of the {NIGHTS} days that follow, at the default
settings: windows of 24 hours up to 14 days, never past the reference's end.
{_REPEATS} repeats each with {" / ".join(f"{images:,}" for images in _IMAGES)} images a day. One source,
the 18 columns of the single sources, the hours as uneven as above; rows are independent. Alarms
and verdicts "from night {LONGEST_FROM}" are those of nights whose windows may reach back 14 days. Their intervals
are of 99 %, over references. An attribute moves by {100 * _SHIFT:.0f} points on night {_CHANGE}, each of the five
in its turn; it is found if it drifts by the night whose longest window lies behind the change. The first night
counts as 1. An alarm outlives a change of {_SPELL} nights until the last night, of the {LONGEST_FROM} that follow,
on which the attribute still drifts.
"""


@dataclass(frozen=True, slots=True)
class _Nights:
    """One log: the verdict of each quiet night, the night of the first alarm after a change, and the nights after."""

    quiet: tuple[Verdict, ...]
    found_after: int | None
    """Nights from a lasting change to its alarm; the first is 1."""
    outlived: int | None
    """Nights that an alarm outlives a change which ended; none where it was never found."""

    def share(self, verdict: Verdict, first: int = LONGEST_FROM) -> float:
        """How many of the quiet nights from the `first` on have this verdict."""
        nights = self.quiet[first - 1 :]
        return nights.count(verdict) / len(nights)


def night_lines() -> Iterator[Line]:
    """Quiet nights, a change that lasts, and one that ends."""
    for images in _IMAGES:
        logs = repeated(partial(_nights, images), _REPEATS)
        yield from _quiet_lines(f"{images:,} images a day", logs)
        yield from _change_lines(f"{images:,} images a day", images, logs)


def _quiet_lines(what: str, logs: Sequence[_Nights]) -> Iterator[Line]:
    mean, low, _ = mean_interval([log.share(Verdict.DRIFT) for log in logs])
    every = fmean(log.share(Verdict.DRIFT, 1) for log in logs)
    any_night = Share.of([Verdict.DRIFT in log.quiet for log in logs])
    worst = max(log.share(Verdict.DRIFT, 1) for log in logs)
    note = (
        f"of all {NIGHTS} nights {percent(every)}; any of them alarms in {percent(any_night.value)} of the repeats; "
        f"with the worst reference {percent(worst)} of the nights"
    )
    yield Line(
        f"{what}: quiet nights that alarm, from night {LONGEST_FROM}",
        percent(mean),
        "≤ 5 %, within chance",
        low <= ALARM_LIMIT,
        note,
    )
    mean, _, high = mean_interval([log.share(Verdict.OK) for log in logs])
    every = fmean(log.share(Verdict.OK, 1) for log in logs)
    what = f"{what}: quiet nights that are ok, from night {LONGEST_FROM}"
    yield Line(what, percent(mean), "≥ 90 %, within chance", high >= 0.9, f"of all {NIGHTS} nights {percent(every)}")


def _change_lines(what: str, images: int, logs: Sequence[_Nights]) -> Iterator[Line]:
    delays = [log.found_after for log in logs]
    found = Share.of([delay is not None for delay in delays])
    middle = median(LONGEST_FROM + 1 if delay is None else delay for delay in delays)
    by_name = [
        f"{name} {median(LONGEST_FROM + 1 if delay is None else delay for delay in delays[at :: len(_NAMES)]):g}"
        for at, name in enumerate(_NAMES)
    ]
    yield Line(
        f"{what}: +{100 * _SHIFT:.0f} points that last, found",
        percent(found.value),
        "≥ 95 %, within chance",
        found.interval[1] >= 0.95,
        f"interval {found.shown_interval}",
    )
    yield Line(
        f"{what}: +{100 * _SHIFT:.0f} points that last, nights to the alarm (median)",
        f"{middle:g}",
        "≤ 3" if images == min(_IMAGES) else "for the record",
        images > min(_IMAGES) or middle <= 3,
        f"by attribute: {', '.join(by_name)}",
    )
    outlived = [log.outlived for log in logs if log.outlived is not None]
    yield Line(
        f"{what}: nights that an alarm outlives +{100 * _SHIFT:.0f} points for {_SPELL} nights (median)",
        f"{median(outlived):g}" if outlived else "never found",
        "for the record",
        reached=True,
        note=f"mean {fmean(outlived):.2g}, at most {max(outlived)}; found in {len(outlived)} of {len(logs)} repeats"
        if outlived
        else "",
    )


def _nights(images: int, seed: int) -> _Nights:
    rng, name = np.random.default_rng([24, images, seed]), _NAMES[seed % len(_NAMES)]
    log = SimulatedLog.draw(rng, images)
    lasting = log.moved(rng, name, _SHIFT, _CHANGE, NIGHTS + 1)
    passing = log.moved(rng, name, _SHIFT, _CHANGE, _CHANGE + _SPELL)
    return _Nights(
        tuple(log.check(night).verdict for night in range(1, NIGHTS + 1)),
        _found_after(lasting, name),
        _outlived(passing, name),
    )


def _found_after(log: SimulatedLog, name: str) -> int | None:
    for night in range(_CHANGE, _LAST + 1):
        if name in drifted(log.check(night)):
            return night - _CHANGE + 1
    return None


def _outlived(log: SimulatedLog, name: str) -> int | None:
    """The last night after the spell on which the attribute drifts, counted from its end; 0 for one within it."""
    end = _CHANGE + _SPELL - 1
    for night in range(end + LONGEST_FROM, _CHANGE - 1, -1):
        if name in drifted(log.check(night)):
            return max(night - end, 0)
    return None
