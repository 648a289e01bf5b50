"""The engine `inline`: one model in this process, which several threads share."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from facemon.domain.predicting import OpenModel, OpensModel, Predicts
from facemon.domain.prediction import PredictedBatch
from facemon.engines.engine import RunModel, Work


class ModelHere:
    """A model that was opened in this process."""

    def __init__(self, model: OpenModel) -> None:
        self._model = model
        self.id = model.id
        self.fingerprint = model.fingerprint
        self.notes = model.notes

    @contextmanager
    def spread(self, work: Work) -> Iterator[Predicts[PredictedBatch]]:
        """Let all threads predict with the model itself."""
        if work.clock is not None:
            self._model.go_by(work.clock)
        yield self._model


class Inline:
    """Threads of this process: for a handful of images, and for devices that do not outlive a fork."""

    name = "inline"

    def refuse(self, providers: Sequence[str]) -> None:
        """Refuse none: the model stays where it was opened."""

    @contextmanager
    def opened(self, open_model: OpensModel) -> Iterator[RunModel]:
        """Open the model here."""
        yield ModelHere(open_model())
