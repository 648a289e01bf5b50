"""Which face detector a network is, told by the forms of its outputs, and its description as a finder."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facemon.config.detector import PriorsConfig
from facemon.errors import FacemonError
from facemon.finders.registry import DESCRIBED, FINDERS
from facemon.model.box_decoding import prior_boxes
from facemon.model.graph import Graph
from facemon.model.graph_input import GraphInput, InputStyle, input_lines

_Table = NDArray[Any]
USUAL_DETECTOR_SIDES = (640, 320, 256, 128)
"""Sides of the square inputs of face detectors, the most usual one first."""
_FEWEST = 100
"""Candidates: an output with fewer rows is not taken for that of a detector."""
_BOX, _POINTS = 4, 10
_MOST_NUMBERS = 200
"""For each candidate, in an output that holds boxes, scores and classes side by side."""
_STRIDES = ((8, 16, 32), (8, 16, 32, 64), (8, 16, 32, 64, 128), (16, 32, 64), (4, 8, 16, 32))
_STRETCH = ("stretch", "pad where training kept the proportions")
_AS_USUAL = "as in public detectors of this form; else 1/255 and mean 0, std 1"
_AS_RETINAFACE = "as in RetinaFace; else 1/255 and mean 0, std 1"
_PLAIN = InputStyle(fit=_STRETCH)
_ULTRA_LIGHT = InputStyle(
    fit=_STRETCH,
    resample=("opencv_bilinear", "bilinear where training resized with Pillow"),
    scale=("1", _AS_USUAL),
    mean=("[127, 127, 127]", _AS_USUAL),
    std=("[128, 128, 128]", _AS_USUAL),
)
_SCRFD = replace(
    _ULTRA_LIGHT,
    fit=("pad", "stretch where training did not keep the proportions"),
    mean=("[127.5, 127.5, 127.5]", _AS_USUAL),
)
_RETINAFACE = InputStyle(
    channels=("bgr", "as in RetinaFace; else rgb"),
    fit=_STRETCH,
    resample=_ULTRA_LIGHT.resample,
    scale=("1", _AS_RETINAFACE),
    mean=("[104, 117, 123]", _AS_RETINAFACE),
    std=("[1, 1, 1]", _AS_RETINAFACE),
)
_PRIORS: Mapping[str, tuple[Mapping[str, Any], InputStyle]] = {
    "Ultra-Light": (
        {
            "strides": [8, 16, 32, 64],
            "sizes": [[10, 16, 24], [32, 48], [64, 96], [128, 192, 256]],
            "clip": True,
            "cells": "even",
        },
        _ULTRA_LIGHT,
    ),
    "RetinaFace": (
        {"strides": [8, 16, 32], "sizes": [[16, 32], [64, 128], [256, 512]], "cells": "stride"},
        _RETINAFACE,
    ),
}
"""The priors of public detectors, by name, with how these make their inputs."""


@dataclass(frozen=True, slots=True)
class Detector:
    """A network that was recognised as a face detector."""

    kind: str
    """What it is, in words."""
    lines: tuple[str, ...] = ()
    """The keys of the section `faces` beside `weights`, as YAML; empty where no finder can run it."""
    problem: str = ""
    """Why no finder can run it."""
    hint: str = ""


def detector_by_name(graph: Graph) -> Detector | None:
    """The detector that a network is by the names of its outputs alone; OpenCV may run it where onnxruntime fails."""
    outputs = {output.name for output in graph.outputs}
    own = (finder for finder in FINDERS.values() if finder.runs(outputs))
    return next((Detector(finder.network, (f"finder: {finder.name}",)) for finder in own), None)


def recognise_detector(graph: Graph, found: GraphInput) -> Detector | None:
    """The detector that a network is, from what it gives for random pixels; none where it is not one."""
    names = [output.name for output in graph.outputs]
    count = found.tensor.shape[0]
    try:
        answers = graph.run_plainly(found.tensor.name, found.probes(count if isinstance(count, int) else 1), names)
    except FacemonError:
        return None
    tables = {name: table for name, answer in zip(names, answers, strict=True) if (table := _table(answer)) is not None}
    boxes = [name for name, table in tables.items() if table.shape[1] == _BOX]
    if len(boxes) == 1:
        return _with_one_output_of_boxes(found, tables, boxes[0])
    if boxes:
        return _with_outputs_by_stride(found, tables, boxes)
    return _side_by_side(found, tables) if len(tables) == 1 else None


def _table(answer: Any) -> _Table | None:
    """An output for one image as [candidates, numbers]; none where it does not have that form."""
    if not isinstance(answer, np.ndarray) or not np.issubdtype(answer.dtype, np.floating):
        return None
    if answer.ndim == 3 and len(answer) == 1:
        answer = answer[0]
    elif answer.ndim == 2 and len(answer) == 1:
        answer = answer.T
    return answer if answer.ndim == 2 and max(answer.shape) >= _FEWEST else None


def _with_one_output_of_boxes(found: GraphInput, tables: Mapping[str, _Table], boxes: str) -> Detector | None:
    count = len(tables[boxes])
    partners = [name for name, table in tables.items() if len(table) == count and name != boxes]
    points = [name for name in partners if tables[name].shape[1] == _POINTS]
    scores = [name for name in partners if tables[name].shape[1] < _BOX]
    if not scores:
        return None
    kind = f"boxes and scores of {count} candidates"
    sections = [_scores(scores[:1], tables), *([] if len(points) != 1 else [_output("landmarks", points)])]
    if form := _decoded_form(tables[boxes]):
        style = _ULTRA_LIGHT if "unit: share" in form else _PLAIN
        return _onnx(kind, found, style, [*sections, _output("boxes", [boxes], form)])
    for family, (priors, style) in _PRIORS.items():
        if len(prior_boxes(PriorsConfig.model_validate(priors), found.size)) == count:
            guess = f"# guess: those of {family}, whose number is the same"
            described = "priors: {" + ", ".join(f"{key}: {_shown(value)}" for key, value in priors.items()) + "}"
            return _onnx(kind, found, style, [*sections, _output("boxes", [boxes]), [guess, described]])
    problem = f"its boxes are relative to {count} priors, which the file does not hold"
    return Detector(kind, problem=problem, hint="describe them as model.faces.detector.priors: docs/models.md")


def _with_outputs_by_stride(found: GraphInput, tables: Mapping[str, _Table], boxes: Sequence[str]) -> Detector | None:
    counts = [len(tables[name]) for name in boxes]
    scores = _partners(tables, counts, 1)
    if scores is None:
        return None
    kind = f"boxes and scores for each of {len(boxes)} strides"
    for strides in _STRIDES:
        cells = _cells(found, strides)
        per_point = counts[0] // cells[0]
        if per_point and counts == [per_point * each for each in cells]:
            points = _partners(tables, counts, _POINTS)
            guess = (
                "# guess: distances from a grid's points, as in SCRFD; offset: 0.5 where these are the cells' middles"
            )
            distances = f"distances: {{strides: {list(strides)}, per_point: {per_point}}}"
            sections = [_scores(scores, tables), _output("boxes", boxes), [guess, distances]]
            return _onnx(kind, found, _SCRFD, [*sections, *([_output("landmarks", points)] if points else [])])
    problem = "the numbers of its candidates are not those of a grid"
    return Detector(kind, problem=problem, hint="describe model.faces.detector yourself: docs/models.md")


def _side_by_side(found: GraphInput, tables: Mapping[str, _Table]) -> Detector | None:
    """Detectors of the form of YOLO: one output with boxes, scores and more for each candidate."""
    ((name, table),) = tables.items()
    count, width = max(table.shape), min(table.shape)
    grids = {factor * sum(_cells(found, strides)) for strides in _STRIDES for factor in (1, 2, 3)}
    if not (count in grids and _BOX < width <= _MOST_NUMBERS):
        return None
    kind = f"boxes and scores of {count} candidates side by side, as in YOLO"
    if len(table) != count:
        problem = f"it gives [numbers, candidates], {width} x {count}, and the finder {DESCRIBED} reads "
        problem += "[candidates, numbers]"
        return Detector(kind, problem=problem, hint=f"add a Transpose node (perm 0, 2, 1) after {name} to the graph")
    sections = [
        ["# guess: the fifth number is the score", *_scores([name], {name: table[:, 4:5]}, "slice: [4, 5]")],
        _output("boxes", [name], f"slice: [0, 4], {_decoded_form(table[:, :_BOX]) or 'form: centre_and_size'}"),
    ]
    if width >= 5 + _POINTS and width != 85:  # 80 classes of COCO are not landmarks
        sections.append(["# guess: five landmarks follow the score", *_output("landmarks", [name], "slice: [5, 15]")])
    return _onnx(kind, found, _PLAIN, sections)


def _onnx(kind: str, found: GraphInput, style: InputStyle, sections: Sequence[Sequence[str]]) -> Detector:
    lines = [
        f"finder: {DESCRIBED}",
        "min_confidence: 0.7        # guess: the score from which on something is a face",
        "detector:",
        "  input:",
        *(f"    {line}" for line in input_lines(found, style)),
        *(f"  {line}" for section in sections for line in section),
        "  overlap: 0.5             # guess: of two boxes that overlap more the less sure one is dropped",
    ]
    return Detector(kind, tuple(lines))


def _output(key: str, outputs: Sequence[str], more: str = "") -> list[str]:
    return [f"{key}: {{outputs: {_shown(list(outputs))}{', ' if more else ''}{more}}}"]


def _scores(outputs: Sequence[str], tables: Mapping[str, _Table], more: str = "") -> list[str]:
    """The section of the scores: the last or only number of two or one is the face's."""
    numbers = np.concatenate([tables[name] for name in outputs])
    width = numbers.shape[1]
    are_shares = bool((numbers >= 0).all() and (numbers <= 1).all())
    activation = "none" if are_shares else "sigmoid" if width == 1 else "softmax"
    keys = [each for each in (more, f"index: {min(width - 1, 1)}", f"activation: {activation}") if each]
    guess = [f"# guess: the number 1 of {width} (from 0) is a face's"] if width > 1 else []
    return [*guess, *_output("scores", outputs, ", ".join(keys))]


