"""Outputs to probabilities, and both to labels: what several kinds decode by, for all faces of a batch at once."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from facemon.domain.array_types import Floats, Indices
from facemon.domain.attribute import Attribute
from facemon.domain.kinds.reading import Reading
from facemon.errors import FacemonError

_MOST_ROUNDING = 1e-3
"""How far a network's own probabilities may lie outside [0, 1]."""


def probabilities(attribute: Attribute, columns: Floats) -> Floats:
    """Apply the activation; FacemonError where it is none and the output holds no probabilities."""
    match attribute.activation:
        case "softmax":
            weights = np.exp(columns - columns.max(axis=1, keepdims=True))
            return weights / weights.sum(axis=1, keepdims=True)
        case "sigmoid":
            return sigmoid(columns)
        case "none":
            return checked(attribute, columns)


def sigmoid(logits: Floats) -> Floats:
    """1 / (1 + exp(-x)), without an overflow."""
    # exp(-|x|) never overflows, and each sign has the form that keeps its digits.
    decay = np.exp(-np.abs(logits))
    return np.where(logits >= 0, 1, decay) / (1 + decay)


def checked(attribute: Attribute, shares: Floats) -> Floats:
    """The network's own probabilities; FacemonError where they are none but for rounding."""
    low, high = (float(shares.min()), float(shares.max())) if shares.size else (0.0, 0.0)
    if low < -_MOST_ROUNDING or high > 1 + _MOST_ROUNDING:
        raise FacemonError(
            f"the output {attribute.output} gives {low if low < 0 else high:.4g} for the attribute {attribute.name}, "
            "which is not a probability",
            f"if it holds logits, set activation: {'sigmoid' if shares.ndim == 1 else 'softmax'}",
        )
    return np.clip(shares, 0, 1)


def distributed(attribute: Attribute, columns: Floats) -> Floats:
    """The probabilities of outcomes of which one happens; FacemonError where they do not add up to 1."""
    shares = probabilities(attribute, columns)
    sums = shares.sum(axis=1)
    if np.any(np.abs(sums - 1) > _MOST_ROUNDING * shares.shape[1]):
        worst = sums[np.abs(sums - 1).argmax()]
        raise FacemonError(
            f"the probabilities of the attribute {attribute.name} add up to {worst:.4g}, not 1",
            f"if the output {attribute.output} holds logits, set activation: softmax",
        )
    return shares


def shares_at(shares: Floats, codes: Indices) -> Floats:
    """The probability of each face's label: [n] out of [n, labels]."""
    return np.take_along_axis(shares, codes[:, np.newaxis], axis=1)[:, 0]


def labelled(shares: Floats, codes: Indices) -> Reading:
    """Labels with their probabilities."""
    return Reading(codes, shares_at(shares, codes).astype(np.float32), None)


def bands_of(attribute: Attribute) -> Callable[[NDArray[np.float32]], Indices]:
    """What finds the band of each number that lies in one, as an index into the classes; bands may be in any order."""
    lows = np.asarray([low for low, _ in attribute.reach.values()])
    order = np.argsort(lows)
    edges = lows[order]
    return lambda numbers: order[np.searchsorted(edges, numbers.astype(np.float64), side="right") - 1]
