"""A network's outputs to labels, confidences and values, for all faces of a batch at once."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from facemon.config.model import AttributeConfig
from facemon.domain.array_types import Floats
from facemon.domain.kinds.reading import Reader, Reading
from facemon.domain.kinds.registry import kind_of
from facemon.errors import FacemonError


def select_columns(attribute: AttributeConfig, output: NDArray[np.floating]) -> Floats:
    """The attribute's own numbers out of an output tensor of any rank: [n, width]."""
    flat = output.reshape(len(output), -1)
    if attribute.index is not None:
        flat = flat[:, attribute.index : attribute.index + 1]
    elif attribute.slice is not None:
        flat = flat[:, attribute.slice[0] : attribute.slice[1]]
    widths = kind_of(attribute).widths(attribute)
    if flat.shape[1] not in widths:
        raise FacemonError(
            f"the attribute {attribute.name} needs {widths[0]} numbers a face, but the output "
            f"{attribute.output} of shape {list(output.shape)} gives it {flat.shape[1]}",
            "correct index, slice or labels of the attribute; facemon model check FILE shows the outputs",
        )
    return flat.astype(np.float64)


def reader_of(attribute: AttributeConfig) -> Reader:
    """What decodes the attribute's columns; to make it takes longer than to call it."""
    if attribute.average:  # shares_of has its turn before
        attribute = attribute.model_copy(update={"activation": "none", "scale": 1.0, "offset": 0.0})
    return kind_of(attribute).reader(attribute)


def read_attribute(attribute: AttributeConfig, columns: Floats) -> Reading:
    """Decode finite [n, width] columns; FacemonError when they should be probabilities and are not."""
    return reader_of(attribute)(columns)


def has_no_number(columns: NDArray[Any]) -> NDArray[np.bool_]:
    """The faces for which a number is missing, [n]: in outputs [n, width], or in the values [n] that were read.

    A number beyond those of the log's columns is infinity once it is read.
    """
    return ~np.isfinite(columns.reshape(len(columns), -1)).all(axis=1)


def shares_of(attribute: AttributeConfig, columns: Floats) -> Floats:
    """What is averaged over networks.

    [n, labels or values] probabilities; [n, 1] those of a binary's second label; [n, 1] numbers, scaled.
    """
    with np.errstate(invalid="ignore", over="ignore"):  # infinities and NaN become a row with an error
        return kind_of(attribute).shares(attribute, columns)
