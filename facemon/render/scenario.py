"""What an alert must do, as data: input series, when they turn bad, and what has to fire then."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Gauge:
    """A series whose level is `quiet`, then `firing`, then `quiet` again; None = there is no sample."""

    series: str
    quiet: float | None
    firing: float | None


@dataclass(frozen=True, slots=True)
class Clock:
    """A series that holds a time so many seconds ago: `quiet`, then `firing`, then `quiet` again."""

    series: str
    quiet: float
    firing: float


@dataclass(frozen=True, slots=True)
class Counter:
    """A series that grows by `step` with every sample, and in the end stands still."""

    series: str
    step: int


Signal = Gauge | Clock | Counter


@dataclass(frozen=True, slots=True)
class Firing:
    """The one alert that fires: its labels besides those of the rule, and its value."""

    labels: Mapping[str, str] = field(default_factory=dict)
    value: float = 1.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """A story about signals; without `fires` the alert stays silent, although the signals are in their firing phase."""

    title: str
    signals: tuple[Signal, ...]
    fires: Firing | None = None


def series_text(name: str, labels: Mapping[str, str]) -> str:
    """A series as a test file writes it; the values are our own and need no escaping."""
    inside = ", ".join(f'{label}="{value}"' for label, value in labels.items())
    return f"{name}{{{inside}}}"
