"""A network's outputs to labels, confidences and values, for all faces of a batch at once."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facemon.config.model import AttributeConfig
from facemon.errors import FacemonError

Doubles = NDArray[np.float64]

_MOST_ROUNDING = 1e-3
"""How far a network's own probabilities may lie outside [0, 1], or an ordinal's sum off 1."""


class Reading(NamedTuple):
    """One attribute of n faces; what its kind does not have is none."""

    codes: NDArray[np.intp] | None
    """Each face's label as an index into `AttributeConfig.classes`."""
    confidence: NDArray[np.float32] | None
    """The probability of that label; none for a number's."""
    value: NDArray[np.float32] | None
    """An ordinal's expected value, or a number."""


def widths(attribute: AttributeConfig) -> tuple[int, ...]:
    """How many numbers a face the attribute can be read from, the usual one first."""
    match attribute.kind:
        case "binary":
            return {"sigmoid": (1,), "softmax": (2,), "none": (1, 2)}[attribute.activation]
        case "categorical":
            return (len(attribute.labels),)
        case "ordinal":
            return (len(attribute.values),)
        case "number":
            return (1,)


def activation_fault(attribute: AttributeConfig) -> str | None:
    """Why the attribute's activation makes no sense for its kind, if so."""
    if attribute.kind == "number" and attribute.activation == "softmax":
        return "softmax of a single number is always 1"
    if attribute.kind == "ordinal" and attribute.activation == "sigmoid":
        return "an ordinal's probabilities add up to 1, so its activation is softmax or none"
    return None


def select_columns(attribute: AttributeConfig, output: NDArray[np.floating]) -> Doubles:
    """The attribute's own numbers out of an output tensor of any rank: [n, width]."""
    flat = output.reshape(len(output), -1)
    if attribute.index is not None:
        flat = flat[:, attribute.index : attribute.index + 1]
    elif attribute.slice is not None:
        flat = flat[:, attribute.slice[0] : attribute.slice[1]]
    if flat.shape[1] not in widths(attribute):
        raise FacemonError(
            f"the attribute {attribute.name} needs {widths(attribute)[0]} numbers a face, but the output "
            f"{attribute.output} of shape {list(output.shape)} gives it {flat.shape[1]}"
        )
    return flat.astype(np.float64)


def read_attribute(attribute: AttributeConfig, columns: Doubles) -> Reading:
    """Decode finite [n, width] columns; FacemonError when they are said to be probabilities and are none.

    An ordinal's value is the mean of its values under the probabilities (Σ pᵢ·vᵢ), its label the band of that
    value and its confidence the band's mass.
    """
    if attribute.average:  # shares_of has had its turn
        attribute = attribute.model_copy(update={"activation": "none", "scale": 1.0, "offset": 0.0})
    if attribute.kind == "number":
        numbers = _numbers(attribute, columns).astype(np.float32)
        return Reading(_band_codes(attribute, numbers) if attribute.bands else None, None, numbers)
    if attribute.kind == "binary" and columns.shape[1] == 1:
        return _binary(attribute, columns[:, 0])
    shares = _probabilities(attribute, columns)
    if attribute.kind == "ordinal":
        return _ordinal(attribute, shares)
    codes = (
        (shares[:, 1] >= attribute.threshold).astype(np.intp) if attribute.kind == "binary" else shares.argmax(axis=1)
    )
    confidence = np.take_along_axis(shares, codes[:, np.newaxis], axis=1)[:, 0]
    return Reading(codes, confidence.astype(np.float32), None)


def shares_of(attribute: AttributeConfig, columns: Doubles) -> Doubles:
    """What is averaged over networks.

    [n, labels or values] probabilities; [n, 1] those of a binary's second label; [n, 1] numbers, scaled.
    """
    if attribute.kind == "number":
        return _numbers(attribute, columns)[:, np.newaxis]
    with np.errstate(invalid="ignore"):  # infinities become NaN, and NaN a row with an error
        shares = _probabilities(attribute, columns)
    return shares[:, -1:] if attribute.kind == "binary" else shares


def _numbers(attribute: AttributeConfig, columns: Doubles) -> Doubles:
    numbers = _sigmoid(columns[:, 0]) if attribute.activation == "sigmoid" else columns[:, 0]
    return numbers * attribute.scale + attribute.offset


def _binary(attribute: AttributeConfig, column: Doubles) -> Reading:
    if attribute.activation == "sigmoid":
        second, first = _sigmoid(column), _sigmoid(-column)
    else:
        second = _checked(attribute, column)
        first = 1 - second
    is_second = second >= attribute.threshold
    return Reading(is_second.astype(np.intp), np.where(is_second, second, first).astype(np.float32), None)


def _ordinal(attribute: AttributeConfig, shares: Doubles) -> Reading:
    sums = shares.sum(axis=1)
    if np.any(np.abs(sums - 1) > _MOST_ROUNDING * len(attribute.values)):
        worst = sums[np.abs(sums - 1).argmax()]
        raise FacemonError(
            f"the probabilities of the attribute {attribute.name} add up to {worst:.4g}, not 1",
            f"if the output {attribute.output} holds logits, set activation: softmax",
        )
    values = np.asarray(attribute.values)
    # Rounding may carry a mean just over the largest of its own values.
    means = np.clip(shares @ values, values.min(), values.max()).astype(np.float32)
    codes = _band_codes(attribute, means)
    members = np.asarray([[low <= value < high for value in values] for low, high in attribute.bands.values()])
    masses = shares @ members.T.astype(np.float64)
    confidence = np.take_along_axis(masses, codes[:, np.newaxis], axis=1)[:, 0]
    return Reading(codes, np.clip(confidence, 0, 1).astype(np.float32), means)


def _band_codes(attribute: AttributeConfig, numbers: NDArray[np.float32]) -> NDArray[np.intp]:
    """The band of each number that lies in one, as an index into the classes; bands may be in any order."""
    lows = np.asarray([low for low, _ in attribute.reach.values()])
    order = np.argsort(lows)
    return order[np.searchsorted(lows[order], numbers.astype(np.float64), side="right") - 1]


def _probabilities(attribute: AttributeConfig, columns: Doubles) -> Doubles:
    match attribute.activation:
        case "softmax":
            weights = np.exp(columns - columns.max(axis=1, keepdims=True))
            return weights / weights.sum(axis=1, keepdims=True)
        case "sigmoid":
            return _sigmoid(columns)
        case "none":
            return _checked(attribute, columns)


def _sigmoid(logits: Doubles) -> Doubles:
    # exp(-|x|) never overflows, and each sign has the form that keeps its digits.
    decay = np.exp(-np.abs(logits))
    return np.where(logits >= 0, 1, decay) / (1 + decay)


def _checked(attribute: AttributeConfig, shares: Doubles) -> Doubles:
    low, high = (float(shares.min()), float(shares.max())) if shares.size else (0.0, 0.0)
    if low < -_MOST_ROUNDING or high > 1 + _MOST_ROUNDING:
        raise FacemonError(
            f"the output {attribute.output} gives {low if low < 0 else high:.4g} for the attribute {attribute.name}, "
            "which is not a probability",
            f"if it holds logits, set activation: {'sigmoid' if shares.ndim == 1 else 'softmax'}",
        )
    return np.clip(shares, 0, 1)
