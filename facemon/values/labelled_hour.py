"""How right a model was in one hour, by the images that somebody labelled."""

from typing import NamedTuple


class LabelledHour(NamedTuple):
    """Right predictions among the labelled ones of one attribute, UTC hour of `observed_at` and source."""

    attribute: str
    hour: int
    """Counted from 1970."""
    source: str | None
    correct: int
    labelled: int