def _decoded_form(boxes: _Table) -> str | None:
    """The form and unit of boxes that the network decodes itself; none where they are relative to something."""
    first, second = boxes[:, :2], boxes[:, 2:]
    unit = "share" if np.quantile(np.abs(boxes), 0.99) <= 2 else "pixel"
    if (second > first).all(axis=1).mean() > 0.99:
        return f"form: corners, unit: {unit}"
    if (second > 0).all() and (first.mean() > 0 and second.mean() > 0):
        return f"form: centre_and_size, unit: {unit}"
    return None


def _partners(tables: Mapping[str, _Table], counts: Sequence[int], width: int) -> list[str] | None:
    """The outputs with so many numbers a candidate, in the order of `counts`; none where one is missing."""
    by_count = {len(table): name for name, table in tables.items() if table.shape[1] == width}
    return [by_count[count] for count in counts] if set(counts) <= set(by_count) else None


def _cells(found: GraphInput, strides: Sequence[int]) -> list[int]:
    width, height = found.size
    return [ceil(width / stride) * ceil(height / stride) for stride in strides]


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def faces_lines(detector: Detector, path: str) -> Iterator[str]:
    """The section `faces` of a configuration, from a detector that a finder can run."""
    first, *rest = detector.lines
    yield "faces:"
    yield f"  {first}"
    yield f"  weights: {json.dumps(path)}"
    yield from (f"  {line}" for line in rest)
