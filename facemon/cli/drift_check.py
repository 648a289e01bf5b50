"""`facemon drift-check`: has the world or the model moved?"""

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
from facemon.cli.drift_output import (
    PAGE,
    FormatOption,
    HtmlOption,
    ReportFormat,
    print_history,
    print_result,
)
from facemon.cli.fail_on import FailOn
from facemon.cli.session import Session
from facemon.cli.time_options import window_of
from facemon.errors import ExitCode, UsageError
from facemon.values.drift_result import Check, CheckResult, DriftResult, Verdict

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
    format_: FormatOption = ReportFormat.TEXT,
    html: HtmlOption = False,
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
    _refuse_contradictions(reference, current, since, until, source)
    settings = _settings(session.config.drift, data_threshold, model_threshold, min_rows)
    if history:
        return print_history(session, format_)
    begin, end = window_of(since, until, settings.window, now)
    with (
        session.open_ledger(create=True) as ledger,
        ProcessLock.for_command(ledger.folder, "drift-check"),
        session.recorded(ledger, "drift-check") as outcome,
    ):
        result = _check(session, ledger, settings, check, reference, current or Window(begin, end, source), now)
        rule.refuse_unknown(result)
        decided = _decided(result, rule)
        outcome.code = ExitCode.OK if exit_zero else decided
        page = ledger.folder / PAGE if html else None
        print_result(session.console, result, format_, decided=decided, code=outcome.code, page=page)
    return outcome.code


def _refuse_contradictions(
    reference: str | None, current: Path | None, since: str | None, until: str | None, source: str | None
) -> None:
    if reference == "":
        raise UsageError("--reference is empty", "name a reference or a file, or leave the option out")
    if current is not None and (since or until or source):
        raise UsageError("--since, --until and --source choose rows of the log; --current brings its own")


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


def _decided(result: DriftResult, rule: FailOn) -> ExitCode:
    if result.verdict is Verdict.OK:
        return ExitCode.OK
    if result.verdict is Verdict.DRIFT:
        return ExitCode.FOUND if rule.is_met(result) else ExitCode.OK
    return ExitCode.UNDECIDED
