"""Predictions that true labels proved right or wrong."""

from typing import NamedTuple


class LabelledImage(NamedTuple):
    """One attribute of one image, as it was predicted."""

    attribute: str
    image: str
    """What tells it from others: the sha256 of its bytes, or its name where that is not known."""
    hour: int
    """The UTC hour of `observed_at`, counted from 1970."""
    source: str | None
    is_right: bool


class LabelledCount(NamedTuple):
    """Right predictions among the labelled images of one attribute and source."""

    attribute: str
    source: str | None
    correct: int
    labelled: int
