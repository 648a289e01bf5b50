"""What each kind of attribute says of itself."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from facemon.domain.attribute import Attribute, Measure
from facemon.domain.kinds.reading import Reader

if TYPE_CHECKING:
    from facemon.domain.array_types import Floats

Fault = tuple[tuple[str, ...], str]
"""The keys below the attribute, and what is wrong there."""
TEXT, FLOAT = "string", "float32"
"""Arrow's names of the types of columns."""


class AttributeKind(ABC):
    """One kind of attribute.

    What it says holds for all attributes of the kind and is asked with one of them. It must load no heavy library when
    it is imported: configurations are checked against it.
    """

    name: ClassVar[str]
    """What `kind` says in the configuration."""
    needs: ClassVar[tuple[str, ...]] = ()
    """Of the keys labels, values, bands, scale and offset those that must be given."""
    takes: ClassVar[tuple[str, ...]] = ()
    """Those that may be given besides; any other one is refused."""

    def faults(self, attribute: Attribute) -> Iterator[Fault]:
        """Yield what is wrong with a description that has the keys that the kind needs."""
        yield from ()

    def classes(self, attribute: Attribute) -> tuple[str, ...]:
        """Return the labels that can be predicted; empty for a kind without labels."""
        return attribute.labels or tuple(attribute.bands)

    def reach(self, attribute: Attribute) -> Mapping[str, tuple[float, float]]:
        """Return the half-open interval of values of each label; empty where labels do not depend on a value."""
        return attribute.bands

    @abstractmethod
    def columns(self, attribute: Attribute) -> Mapping[Measure, str]:
        """Return the columns of the log that are filled, in order, each with Arrow's name of its type."""

    def compared(self, attribute: Attribute) -> tuple[Measure, ...]:
        """Return what the model check compares, the main one first.

        Of the others a confidence is compared where one of both sides has it, and a value where both have it.
        """
        return (Measure.LABEL, Measure.CONFIDENCE) if self.classes(attribute) else (Measure.VALUE,)

    @abstractmethod
    def widths(self, attribute: Attribute) -> tuple[int, ...]:
        """Return how many numbers a face the attribute can be read from, the usual count first."""

    def counted(self, attribute: Attribute) -> str:
        """Return what the count of the numbers follows from, as in "3 labels are described"."""
        return f"({attribute.kind}, {attribute.activation})"

    def activation_fault(self, attribute: Attribute) -> str | None:
        """Return why the activation makes no sense for the kind, if so: without a confidence, any but none."""
        if attribute.activation == "none" or Measure.CONFIDENCE in self.columns(attribute):
            return None
        return f"the kind {attribute.kind} has no probabilities, so nothing applies {attribute.activation}"

    @abstractmethod
    def reader(self, attribute: Attribute) -> Reader:
        """Return what decodes the attribute: made once, called for each batch of faces."""

    def shares(self, attribute: Attribute, columns: "Floats") -> "Floats":
        """Return what is averaged over networks [n, width]: probabilities, or the outputs where none is a confidence.

        The reader of the average is made for activation none, scale 1 and offset 0.
        """
        from facemon.domain.kinds.probabilities import probabilities

        return probabilities(attribute, columns) if Measure.CONFIDENCE in self.columns(attribute) else columns

    def may_be_true(self, attribute: Attribute, number: float) -> bool:
        """Return whether a number that no label covers may be true, so that whatever was predicted is wrong.

        Otherwise it is a mark for something else, such as -1 for "unknown". A kind without labels is asked of every
        number, and takes all unless it says otherwise.
        """
        return not self.classes(attribute)

    def absolute_errors(self, predicted: "Floats", true: "Floats") -> "Floats":
        """Return how far predicted values are off the true ones; NaN where either is missing."""
        import numpy as np

        return np.abs(predicted - true)

    def cell(self, attribute: Attribute, row: Mapping[str, Any]) -> str:
        """Return a prediction as a cell of a table for a terminal; `row` holds the columns of the log."""
        columns, name = self.columns(attribute), attribute.name
        label = [str(row[name])] if Measure.LABEL in columns else []
        value = [] if label else [f"{row[Measure.VALUE.column(name)]:.4g}"]
        confidence = [f"{row[Measure.CONFIDENCE.column(name)]:.0%}"] if Measure.CONFIDENCE in columns else []
        return " ".join([*label, *value, *(text.replace("%", " %") for text in confidence)])

    def card(self, attribute: Attribute) -> dict[str, Any]:
        """Return what the model card says of the attribute that not all kinds have."""
        return {}

    def help(self, attribute: Attribute, measure: Measure) -> str:
        """Return what a column holds, in a sentence."""
        match measure:
            case Measure.LABEL:
                return f"The predicted label of the attribute {attribute.name}."
            case Measure.CONFIDENCE:
                return "The probability of the predicted label, from 0 to 1."
            case Measure.VALUE:
                return "The predicted number" + (", whose band is the label." if self.classes(attribute) else ".")
