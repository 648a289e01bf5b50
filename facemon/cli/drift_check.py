"""`facemon drift-check`: has the world or the model moved?"""

import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer

from facemon.cli import drift_options as options
from facemon.cli.command import command
from facemon.cli.compared_sides import Window
from facemon.cli.drift_hook import run_hook
from facemon.cli.drift_output import PAGE, Shown, print_explanations, print_history, print_result
from facemon.cli.drift_question import DriftQuestion
from facemon.cli.drift_run import differences_of, entered, run_drift_check, store_if_there
from facemon.cli.fail_on import FailOn
from facemon.cli.given_reference import given_reference
from facemon.cli.last_check import explain_recorded, last_checks
from facemon.cli.session import Session
from facemon.cli.time_options import window_of
from facemon.errors import ExitCode
from facemon.values.drift_result import DriftResult, Verdict, overall

if TYPE_CHECKING:
    from facemon.config.drift import DriftConfig
    from facemon.store.ledger import Ledger

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
    now: options.Now = False,
    format_: options.Format = options.ReportFormat.TEXT,
    html: options.Html = False,
    fail_on: options.FailRule = "any",
    min_rows: options.MinRows = None,
    exit_zero: options.ExitZero = False,
    record: options.Record = None,
    history: options.History = False,
) -> ExitCode:
    """Compare current data with the reference: exit 0 for no drift, 3 for drift, 4 for undecided.

    A check that asks what the configuration asks is recorded: it updates metrics and history and runs drift.on_drift.
    Any other is a look, which changes nothing; --record and --no-record decide otherwise.
    """
    given = locals()
    rule = FailOn.parse(fail_on)
    options.refuse_contradictions(given)
    settings = _settings(session.config.drift, data_threshold, model_threshold, min_rows)
    if history:
        return print_history(session, format_)
    with store_if_there(session, create=bool(record)) as ledger:
        at = datetime.now(UTC) if ledger is None else ledger.now()
        compared = current or Window(*window_of(since, until, settings.window, at), source)
        named = None if reference is None else given_reference(ledger, reference)
        whose = model or session.config.model.id
        question = DriftQuestion(check, whose, named, compared, by is not None, settings, at)
        differences = differences_of(session, ledger, question)
        if explain is not None and not now and not differences:
            return _explain_last(session, ledger, question, rule, given)
        if explain is not None and now:
            differences = (*differences, "--explain --now asks for a look")
        return _check(session, ledger, question, differences, rule, given)


def _check(
    session: Session,
    ledger: "Ledger | None",
    question: DriftQuestion,
    differences: tuple[str, ...],
    rule: FailOn,
    given: Mapping[str, Any],
) -> ExitCode:
    """Run a new check, which is of record where nothing differs and the options do not decide otherwise."""
    record, html = given["record"], given["html"]
    look = None if record or not differences else " and ".join(differences)
    if record is False:
        look = "--no-record"
    with entered(session, ledger, question, look) as outcome:
        answer = run_drift_check(session, ledger, question, look=look, writes_pages=html or look is None)
        decided = _decided(answer.result, rule)
        outcome.code = ExitCode.OK if given["exit_zero"] else decided
    if look is not None and record is None and not sys.stderr.isatty():
        session.console.notice(f"not recorded: {look}; add --record")
    try:
        rule.refuse_unknown(answer.result)
        explained = None if given["explain"] is None else answer.explain(given["explain"])
        page = session.config.store.path / PAGE if html else None
        shown = Shown(given["format_"], decided, outcome.code, page, answer.evidently_page)
        told = answer.result if question.by_source else answer.result.in_short(telling=True)
        print_result(session.console, told, shown, shapes=answer.shapes, explained=explained)
    finally:
        # What was found is in the ledger: it must be told, whatever became of the printing.
        if ledger is not None and look is None and question.choice is not options.CheckChoice.EVIDENTLY:
            run_hook(session, ledger, answer.result)
    return outcome.code


def _explain_last(
    session: Session, ledger: "Ledger | None", question: DriftQuestion, rule: FailOn, given: Mapping[str, Any]
) -> ExitCode:
    """Explain a column of the last check of record, and end as that check did."""
    options.refuse_for_last_check(given)
    results = last_checks(ledger, question.model, question.choice)
    # Data and model may have been checked by separate commands.
    checks = {check: outcome for result in results for check, outcome in result.checks.items()}
    whole = replace(results[0], checks=checks, verdict=overall(outcome.verdict for outcome in checks.values()))
    rule.refuse_unknown(whole)
    decided = ExitCode.OK if given["exit_zero"] else _decided(whole, rule)
    explanations = explain_recorded(session, ledger, results, given["explain"])
    if not (session.console.is_quiet and decided is ExitCode.OK):
        print_explanations(session.console, explanations, given["format_"])
    return decided


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
