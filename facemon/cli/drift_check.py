"""`facemon drift-check`: has the world or the model moved?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facemon.cli.command import command
from facemon.cli.compared_sides import (
    ComparedSide,
    Window,
    current_table,
    current_window,
    of_one_source,
    reference_side,
)
from facemon.cli.session import Session
from facemon.cli.time_options import window_of
from facemon.errors import ExitCode, UsageError
from facemon.values.drift_result import Check, CheckResult, ColumnResult, DriftResult, Verdict, to_document

if TYPE_CHECKING:
    from facemon.config.drift import DriftConfig
    from facemon.store.ledger import Ledger

app = typer.Typer()
_Threshold = Annotated[float | None, typer.Option(min=0, max=1, metavar="X")]


class CheckChoice(StrEnum):
    """Which checks to run."""

    ALL = "all"
    DATA = "data"
    MODEL = "model"
    EVIDENTLY = "evidently"


class ReportFormat(StrEnum):
    """How the result is printed."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class FailOn:
    """When drift becomes exit 3."""

    rule: str = "any"
    attribute: str = ""
    share: float = 0.0

    @classmethod
    def parse(cls, text: str) -> "FailOn":
        """Read `any`, `never`, `share=X` or `attribute=NAME`; UsageError for anything else."""
        rule, _, value = text.partition("=")
        if text in ("any", "never"):
            return cls(text)
        if rule == "attribute" and value:
            return cls(rule, attribute=value)
        if rule == "share":
            try:
                if 0 < (share := float(value)) <= 1:
                    return cls(rule, share=share)
            except ValueError:
                pass
        raise UsageError(f"--fail-on {text}: write any, never, share=0.5 or attribute=NAME")

    def is_met(self, result: DriftResult) -> bool:
        """Whether this drift is to end in exit 3."""
        columns = _deciding_columns(result)
        drifted = [column for column in columns if column.verdict is Verdict.DRIFT]
        match self.rule:
            case "never":
                return False
            case "attribute":
                return any(self.attribute in _names(column) for column in drifted)
            case "share":
                compared = [column for column in columns if column.verdict is not Verdict.NOT_COMPARED]
                return len(drifted) >= self.share * len(compared)
        return True

    def refuse_unknown(self, result: DriftResult) -> None:
        """UsageError when no column has the attribute's name: a misspelt one would never fail."""
        known = dict.fromkeys(name for column in _deciding_columns(result) for name in _names(column))
        if self.attribute and self.attribute not in known:
            raise UsageError(f"--fail-on attribute={self.attribute}: nothing of that name was compared", _listed(known))


@command(app, "drift-check")
def drift_check(
    session: Session,
    check: Annotated[CheckChoice, typer.Option(help="Which checks.")] = CheckChoice.ALL,
    data_threshold: _Threshold = None,
    model_threshold: _Threshold = None,
    reference: Annotated[
        str | None,
        typer.Option(metavar="FILE|NAME", help="What is normal (default: drift.reference, else the newest)."),
    ] = None,
    current: Annotated[Path | None, typer.Option(metavar="FILE", help="A table instead of the log's rows.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="24h|TIME", help="Where the window begins (default: drift.window).")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Where the window ends (default: now).")] = None,
    source: Annotated[str | None, typer.Option(metavar="NAME", help="Only rows of this source.")] = None,
    format_: Annotated[
        ReportFormat, typer.Option("--format", envvar="FACEMON_DRIFT_CHECK_FORMAT", help="How to print the result.")
    ] = ReportFormat.TEXT,
    fail_on: Annotated[
        str, typer.Option(metavar="any|never|share=X|attribute=NAME", help="Which drift ends in exit 3.")
    ] = "any",
    min_rows: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Fewer rows than this decide nothing.")
    ] = None,
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Exit 0 on drift and on undecided too.")] = False,
    history: Annotated[bool, typer.Option("--history", help="List the last checks instead of running one.")] = False,
) -> ExitCode:
    """Compare current data with the reference: exit 0 for no drift, 3 for drift, 4 for undecided."""
    from facemon.store.process_lock import ProcessLock

    rule, now = FailOn.parse(fail_on), datetime.now(UTC)
    if reference == "":
        raise UsageError("--reference is empty", "name a reference or a file, or leave the option out")
    if current is not None and (since or until or source):
        raise UsageError("--since, --until and --source choose rows of the log; --current brings its own")
    settings = _settings(session.config.drift, data_threshold, model_threshold, min_rows)
    if history:
        return _print_history(session, format_)
    begin, end = window_of(since, until, settings.window, now)
    with (
        session.open_ledger(create=True) as ledger,
        ProcessLock.for_command(ledger.folder, "drift-check"),
        session.recorded(ledger, "drift-check") as outcome,
    ):
        result = _check(session, ledger, settings, check, reference, current or Window(begin, end, source), now)
        rule.refuse_unknown(result)
        outcome.code = _exit_code(result, rule, exit_zero)
        _print(session, result, format_, outcome.code)
    return outcome.code


