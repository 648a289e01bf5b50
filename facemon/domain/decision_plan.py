"""How many images, and how many days of them, a check needs until it can decide its threshold."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from facemon.domain.drift_result import Check
from facemon.domain.times import span_name

_SECONDS_A_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Rate:
    """How many images a day there are: as the log's last days or the reference's own tell, or as given."""

    images_per_day: float
    origin: Literal["log", "reference", "given"]


@dataclass(frozen=True, slots=True)
class Detected:
    """The smallest shift that a window detects in the column of a check that is the hardest.

    `shift` is a share of rows for labels, where 0.05 is five percentage points, and a KS distance for numbers.
    """

    column: str
    shift: float
    is_label: bool


@dataclass(frozen=True, slots=True)
class Remedy:
    """Changes that, all together, let a check decide at the present rate; None for what stays as it is."""

    reference_days: int | None = None
    threshold: float | None = None
    widen_to: timedelta | None = None


@dataclass(frozen=True, slots=True)
class FewSources:
    """Why no number of rows decides: reference and log hold different sources, and one has fewer than five of them."""

    sources: int
    side: Literal["reference", "log"]


@dataclass(frozen=True, slots=True)
class CheckPlan:
    """What one check needs to clear all its columns of a quiet run, in at least nine runs of ten."""

    check: Check
    threshold: float
    rows: int | None
    """Rows in the configured window at the rate, of the column that has the fewest; None without a rate."""
    reference_rows: int | None
    """The same of the reference."""
    detects: Detected | None
    """What they detect; None without a rate, and where they are too few for any verdict."""
    images: int | None
    """The smallest number of images that decides; None where the reference lets no number do so."""
    window: timedelta | None
    """The shortest window that decides at the rate; None where no window up to `drift.widen_to` does."""
    remedies: tuple[Remedy, ...] = ()
    """What would help where no window does; any one of them is enough."""
    few_sources: FewSources | None = None
    """Then neither images nor a window are known."""


@dataclass(frozen=True, slots=True)
class SourcesPlan:
    """What the sources need that are judged by themselves.

    A check is undecided over all while the undecided sources hold half of the rows.
    """

    judged: int
    window: timedelta | None
    """The shortest window in which the undecided sources hold less than half; None where there is none."""
    remedies: tuple[Remedy, ...] = ()
    unknown: int = 0
    """How many sources of the log the reference has no rows of, where they hold half of the log's rows; else 0."""


@dataclass(frozen=True, slots=True)
class DecisionPlan:
    """What each check needs, at a rate of images a day; without a rate only numbers of images are known."""

    window: timedelta
    widen_to: timedelta
    min_rows: int
    rate: Rate | None
    checks: tuple[CheckPlan, ...]
    sources: SourcesPlan | None = None
    """None where there are fewer than two sources, and without a rate."""

    def document(self) -> dict[str, Any]:
        """Return the plan as an object for JSON; spans are in days."""
        return {
            "images_per_day": self.rate and self.rate.images_per_day,
            "rate_of": self.rate and self.rate.origin,
            "window": span_name(self.window),
            "widen_to": span_name(self.widen_to),
            "checks": {each.check.value: _check_document(each) for each in self.checks},
            "sources": self.sources
            and {
                "judged": self.sources.judged,
                "days": _days(self.sources.window),
                "remedies": [_remedy_document(each) for each in self.sources.remedies],
                "unknown": self.sources.unknown,
            },
        }


def _check_document(each: CheckPlan) -> dict[str, Any]:
    found = each.detects
    return {
        "threshold": each.threshold,
        "rows": each.rows,
        "reference_rows": each.reference_rows,
        "detects": found
        and {"column": found.column, "shift": found.shift, "unit": "share" if found.is_label else "ks"},
        "images": each.images,
        "days": _days(each.window),
        "remedies": [_remedy_document(remedy) for remedy in each.remedies],
        "few_sources": each.few_sources and {"sources": each.few_sources.sources, "side": each.few_sources.side},
    }


def _remedy_document(remedy: Remedy) -> dict[str, Any]:
    return {
        "reference_days": remedy.reference_days,
        "threshold": remedy.threshold,
        "widen_to": remedy.widen_to and span_name(remedy.widen_to),
    }


def _days(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds() / _SECONDS_A_DAY
