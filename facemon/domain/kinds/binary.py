"""One of two labels, decided by a threshold on the probability of the second one."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from facemon.domain.attribute import Attribute, Measure
from facemon.domain.kinds.kind import FLOAT, TEXT, AttributeKind, Fault
from facemon.domain.kinds.reading import Reader, Reading

if TYPE_CHECKING:
    from facemon.domain.array_types import Floats


class Binary(AttributeKind):
    """Two labels, read from the probability of the second one or from those of both."""

    name = "binary"
    needs = ("labels",)

    def faults(self, attribute: Attribute) -> Iterator[Fault]:
        """Yield a fault unless there are two labels."""
        if len(attribute.labels) != 2:
            yield ("labels",), f"a binary attribute has two labels, not {len(attribute.labels)}"

    def columns(self, attribute: Attribute) -> Mapping[Measure, str]:
        """Return label and confidence."""
        return {Measure.LABEL: TEXT, Measure.CONFIDENCE: FLOAT}

    def widths(self, attribute: Attribute) -> tuple[int, ...]:
        """Return one number under a sigmoid, two under a softmax."""
        return {"sigmoid": (1,), "softmax": (2,), "none": (1, 2)}[attribute.activation]

    def reader(self, attribute: Attribute) -> Reader:
        """Return what decodes [n, 1] or [n, 2] columns: the second label from the threshold on."""
        import numpy as np

        from facemon.domain.kinds.probabilities import checked, labelled, probabilities, sigmoid

        def read(columns: "Floats") -> Reading:
            if columns.shape[1] == 2:
                shares = probabilities(attribute, columns)
                return labelled(shares, (shares[:, 1] >= attribute.threshold).astype(np.intp))
            column = columns[:, 0]
            if attribute.activation == "sigmoid":
                second, first = sigmoid(column), sigmoid(-column)
            else:
                second = checked(attribute, column)
                first = 1 - second
            is_second = second >= attribute.threshold
            return Reading(is_second.astype(np.intp), np.where(is_second, second, first).astype(np.float32), None)

        return read

    def shares(self, attribute: Attribute, columns: "Floats") -> "Floats":
        """Return the probabilities [n, 1] of the second label."""
        return super().shares(attribute, columns)[:, -1:]

    def card(self, attribute: Attribute) -> dict[str, Any]:
        """Return the threshold."""
        return {"threshold": attribute.threshold}
