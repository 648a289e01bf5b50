"""Which drift checks are of record: those that ask exactly what the configuration asks. All others are looks.

A check of record writes gauges, history and time stamps and runs `drift.on_drift`. A look changes nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from facemon.config.document import Config
from facemon.config.drift import DriftConfig
from facemon.domain.drift_result import Check

_NOT_THE_LOG = "the current rows are not from the log"


@dataclass(frozen=True, slots=True)
class AskedCheck:
    """What is compared with what and by which limits, after all defaults."""

    checks: frozenset[Check]
    model: str
    """Whose rows."""
    settings: DriftConfig
    """With the thresholds and the `min_rows` of the question."""
    at: datetime
    window: tuple[datetime, datetime] | None
    """Of the log; none where the current rows come from elsewhere."""
    reference: Path | str | None = None
    """A table of its own, a name in the store, or none: the configuration's."""
    source: str | None = None


def differences(asked: AskedCheck, config: Config, usual_reference: str | None) -> tuple[str, ...]:
    """How the question differs from the configuration's, as parts of a sentence; none for a check of record.

    `usual_reference` is the name of the one that the configuration leads to: `drift.reference`, or the newest.
    """
    drift = config.drift
    if asked.window is None:
        return (_NOT_THE_LOG,)  # which says all: what else differs, such as the reference, follows from it
    found = []
    if asked.reference is not None and asked.reference != usual_reference:
        usual = "differs from drift.reference" if drift.reference else "is not the newest reference"
        found.append(f"--reference {usual}")
    if asked.model != config.model.id:
        found.append("--model differs from the configured model")
    if asked.source is not None:
        found.append("--source leaves out the rows of other sources")
    found += _window_differences(asked, drift)
    found += _limit_differences(asked, drift)
    return tuple(found)


def _window_differences(asked: AskedCheck, drift: DriftConfig) -> list[str]:
    if asked.window is None:
        return []
    since, until = asked.window
    found = []
    if until - since != drift.window:
        found.append("--since differs from drift.window")
    if until != asked.at:
        found.append("--until is not the present")
    return found


def _limit_differences(asked: AskedCheck, drift: DriftConfig) -> list[str]:
    """The threshold of a check that does not run makes no difference."""
    settings = asked.settings
    found = []
    if Check.DATA in asked.checks and settings.data.threshold != drift.data.threshold:
        found.append("--data-threshold differs from drift.data.threshold")
    if Check.MODEL in asked.checks and settings.model.threshold != drift.model.threshold:
        found.append("--model-threshold differs from drift.model.threshold")
    if settings.min_rows != drift.min_rows:
        found.append("--min-rows differs from drift.min_rows")
    return found
