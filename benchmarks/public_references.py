"""What public networks answer by plain numpy and OpenCV: their repositories' preprocessing, written from reading.

Nothing of facemon is used here. Images are as `cv2.imread` gives them, blue first; boxes are left, top, right and
bottom, the last pixel not included.
"""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray
from skimage.transform import SimilarityTransform

Image = NDArray[np.uint8]
Edges = tuple[int, int, int, int]
Answers = NDArray[np.float64]
"""A row for each face."""
Reference = Callable[[Sequence[Path], Image, Edges], Answers]


@cache
def _session(file: Path) -> onnxruntime.InferenceSession:
    onnxruntime.set_default_logger_severity(3)  # exporters leave much that onnxruntime warns of
    return onnxruntime.InferenceSession(file)


def run(file: Path, batch: NDArray[Any], *outputs: str) -> list[NDArray[Any]]:
    """The named outputs, or all, for the only input."""
    session = _session(file)
    return list(session.run(list(outputs) or None, {session.get_inputs()[0].name: batch}))


def answer(file: Path, batch: NDArray[Any], *outputs: str) -> Answers:
    """The outputs of one face in one row."""
    return np.concatenate([each.reshape(1, -1) for each in run(file, batch, *outputs)], axis=1).astype(np.float64)


def nchw(pixels: NDArray[Any]) -> NDArray[np.float32]:
    """One image as a batch, channels before rows."""
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[np.newaxis], np.float32)


def nhwc(pixels: NDArray[Any]) -> NDArray[np.float32]:
    """One image as a batch, channels last."""
    return pixels[np.newaxis].astype(np.float32)


def inside(image: Image, box: Edges) -> Image:
    """The part of the box that lies in the image."""
    left, top, right, bottom = box
    return image[max(top, 0) : bottom, max(left, 0) : right]


def whole(side: int, shape: Callable[[NDArray[Any]], NDArray[np.float32]], *outputs: str) -> Reference:
    """Seeta: the whole image by cv2.resize, blue first, 0 to 255."""
    return lambda files, image, _: answer(files[0], shape(cv2.resize(image, (side, side))), *outputs)


def silent_face(files: Sequence[Path], image: Image, box: Edges) -> Answers:
    """MiniFASNet: 2.7 times the box, no more than the image, moved inside; the last pixel belongs to the crop."""
    height, width = image.shape[:2]
    left, top, wide, high = box[0], box[1], box[2] - box[0], box[3] - box[1]
    factor = min((height - 1) / high, (width - 1) / wide, 2.7)
    ends = []
    for start, length, limit in ((left, wide, width - 1), (top, high, height - 1)):
        middle, long = length / 2 + start, length * factor
        first, last = middle - long / 2, middle + long / 2
        if first < 0:
            first, last = 0, last - first
        if last > limit:
            first, last = first - (last - limit), limit
        ends.append((int(first), int(last)))
    (x1, x2), (y1, y2) = ends
    return answer(files[0], nchw(cv2.resize(image[y1 : y2 + 1, x1 : x2 + 1], (80, 80))))


def fsa_net(files: Sequence[Path], image: Image, box: Edges) -> Answers:
    """FSA-Net: the box and one pixel more, 64 x 64; the mean of the networks."""
    face = inside(image, (box[0], box[1], box[2] + 1, box[3] + 1))
    batch = nchw((cv2.resize(face, (64, 64)) - 127.5) / 128)
    return np.asarray(np.mean([answer(file, batch) for file in files], axis=0, dtype=np.float64))


def antispoof(dtype: type[np.generic] = np.float32) -> Reference:
    """face-antispoof-onnx: a square of 1.5 times the box, mirrored outside; INTER_AREA or, to enlarge, LANCZOS4."""

    def reference(files: Sequence[Path], image: Image, box: Edges) -> Answers:
        rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        longer = max(box[2] - box[0], box[3] - box[1])
        x, y = (int((box[axis] + box[axis + 2]) / 2 - longer * 1.5 / 2) for axis in (0, 1))
        side = int(longer * 1.5)
        margin = 2 * side
        padded = cv2.copyMakeBorder(rgb, margin, margin, margin, margin, cv2.BORDER_REFLECT_101)
        crop = padded[y + margin : y + margin + side, x + margin : x + margin + side]
        fitted = cv2.resize(crop, (128, 128), interpolation=cv2.INTER_LANCZOS4 if side < 128 else cv2.INTER_AREA)
        return answer(files[0], (nchw(fitted) / np.float32(255)).astype(dtype).astype(np.float32))

    return reference


