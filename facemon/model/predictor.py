"""Images in, rows of the log out: the one function that every engine calls."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facemon.config.model import ModelConfig
from facemon.config.serving import PredictConfig
from facemon.domain.array_types import Floats
from facemon.domain.image_input import ImageInput, ImageProblem
from facemon.domain.kinds.reading import Reading
from facemon.domain.prediction import ErrorCode, Origin, PredictedBatch, Undated, log_schema
from facemon.model.attribute_decoding import has_no_number, reader_of
from facemon.model.bounded_decoding import Undecoded
from facemon.model.bundle import Pixels, load_bundle
from facemon.model.decoding import DecodedImage, silence_pillow
from facemon.model.faces import View
from facemon.model.image_features import SmallCopy, face_share, measure, small_copy
from facemon.model.image_reading import ImageReader
from facemon.model.input_tensor import input_pixels
from facemon.model.prediction_rows import ImageOutcome, RowLayout, prediction_rows


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Predictor:
    """A loaded model; several threads may predict with it at once."""

    def __init__(self, model: ModelConfig, limits: PredictConfig, *, clock: Callable[[], datetime] = _utc_now) -> None:
        """Load the model; FacemonError when it, or a package that it needs, is missing or does not fit."""
        silence_pillow()
        self._bundle = load_bundle(model, limits)
        self._reader = ImageReader(self._bundle, limits)
        self._clock = clock
        self._layout = RowLayout.of(log_schema(model.attributes))
        self._readers = {each.name: reader_of(each) for each in model.attributes}
        self._views = tuple(View.of(network, model.faces) for network in model.networks)
        self.model = model
        self.id = model.id
        self.fingerprint = self._bundle.fingerprint
        self.notes = self._bundle.notes
        """What a user should know of how the model runs, in sentences."""

    def go_by(self, clock: Callable[[], datetime]) -> None:
        """Take the times of predictions from another clock: that of the store which logs them."""
        self._clock = clock

    def predict(self, images: Sequence[ImageInput], run: str, *, origin: Origin = Origin.BATCH) -> PredictedBatch:
        """Predict a chunk of images; at least one row for each, in their order.

        Every network runs once over all faces of the chunk. Raises FacemonError only for trouble with the model,
        never for trouble with an image: that is a row with an error.
        """
        predicted_at = self._clock()
        chunk = _Chunk([], [[] for _ in self._bundle.networks], {}, [])
        for image in images:
            self._look_at(image, predicted_at, chunk)
        columns, latencies = self._bundle.run(chunk.inputs)
        outcomes, columns = _without_nan(chunk.measured(), columns, columns)
        readings = self._read(columns)
        values = {name: reading.value for name, reading in readings.items() if reading.value is not None}
        if any(has_no_number(column).any() for column in values.values()):
            outcomes, columns = _without_nan(outcomes, columns, values)
            readings = self._read(columns)
        constants = {"run": run, "predicted_at": predicted_at, "model": self.model.id, "origin": origin.value}
        rows = prediction_rows(outcomes, readings, self.model.attributes, constants, self._layout)
        return PredictedBatch(rows, tuple(image.ordinal for image in images), latencies, tuple(chunk.undated))

    def _read(self, columns: Mapping[str, Floats]) -> dict[str, Reading]:
        """Each attribute of all faces; nothing without a face."""
        return {name: read(columns[name]) for name, read in self._readers.items() if columns}

    def _look_at(self, given: ImageInput, predicted_at: datetime, chunk: "_Chunk") -> None:
        """Read and decode one image and add to the chunk what is found in it."""
        content = self._reader.content(given)
        observed_at = given.observed_at or predicted_at
        if isinstance(content, ImageProblem):
            chunk.outcomes.append(ImageOutcome(given, observed_at, given.sha256, problem=content))
            return
        sha256 = given.sha256 or hashlib.sha256(content).hexdigest()
        decoded = self._reader.decode(given, content, predicted_at if given.observed_from_exif else None)
        if isinstance(decoded, Undecoded):
            taken_at = decoded.taken_at or observed_at
            chunk.outcomes.append(ImageOutcome(given, taken_at, sha256, problem=decoded.problem))
            return
        if isinstance(decoded.taken_at, Undated):
            chunk.undated.append(decoded.taken_at)
        elif decoded.taken_at is not None:
            observed_at = decoded.taken_at
        chunk.copies[len(chunk.outcomes)] = small_copy(decoded.image, decoded.size)
        found = self._find_faces(given, decoded, chunk.inputs)
        chunk.outcomes.append(ImageOutcome(given, observed_at, sha256, **found))

    def _find_faces(self, given: ImageInput, decoded: DecodedImage, inputs: Sequence[list[Pixels]]) -> dict[str, Any]:
        """Find the faces of an image and add what each network sees of them to `inputs`; tell what its outcome has."""
        faces = self._reader.faces(given, decoded)
        if isinstance(faces, ImageProblem):
            return {"problem": faces}
        for face in faces:
            seen = {view: face.seen(view) for view in dict.fromkeys(self._views)}
            for network, view, pixels in zip(self._bundle.networks, self._views, inputs, strict=True):
                pixels.append(input_pixels(seen[view], network.config.input))
        boxes = tuple(face.box for face in faces)
        return {
            "boxes": boxes,
            "confidences": tuple(face.confidence for face in faces),
            "shares": tuple(None if box is None else face_share(box, *decoded.size) for box in boxes),
        }


class _Chunk(NamedTuple):
    """What a call of `predict` has gathered so far."""

    outcomes: list[ImageOutcome]
    inputs: list[list[Pixels]]
    """For each network, what it sees of each face."""
    copies: dict[int, SmallCopy]
    """By the index of their outcome, the images that could be decoded."""
    undated: list[Undated]
    """Why images that were to be dated by their EXIF data got another time, one entry for each."""

    def measured(self) -> list[ImageOutcome]:
        """The outcomes with their images' features."""
        features = dict(zip(self.copies, measure(list(self.copies.values())), strict=True))
        return [each._replace(features=features.get(index)) for index, each in enumerate(self.outcomes)]


def _without_nan(
    outcomes: Sequence[ImageOutcome], columns: dict[str, Floats], judged: Mapping[str, NDArray[Any]]
) -> tuple[list[ImageOutcome], dict[str, Floats]]:
    """Turn each image of which a number is not finite into an error, and drop all of its faces.

    `judged` are the columns, or what was read from them.
    """
    if all(np.isfinite(column).all() for column in judged.values()):
        return list(outcomes), columns
    owner = np.repeat(np.arange(len(outcomes)), [len(outcome.boxes) for outcome in outcomes])
    broken: dict[int, list[str]] = {}
    for name, column in judged.items():
        for index in np.unique(owner[has_no_number(column)]):
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
