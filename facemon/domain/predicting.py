"""What a model is to those who predict with it, wherever it was opened and whatever runs it."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from facemon.domain.image_input import ImageInput
from facemon.domain.prediction import PredictedBatch

Answer_co = TypeVar("Answer_co", covariant=True)


class Predicts(Protocol[Answer_co]):
    """Predicts chunks of images; several threads may call it at once."""

    def predict(self, images: Sequence[ImageInput], run: str) -> Answer_co:
        """Predict a chunk of images; FacemonError for trouble with the model, never for trouble with an image."""


class KnownModel(Protocol):
    """What a run must know of a model before its first image."""

    @property
    def id(self) -> str:
        """The model as the log names it: `name@version`."""

    @property
    def fingerprint(self) -> str:
        """The sha256 over the weights and everything that decides what they see and how they are read."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of how the model runs, in sentences."""


class OpenModel(KnownModel, Predicts[PredictedBatch], Protocol):
    """A model in the memory of this process."""

    def go_by(self, clock: Callable[[], datetime]) -> None:
        """Take the times of predictions from another clock."""


OpensModel = Callable[[], OpenModel]
"""Opens a model in the process that calls it; FacemonError where that cannot be done. It can be pickled."""
