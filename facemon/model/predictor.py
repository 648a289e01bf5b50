"""Images in, rows of the log out: the one function that every engine calls."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from facemon.config.model import ModelConfig
from facemon.config.serving import PredictConfig
from facemon.model.attribute_decoding import Doubles, read_attribute
from facemon.model.bundle import load_bundle
from facemon.model.decoding import DecodedImage, decode_image, read_image, silence_pillow
from facemon.model.image_features import face_share, measure
from facemon.model.input_tensor import input_pixels
from facemon.model.prediction_rows import ImageOutcome, prediction_rows
from facemon.values.image_input import ImageInput, ImageProblem
from facemon.values.prediction import ErrorCode, Origin, PredictedBatch, log_schema

_Pixels = NDArray[np.uint8]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Predictor:
    """A loaded model; several threads may predict with it at once."""

    def __init__(self, model: ModelConfig, limits: PredictConfig, *, clock: Callable[[], datetime] = _utc_now) -> None:
        """Load the model; FacemonError when it, or a package that it needs, is missing or does not fit."""
        silence_pillow()
        self._bundle = load_bundle(model)
        self._limits = limits
        self._clock = clock
        self._schema = log_schema(model.attributes)
        # A chip is square; an input that is not gets it fitted.
        self._sides = tuple(dict.fromkeys(max(network.input.size) for network in model.networks))
        self.model = model
        self.fingerprint = self._bundle.fingerprint

    def predict(self, images: Sequence[ImageInput], run: str, *, origin: Origin = Origin.BATCH) -> PredictedBatch:
        """Predict a chunk of images; at least one row for each, in their order.

        Every network runs once over all faces of the chunk. Raises FacemonError only for trouble with the model,
        never for trouble with an image: that is a row with an error.
        """
        predicted_at = self._clock()
        inputs: list[list[_Pixels]] = [[] for _ in self._bundle.networks]
        outcomes = [self._look_at(image, predicted_at, inputs) for image in images]
        columns: dict[str, Doubles] = {}
        latencies: tuple[float, ...] = ()
        if inputs[0]:
            begin = perf_counter()
            for network, pixels in zip(self._bundle.networks, inputs, strict=True):
                columns |= network.run(pixels)
            latencies = (perf_counter() - begin,)
        outcomes, columns = _without_nan(outcomes, columns)
        readings = {each.name: read_attribute(each, columns[each.name]) for each in self.model.attributes if columns}
        constants = {"run": run, "predicted_at": predicted_at, "model": self.model.id, "origin": origin.value}
        rows = prediction_rows(outcomes, readings, self.model.attributes, constants, self._schema)
        return PredictedBatch(rows, tuple(image.ordinal for image in images), latencies)

    def _look_at(self, given: ImageInput, predicted_at: datetime, inputs: Sequence[list[_Pixels]]) -> ImageOutcome:
        """Read, decode and measure one image and add what the networks see of its faces to `inputs`."""
        content = _content(given, self._limits.max_bytes)
        observed_at = given.observed_at or predicted_at
        if isinstance(content, ImageProblem):
            return ImageOutcome(given, observed_at, problem=content)
        sha256 = hashlib.sha256(content).hexdigest()
        decoded = decode_image(content, self._limits.max_pixels, with_time=given.observed_from_exif)
        if isinstance(decoded, ImageProblem):
            return ImageOutcome(given, observed_at, sha256, problem=decoded)
        return self._find_faces(given, decoded.taken_at or observed_at, sha256, decoded, inputs)

    def _find_faces(
        self,
        given: ImageInput,
        observed_at: datetime,
        sha256: str,
        decoded: DecodedImage,
        inputs: Sequence[list[_Pixels]],
    ) -> ImageOutcome:
        image = decoded.image
        features = measure(image)
        faces = self._bundle.finder.find(decoded, self._sides, given.box)
        if not faces:
            problem = ImageProblem(ErrorCode.NO_FACE, "no face was found")
            return ImageOutcome(given, observed_at, sha256, features, problem=problem)
        for face in faces:
            for network, pixels in zip(self._bundle.networks, inputs, strict=True):
                config = network.config.input
                pixels.append(input_pixels(face.chips[max(config.size)], config))
        boxes = tuple(face.box for face in faces)
        shares = tuple(None if box is None else face_share(box, *image.size) for box in boxes)
        confidences = tuple(face.confidence for face in faces)
        return ImageOutcome(given, observed_at, sha256, features, boxes, confidences, shares)


def _content(given: ImageInput, max_bytes: int) -> bytes | ImageProblem:
    if given.problem is not None:
        return given.problem
    if given.content is None:
        if given.path is None:
            raise ValueError(f"the input {given.name} has neither a path nor content")
        return read_image(given.path, max_bytes)
    if len(given.content) > max_bytes:
        return ImageProblem(ErrorCode.TOO_LARGE, f"{len(given.content)} bytes; the limit is {max_bytes}")
    return given.content


def _without_nan(
    outcomes: Sequence[ImageOutcome], columns: dict[str, Doubles]
) -> tuple[list[ImageOutcome], dict[str, Doubles]]:
    """Turn each image of which an output is not finite into an error, and drop all of its faces."""
    if all(np.isfinite(column).all() for column in columns.values()):
        return list(outcomes), columns
    owner = np.repeat(np.arange(len(outcomes)), [len(outcome.boxes) for outcome in outcomes])
    broken: dict[int, list[str]] = {}
    for name, column in columns.items():
        for index in np.unique(owner[~np.isfinite(column).all(axis=1)]):
            broken.setdefault(int(index), []).append(name)
    kept = ~np.isin(owner, list(broken))
    cleaned = [
        outcome.failed(ErrorCode.NAN, f"the model gave no number for {', '.join(broken[index])}")
        if index in broken
        else outcome
        for index, outcome in enumerate(outcomes)
    ]
    if not kept.any():
        return cleaned, {}
    return cleaned, {name: column[kept] for name, column in columns.items()}
