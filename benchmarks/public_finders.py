"""Which faces public detectors find by plain numpy and OpenCV; like `public_references`, without facemon.

Each face is a row: its score, the four edges of its box, then x and y of its landmarks, in pixels of the image.
"""

from collections.abc import Sequence
from math import ceil
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.public_references import Answers, Edges, Image, nchw, run, yunet

Doubles = NDArray[np.float64]


def ultra_light(files: Sequence[Path], image: Image, _: Edges) -> Answers:
    """Ultra-Light: stretched to 320 x 240, red first; boxes as shares of the image; 0.7 and an overlap of 0.3."""
    rgb = cv2.resize(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), (320, 240))
    scores, boxes = run(files[0], nchw((rgb - np.array([127] * 3)) / 128), "scores", "boxes")
    return _kept(scores[0, :, 1], boxes[0] * _sides(image), 0.7, 0.3)


def ultra_light_priors(files: Sequence[Path], image: Image, _: Edges) -> Answers:
    """The same network without its post-processing: boxes are decoded from priors that fill the input evenly."""
    rgb = cv2.resize(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), (320, 240))
    scores, boxes = run(files[0], nchw((rgb - np.array([127] * 3)) / 128), "scores", "boxes")
    priors = []
    for stride, sizes in ((8, (10, 16, 24)), (16, (32, 48)), (32, (64, 96)), (64, (128, 192, 256))):
        columns, rows = ceil(320 / stride), ceil(240 / stride)
        priors += [
            ((column + 0.5) / columns, (row + 0.5) / rows, size / 320, size / 240)
            for row in range(rows) for column in range(columns) for size in sizes
        ]  # fmt: skip
    return _kept(scores[0, :, 1], _corners(boxes[0], np.clip(priors, 0, 1)) * _sides(image), 0.7, 0.3)


def retina_face(files: Sequence[Path], image: Image, _: Edges) -> Answers:
    """RetinaFace: stretched to 640 x 640, blue first, a mean subtracted; priors; 0.7 and an overlap of 0.4."""
    pixels = np.float32(cv2.resize(image, (640, 640))) - np.array((104, 117, 123), np.float32)
    boxes, scores, marks = (each[0] for each in run(files[0], nchw(pixels)))
    priors = np.array([
        ((column + 0.5) * stride / 640, (row + 0.5) * stride / 640, size / 640, size / 640)
        for stride, sizes in ((8, (16, 32)), (16, (64, 128)), (32, (256, 512)))
        for row in range(640 // stride) for column in range(640 // stride) for size in sizes
    ])  # fmt: skip
    points = np.tile(priors[:, :2], 5) + marks * 0.1 * np.tile(priors[:, 2:], 5)
    sides = _sides(image)
    return _kept(scores[:, 1], _corners(boxes, priors) * sides, 0.7, 0.4, points * np.tile(sides[:2], 5))


def scrfd(files: Sequence[Path], image: Image, _: Edges) -> Answers:
    """SCRFD as InsightFace runs it: the upper left of 640 x 640, red first; distances; 0.5 and an overlap of 0.4."""
    height, width = image.shape[:2]
    ratio = height / width
    size = (int(640 / ratio), 640) if ratio > 1 else (640, int(640 * ratio))
    canvas = np.zeros((640, 640, 3), np.uint8)
    canvas[: size[1], : size[0]] = cv2.resize(image, size)
    outputs = run(files[0], nchw((cv2.cvtColor(canvas, cv2.COLOR_BGR2RGB) - np.float32(127.5)) / 128))
    scores, boxes, marks = [], [], []
    for level, stride in enumerate((8, 16, 32)):
        side = 640 // stride
        grid = np.array([(x * stride, y * stride) for y in range(side) for x in range(side) for _ in range(2)])
        scores.append(outputs[level][:, 0])
        distances, points = outputs[level + 3] * stride, outputs[level + 6] * stride
        boxes.append(np.hstack([grid - distances[:, :2], grid + distances[:, 2:]]))
        marks.append(np.tile(grid, 5) + points)
    shrunk = size[1] / height
    return _kept(np.concatenate(scores), np.concatenate(boxes) / shrunk, 0.5, 0.4, np.concatenate(marks) / shrunk)


def by_yunet(files: Sequence[Path], image: Image, _: Edges) -> Answers:
    """YuNet: OpenCV's FaceDetectorYN on the whole image."""
    faces = yunet(files[0], image, 0.8).astype(np.float64)
    return np.hstack([faces[:, 14:], faces[:, :2], faces[:, :2] + faces[:, 2:4], faces[:, 4:14]])


def _sides(image: Image) -> Doubles:
    return np.tile(np.array(image.shape[1::-1], np.float64), 2)


def _corners(encoded: NDArray[np.floating], priors: NDArray[np.floating]) -> Doubles:
    """Boxes of SSD, relative to priors given by centre and size, with variances of 0.1 and 0.2."""
    centres = priors[:, :2] + encoded[:, :2] * 0.1 * priors[:, 2:]
    sizes = priors[:, 2:] * np.exp(encoded[:, 2:] * 0.2)
    return np.hstack([centres - sizes / 2, centres + sizes / 2])


def _kept(
    scores: NDArray[np.floating],
    boxes: Doubles,
    least: float,
    overlap: float,
    points: Doubles | None = None,
) -> Answers:
    """The faces above the least score, the surest first, none of which overlaps a surer one by more than `overlap`."""
    rows = np.hstack([scores[:, np.newaxis], boxes, *([] if points is None else [points])]).astype(np.float64)
    left = sorted(rows[scores > least], key=lambda row: -row[0])
    faces = []
    while left:
        faces.append(left[0])
        left = [row for row in left[1:] if _overlap(left[0][1:5], row[1:5]) <= overlap]
    return np.array(faces).reshape(len(faces), rows.shape[1])


def _overlap(one: Doubles, other: Doubles) -> float:
    """Intersection over union."""
    common = np.clip(np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]), 0, None).prod()
    return float(common / ((one[2:] - one[:2]).prod() + (other[2:] - other[:2]).prod() - common))
