"""What is read from a network's outputs: the key `attributes` of a network."""

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, Self

from pydantic import Field, field_validator, model_validator

from facemon.config.quantities import Finite, Items, Name
from facemon.config.registered_names import NameIn
from facemon.config.section import MisfitError, Section
from facemon.domain.attribute import Activation, Measure
from facemon.domain.kinds.registry import KINDS, kind_of
from facemon.domain.log_columns import LOG_COLUMN_HELP

ATTRIBUTE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
LOG_COLUMNS = tuple(LOG_COLUMN_HELP)
"""The columns of the log that are there for every model, in order (DESIGN: fixed)."""
RESERVED_PREFIX = "image_"
DERIVED_SUFFIXES = tuple(each.column("") for each in Measure if each is not Measure.LABEL)

_PLAIN: Mapping[str, Any] = {"labels": (), "values": (), "bands": {}, "scale": 1.0, "offset": 0.0}
"""The keys that not every kind has, each with what it is where it is not given."""


class AttributeConfig(Section):
    """One attribute: the network output it is read from, and how."""

    name: Name
    """The attribute's name: a column of the log, and a label of metrics."""
    output: Name
    """The network's output that it is read from, by its name in the file."""
    index: Annotated[int, Field(ge=0)] | None = None
    """Which number of the output is read, from 0; unset = all of them."""
    slice: Annotated[tuple[int, int], Field(strict=False)] | None = None
    """Which numbers of the output are read, [first, end], end not included; unset = all of them."""
    kind: Annotated[str, NameIn(KINDS)]
    """A name in `facemon.domain.kinds.registry.KINDS`."""
    labels: Items[Name] = ()
    """For categoricals and binaries: the labels, in the order of the output."""
    values: Items[Finite] = ()
    """For ordinals: the number that each class of the output stands for, in its order."""
    bands: Mapping[Name, Annotated[tuple[float, float], Field(strict=False)]] = Field(default_factory=dict)
    """For ordinals, and for numbers that are to have labels: a label to the half-open interval `[low, high)` of values
    that it covers. A number beyond all bands has the label of the nearest."""
    activation: Activation = "none"
    """What makes probabilities of the output; `none` where the network has done so."""
    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """For binaries: the probability of the second label from which on it is the prediction."""
    scale: Finite = 1.0
    """For numbers: what the output is multiplied by, after its activation."""
    offset: Finite = 0.0
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
        kind = kind_of(self)
        for key, plain in _PLAIN.items():
            is_given = getattr(self, key) != plain
            if is_given and key not in (*kind.needs, *kind.takes):
                raise MisfitError(((key,), f"{self._of_its_kind} has no use for {key}"))
            if key in kind.needs and not is_given:
                raise MisfitError(((key,), f"{self._of_its_kind} needs {key}"))
        if self.scale == 0:
            raise MisfitError((("scale",), "0 would make every number the same"))
        if faults := list(kind.faults(self)):
            raise MisfitError(*faults)
        if len(set(self.labels)) != len(self.labels):
            raise MisfitError((("labels",), "two labels are the same"))
        if self.index is not None and self.slice is not None:
            raise MisfitError((("slice",), "index and slice exclude each other"))
        if self.slice is not None and not 0 <= self.slice[0] < self.slice[1]:
            raise MisfitError((("slice",), "must be [first, end], end not included, with first < end"))
        return self

    @model_validator(mode="after")
    def _bands_join(self) -> Self:
        for label, (low, high) in self.bands.items():
            if not low < high:
                raise MisfitError((("bands", label), f"[{low:g}, {high:g}] is empty: write [low, high], low < high"))
        edges = sorted(self.bands.values())
        if any(low[1] != high[0] for low, high in pairwise(edges)):
            raise MisfitError((("bands",), "must join: each band ends where the next begins"))
        return self

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels that this attribute can predict; empty for one without labels."""
        return kind_of(self).classes(self)

    @property
    def reach(self) -> Mapping[str, tuple[float, float]]:
        """The half-open interval of values of each label; empty where labels do not depend on a value."""
        return kind_of(self).reach(self)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the log that this attribute fills."""
        return tuple(measure.column(self.name) for measure in kind_of(self).columns(self))

    @property
    def _of_its_kind(self) -> str:
        return f"{'an' if self.kind[0] in 'aeiou' else 'a'} {self.kind} attribute"
