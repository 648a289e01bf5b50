"""A kind of attribute that facemon does not have, as a contributor would add it: how many hands are seen."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING, Any

from facemon.domain.attribute import Attribute, Measure
from facemon.domain.kinds.kind import FLOAT, TEXT, AttributeKind, Fault
from facemon.domain.kinds.reading import Reader, Reading

if TYPE_CHECKING:
    from facemon.domain.array_types import Floats


class Count(AttributeKind):
    """A whole number, read from the probabilities of several; the largest one stands for all above it, too."""

    name = "count"
    needs = ("values",)

    def faults(self, attribute: Attribute) -> Iterator[Fault]:
        """Yield a fault unless the values are whole numbers that ascend from one at least 0."""
        values = attribute.values
        if any(value != int(value) or value < 0 for value in values) or any(
            low >= high for low, high in pairwise(values)
        ):
            yield ("values",), "a count's values are whole numbers from 0 on, in ascending order"

    def classes(self, attribute: Attribute) -> tuple[str, ...]:
        """Return the values as text, the largest one with a plus."""
        *most, last = (f"{value:g}" for value in attribute.values)
        return (*most, f"{last}+")

    def reach(self, attribute: Attribute) -> Mapping[str, tuple[float, float]]:
        """Return from each value up to the next one."""
        edges = pairwise((*attribute.values, inf))
        return dict(zip(self.classes(attribute), edges, strict=True))

    def columns(self, attribute: Attribute) -> Mapping[Measure, str]:
        """Return label and confidence, and the value as a whole number."""
        return {Measure.LABEL: TEXT, Measure.CONFIDENCE: FLOAT, Measure.VALUE: "int32"}

    def compared(self, attribute: Attribute) -> tuple[Measure, ...]:
        """Return all three."""
        return (*super().compared(attribute), Measure.VALUE)

    def widths(self, attribute: Attribute) -> tuple[int, ...]:
        """Return one number for each value."""
        return (len(attribute.values),)

    def counted(self, attribute: Attribute) -> str:
        """Return "counts"."""
        return "counts"

    def reader(self, attribute: Attribute) -> Reader:
        """Return what decodes [n, values] columns: the most probable value."""
        import numpy as np

        from facemon.domain.kinds.probabilities import distributed, shares_at

        values = np.asarray(attribute.values, np.int32)

        def read(columns: "Floats") -> Reading:
            shares = distributed(attribute, columns)
            codes = shares.argmax(axis=1)
            return Reading(codes, shares_at(shares, codes).astype(np.float32), values[codes])

        return read

    def may_be_true(self, attribute: Attribute, number: float) -> bool:
        """Return whether the number is a count, and not a mark such as -1."""
        return number >= 0

    def cell(self, attribute: Attribute, row: Mapping[str, Any]) -> str:
        """Return the value with its confidence."""
        return f"{row[Measure.VALUE.column(attribute.name)]} {attribute.name} ({super().cell(attribute, row)})"
