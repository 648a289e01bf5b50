"""What a kind decodes of an output: the labels, confidences and values of a batch of faces."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from facemon.domain.array_types import Floats, Indices


class Reading(NamedTuple):
    """One attribute of n faces; a measure that its kind does not have is none."""

    codes: "Indices | None"
    """Each face's label as an index into `Attribute.classes`."""
    confidence: "NDArray[np.float32] | None"
    """The probability of that label; none for a number's."""
    value: "NDArray[np.number[Any]] | None"
    """An ordinal's expected value, or a number, in the type of the column."""


Reader = Callable[["Floats"], Reading]
"""Decodes finite [n, width] columns; FacemonError when they should be probabilities and are not."""
