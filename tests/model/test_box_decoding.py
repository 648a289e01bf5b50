"""Boxes and landmarks from a detector's outputs, each decoding against its plain form or its inverse."""

from itertools import product
from math import ceil
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import ValidationError

from facemon.config.detector import DetectorConfig, DistancesConfig, PriorsConfig
from facemon.errors import FacemonError
from facemon.model.box_decoding import Candidates, decode_candidates, distinct, grid_points, prior_boxes

SIZE = (40, 24)
PRIORS: dict[str, Any] = {"strides": [8, 16], "sizes": [[10, 16], [32]], "variances": [0.1, 0.2]}
RETINA = 15 * 2 + 3 * 2
"""Cells of 8 with two priors and of 16 with one, over 40 x 24."""


def config(**options: Any) -> DetectorConfig:
    described: dict[str, Any] = {
        "input": {"name": "input", "size": list(SIZE)},
        "scores": {"outputs": ["scores"]},
        "boxes": {"outputs": ["boxes"]},
        "landmarks": {"outputs": ["points"]},
    }
    return DetectorConfig.model_validate(described | options)


def decoded(count: int, boxes: Any, points: Any, options: dict[str, Any]) -> Candidates:
    """Candidates with scores that fall, so that their order stays."""
    outputs = {"scores": np.linspace(1, 0.5, count)[np.newaxis, :, np.newaxis], "boxes": boxes, "points": points}
    return decode_candidates(config(**options), outputs, 0.1)