def seeta_landmarks(files: Sequence[Path], image: Image, box: Edges) -> Answers:
    """Seeta's first landmark network: the box, resized, then gray, 0 to 255."""
    gray = cv2.cvtColor(cv2.resize(inside(image, box), (112, 112)), cv2.COLOR_BGR2GRAY)
    return answer(files[0], nchw(gray[:, :, np.newaxis]), "output2")


def gray_emotion(files: Sequence[Path], image: Image, _: Edges) -> Answers:
    """A Keras network on gray: the whole image resized, then gray, from 0 to 1."""
    gray = cv2.cvtColor(cv2.resize(image, (48, 48)), cv2.COLOR_BGR2GRAY)
    return answer(files[0], nhwc(gray[:, :, np.newaxis] / 255.0))


def colour_emotion(files: Sequence[Path], image: Image, box: Edges) -> Answers:
    """A Keras network on colours: the box, blue first, from 0 to 1."""
    return answer(files[0], nhwc(cv2.resize(inside(image, box), (48, 48)).astype(np.float32) * (1 / 255)))


def squared_face(files: Sequence[Path], image: Image, box: Edges) -> Answers:
    """photo_analyze: the box made square by whole pixels, cut at the image's edge, red first."""
    wide, high = box[2] - box[0], box[3] - box[1]
    more = (int((max(wide, high) - wide) / 2), int((max(wide, high) - high) / 2))
    square = inside(image, (box[0] - more[0], box[1] - more[1], box[2] + more[0], box[3] + more[1]))
    rgb = cv2.resize(cv2.cvtColor(square, cv2.COLOR_BGR2RGB), (112, 112))
    return answer(files[0], nchw((rgb - np.array([127.0] * 3)) / 128))


PIXAMATCH = np.array(
    [(30.2946, 51.6963), (65.5318, 51.5014), (48.0252, 71.7366), (33.5493, 92.3655), (62.7299, 92.2041)]
)
"""Where pixamatch wants the landmarks."""
_ARCFACE = PIXAMATCH + np.array((8, 0))


def fitted_face(files: Sequence[Path], image: Image, _: Edges) -> Answers:
    """pixamatch: landmarks, here of YuNet in the second file, to its points by OpenCV's step-wise fit, blue first."""
    rows = [np.empty((0, 128))]
    for points in _landmarks(files[1], image):
        matrix, _inliers = cv2.estimateAffinePartial2D(
            points, PIXAMATCH.astype(np.float32), method=cv2.RANSAC, ransacReprojThreshold=100
        )
        chip = cv2.warpAffine(image, matrix, (112, 112), borderValue=0.0)
        rows.append(answer(files[0], nchw((chip.astype(np.float32) - 127.5) / 128.0)))
    return np.concatenate(rows)


def insightface(files: Sequence[Path], image: Image, _: Edges) -> Answers:
    """InsightFace's norm_crop and input: landmarks to ArcFace's points by scikit-image, red first."""
    rows = [np.empty((0, 128))]
    for points in _landmarks(files[1], image):
        # Of float32 scikit-image takes the mean in float32, which moves single pixels by one level.
        matrix = SimilarityTransform.from_estimate(points.astype(np.float64), _ARCFACE).params[:2]
        chip = cv2.warpAffine(image, matrix, (112, 112), borderValue=0.0)
        blob = cv2.dnn.blobFromImage(chip, 1 / 127.5, (112, 112), (127.5, 127.5, 127.5), swapRB=True)
        rows.append(answer(files[0], blob))
    return np.concatenate(rows)


def _landmarks(detector: Path, image: Image) -> NDArray[np.float32]:
    return yunet(detector, image, 0.8)[:, 4:14].reshape(-1, 5, 2)


def yunet(detector: Path, image: Image, threshold: float) -> NDArray[np.float32]:
    """Left, top, width, height, ten numbers of landmarks and the score of each face, by OpenCV's FaceDetectorYN."""
    finder = cv2.FaceDetectorYN.create(str(detector), "", (image.shape[1], image.shape[0]), threshold, 0.3, 5000)
    _, faces = finder.detect(image)
    return np.empty((0, 15), np.float32) if faces is None else faces
