"""Other descriptions of a model scored beside its own: which fits true labels better, or that they cannot tell."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from facemon.evaluation.paired_scores import (
    SIGNIFICANCE,
    Paired,
    PairedErrors,
    PairedLabels,
    excludes_gain,
    fits_better,
    holm,
    labels_to_decide,
    t_quantile,
)
from facemon.evaluation.scores import wilson_interval

if TYPE_CHECKING:
    from facemon.evaluation.joined_labels import LeftOut

Interval = tuple[float, float]


class TrialVerdict(StrEnum):
    """What labels say of a description."""

    BETTER = "better"
    """Another one fits better."""
    AS_GOOD = "as_good"
    """No other one fits better by what matters."""
    UNDECIDED = "undecided"
    NOT_COMPARED = "not_compared"
    """There are no labelled faces, or the outputs cannot be read as described."""


@dataclass(frozen=True, slots=True)
class Hits:
    """Where labels are predicted right, face by face."""

    right: NDArray[np.bool_]

    @property
    def value(self) -> float:
        """The accuracy."""
        return float(self.right.mean())

    @property
    def interval(self) -> Interval:
        """Wilson's."""
        return wilson_interval(int(self.right.sum()), len(self.right))


@dataclass(frozen=True, slots=True)
class Errors:
    """Absolute errors of numbers, face by face, all finite."""

    errors: NDArray[np.float64]

    @property
    def value(self) -> float:
        """The mean."""
        return float(self.errors.mean())

    @property
    def interval(self) -> Interval | None:
        """Student's; none for fewer than three faces."""
        if (count := len(self.errors)) < 3:
            return None
        half = t_quantile(1 - SIGNIFICANCE / 2, count - 1) * float(self.errors.std(ddof=1)) / sqrt(count)
        return max(0.0, self.value - half), self.value + half


Measured = Hits | Errors


@dataclass(frozen=True, slots=True)
class AlternativeScore:
    """One alternative beside what it is compared with."""

    change: str
    value: float
    interval: Interval | None
    pair: Paired
    p_value: float
    p_adjusted: float

    @property
    def is_better(self) -> bool:
        """Whether it fits better beyond chance."""
        return fits_better(self.pair, self.p_adjusted)

    def document(self) -> dict[str, Any]:
        """The alternative in `facemon.model_check/1`."""
        low, high = self.pair.gain_interval()
        is_bounded = np.isfinite([low, high]).all()
        return {
            "change": self.change,
            "value": self.value,
            "interval": self.interval and list(self.interval),
            "gain": self.pair.gain,
            "gain_interval": [low, high] if is_bounded else None,
            "p_value": self.p_value,
            "p_adjusted": self.p_adjusted,
            "same": self.pair.is_same,
            "better": self.is_better,
        }


@dataclass(frozen=True, slots=True)
class AttributeTrial:
    """One attribute: the description's own score, and those of the alternatives."""

    attribute: str
    measure: str
    """`accuracy`, or `mean_absolute_error` of a number."""
    labelled: int
    value: float | None
    interval: Interval | None
    verdict: TrialVerdict
    alternatives: tuple[AlternativeScore, ...] = ()
    unreadable: tuple[str, ...] = ()
    """Alternatives under which the outputs cannot be read."""
    combined: tuple[AlternativeScore, ...] = ()
    """The best alternative together with others, compared with the best alone."""
    labels_needed: int | None = None
    """About how many labels would decide; none where that is not known."""
    written: Mapping[str, str] = field(default_factory=dict)
    """By change, what to write into the configuration for it."""

    @property
    def best(self) -> AlternativeScore | None:
        """The alternative that fits better with the largest gain; none where none does."""
        return _largest(self.alternatives)

    @property
    def best_combined(self) -> AlternativeScore | None:
        """The pair that fits better than the best alone with the largest gain; none where none does."""
        return _largest(self.combined)

    @property
    def to_write(self) -> str | None:
        """What to write into the configuration for the description that fits best; none where it is the present one."""
        found = self.best_combined or self.best
        return None if found is None else self.written.get(found.change, found.change)

    def document(self) -> dict[str, Any]:
        """The attribute in `facemon.model_check/1`."""
        best, combined = self.best, self.best_combined
        return {
            "attribute": self.attribute,
            "measure": self.measure,
            "labelled": self.labelled,
            "value": self.value,
            "interval": self.interval and list(self.interval),
            "verdict": self.verdict.value,
            "best": combined.change if combined else best and best.change,
            "write": self.to_write,
            "labels_needed": self.labels_needed,
            "alternatives": [each.document() for each in self.alternatives],
            "combined": [each.document() for each in self.combined],
            "unreadable": list(self.unreadable),
        }


@dataclass(frozen=True, slots=True)
class Trial:
    """What true labels say of the description."""

    labels: int
    """Images in the table."""
    matched_by: tuple[tuple[str, int], ...]
    left_out: "tuple[LeftOut, ...]"
    """Labels that are about one of the photographs and are not compared."""
    attributes: tuple[AttributeTrial, ...]
    unlabelled: tuple[str, ...]


def compare(own: Measured, others: Mapping[str, Measured]) -> tuple[AlternativeScore, ...]:
    """Hold alternatives, of which there may be none, against what is described; Holm's adjustment over all of them."""
    return compare_all({"": (own, others)})[""]


def compare_all(
    measured: Mapping[str, tuple[Measured, Mapping[str, Measured]]],
) -> dict[str, tuple[AlternativeScore, ...]]:
    """The same for several attributes, with Holm's adjustment over the alternatives of all.

    Alternatives that predict every face the same are not tests, and do not count.
    """
    pairs = {
        (name, change): _pair(own, other)
        for name, (own, others) in measured.items()
        for change, other in others.items()
    }
    tested = {key: pair.p_value() for key, pair in pairs.items() if not pair.is_same}
    adjusted = dict(zip(tested, holm(list(tested.values())), strict=True))
    return {
        name: tuple(
            AlternativeScore(
                change, other.value, other.interval, pairs[name, change],
                tested.get((name, change), 1.0), adjusted.get((name, change), 1.0),
            )
            for change, other in others.items()
        )
        for name, (_, others) in measured.items()
    }  # fmt: skip


def verdict_of(scores: tuple[AlternativeScore, ...], tests: int) -> tuple[TrialVerdict, int | None]:
    """What the scores of one attribute's alternatives come to, and about how many labels would decide.

    `tests` is the number of alternatives, of all attributes, that predict any face otherwise.
    """
    pairs = [each.pair for each in scores]
    if any(each.is_better for each in scores):
        return TrialVerdict.BETTER, None
    if all(excludes_gain(pair, tests) for pair in pairs):
        return TrialVerdict.AS_GOOD, None
    return TrialVerdict.UNDECIDED, labels_to_decide(pairs, max(1, tests))


def _pair(own: Measured, other: Measured) -> Paired:
    match own, other:
        case Hits(), Hits():
            return PairedLabels.of(own.right, other.right)
        case Errors(), Errors():
            return PairedErrors.of(own.errors, other.errors)
    raise TypeError("labels are compared with labels, and numbers with numbers")


def _largest(scores: tuple[AlternativeScore, ...]) -> AlternativeScore | None:
    better = [each for each in scores if each.is_better]
    return max(better, key=lambda each: (each.pair.gain, -each.p_value), default=None)
