"""How faces are found and cut out: the section `model.faces`, and what a network may ask for instead."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from facemon.config.quantities import FilePath
from facemon.config.section import MisfitError, Section


class FacesConfig(Section):
    """How faces are found; with the finder `none` each image is one face."""

    finder: Literal["none", "dlib", "yunet", "manifest"] = "none"
    """`manifest`: the boxes stand in the manifest that predict is given."""
    weights: FilePath | None = None
    """The network of the finder yunet, an ONNX file."""
    min_confidence: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    """The finder's own score from which on something is a face; none = the finder's default."""
    margin: Annotated[float, Field(ge=0, le=2)] = 0.2
    """Border around a face, as a share of its aligned chip (dlib) or of its box (yunet, manifest)."""
    min_size: Annotated[int, Field(ge=1)] = 1
    """A face with a shorter side of its box is passed over, in pixels of the image."""
    keep: Literal["all", "largest"] = "all"

    @model_validator(mode="after")
    def _keys_fit_the_finder(self) -> Self:
        if (self.finder == "yunet") != (self.weights is not None):
            verb = "needs" if self.finder == "yunet" else "has no use for"
            raise MisfitError((("weights",), f"the finder {self.finder} {verb} weights"))
        if self.finder in ("none", "manifest") and self.min_confidence is not None:
            raise MisfitError((("min_confidence",), f"the finder {self.finder} has no confidence"))
        if self.finder == "yunet" and self.min_confidence is not None and self.min_confidence > 1:
            raise MisfitError((("min_confidence",), "the confidence of yunet is at most 1"))
        return self
