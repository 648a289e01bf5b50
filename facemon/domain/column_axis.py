"""The title of an axis on which the values of a column lie, with their unit where it is known."""

from facemon.domain.attribute import Measure
from facemon.domain.log_columns import IMAGE_COLUMN_HELP


def axis_title(column: str) -> str:
    """Return what a column's numbers are, or its name where it holds labels."""
    if (image := IMAGE_COLUMN_HELP.get(column)) is not None and image.unit:
        return image.unit
    if Measure.CONFIDENCE.attribute_of(column) is not None:
        return "confidence, 0 to 1"
    if (attribute := Measure.VALUE.attribute_of(column)) is not None:
        return f"value of {attribute}"
    return column
