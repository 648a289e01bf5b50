"""What a ledger knows of each check of a model: its columns, its sources, and drift that was announced."""

from dataclasses import dataclass
from typing import NamedTuple

NO_MODEL = ""
"""The model of a result that names none, as Prometheus takes an empty label: it is not there."""


@dataclass(frozen=True, slots=True)
class DriftGauge:
    """What is known of one column of a model's check: its last decided score, and whether the newest could decide."""

    model: str
    check: str
    attribute: str
    measure: str
    score: float | None
    p_value: float | None
    detected: bool | None
    samples: int
    undecided: bool


@dataclass(frozen=True, slots=True)
class CheckState:
    """What is known of one check of a model; times are microseconds since 1970."""

    model: str
    check: str
    threshold: float
    at: int
    """When it last ran."""
    decided: int | None
    """When it last decided, if it ever did."""


@dataclass(frozen=True, slots=True)
class SourceState:
    """What the newest check of record found in the rows of one source; `at` is microseconds since 1970."""

    model: str
    check: str
    source: str | None
    detected: bool | None
    """None where the check could not decide."""
    rows: int
    """On the current side."""
    undecided: bool
    at: int


class DriftedColumn(NamedTuple):
    """A column of a check that drifted, and on what."""

    model: str
    reference: str
    current: str
    """The table that was compared; empty for the log."""
    source: str
    """As JSON: null for the whole, else the one source whose rows were judged."""
    check: str
    column: str
