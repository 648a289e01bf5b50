"""One attribute of a model as it is described, and what its columns of the log hold."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal, Protocol

Activation = Literal["sigmoid", "softmax", "none"]


class Measure(StrEnum):
    """What a column of an attribute holds, and so in which bins its cells are counted."""

    LABEL = "label"
    """Text, counted by label."""
    CONFIDENCE = "confidence"
    """The probability of the label, counted in logit bins."""
    VALUE = "value"
    """A number, counted in log-linear bins."""

    def column(self, attribute: str) -> str:
        """Return the name of the column of the attribute of this name."""
        return attribute if self is Measure.LABEL else f"{attribute}_{self}"

    def attribute_of(self, column: str) -> str | None:
        """Return the name of the attribute that a column with such a name is of; None where it is named otherwise."""
        suffix = self.column("")
        return column.removesuffix(suffix) if column.endswith(suffix) else None


class Attribute(Protocol):
    """The description of an attribute: the network output that it is read from, and how.

    `facemon.config.attribute.AttributeConfig` is one, read from YAML. Which of its keys mean something is for its kind
    to say; a key that the file does not have holds the default of its type.
    """

    @property
    def name(self) -> str:
        """The name, which is that of the column of labels."""

    @property
    def output(self) -> str:
        """The network output that it is read from."""

    @property
    def kind(self) -> str:
        """The name of its kind, a key of `facemon.domain.kinds.registry.KINDS`."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The label of each number of the output."""

    @property
    def values(self) -> tuple[float, ...]:
        """The value of each number of the output."""

    @property
    def bands(self) -> Mapping[str, tuple[float, float]]:
        """A label to the half-open interval `[low, high)` of values that it covers."""

    @property
    def activation(self) -> Activation:
        """What is applied to the output before it is read."""

    @property
    def threshold(self) -> float:
        """The probability of the second label from which on it is the prediction."""

    @property
    def scale(self) -> float:
        """What the output is multiplied by, after its activation."""

    @property
    def offset(self) -> float:
        """What is then added."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels that it can predict; empty for one without labels."""

    @property
    def reach(self) -> Mapping[str, tuple[float, float]]:
        """A label to the half-open interval of values that it is predicted for."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the log that it fills."""
