"""How often something happened, and how well so many repeats tell that."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev

_Z, _Z_OF_MANY = 1.96, 2.576


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `repeats` independent runs."""

    hits: int
    repeats: int

    @classmethod
    def of(cls, outcomes: Sequence[bool]) -> "Share":
        """The share of the runs in which it happened."""
        return cls(sum(outcomes), len(outcomes))

    @property
    def value(self) -> float:
        """The share itself, from 0 to 1."""
        return self.hits / self.repeats

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the true share (Wilson 1927)."""
        middle = self.value + _Z**2 / (2 * self.repeats)
        width = _Z * sqrt(self.value * (1 - self.value) / self.repeats + _Z**2 / (4 * self.repeats**2))
        low, high = ((middle + side * width) / (1 + _Z**2 / self.repeats) for side in (-1, 1))
        return max(0.0, low), min(1.0, high)

    @property
    def shown_interval(self) -> str:
        """The interval in per cent."""
        low, high = self.interval
        return f"{100 * low:.1f} to {100 * high:.1f} %"


def mean_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """The mean of one figure per run, and its 99 % interval: right where the parts of a run are correlated."""
    error = _Z_OF_MANY * stdev(values) / sqrt(len(values))
    return fmean(values), fmean(values) - error, fmean(values) + error


def percent(share: float) -> str:
    """A share with as many digits as a small one needs."""
    return f"{100 * share:.3g} %" if share < 0.1 else f"{100 * share:.1f} %"
