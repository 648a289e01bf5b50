"""Where models are opened: by a value that can be pickled, so that it opens the same model in any process."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from facemon.config.document import Config
from facemon.config.model import ModelConfig
from facemon.config.serving import PredictConfig

if TYPE_CHECKING:
    from facemon.model.bundle import Bundle
    from facemon.model.predictor import Predictor


@dataclass(frozen=True, slots=True)
class ModelFactory:
    """Opens a described model in the process that calls it; what it holds is the description, never the model.

    A pickled one names its files by absolute paths: the process that it gets to may work in another folder.
    """

    model: ModelConfig
    limits: PredictConfig

    @classmethod
    def of(cls, config: Config) -> Self:
        """Return what opens the model of a configuration, with the limits of batch predictions."""
        return cls(config.model, config.predict)

    def __call__(self) -> "Predictor":
        """Open the model; FacemonError when it, or a package that it needs, is missing or does not fit."""
        from facemon.model.predictor import Predictor

        return Predictor(self.model, self.limits)

    def bundle(self) -> "Bundle":
        """Open the model to look into it; errors as for a call."""
        from facemon.model.bundle import load_bundle

        return load_bundle(self.model, self.limits)

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what makes the same value in another process."""
        return type(self), (self.model.below(Path.cwd()), self.limits)
