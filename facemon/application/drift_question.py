"""What a drift check is asked: by its caller, and after all defaults."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from facemon.application.compared_sides import Window
from facemon.application.fail_on import FailOn
from facemon.application.given_reference import given_reference
from facemon.application.named_sources import refuse_unknown_sources
from facemon.application.time_window import window_of
from facemon.domain.drift_result import Check, Verdict

if TYPE_CHECKING:
    from facemon.application.operation import Operation
    from facemon.config.drift import DriftConfig
    from facemon.store.ledger.protocol import Ledger
    from facemon.tables.table_file import TableFile


class CheckChoice(StrEnum):
    """Which checks to run."""

    ALL = "all"
    DATA = "data"
    MODEL = "model"
    EVIDENTLY = "evidently"


@dataclass(frozen=True, slots=True)
class DriftRequest:
    """What the caller of a drift check asks for; what is None is as the configuration says."""

    choice: CheckChoice = CheckChoice.ALL
    may_ask_evidently: bool = True
    """Whether Evidently is asked where the configuration says so."""
    model: str | None = None
    reference: Path | str | None = None
    """A table, or the name of a reference."""
    reference_text: str | None = None
    """The same as a user writes it: a name, or else a path."""
    current: "Path | TableFile | None" = None
    """A table; none for a window of the log."""
    since: str | datetime | timedelta | None = None
    until: str | datetime | None = None
    source: str | None = None
    by_source: bool = False
    data_threshold: float | None = None
    model_threshold: float | None = None
    min_rows: int | None = None
    record: bool | None = None
    """Whether the check is one of record; None where it is if it asks what the configuration asks."""
    look_because: str | None = None
    """Why the caller wants a look, whatever else is asked."""
    writes_pages: bool = False
    """Whether Evidently writes its page although the check is a look."""
    fail_on: FailOn = field(default_factory=FailOn)
    """Drift that makes the command exit with 3."""
    exit_zero: bool = False


@dataclass(frozen=True, slots=True)
class DriftQuestion:
    """What is compared with what, how, and when it was asked."""

    choice: CheckChoice
    model: str
    """Whose rows of the log."""
    reference: Path | str | None
    """A table, the name of a reference, or none: the configuration's."""
    current: "Path | TableFile | Window"
    by_source: bool
    settings: "DriftConfig"
    at: datetime
    may_ask_evidently: bool = True

    @property
    def own_checks(self) -> tuple[Check, ...]:
        """Those of our checks that it asks for; with Evidently alone, that one."""
        return (Check.DATA, Check.MODEL) if self.choice is CheckChoice.ALL else (Check(self.choice.value),)

    def asks_evidently(self, verdict: Verdict) -> bool:
        """Whether Evidently is to run, given what our own checks came to."""
        match self.choice:
            case CheckChoice.EVIDENTLY:
                return True
            case CheckChoice.ALL if self.may_ask_evidently:
                when = self.settings.evidently.when
                return when == "always" or (when == "drift" and verdict is not Verdict.OK)
            case _:
                return False

    @property
    def may_run_evidently(self) -> bool:
        """Whether there is a verdict of our own checks at which Evidently runs."""
        return any(self.asks_evidently(verdict) for verdict in Verdict)

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


def question_of(operation: "Operation", ledger: "Ledger | None", request: DriftRequest, at: datetime) -> DriftQuestion:
    """The request after all defaults, asked at the time `at`; FacemonError where it names what is not there."""
    config = operation.config
    if ledger is not None and request.source is not None:
        refuse_unknown_sources(ledger, [request.source])
    settings = _settings_of(config.drift, request)
    current = request.current or Window(*window_of(request.since, request.until, settings.window, at), request.source)
    text = request.reference_text
    reference = request.reference if text is None else given_reference(ledger, text)
    return DriftQuestion(
        request.choice,
        request.model or config.model.id,
        reference,
        current,
        request.by_source,
        settings,
        at,
        request.may_ask_evidently,
    )


def _settings_of(config: "DriftConfig", request: DriftRequest) -> "DriftConfig":
    """The configuration's settings with the limits that the request has of its own."""
    from facemon.config.drift import ThresholdConfig

    changes: dict[str, object] = {}
    if request.data_threshold is not None:
        changes["data"] = ThresholdConfig(threshold=request.data_threshold)
    if request.model_threshold is not None:
        changes["model"] = ThresholdConfig(threshold=request.model_threshold)
    if request.min_rows is not None:
        changes["min_rows"] = request.min_rows
    return config.model_copy(update=changes)
