"""Two sets of predictions of the same labelled faces: which fits better, how sure that is, and what would decide."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, log10, sqrt
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from facemon.distribution_functions import bdtr, betaincinv, stdtrit

SIGNIFICANCE = 0.05
"""The chance that any alternative is called better although none is."""
RELEVANT = 0.10
"""What an undetected advantage may be at most, for "none fits better": a share of the labels, or of the mean error."""
_MOST_LABELS = 1_000_000
_SAME = 1e-6
"""Errors that differ by less than this share of the largest are equal."""


class Paired(Protocol):
    """An alternative beside the description, on the same faces."""

    @property
    def labels(self) -> int:
        """Faces that are compared."""

    @property
    def gain(self) -> float:
        """By how much the alternative fits better, below 0 for worse; in the measure's unit."""

    @property
    def is_same(self) -> bool:
        """Whether no face is predicted otherwise."""

    @property
    def relevant(self) -> float:
        """The least gain that matters, in the measure's unit."""

    def p_value(self) -> float:
        """Two-sided p-value of "neither fits better"."""

    def gain_interval(self, significance: float = SIGNIFICANCE) -> tuple[float, float]:
        """The interval that holds the true gain with a chance of 1 - `significance`."""

    def most_gain(self, significance: float) -> float:
        """The upper bound of the gain at this significance, also where few or no faces are predicted otherwise."""

    def scaled(self, labels: int) -> Self:
        """The same shares among so many faces."""


@dataclass(frozen=True, slots=True)
class PairedLabels:
    """Labels: how many faces the alternative alone, and the description alone, predicts right."""

    labels: int
    better: int
    worse: int

    @classmethod
    def of(cls, own: NDArray[np.bool_], other: NDArray[np.bool_]) -> "PairedLabels":
        """Compare where both are right, face by face."""
        return cls(len(own), int((other & ~own).sum()), int((own & ~other).sum()))

    @property
    def gain(self) -> float:
        """The difference of the accuracies."""
        return (self.better - self.worse) / self.labels

    @property
    def is_same(self) -> bool:
        """Whether both are right on the same faces."""
        return self.better + self.worse == 0

    @property
    def relevant(self) -> float:
        """A share of the labels."""
        return RELEVANT

    def p_value(self) -> float:
        """McNemar's exact test (McNemar 1947): the faces that one alone predicts right are a fair coin's throws."""
        return sign_test(self.better, self.worse)

    def gain_interval(self, significance: float = SIGNIFICANCE) -> tuple[float, float]:
        """(b + c) / n · (2p - 1), p within the exact interval of b out of b + c (Clopper & Pearson 1934).

        It excludes 0 exactly where the test is significant. Where no face is predicted otherwise, the greatest share
        of such faces that stays unseen with a chance of `significance` / 2 bounds both sides.
        """
        differ = self.better + self.worse
        if not differ:
            most = exact_interval(0, self.labels, significance)[1]
            return -most, most
        low, high = exact_interval(self.better, differ, significance)
        return differ / self.labels * (2 * low - 1), differ / self.labels * (2 * high - 1)

    def most_gain(self, significance: float) -> float:
        """The greatest share of faces that the alternative alone predicts right, less the least of the other's."""
        most = exact_interval(self.better, self.labels, significance)[1]
        return most - exact_interval(self.worse, self.labels, significance)[0]

    def scaled(self, labels: int) -> "PairedLabels":
        """The same shares among so many faces."""
        factor = labels / self.labels
        return PairedLabels(labels, round(self.better * factor), round(self.worse * factor))


