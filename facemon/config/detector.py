"""A face detector as data, for the finder onnx: its input, its outputs and how they become boxes."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from facemon.config.network_input import InputConfig
from facemon.config.quantities import Items, Name
from facemon.config.section import MisfitError, Section

_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Stride = Annotated[int, Field(ge=1, le=4096)]
_Names = Annotated[Items[Name], Field(min_length=1, max_length=16)]


class DetectorOutput(Section):
    """Numbers for each candidate, read from one output or from several, one for each stride, one after the other."""

    outputs: _Names
    """The outputs by their names; of several, one for each stride in the order of `strides`."""
    slice: Annotated[tuple[int, int], Field(strict=False)] | None = None
    """Of the last dimension these numbers, [first, end], end not included; none = all of them."""

    @model_validator(mode="after")
    def _slice_has_a_length(self) -> Self:
        if self.slice is not None and not 0 <= self.slice[0] < self.slice[1]:
            raise MisfitError((("slice",), "must be [first, end], end not included, with first < end"))
        return self


class ScoreOutput(DetectorOutput):
    """How sure the network is that a candidate is a face."""

    activation: Literal["none", "sigmoid", "softmax"] = "none"
    """What makes probabilities of the numbers; `none` where the network has done so."""
    index: Annotated[int, Field(ge=0)] = 0
    """Which number, after slice and activation, is the probability of a face."""


class BoxOutput(DetectorOutput):
    """The boxes of a network that decodes them itself; with `priors` or `distances`, what those are decoded from."""

    form: Literal["corners", "corner_and_size", "centre_and_size"] = "corners"
    """`corners`: left, top, right, bottom; `corner_and_size`: left, top, width, height."""
    unit: Literal["share", "pixel"] = "pixel"
    """Whether coordinates are shares of the input's width and height or pixels of it; for landmarks too."""


class PriorsConfig(Section):
    """Boxes and landmarks relative to prior boxes of fixed sizes: Liu et al., "SSD", 2016.

    The priors of a stride lie at the middle of its cells, row by row, one of each size in `sizes` in a cell.
    """

    strides: Annotated[Items[_Stride], Field(min_length=1)]
    """The sides of the cells in pixels of the input, in the order of the outputs."""
    sizes: Annotated[Items[Annotated[Items[_Positive], Field(min_length=1)]], Field(min_length=1)]
    """For each stride the sides of its priors, in pixels of the input."""
    variances: Annotated[tuple[_Positive, _Positive], Field(strict=False)] = (0.1, 0.2)
    """What the network's numbers for positions and for sizes are multiplied by."""
    clip: bool = False
    """Whether numbers below 0 and above 1 of their centres and sizes, as shares of the input, are cut."""
    cells: Literal["stride", "even"] = "stride"
    """Where a stride does not divide the input's side: whether cells are a stride wide, and the last one reaches beyond
    the input, or whether all are of the same width and none does (Ultra-Light)."""

    @model_validator(mode="after")
    def _sizes_for_each_stride(self) -> Self:
        if len(self.sizes) != len(self.strides):
            raise MisfitError((("sizes",), f"has {len(self.sizes)} lists for {len(self.strides)} strides"))
        return self


class DistancesConfig(Section):
    """Boxes as distances from the points of a grid to their four sides: Tian et al., "FCOS", 2019, as SCRFD has it.

    All numbers are multiples of the stride.
    """

    strides: Annotated[Items[_Stride], Field(min_length=1)]
    """The distances between points in pixels of the input, in the order of the outputs."""
    per_point: Annotated[int, Field(ge=1, le=64)] = 1
    """Candidates at each point."""
    offset: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Where in its cell the point lies: 0 = at its upper left corner, 0.5 = in its middle."""


class DetectorConfig(Section):
    """A face detector: from its input to boxes, and to landmarks where it has some."""

    input: InputConfig
    scores: ScoreOutput
    boxes: BoxOutput
    landmarks: DetectorOutput | None = None
    """Five points, x and y of each: eyes, nose, mouth corners; of each pair the left one in the picture first."""
    priors: PriorsConfig | None = None
    """For boxes that are relative to prior boxes, as in SSD."""
    distances: DistancesConfig | None = None
    """For boxes that are distances from the points of a grid, as in SCRFD."""
    overlap: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Of two boxes whose intersection over union is larger the one with the lower score is dropped."""
    candidates: Annotated[int, Field(ge=1, le=100_000)] = 5000
    """At most so many, with the highest scores, are compared with each other."""

    @model_validator(mode="after")
    def _keys_fit_together(self) -> Self:
        if self.input.fit == "crop":
            raise MisfitError((("input", "fit"), "crop would hide faces at the border; write stretch or pad"))
        if self.priors is not None and self.distances is not None:
            raise MisfitError((("distances",), "priors and distances exclude each other"))
        if (self.priors or self.distances) and self.boxes.form != "corners":
            key = "priors" if self.priors else "distances"
            raise MisfitError((("boxes", "form"), f"with {key} the boxes have no form of their own"))
        return self
