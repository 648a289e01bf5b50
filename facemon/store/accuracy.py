"""The accuracy of one attribute, as evaluations against true labels found it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How often an attribute was predicted right; `share` is none while no evaluation had labels enough."""

    attribute: str
    share: float | None
    labels: int
