"""What is read from a network's outputs: the key `attributes` of a network."""

import re
from collections.abc import Mapping
from itertools import pairwise
from math import inf
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from facemon.config.quantities import Items, Name
from facemon.config.section import MisfitError, Section

ATTRIBUTE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
LOG_COLUMNS = (
    "run", "ordinal", "image", "image_sha256", "face", "box", "observed_at", "predicted_at",
    "model", "source", "origin", "error", "error_message", "image_id", "face_confidence",
)  # fmt: skip
"""The columns of the log that are there for every model, in order (DESIGN: fixed)."""
RESERVED_PREFIX = "image_"
DERIVED_SUFFIXES = ("_confidence", "_value")

_Finite = Annotated[float, Field(allow_inf_nan=False)]


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
    """For ordinals, and for numbers that are to have labels: a label to the half-open interval `[low, high)` of values
    that it covers. A number beyond all bands has the label of the nearest."""
    activation: Literal["sigmoid", "softmax", "none"] = "none"
    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """For binaries: the probability of the second label from which on it is the prediction."""
    scale: _Finite = 1.0
    """For numbers: what the output is multiplied by, after its activation."""
    offset: _Finite = 0.0
    """For numbers: what is then added."""
    average: bool = False
    """Whether this is one of several networks' descriptions of one attribute: the mean of what they say, of
    probabilities or, for a number, of the numbers."""

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
            if (self.kind, key) == ("number", "bands"):
                continue
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
    def _numbers_alone_are_scaled(self) -> Self:
        if self.kind != "number":
            for key, plain in (("scale", 1.0), ("offset", 0.0)):
                if getattr(self, key) != plain:
                    raise MisfitError(((key,), f"a {self.kind} attribute has no use for {key}"))
        if self.scale == 0:
            raise MisfitError((("scale",), "0 would make every number the same"))
        return self

    @model_validator(mode="after")
    def _bands_cover_each_value_once(self) -> Self:
        for value in self.values:
            covering = [label for label, (low, high) in self.bands.items() if low <= value < high]
            if len(covering) != 1:
                message = f"the value {value:g} lies in {len(covering)} bands; it needs exactly one"
                raise MisfitError((("bands",), message))
        for label, (low, high) in self.bands.items():
            if not low < high:
                raise MisfitError((("bands", label), f"[{low:g}, {high:g}] is empty: write [low, high], low < high"))
        edges = sorted(self.bands.values())
        if any(low[1] != high[0] for low, high in pairwise(edges)):
            raise MisfitError((("bands",), "must join: each band ends where the next begins"))
        return self

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels that this attribute can predict; empty for a number."""
        return self.labels or tuple(self.bands)

    @property
    def reach(self) -> Mapping[str, tuple[float, float]]:
        """The bands; those of a number with the lowest and the highest one open to their outer sides."""
        if self.kind != "number" or not self.bands:
            return self.bands
        edges = [edge for band in self.bands.values() for edge in band]
        opened = {min(edges): -inf, max(edges): inf}
        return {label: (opened.get(low, low), opened.get(high, high)) for label, (low, high) in self.bands.items()}

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the log that this attribute fills."""
        names = [self.name] if self.classes else []
        if self.kind != "number":
            names.append(f"{self.name}_confidence")
        if self.kind in ("ordinal", "number"):
            names.append(f"{self.name}_value")
        return tuple(names)
