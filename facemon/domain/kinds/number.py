"""A number that the network gives, and the band that it lies in as its label where there are bands."""

from collections.abc import Mapping
from math import inf
from typing import TYPE_CHECKING, Any

from facemon.domain.attribute import Attribute, Measure
from facemon.domain.kinds.kind import FLOAT, TEXT, AttributeKind
from facemon.domain.kinds.reading import Reader, Reading

if TYPE_CHECKING:
    from facemon.domain.array_types import Floats


class Number(AttributeKind):
    """A number, such as an angle, scaled; without a confidence."""

    name = "number"
    takes = ("bands", "scale", "offset")

    def reach(self, attribute: Attribute) -> Mapping[str, tuple[float, float]]:
        """Return the bands, the lowest and the highest one open to their outer sides."""
        if not attribute.bands:
            return attribute.bands
        edges = [edge for band in attribute.bands.values() for edge in band]
        opened = {min(edges): -inf, max(edges): inf}
        return {label: (opened.get(low, low), opened.get(high, high)) for label, (low, high) in attribute.bands.items()}

    def columns(self, attribute: Attribute) -> Mapping[Measure, str]:
        """Return the value, after a label where there are bands."""
        return ({Measure.LABEL: TEXT} if attribute.bands else {}) | {Measure.VALUE: FLOAT}

    def compared(self, attribute: Attribute) -> tuple[Measure, ...]:
        """Return the value, too, where there are bands: it shows what moves within one."""
        found = super().compared(attribute)
        return (*found, Measure.VALUE) if attribute.bands else found

    def widths(self, attribute: Attribute) -> tuple[int, ...]:
        """Return one number."""
        return (1,)

    def activation_fault(self, attribute: Attribute) -> str | None:
        """Return a fault for a softmax."""
        return "softmax of a single number is always 1" if attribute.activation == "softmax" else None

    def reader(self, attribute: Attribute) -> Reader:
        """Return what decodes [n, 1] columns."""
        import numpy as np

        from facemon.domain.kinds.probabilities import bands_of, sigmoid

        codes_of = bands_of(attribute) if attribute.bands else None

        def read(columns: "Floats") -> Reading:
            column = columns[:, 0]
            given = sigmoid(column) if attribute.activation == "sigmoid" else column
            with np.errstate(over="ignore"):  # infinity becomes an error of the row
                numbers = (given * attribute.scale + attribute.offset).astype(np.float32)
            return Reading(codes_of(numbers) if codes_of else None, None, numbers)

        return read

    def shares(self, attribute: Attribute, columns: "Floats") -> "Floats":
        """Return the numbers [n, 1], scaled."""
        from facemon.domain.kinds.probabilities import sigmoid

        numbers = sigmoid(columns) if attribute.activation == "sigmoid" else columns
        return numbers * attribute.scale + attribute.offset

    def cell(self, attribute: Attribute, row: Mapping[str, Any]) -> str:
        """Return the value, with its label where there are bands."""
        value = f"{row[Measure.VALUE.column(attribute.name)]:.4g}"
        return f"{value} ({row[attribute.name]})" if attribute.bands else value

    def card(self, attribute: Attribute) -> dict[str, Any]:
        """Return scale and offset."""
        return {"scale": attribute.scale, "offset": attribute.offset}
