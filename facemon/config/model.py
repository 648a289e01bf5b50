"""The model section: networks, how their inputs are made, and what is read from their outputs."""

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from facemon.config.quantities import FilePath, Items, Name
from facemon.config.section import MisfitError, Section

ATTRIBUTE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
LOG_COLUMNS = (
    "run", "ordinal", "image", "image_sha256", "face", "box", "observed_at", "predicted_at",
    "model", "source", "origin", "error", "error_message", "image_id", "face_confidence",
)  # fmt: skip
"""The columns of the log that are there for every model, in order (DESIGN: fixed)."""
RESERVED_PREFIX = "image_"
DERIVED_SUFFIXES = ("_confidence", "_value")

_LONGEST_SIDE = 16_384
_Finite = Annotated[float, Field(allow_inf_nan=False)]
Triple = Annotated[tuple[_Finite, ...], Field(strict=False, min_length=1, max_length=3)]


class InputConfig(Section):
    """How a network's input is made from an image or a face.

    A pixel becomes `(pixel * scale - mean) / std`, per channel in the order that `channels` names.
    """

    name: Name
    size: Annotated[tuple[int, int], Field(strict=False)]
    """Width and height in pixels."""
    layout: Literal["nchw", "nhwc"] = "nchw"
    channels: Literal["rgb", "bgr", "gray"] = "rgb"
    fit: Literal["stretch", "crop", "pad"] = "stretch"
    resample: Literal["nearest", "bilinear", "bicubic", "lanczos", "opencv_bilinear"] = "bilinear"
    """Pillow's filters, which widen when they shrink; `opencv_bilinear` does not, as `cv2.resize` by default."""
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1 / 255
    mean: Triple = (0.0, 0.0, 0.0)
    std: Triple = (1.0, 1.0, 1.0)

    @field_validator("size")
    @classmethod
    def _size_is_positive(cls, size: tuple[int, int]) -> tuple[int, int]:
        if not 1 <= min(size) <= max(size) <= _LONGEST_SIDE:
            raise ValueError(f"width and height must be at least 1 and at most {_LONGEST_SIDE}")
        return size

    @field_validator("std")
    @classmethod
    def _std_is_not_zero(cls, std: tuple[float, ...]) -> tuple[float, ...]:
        if 0 in std:
            raise ValueError("a standard deviation of 0 would divide by zero")
        return std

    @model_validator(mode="after")
    def _one_number_a_channel(self) -> Self:
        channels = 1 if self.channels == "gray" else 3
        for key, numbers in (("mean", self.mean), ("std", self.std)):
            if len(numbers) not in (channels, 3 if channels == 1 else channels):
                plural = "s" if channels > 1 else ""
                raise MisfitError(((key,), f"has {len(numbers)} numbers for {channels} channel{plural}"))
        return self


class AttributeConfig(Section):
    """One attribute: the network output it is read from, and how."""

    name: Name
    output: Name
    index: Annotated[int, Field(ge=0)] | None = None
    slice: Annotated[tuple[int, int], Field(strict=False)] | None = None
    kind: Literal["binary", "categorical", "ordinal", "number"]
    labels: Items[Name] = ()
    values: Items[_Finite] = ()
    bands: Mapping[Name, Annotated[tuple[float, float], Field(strict=False)]] = Field(default_factory=dict)
    """For ordinals: a label to the half-open interval `[low, high)` of values that it covers."""
    activation: Literal["sigmoid", "softmax", "none"] = "none"
    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """For binaries: the probability of the second label from which on it is the prediction."""

    @field_validator("name")
    @classmethod
    def _name_fits_a_column(cls, name: str) -> str:
        if not ATTRIBUTE_NAME.fullmatch(name):
            raise ValueError(f"{name!r} cannot be a column: use letters, digits and _, no digit first")
        if name in LOG_COLUMNS or name.startswith(RESERVED_PREFIX):
            raise ValueError(f"{name!r} is a column of the log; give the attribute another name")
        return name

    @model_validator(mode="after")
    def _kind_has_what_it_needs(self) -> Self:
        needs: dict[str, tuple[str, ...]] = {
            "binary": ("labels",), "categorical": ("labels",), "ordinal": ("values", "bands"), "number": (),
        }  # fmt: skip
        for key in ("labels", "values", "bands"):
            if bool(getattr(self, key)) != (key in needs[self.kind]):
                verb = "needs" if key in needs[self.kind] else "has no use for"
                raise MisfitError(((key,), f"a {self.kind} attribute {verb} {key}"))
        if self.kind == "binary" and len(self.labels) != 2:
            raise MisfitError((("labels",), f"a binary attribute has two labels, not {len(self.labels)}"))
        if self.kind == "categorical" and len(self.labels) < 2:
            raise MisfitError((("labels",), "a categorical attribute has at least two labels"))
        if len(set(self.labels)) != len(self.labels):
            raise MisfitError((("labels",), "two labels are the same"))
        if self.index is not None and self.slice is not None:
            raise MisfitError((("slice",), "index and slice exclude each other"))
        if self.slice is not None and not 0 <= self.slice[0] < self.slice[1]:
            raise MisfitError((("slice",), "must be [first, end], end not included, with first < end"))
        return self

    @model_validator(mode="after")
    def _bands_cover_each_value_once(self) -> Self:
        for value in self.values:
            covering = [label for label, (low, high) in self.bands.items() if low <= value < high]
            if len(covering) != 1:
                message = f"the value {value:g} lies in {len(covering)} bands; it needs exactly one"
                raise MisfitError((("bands",), message))
        edges = sorted(self.bands.values())
        if any(low[1] != high[0] for low, high in pairwise(edges)):
            raise MisfitError((("bands",), "must join: each band ends where the next begins"))
        return self

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels that this attribute can predict; empty for a number."""
        return self.labels or tuple(self.bands)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the log that this attribute fills."""
        names = [self.name] if self.kind != "number" else []
        if self.kind != "number":
            names.append(f"{self.name}_confidence")
        if self.kind in ("ordinal", "number"):
            names.append(f"{self.name}_value")
        return tuple(names)


class NetworkConfig(Section):
    """One ONNX file, the input that it wants and the attributes that its outputs hold."""

    path: FilePath
    package: Name | None = None
    """The installed Python package that `path` is a resource of; none = a file."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    input: InputConfig
    attributes: Annotated[tuple[AttributeConfig, ...], Field(strict=False, min_length=1)]


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


class CardConfig(Section):
    """What people should know of a model before they trust it."""

    licence: str | None = None
    source: str | None = None
    weaknesses: Items[str] = ()
    not_for: Items[str] = ()


class ModelConfig(Section):
    """A bundle: networks and attributes under one name and version."""

    name: Name
    version: Name
    faces: FacesConfig = FacesConfig()
    networks: Annotated[tuple[NetworkConfig, ...], Field(strict=False, min_length=1)]
    card: CardConfig = CardConfig()

    @property
    def id(self) -> str:
        """The model as the log names it: `name@version`."""
        return f"{self.name}@{self.version}"

    @property
    def attributes(self) -> tuple[AttributeConfig, ...]:
        """The attributes of all networks, in the order of the file."""
        return tuple(attribute for network in self.networks for attribute in network.attributes)

    @model_validator(mode="after")
    def _columns_are_distinct(self) -> Self:
        seen: dict[str, str] = {}
        for attribute in self.attributes:
            for column in {attribute.name, *attribute.columns}:
                if column in seen:
                    both = f"attributes {seen[column]!r} and {attribute.name!r}"
                    raise ValueError(f"{both} both fill the column {column!r}")
                seen[column] = attribute.name
        return self