@dataclass(frozen=True, slots=True)
class PairedErrors:
    """Numbers: how the absolute errors differ."""

    labels: int
    nearer: int
    """Faces for which the alternative is nearer to the truth."""
    farther: int
    gain: float
    """The mean absolute error of the description less that of the alternative."""
    spread: float
    """The standard deviation of that difference between faces."""
    own: float
    """The mean absolute error of the description."""

    @classmethod
    def of(cls, own: NDArray[np.float64], other: NDArray[np.float64]) -> "PairedErrors":
        """Compare finite absolute errors, face by face."""
        differences = own - other
        tolerance = _SAME * max(float(own.max(initial=0)), float(other.max(initial=0)))
        nearer, farther = int((differences > tolerance).sum()), int((differences < -tolerance).sum())
        spread = float(differences.std(ddof=1)) if len(own) > 1 else 0.0
        return cls(len(own), nearer, farther, float(differences.mean()), spread, float(own.mean()))

    @property
    def is_same(self) -> bool:
        """Whether all errors are equal."""
        return self.nearer + self.farther == 0

    @property
    def relevant(self) -> float:
        """A share of the description's mean absolute error."""
        return RELEVANT * self.own

    def p_value(self) -> float:
        """The sign test: the faces for which the alternative is nearer are a fair coin's throws."""
        return sign_test(self.nearer, self.farther)

    def gain_interval(self, significance: float = SIGNIFICANCE) -> tuple[float, float]:
        """Student's interval of the mean difference; without bounds for fewer than three faces."""
        half = t_quantile(1 - significance / 2, self.labels - 1) * self.spread / sqrt(self.labels)
        return self.gain - half, self.gain + half

    def most_gain(self, significance: float) -> float:
        """The upper end of the interval."""
        return min(self.own, self.gain_interval(significance)[1])

    def scaled(self, labels: int) -> "PairedErrors":
        """The same shares and spread among so many faces."""
        factor = labels / self.labels
        nearer, farther = round(self.nearer * factor), round(self.farther * factor)
        return PairedErrors(labels, nearer, farther, self.gain, self.spread, self.own)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values, in the order given.

    If those of at most q count, the chance of any false one is at most q, whatever depends on what (Holm 1979).
    """
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    result, largest = [1.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        result[index] = largest
    return result


def fits_better(pair: Paired, p_adjusted: float) -> bool:
    """Whether an alternative is better beyond chance."""
    return pair.gain > 0 and p_adjusted <= SIGNIFICANCE and pair.gain_interval()[0] > 0


def excludes_gain(pair: Paired, tests: int) -> bool:
    """Whether the labels rule out that an alternative is better by what matters."""
    return pair.most_gain(SIGNIFICANCE / max(1, tests)) <= pair.relevant


def labels_to_decide(pairs: Iterable[Paired], tests: int) -> int | None:
    """About how many labels would tell, if all shares stay the same; none where a million would not.

    With so many one of the alternatives is better beyond chance, or each is ruled out to be better by what matters.
    """
    pairs = list(pairs)
    labels = float(max(pair.labels for pair in pairs))
    while labels < _MOST_LABELS:
        labels = labels * 1.1 + 1
        grown = [pair.scaled(ceil(labels)) for pair in pairs]
        found = any(fits_better(pair, tests * pair.p_value()) for pair in grown)
        if found or all(excludes_gain(pair, tests) for pair in grown):
            return _rounded_up(labels)
    return None


def sign_test(one: int, other: int) -> float:
    """Return the exact two-sided p-value of a split at least as unequal, of fair throws."""
    return min(1.0, 2 * float(bdtr(min(one, other), one + other, 0.5)))


def exact_interval(successes: int, trials: int, significance: float = SIGNIFICANCE) -> tuple[float, float]:
    """Return the exact interval of a proportion (Clopper & Pearson 1934)."""
    failures, tail = trials - successes, significance / 2
    low = float(betaincinv(successes, failures + 1, tail)) if successes else 0.0
    high = float(betaincinv(successes + 1, failures, 1 - tail)) if failures else 1.0
    return low, high


def t_quantile(share: float, degrees: int) -> float:
    """Return the quantile of Student's t; infinite for fewer than two degrees of freedom."""
    return float(stdtrit(degrees, share)) if degrees > 1 else float("inf")


def _rounded_up(labels: float) -> int:
    """Two digits: more would pretend to know."""
    unit = 10 ** max(0, int(log10(labels)) - 1)
    return ceil(labels / unit) * unit
