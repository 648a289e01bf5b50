"""How right a classifier is: accuracy with its interval, balanced accuracy, confusion, calibration, absolute error."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facemon.domain.array_types import Floats, Indices

_Z_95 = 1.959963984540054
"""The 97.5 % point of the normal distribution."""
_BINS = 10


@dataclass(frozen=True, slots=True)
class AttributeScore:
    """One attribute's predictions beside its true labels; what cannot be known is none."""

    attribute: str
    labelled: int
    """Images with a true label and one predicted face."""
    correct: int | None
    """None for a number, which has no labels."""
    interval: tuple[float, float] | None
    balanced_accuracy: float | None
    calibration_error: float | None
    mean_absolute_error: float | None
    classes: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    """[true, predicted] counts; the last column, where it is longer, are predictions outside the classes."""
    beyond: tuple[int, ...] = ()
    """Predicted counts of what truly is none of the classes, in the columns of `confusion`: all of them wrong."""

    @property
    def accuracy(self) -> float | None:
        """The share of right predictions."""
        return None if self.correct is None or not self.labelled else self.correct / self.labelled

    def document(self) -> dict[str, Any]:
        """The score as it stands in `facemon.evaluation/1`."""
        return {
            "attribute": self.attribute,
            "labelled": self.labelled,
            "correct": self.correct,
            "accuracy": self.accuracy,
            "accuracy_interval": self.interval and list(self.interval),
            "balanced_accuracy": self.balanced_accuracy,
            "calibration_error": self.calibration_error,
            "mean_absolute_error": self.mean_absolute_error,
            "classes": list(self.classes),
            "confusion": [list(row) for row in self.confusion],
            "beyond": list(self.beyond),
        }


def score_labels(
    attribute: str,
    classes: Sequence[str],
    true: Indices,
    predicted: Indices,
    confidence: Floats,
    *,
    absolute_errors: Floats | None = None,
) -> AttributeScore:
    """Score predicted labels; codes index `classes`, below 0 is none of them, an unknown confidence is NaN.

    What truly is none of them was predicted wrong, and has no part in the balanced accuracy, which is one of classes.
    """
    matrix = confusion_matrix(true, predicted, len(classes))
    confusion, beyond = matrix[: len(classes)], matrix[len(classes) :].sum(axis=0)
    right = (true == predicted) & (true >= 0)
    known = np.isfinite(confidence)
    return AttributeScore(
        attribute,
        len(true),
        int(right.sum()),
        wilson_interval(int(right.sum()), len(true)) if len(true) else None,
        balanced_accuracy(confusion),
        calibration_error(confidence[known], right[known]),
        _mean(absolute_errors),
        tuple(classes),
        tuple(tuple(row) for row in confusion.tolist()),
        tuple(beyond.tolist()) if beyond.any() else (),
    )


def score_numbers(attribute: str, absolute_errors: Floats) -> AttributeScore:
    """Score a number by the mean of the absolute differences to the true ones."""
    return AttributeScore(attribute, len(absolute_errors), None, None, None, None, _mean(absolute_errors), (), ())


def wilson_interval(successes: int, trials: int, z: float = _Z_95) -> tuple[float, float]:
    """The interval of a proportion that covers it in 95 % of cases (Wilson 1927, without continuity correction).

    (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n), for n trials of which the share p succeeded.
    """
    share, square = successes / trials, z * z
    centre = share + square / (2 * trials)
    spread = z * sqrt(share * (1 - share) / trials + square / (4 * trials * trials))
    width = 1 + square / trials
    return max(0.0, (centre - spread) / width), min(1.0, (centre + spread) / width)


def confusion_matrix(true: Indices, predicted: Indices, classes: int) -> NDArray[np.int64]:
    """Counts [true, predicted]; with a last row and a last column for those of no class, where there are any."""
    rows, columns = (classes + bool((codes < 0).any()) for codes in (true, predicted))
    cells = np.where(true < 0, classes, true) * columns + np.where(predicted < 0, classes, predicted)
    return np.bincount(cells, minlength=rows * columns).reshape(rows, columns)


def balanced_accuracy(confusion: NDArray[np.int64]) -> float | None:
    """The mean of the recalls of the classes that occur (Brodersen et al. 2010); none where none does."""
    totals = confusion.sum(axis=1)
    occurs = totals > 0
    if not occurs.any():
        return None
    return float((np.diagonal(confusion)[occurs] / totals[occurs]).mean())


def calibration_error(confidence: Floats, right: NDArray[np.bool_]) -> float | None:
    """The expected calibration error over ten bins of equal width (Naeini et al. 2015); none without a confidence.

    The mean of |accuracy - mean confidence| over the bins, weighted by their rows.
    """
    if not len(confidence):
        return None
    bins = np.minimum((confidence * _BINS).astype(np.intp), _BINS - 1)
    # In a bin n·|accuracy - confidence| is the absolute value of a sum of differences.
    differences = np.bincount(bins, right - confidence, _BINS)
    return float(np.abs(differences).sum() / len(confidence))


def _mean(errors: Floats | None) -> float | None:
    return float(errors.mean()) if errors is not None and len(errors) else None
