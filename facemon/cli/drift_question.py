"""What a drift check was asked: the options after all defaults."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from facemon.cli.compared_sides import Window
from facemon.cli.drift_options import CheckChoice
from facemon.values.drift_result import Check, Verdict

if TYPE_CHECKING:
    from facemon.config.drift import DriftConfig


@dataclass(frozen=True, slots=True)
class DriftQuestion:
    """What is compared with what, how, and when it was asked."""

    choice: CheckChoice
    model: str
    """Whose rows of the log."""
    reference: Path | str | None
    """A table, the name of a reference, or none: the configuration's."""
    current: Path | Window
    by_source: bool
    settings: "DriftConfig"
    at: datetime

    @property
    def own_checks(self) -> tuple[Check, ...]:
        """Those of our checks that it asks for; with Evidently alone, that one."""
        return (Check.DATA, Check.MODEL) if self.choice is CheckChoice.ALL else (Check(self.choice.value),)

    def asks_evidently(self, verdict: Verdict) -> bool:
        """Whether Evidently is to run, given what our own checks came to."""
        match self.choice:
            case CheckChoice.EVIDENTLY:
                return True
            case CheckChoice.ALL:
                when = self.settings.evidently.when
                return when == "always" or (when == "drift" and verdict is not Verdict.OK)
            case _:
                return False

    @property
    def reads_all_arrivals(self) -> bool:
        """Whether rows that are logged after this check for times before its window are late.

        They are where it reads the configured window of all sources up to the present, as the check of every night.
        """
        if self.choice is CheckChoice.EVIDENTLY or not isinstance(self.current, Window) or self.source is not None:
            return False
        return self.current.until == self.at and self.current.until - self.current.since == self.settings.window

    @property
    def source(self) -> str | None:
        """The one source whose rows are wanted."""
        return self.current.source if isinstance(self.current, Window) else None
