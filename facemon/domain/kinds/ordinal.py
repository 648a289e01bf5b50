"""A number from the probabilities of several values, and the band that it lies in as its label."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from facemon.domain.attribute import Attribute, Measure
from facemon.domain.kinds.kind import FLOAT, TEXT, AttributeKind, Fault
from facemon.domain.kinds.reading import Reader, Reading

if TYPE_CHECKING:
    from facemon.domain.array_types import Floats


class Ordinal(AttributeKind):
    """Values with an order, such as years of age, read from the probability of each."""

    name = "ordinal"
    needs = ("values", "bands")

    def faults(self, attribute: Attribute) -> Iterator[Fault]:
        """Yield a fault for each value that lies in no band, or in several."""
        for value in attribute.values:
            covering = [label for label, (low, high) in attribute.bands.items() if low <= value < high]
            if len(covering) != 1:
                yield ("bands",), f"the value {value:g} lies in {len(covering)} bands; it needs exactly one"

    def columns(self, attribute: Attribute) -> Mapping[Measure, str]:
        """Return label, confidence and value."""
        return {Measure.LABEL: TEXT, Measure.CONFIDENCE: FLOAT, Measure.VALUE: FLOAT}

    def widths(self, attribute: Attribute) -> tuple[int, ...]:
        """Return one number for each value."""
        return (len(attribute.values),)

    def counted(self, attribute: Attribute) -> str:
        """Return "values"."""
        return "values"

    def activation_fault(self, attribute: Attribute) -> str | None:
        """Return a fault for a sigmoid."""
        if attribute.activation == "sigmoid":
            return "an ordinal's probabilities add up to 1, so its activation is softmax or none"
        return None

    def reader(self, attribute: Attribute) -> Reader:
        """Return what decodes [n, values] columns.

        The value is the mean of the values under the probabilities (Σ pᵢ·vᵢ), the label the band of that value and the
        confidence the band's mass.
        """
        import numpy as np

        from facemon.domain.kinds.probabilities import bands_of, distributed, shares_at

        values, codes_of = np.asarray(attribute.values), bands_of(attribute)
        least, most = values.min(), values.max()
        members = [[low <= value < high for value in attribute.values] for low, high in attribute.bands.values()]
        of_band = np.asarray(members).T.astype(np.float64)

        def read(columns: "Floats") -> Reading:
            shares = distributed(attribute, columns)
            # Rounding may carry a mean just over the largest of its own values.
            means = np.clip(shares @ values, least, most).astype(np.float32)
            codes = codes_of(means)
            confidence = np.clip(shares_at(shares @ of_band, codes), 0, 1)
            return Reading(codes, confidence.astype(np.float32), means)

        return read

    def may_be_true(self, attribute: Attribute, number: float) -> bool:
        """Return whether the number is a value beyond all bands; below zero nothing lies that counts from zero on."""
        return not number < 0 <= min(low for low, _ in attribute.bands.values())

    def cell(self, attribute: Attribute, row: Mapping[str, Any]) -> str:
        """Return the value with its label and confidence."""
        return f"{row[Measure.VALUE.column(attribute.name)]:z.1f} ({super().cell(attribute, row)})"
