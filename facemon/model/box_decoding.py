"""What a face detector's network answers, to boxes and landmarks in pixels of its input."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facemon.config.detector import (
    BoxOutput,
    DetectorConfig,
    DetectorOutput,
    DistancesConfig,
    PriorsConfig,
    ScoreOutput,
)
from facemon.domain.array_types import Floats
from facemon.errors import FacemonError

_POINTS = 10
"""Numbers of five landmarks."""


class Candidates(NamedTuple):
    """What may be faces, in pixels of the input."""

    scores: Floats
    """[n]"""
    boxes: Floats
    """[n, 4]: left, top, right, bottom."""
    landmarks: Floats | None
    """[n, 5, 2]: x and y."""


def decode_candidates(config: DetectorConfig, outputs: Mapping[str, NDArray[Any]], min_score: float) -> Candidates:
    """The candidates with a score of at least `min_score`, the surest first, at most `config.candidates`.

    FacemonError where the outputs do not have the described form. Numbers that are not finite are kept.
    """
    scores = _scores(config.scores, outputs)
    boxes = _rows(config.boxes, outputs, 4, len(scores), "boxes")
    points = None
    if config.landmarks is not None:
        points = _rows(config.landmarks, outputs, _POINTS, len(scores), "landmarks")
    anchors = _anchors(config)
    if anchors is not None and len(anchors) != len(scores):
        key = "priors" if config.priors else "distances"
        raise FacemonError(
            f"model.faces.detector.{key} describes {len(anchors)} candidates, the network gives {len(scores)}",
            "check input.size, the strides, and how many candidates a cell has",
        )
    # Not below, so that a score that is not a number is noticed.
    chosen = np.flatnonzero(~(scores < min_score))
    chosen = chosen[np.argsort(-scores[chosen], kind="stable")][: config.candidates]
    anchors = None if anchors is None else anchors[chosen]
    return Candidates(
        scores[chosen],
        _boxes(config, boxes[chosen], anchors),
        None if points is None else _points(config, points[chosen].reshape(-1, _POINTS // 2, 2), anchors),
    )


def distinct(candidates: Candidates, overlap: float) -> list[int]:
    """The places of candidates that are left when each one drops those after it that overlap it by more.

    Greedy non-maximum suppression by intersection over union; candidates are in order of their scores.
    """
    boxes = candidates.boxes
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    areas = sides[:, 0] * sides[:, 1]
    left, kept = np.arange(len(boxes)), []
    while len(left):
        best, rest = left[0], left[1:]
        kept.append(int(best))
        low = np.maximum(boxes[best, :2], boxes[rest, :2])
        high = np.minimum(boxes[best, 2:], boxes[rest, 2:])
        shared = np.maximum(high - low, 0).prod(axis=1)
        union = areas[best] + areas[rest] - shared
        left = rest[shared <= overlap * union]
    return kept


def prior_boxes(config: PriorsConfig, size: tuple[int, int]) -> Floats:
    """The priors [n, 4] of an input of `size`: centre x and y, width and height, as shares of it."""
    width, height = size
    boxes = []
    for stride, sizes in zip(config.strides, config.sizes, strict=True):
        down, across = ceil(height / stride), ceil(width / stride)
        rows, columns = np.mgrid[:down, :across]
        cell = (1 / across, 1 / down) if config.cells == "even" else (stride / width, stride / height)
        centres = np.stack([columns + 0.5, rows + 0.5], axis=-1) * cell
        sides = np.asarray([(side / width, side / height) for side in sizes])
        count = len(sizes)
        both = [np.repeat(centres.reshape(-1, 2), count, axis=0), np.tile(sides, (centres.size // 2, 1))]
        boxes.append(np.concatenate(both, axis=1))
    priors = np.concatenate(boxes)
    return np.clip(priors, 0, 1) if config.clip else priors


def grid_points(config: DistancesConfig, size: tuple[int, int]) -> Floats:
    """The points [n, 3] of the grids over an input of `size`: x and y in pixels, and the stride."""
    points = []
    for stride in config.strides:
        rows, columns = np.mgrid[: ceil(size[1] / stride), : ceil(size[0] / stride)]
        each = np.stack([(columns + config.offset) * stride, (rows + config.offset) * stride], axis=-1).reshape(-1, 2)
        each = np.column_stack([each, np.full(len(each), stride)])
        points.append(np.repeat(each, config.per_point, axis=0))
    return np.concatenate(points)


def _anchors(config: DetectorConfig) -> Floats | None:
    if config.priors is not None:
        return prior_boxes(config.priors, config.input.size)
    return None if config.distances is None else grid_points(config.distances, config.input.size)


def _boxes(config: DetectorConfig, numbers: Floats, anchors: Floats | None) -> Floats:
    size = np.asarray(config.input.size, np.float64)
    if anchors is None:
        scale = np.tile(size, 2) if config.boxes.unit == "share" else 1.0
        return _corners(config.boxes, numbers * scale)
    if config.priors is None:
        steps = numbers * anchors[:, 2:]
        return np.concatenate([anchors[:, :2] - steps[:, :2], anchors[:, :2] + steps[:, 2:]], axis=1)
    position, extent = config.priors.variances
    centres = anchors[:, :2] + numbers[:, :2] * position * anchors[:, 2:]
    with np.errstate(over="ignore"):  # what is too large for a number is found later
        sides = anchors[:, 2:] * np.exp(numbers[:, 2:] * extent)
    return np.concatenate([(centres - sides / 2) * size, (centres + sides / 2) * size], axis=1)


def _corners(config: BoxOutput, numbers: Floats) -> Floats:
    first, second = numbers[:, :2], numbers[:, 2:]
    match config.form:
        case "corners":
            return numbers
        case "corner_and_size":
            return np.concatenate([first, first + second], axis=1)
        case "centre_and_size":
            return np.concatenate([first - second / 2, first + second / 2], axis=1)


def _points(config: DetectorConfig, numbers: Floats, anchors: Floats | None) -> Floats:
    size = np.asarray(config.input.size, np.float64)
    if anchors is None:
        return numbers * size if config.boxes.unit == "share" else numbers
    centres = anchors[:, np.newaxis, :2]
    if config.priors is None:
        return centres + numbers * anchors[:, np.newaxis, 2:]
    return np.asarray((centres + numbers * config.priors.variances[0] * anchors[:, np.newaxis, 2:]) * size)


def _scores(config: ScoreOutput, outputs: Mapping[str, NDArray[Any]]) -> Floats:
    numbers = _table(config, outputs)
    if config.index >= numbers.shape[1]:
        raise FacemonError(
            f"model.faces.detector.scores.index is {config.index}, but a candidate has {numbers.shape[1]} numbers",
            "the first one has the index 0",
        )
    match config.activation:
        case "none":
            return numbers[:, config.index]
        case "sigmoid":
            # The hyperbolic tangent never overflows.
            return (1 + np.tanh(numbers[:, config.index] / 2)) / 2
        case "softmax":
            with np.errstate(invalid="ignore"):
                weights = np.exp(numbers - numbers.max(axis=1, keepdims=True))
            return weights[:, config.index] / weights.sum(axis=1)


def _rows(config: DetectorOutput, outputs: Mapping[str, NDArray[Any]], width: int, count: int, key: str) -> Floats:
    numbers = _table(config, outputs)
    if numbers.shape != (count, width):
        raise FacemonError(
            f"model.faces.detector.{key}: {' and '.join(config.outputs)} give {numbers.shape[1]} numbers for each of "
            f"{len(numbers)} candidates; wanted are {width} for each of {count}, for which there are scores",
            "check outputs and slice of scores and of this section",
        )
    return numbers


def _table(config: DetectorOutput, outputs: Mapping[str, NDArray[Any]]) -> Floats:
    """The numbers of all outputs of a section, [candidates, numbers]."""
    first, end = config.slice or (0, None)
    parts: Sequence[NDArray[Any]] = [outputs[name] for name in config.outputs]
    # With no dimension beside the batch and the candidates there is one number for each.
    tables = [part.reshape(-1, part.shape[-1] if part.ndim > 2 else 1)[:, first:end] for part in parts]
    widths = {table.shape[1] for table in tables}
    if len(widths) > 1:
        shapes = ", ".join(f"{name} {list(part.shape)}" for name, part in zip(config.outputs, parts, strict=True))
        raise FacemonError(f"the outputs {shapes} have different numbers for a candidate", "name outputs of one kind")
    return np.concatenate(tables).astype(np.float64)
