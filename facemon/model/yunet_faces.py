"""YuNet, the face detector of OpenCV's model collection; the only file that imports cv2.

Wu, Peng and Yu, "YuNet: A Tiny Millisecond-level Face Detector", 2023. Its weights are a file that the user brings.
"""

import os
import threading
from pathlib import Path
from typing import Any

import numpy as np

from facemon.config.model import FacesConfig
from facemon.domain.image_input import Box
from facemon.errors import FacemonError
from facemon.model.decoding import DecodedImage
from facemon.model.faces import Face, whole_box
from facemon.model.weight_files import read_weights

_SCORE, _NMS, _MOST_CANDIDATES = 0.9, 0.3, 5000
"""OpenCV's own: the least score, the overlap from which on two boxes are one face, the candidates before that."""
_WEIGHTS_HINT = "model.faces.weights names face_detection_yunet_….onnx of OpenCV's model collection (OpenCV Zoo)"
_LOG_LEVEL = "OPENCV_LOG_LEVEL"
_FAST_SIDE = 640
"""With fast decoding faces are searched in a copy of at most so many pixels on its longer side."""


class YuNetFinder:
    """YuNet on the whole image, or, with `fast`, on a smaller copy, which loses small faces."""

    def __init__(self, config: FacesConfig, *, fast: bool = False) -> None:
        """FacemonError when OpenCV is not installed or the weights are no network of this kind."""
        try:
            import cv2
        except ImportError as error:
            raise FacemonError("the face finder yunet is not installed", "pip install 'facemon[yunet]'") from error
        self._cv2: Any = cv2
        _silence(cv2)
        self._file = config.weights or Path()
        self._score = _SCORE if config.min_confidence is None else config.min_confidence
        self._fast = fast
        # Workers are threads of ours, one for each core.
        cv2.setNumThreads(1)
        self._weights = read_weights(self._file, "the weights of yunet cannot be read", _WEIGHTS_HINT)
        self._local = threading.local()
        self._found(np.zeros((64, 64, 3), np.uint8))  # a wrong file shows here, not at the first image

    def find(self, decoded: DecodedImage, given: Box | None) -> list[Face]:  # noqa: ARG002
        """The faces in the detector's order, the surest first."""
        image = decoded.image
        if self._fast and max(image.size) > _FAST_SIDE:
            image = image.copy()
            image.thumbnail((_FAST_SIDE, _FAST_SIDE))
        across, down = decoded.size[0] / image.width, decoded.size[1] / image.height
        faces = []
        for left, top, width, height, *landmarks, score in self._found(np.asarray(image)[:, :, ::-1]):
            edges = (left * across, top * down, (left + width) * across, (top + height) * down)
            if box := whole_box(edges, decoded.size):
                points = tuple(
                    ((x + 0.5) * across - 0.5, (y + 0.5) * down - 0.5)
                    for x, y in zip(landmarks[::2], landmarks[1::2], strict=True)
                )
                faces.append(Face(decoded, box, score, points))
        return faces

    def weights(self) -> tuple[bytes, ...]:
        """The network's file."""
        return (self._weights,)

    def _found(self, pixels: np.ndarray) -> list[list[float]]:
        height, width = pixels.shape[:2]
        try:
            detector = self._detector()
            detector.setInputSize((width, height))
            _, found = detector.detect(np.ascontiguousarray(pixels))
        except self._cv2.error as error:
            reason = " ".join(str(error).split())[:200]
            raise FacemonError(
                f"{self._file}: is not a network that OpenCV's FaceDetectorYN can run: {reason}",
                _WEIGHTS_HINT,
            ) from error
        return [] if found is None else found.tolist()

    def _detector(self) -> Any:
        # A detector keeps the image it works on, so each thread needs its own.
        if not hasattr(self._local, "detector"):
            content = np.frombuffer(self._weights, np.uint8)
            self._local.detector = self._cv2.FaceDetectorYN.create(
                "onnx", content, np.empty(0, np.uint8), (64, 64), self._score, _NMS, _MOST_CANDIDATES
            )
        return self._local.detector


def _silence(cv2: Any) -> None:
    """Switch OpenCV's log off: OpenCV 5 warns whenever a network is loaded (opencv/opencv#29457).

    Its errors are exceptions too, and what it logs of them would reach a terminal unescaped. The level belongs to the
    whole process; one of the user's own, OPENCV_LOG_LEVEL, goes before ours.
    """
    if _LOG_LEVEL in os.environ:
        return
    if hasattr(cv2, "setLogLevel"):  # OpenCV 4
        cv2.setLogLevel(0)
    else:
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