def some_faces(count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    random = np.random.default_rng(4)
    corners = random.uniform(-5, 40, (count, 2))
    boxes = np.concatenate([corners, corners + random.uniform(1, 30, (count, 2))], axis=1)
    return boxes, random.uniform(-5, 45, (count, 5, 2))


def test_priors_are_decoded_as_they_are_encoded() -> None:
    boxes, points = some_faces(RETINA)
    priors = prior_boxes(PriorsConfig.model_validate(PRIORS), SIZE) * np.tile(SIZE, 2)
    middles, sides = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    numbers = [(middles - priors[:, :2]) / priors[:, 2:] / 0.1, np.log(sides / priors[:, 2:]) / 0.2]
    offsets = (points - priors[:, np.newaxis, :2]) / priors[:, np.newaxis, 2:] / 0.1
    found = decoded(
        RETINA, np.concatenate(numbers, axis=1)[np.newaxis], offsets.reshape(1, RETINA, 10), {"priors": PRIORS}
    )
    np.testing.assert_allclose(found.boxes, boxes, atol=1e-9)
    np.testing.assert_allclose(np.asarray(found.landmarks), points, atol=1e-9)


@pytest.mark.parametrize("cells", ["stride", "even"])
@pytest.mark.parametrize("clip", [False, True])
@pytest.mark.parametrize("size", [SIZE, (41, 17)])
def test_priors_lie_row_by_row(size: tuple[int, int], clip: bool, cells: str) -> None:
    plain = []
    for stride, sides in zip(PRIORS["strides"], PRIORS["sizes"], strict=True):
        across, down = ceil(size[0] / stride), ceil(size[1] / stride)
        for row, column in product(range(down), range(across)):
            x, y = (column + 0.5) / across, (row + 0.5) / down
            if cells == "stride":
                x, y = (column + 0.5) * stride / size[0], (row + 0.5) * stride / size[1]
            plain += [[x, y, side / size[0], side / size[1]] for side in sides]
    expected = np.clip(plain, 0, 1) if clip else plain
    np.testing.assert_allclose(
        prior_boxes(PriorsConfig.model_validate(PRIORS | {"clip": clip, "cells": cells}), size), expected
    )


@pytest.mark.parametrize("offset", [0.0, 0.5])
def test_distances_from_the_points_of_grids_in_an_output_for_each_stride(offset: float) -> None:
    distances = {"strides": [8, 16], "per_point": 2, "offset": offset}
    grid = [
        (column + offset, row + offset, stride)
        for stride in (8, 16)
        for row, column in product(range(ceil(SIZE[1] / stride)), range(ceil(SIZE[0] / stride)))
        for _ in range(2)
    ]
    middles = np.asarray([(x * stride, y * stride) for x, y, stride in grid])
    strides = np.asarray([stride for *_, stride in grid])[:, np.newaxis]
    assert np.array_equal(grid_points(DistancesConfig.model_validate(distances), SIZE), np.hstack([middles, strides]))
    boxes, points = some_faces(len(grid))
    numbers = np.concatenate([middles - boxes[:, :2], boxes[:, 2:] - middles], axis=1) / strides
    offsets = ((points - middles[:, np.newaxis]) / strides[:, np.newaxis]).reshape(-1, 10)
    finer = 2 * 15
    scores = np.linspace(1, 0.5, len(grid))
    outputs = {
        "s8": scores[np.newaxis, :finer], "s16": scores[np.newaxis, finer:, np.newaxis],
        "b8": numbers[np.newaxis, :finer], "b16": numbers[np.newaxis, finer:],
        "p8": offsets[np.newaxis, :finer], "p16": offsets[np.newaxis, finer:],
    }  # fmt: skip
    sections = {
        key: {"outputs": [f"{key[0]}8", f"{key[0]}16"]} for key in ("scores", "boxes")
    } | {"landmarks": {"outputs": ["p8", "p16"]}}  # fmt: skip
    found = decode_candidates(config(**sections, distances=distances), outputs, 0.1)
    np.testing.assert_allclose(found.boxes, boxes, atol=1e-9)
    np.testing.assert_allclose(np.asarray(found.landmarks), points, atol=1e-9)


@pytest.mark.parametrize("form", ["corners", "corner_and_size", "centre_and_size"])
@pytest.mark.parametrize("unit", ["share", "pixel"])
def test_each_form_of_a_box_in_one_output_with_all_else(form: str, unit: str) -> None:
    boxes, points = some_faces(7)
    first, last = boxes[:, :2], boxes[:, 2:]
    numbers = {"corners": (first, last), "corner_and_size": (first, last - first),
               "centre_and_size": ((first + last) / 2, last - first)}[form]  # fmt: skip
    scale = np.asarray(SIZE) if unit == "share" else 1
    logits = np.linspace(3, 1, 7)
    table = np.concatenate(
        [*(each / scale for each in numbers), np.stack([0 * logits, logits], 1), (points / scale).reshape(7, 10)],
        axis=1,
    )
    sections: dict[str, Any] = {
        "boxes": {"outputs": ["all"], "slice": [0, 4], "form": form, "unit": unit},
        "scores": {"outputs": ["all"], "slice": [4, 6], "activation": "softmax", "index": 1},
        "landmarks": {"outputs": ["all"], "slice": [6, 16]},
    }
    found = decode_candidates(config(**sections), {"all": table[np.newaxis]}, 0.0)
    np.testing.assert_allclose(found.boxes, boxes, atol=1e-12)
    np.testing.assert_allclose(np.asarray(found.landmarks), points, atol=1e-12)
    np.testing.assert_allclose(found.scores, 1 / (1 + np.exp(-logits)))
    sections["scores"] |= {"activation": "sigmoid"}
    np.testing.assert_allclose(
        decode_candidates(config(**sections), {"all": table[np.newaxis]}, 0.0).scores, 1 / (1 + np.exp(-logits))
    )


def test_only_sure_candidates_the_surest_first_and_not_too_many() -> None:
    scores = np.asarray([[0.2, 0.9, 0.5, 0.7, 0.5]])
    outputs = {"scores": scores, "boxes": np.arange(20.0).reshape(1, 5, 4), "points": np.zeros((1, 5, 10))}
    assert decode_candidates(config(), outputs, 0.5).scores.tolist() == [0.9, 0.7, 0.5, 0.5]
    assert decode_candidates(config(candidates=2), outputs, 0.5).boxes[:, 0].tolist() == [4, 12]
    assert len(decode_candidates(config(), outputs, 0.95).scores) == 0


BOXES = st.lists(st.tuples(*[st.integers(0, 30)] * 4).map(lambda box: (*box[:2], box[0] + box[2], box[1] + box[3])))


@given(BOXES, st.sampled_from([0.3, 0.5, 1.0]))
def test_suppression_by_its_definition(boxes: list[tuple[int, ...]], overlap: float) -> None:
    """Each box is kept unless a kept one before it overlaps it by more."""

    def union_share(one: tuple[int, ...], other: tuple[int, ...]) -> float:
        wide, high = (min(one[axis + 2], other[axis + 2]) - max(one[axis], other[axis]) for axis in (0, 1))
        shared = max(wide, 0) * max(high, 0)
        areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
        return shared / (sum(areas) - shared) if sum(areas) > shared else 0.0

    kept: list[int] = []
    for index, box in enumerate(boxes):
        if all(union_share(boxes[place], box) <= overlap for place in kept):
            kept.append(index)
    candidates = Candidates(np.zeros(len(boxes)), np.asarray(boxes, float).reshape(-1, 4), None)
    assert distinct(candidates, overlap) == kept


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scores": {"outputs": ["scores"], "index": 1}}, "index is 1, but a candidate has 1 numbers"),
        ({"boxes": {"outputs": ["points"]}}, "boxes: points give 10 numbers for each of 3 candidates; wanted are 4"),
        ({"boxes": {"outputs": ["boxes"], "slice": [2, 6]}}, "boxes: boxes give 2 numbers"),
        ({"boxes": {"outputs": ["boxes", "points"]}}, "have different numbers for a candidate"),
        ({"priors": PRIORS}, "priors describes 36 candidates, the network gives 3"),
        ({"distances": {"strides": [8]}}, "distances describes 15 candidates, the network gives 3"),
    ],
)
def test_outputs_of_another_form_are_said(options: dict[str, Any], message: str) -> None:
    with pytest.raises(FacemonError, match=message):
        decoded(3, np.zeros((1, 3, 4)), np.zeros((1, 3, 10)), options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"priors": PRIORS | {"sizes": [[8]]}}, "has 1 lists for 2 strides"),
        ({"priors": PRIORS, "distances": {"strides": [8]}}, "priors and distances exclude each other"),
        ({"priors": PRIORS, "boxes": {"outputs": ["b"], "form": "centre_and_size"}}, "with priors the boxes have no"),
        ({"scores": {"outputs": ["s"], "slice": [2, 2]}}, "with first < end"),
        ({"input": {"name": "i", "size": [8, 8], "fit": "crop"}}, "crop would hide faces"),
    ],
)
def test_what_does_not_fit_together_is_said(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        config(**options)
