"""`facemon drift-check`: has the world or the model moved?"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from facemon.cli import drift_options as options
from facemon.cli.command import command
from facemon.cli.compared_sides import Window
from facemon.cli.drift_hook import run_hook
from facemon.cli.drift_output import PAGE, Shown, print_history, print_result
from facemon.cli.drift_run import DriftQuestion, run_drift_check
from facemon.cli.fail_on import FailOn
from facemon.cli.session import Session
from facemon.cli.time_options import window_of
from facemon.errors import ExitCode
from facemon.values.drift_result import DriftResult, Verdict

if TYPE_CHECKING:
    from facemon.config.drift import DriftConfig

app = typer.Typer()


@command(app, "drift-check")
def drift_check(
    session: Session,
    check: options.Checks = options.CheckChoice.ALL,
    data_threshold: options.Threshold = None,
    model_threshold: options.Threshold = None,
    reference: options.Reference = None,
    current: options.Current = None,
    since: options.Since = None,
    until: options.Until = None,
    source: options.Source = None,
    by: options.By = None,
    model: options.Model = None,
    explain: options.Explain = None,
    format_: options.Format = options.ReportFormat.TEXT,
    html: options.Html = False,
    fail_on: options.FailRule = "any",
    min_rows: options.MinRows = None,
    exit_zero: options.ExitZero = False,
    history: options.History = False,
) -> ExitCode:
    """Compare current data with the reference: exit 0 for no drift, 3 for drift, 4 for undecided."""
    from facemon.store.process_lock import ProcessLock

    rule, now = FailOn.parse(fail_on), datetime.now(UTC)
    options.refuse_contradictions(locals())
    settings = _settings(session.config.drift, data_threshold, model_threshold, min_rows)
    if history:
        return print_history(session, format_)
    compared = current or Window(*window_of(since, until, settings.window, now), source)
    question = DriftQuestion(check, model or session.config.model.id, reference, compared, by is not None)
    with session.open_ledger(create=True) as ledger:
        with (
            ProcessLock.for_command(ledger.folder, "drift-check"),
            session.recorded(ledger, "drift-check") as outcome,
        ):
            answer = run_drift_check(session, ledger, settings, question, now)
            decided = _decided(answer.result, rule)
            outcome.code = ExitCode.OK if exit_zero else decided
        try:
            rule.refuse_unknown(answer.result)
            explained = None if explain is None else answer.explain(explain)
            shown = Shown(format_, decided, outcome.code, ledger.folder / PAGE if html else None)
            print_result(session.console, answer.result, shown, shapes=answer.shapes, explained=explained)
        finally:
            # What was found is in the ledger: it must be told, whatever became of the printing.
            run_hook(session, ledger, answer.result)
    return outcome.code


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
