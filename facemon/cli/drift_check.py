"""`facemon drift-check`: has the world or the model moved?"""

import sys
from collections.abc import Mapping
from typing import Any

import typer

from facemon.application.drift_answer import DriftAnswer
from facemon.application.drift_check import announce_drift, asks_as_configured, check_drift
from facemon.application.drift_contradictions import refuse_contradictions, refuse_for_last_check
from facemon.application.drift_question import CheckChoice, DriftRequest
from facemon.application.fail_on import FailOn
from facemon.application.last_check import explain_last_check
from facemon.cli import drift_options as options
from facemon.cli.command import command
from facemon.cli.session import Session
from facemon.errors import ExitCode
from facemon.reports.drift_formats import ReportFormat
from facemon.terminal.drift_output import PAGE, Shown, print_explanations, print_history, print_result

app = typer.Typer()


@command(app, "drift-check")
def drift_check(
    session: Session,
    check: options.Checks = CheckChoice.ALL,
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
    format_: options.Format = ReportFormat.TEXT,
    html: options.Html = False,
    fail_on: options.FailRule = "any",
    min_rows: options.MinRows = None,
    exit_zero: options.ExitZero = False,
    record: options.Record = None,
    history: options.History = False,
    all_: options.All = False,
) -> ExitCode:
    """Compare current data with the reference: exit 0 for no drift, 3 for drift, 4 for undecided.

    A check that asks what the configuration asks is recorded: it updates metrics and history and runs drift.on_drift.
    Any other is a look, which changes nothing; --record and --no-record decide otherwise.
    """
    given = locals()
    request = DriftRequest(
        choice=check, model=model, reference_text=reference, current=current, since=since, until=until, source=source,
        by_source=by is not None, data_threshold=data_threshold, model_threshold=model_threshold, min_rows=min_rows,
        record=record, look_because="--explain --now asks for a look" if now else None, writes_pages=html,
        fail_on=FailOn.parse(fail_on), exit_zero=exit_zero,
    )  # fmt: skip
    refuse_contradictions(given)
    if history:
        return print_history(session.console, session.operation, format_)
    if explain is not None and not now and asks_as_configured(session.operation, request):
        refuse_for_last_check(given)
        return _explain_last(session, request, explain, format_)
    answer = check_drift(session.operation, request)
    if answer.look is not None and record is None and not sys.stderr.isatty():
        session.console.notice(f"not recorded: {answer.look}; add --record")
    try:
        _print(session, request, answer, given)
    finally:
        # What was found is in the ledger: it must be told, whatever became of the printing.
        announce_drift(session.operation, answer)
    return answer.code


def _print(session: Session, request: DriftRequest, answer: DriftAnswer, given: Mapping[str, Any]) -> None:
    explained = None if given["explain"] is None else answer.explain(given["explain"])
    page = session.config.store.path / PAGE if given["html"] else None
    pages = page, answer.evidently_page, answer.earlier
    shown = Shown(given["format_"], answer.decided, answer.code, *pages, shows_all=given["all_"])
    print_result(session.console, answer.told, shown, shapes=answer.shapes, explained=explained)
    # Which columns tables have is known only now: the verdict is shown first, so that a typo hides no drift.
    request.fail_on.refuse_unknown(answer.result)


def _explain_last(session: Session, request: DriftRequest, name: str, format_: ReportFormat) -> ExitCode:
    """Print why a column got its verdict in the last check of record, and end as that check did."""
    last = explain_last_check(session.operation, request, name)
    if not (session.console.is_quiet and last.code is ExitCode.OK):
        print_explanations(session.console, last.explanations, format_)
    return last.code