def _check(
    session: Session,
    ledger: "Ledger",
    settings: "DriftConfig",
    choice: CheckChoice,
    reference: str | None,
    current: Path | Window,
    now: datetime,
) -> DriftResult:
    from facemon.drift.drift_check import run_checks
    from facemon.store.drift_results import record_drift

    own = [Check.DATA, Check.MODEL] if choice is CheckChoice.ALL else [Check(choice.value)]
    normal, layout, named = reference_side(session, ledger, reference, own, for_log=isinstance(current, Window))
    if isinstance(current, Window):
        latest = current_window(session, ledger, current, named)
        if current.source is not None:
            normal, latest = (of_one_source(side, current.source) for side in (normal, latest))
    else:
        latest = current_table(session, current, own, layout)
    asks_evidently = choice in (CheckChoice.ALL, CheckChoice.EVIDENTLY) and latest.sample.rows and normal.sample.rows
    result = run_checks(
        normal.sample,
        latest.sample,
        checks=own,
        attributes=session.config.model.attributes,
        settings=settings,
        at=now,
        reference_side=normal.side,
        current_side=latest.side,
        model=named.model if named else session.config.model.id,
        source=current.source if isinstance(current, Window) else None,
        evidently=_evidently(session, settings, ledger, normal, latest, now) if asks_evidently else None,
        evidently_decides=choice is CheckChoice.EVIDENTLY,
    )
    record_drift(ledger, result)
    return result


def _evidently(
    session: Session,
    settings: "DriftConfig",
    ledger: "Ledger",
    normal: ComparedSide,
    latest: ComparedSide,
    now: datetime,
) -> CheckResult:
    from facemon.drift.evidently_report import run_evidently

    outcome, report = run_evidently(
        normal.rows(),
        latest.rows(),
        settings=settings.evidently,
        attributes=session.config.model.attributes,
        folder=ledger.folder / "reports",
        at=now,
    )
    if report is not None:
        session.console.say(f"Evidently's report: {report}")
    return outcome


def _settings(
    config: "DriftConfig", data_threshold: float | None, model_threshold: float | None, min_rows: int | None
) -> "DriftConfig":
    from facemon.config.drift import ThresholdConfig

    changes: dict[str, object] = {}
    if data_threshold is not None:
        changes["data"] = ThresholdConfig(threshold=data_threshold)
    if model_threshold is not None:
        changes["model"] = ThresholdConfig(threshold=model_threshold)
    if min_rows is not None:
        changes["min_rows"] = min_rows
    return config.model_copy(update=changes)


def _deciding_columns(result: DriftResult) -> list[ColumnResult]:
    """The columns that the exit code follows: Evidently's only where nothing else was asked for."""
    own = {check: outcome for check, outcome in result.checks.items() if check is not Check.EVIDENTLY}
    return [column for outcome in (own or result.checks).values() for column in outcome.columns]


def _names(column: ColumnResult) -> tuple[str, ...]:
    return tuple(name for name in (column.attribute, column.column) if name)


def _listed(names: Iterable[str]) -> str:
    return f"there are: {', '.join(names)}"


def _exit_code(result: DriftResult, rule: FailOn, exit_zero: bool) -> ExitCode:
    if exit_zero or result.verdict is Verdict.OK:
        return ExitCode.OK
    if result.verdict is Verdict.DRIFT:
        return ExitCode.FOUND if rule.is_met(result) else ExitCode.OK
    return ExitCode.UNDECIDED


def _print(session: Session, result: DriftResult, format_: ReportFormat, code: ExitCode) -> None:
    from facemon.drift.text_report import HEADINGS, text_report

    console = session.console
    if console.is_quiet and code is ExitCode.OK:
        return
    if format_ is ReportFormat.JSON:
        console.document(to_document(result))
        return
    report = text_report(result)
    for sentence in report.summary:
        console.result(sentence)
    console.result("")
    console.table(HEADINGS, report.rows)
    for note in report.notes:
        console.result(note)


def _print_history(session: Session, format_: ReportFormat) -> ExitCode:
    from facemon.store.drift_results import drift_history

    with session.open_ledger() as ledger:
        results = list(drift_history(ledger))
    if format_ is ReportFormat.JSON:
        for result in results:
            session.console.document(to_document(result))
    else:
        rows = [_history_row(result) for result in results]
        session.console.table(("at", "verdict", "reference", "rows", "drifted"), rows)
    return ExitCode.OK


def _history_row(result: DriftResult) -> Sequence[str]:
    drifted = [column.column for column in _deciding_columns(result) if column.verdict is Verdict.DRIFT]
    name = result.reference.name or "-"
    return (f"{result.at:%Y-%m-%d %H:%M:%S}", result.verdict.value, name, str(result.current.rows), ", ".join(drifted))
