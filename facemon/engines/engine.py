"""What an engine is: a way to spread the images of a run over threads, processes or machines.

An engine decides where the model is opened and who predicts which chunk. What it returns are rows: it logs and counts
nothing, so that an image is counted once whatever predicted it.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from facemon.domain.predicting import KnownModel, OpensModel, Predicts
from facemon.domain.prediction import PredictedBatch


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be predicted, and how much of it at once."""

    workers: int
    """How many threads ask for predictions at once."""
    has_more_than: Callable[[int], bool]
    """Whether there are more images than a number; true where they cannot be counted before the run."""
    clock: Callable[[], datetime] | None = None
    """Tells the time of predictions, and can be pickled; None for the clock of the machine that predicts."""


class RunModel(KnownModel, Protocol):
    """The model of a run, opened where the engine runs it."""

    def spread(self, work: Work) -> AbstractContextManager[Predicts[PredictedBatch]]:
        """Predict chunks while the block runs, in as many threads as the work has workers; all ends with the block.

        FacemonError where no worker can be started, and from `predict` where none can be replaced.
        """


class Engine(Protocol):
    """A way to spread the work of a run; see docs/architecture.md, "To add an engine"."""

    @property
    def name(self) -> str:
        """Its name in the registry."""

    def refuse(self, providers: Sequence[str]) -> None:
        """Raise UsageError where a model on these execution providers cannot be run so."""

    def opened(self, open_model: OpensModel) -> AbstractContextManager[RunModel]:
        """Have the model opened for a run while the block lasts; FacemonError where that cannot be done.

        `open_model` is called where the model is to run, and pickled to get there.
        """
