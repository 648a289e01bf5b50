"""One of several labels without an order: the one with the largest probability."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from facemon.domain.attribute import Attribute, Measure
from facemon.domain.kinds.kind import FLOAT, TEXT, AttributeKind, Fault
from facemon.domain.kinds.reading import Reader, Reading

if TYPE_CHECKING:
    from facemon.domain.array_types import Floats


class Categorical(AttributeKind):
    """Two labels or more, read from the probability of each."""

    name = "categorical"
    needs = ("labels",)

    def faults(self, attribute: Attribute) -> Iterator[Fault]:
        """Yield a fault unless there are two labels at least."""
        if len(attribute.labels) < 2:
            yield ("labels",), "a categorical attribute has at least two labels"

    def columns(self, attribute: Attribute) -> Mapping[Measure, str]:
        """Return label and confidence."""
        return {Measure.LABEL: TEXT, Measure.CONFIDENCE: FLOAT}

    def widths(self, attribute: Attribute) -> tuple[int, ...]:
        """Return one number for each label."""
        return (len(attribute.labels),)

    def counted(self, attribute: Attribute) -> str:
        """Return "labels"."""
        return "labels"

    def reader(self, attribute: Attribute) -> Reader:
        """Return what decodes [n, labels] columns: the label with the largest probability, the first one of equals."""
        from facemon.domain.kinds.probabilities import labelled, probabilities

        def read(columns: "Floats") -> Reading:
            shares = probabilities(attribute, columns)
            return labelled(shares, shares.argmax(axis=1))

        return read
