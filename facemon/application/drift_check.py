"""The drift check: from what is asked to the verdicts, which are recorded where the check is of record."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from facemon.application.compared_sides import (
    ComparedSide,
    Window,
    current_table,
    current_window,
    of_one_source,
    reference_side,
)
from facemon.application.decision_plans import with_plan
from facemon.application.drift_answer import DriftAnswer
from facemon.application.drift_contradictions import refuse_unknown_attribute
from facemon.application.drift_hook import run_hook
from facemon.application.drift_question import CheckChoice, DriftQuestion, DriftRequest, question_of
from facemon.application.evidently_part import refuse_unknown_methods, run_evidently_part
from facemon.application.operation import Operation
from facemon.domain.drift_result import Check, DriftResult, SourceResult
from facemon.errors import ExitCode, FacemonError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from facemon.drift.expected_columns import ExpectedColumns
    from facemon.store.arrivals import Arrivals
    from facemon.store.ledger.protocol import Ledger
    from facemon.store.recorded_commands import Outcome


_SHOWN = timedelta(days=30)
"""How far back a page shows the checks before."""
_RESULTS_LOOKED_AT = 200
"""Of the history, for what was compared of a table before: one that is not among them is checked no more."""


def check_drift(operation: Operation, request: DriftRequest) -> DriftAnswer:
    """Compare current data with the reference, and record the result unless the check is a look."""
    is_configured = request.model in (None, operation.config.model.id)
    if is_configured:
        refuse_unknown_attribute(operation.config, request)
    with store_if_there(operation, create=bool(request.record)) as ledger:
        if not is_configured:
            operation = _of_model(operation, ledger, request)
        at = datetime.now(UTC) if ledger is None else ledger.now()
        question = question_of(operation, ledger, request, at)
        look = _why_look(request, _differences_of(operation, ledger, question))
        with _entered(operation, ledger, question, look) as outcome:
            writes_pages = request.writes_pages or look is None
            answer = _run_drift_check(operation, ledger, question, look=look, writes_pages=writes_pages)
            decided = request.fail_on.code_of(answer.result)
            outcome.code = ExitCode.OK if request.exit_zero else decided
    return replace(answer, decided=decided, code=outcome.code)


def _of_model(operation: Operation, ledger: "Ledger | None", request: DriftRequest) -> Operation:
    """The operation with the attributes that the log has of the model that is asked for."""
    from facemon.application.logged_model import of_logged_model

    if ledger is not None and request.model is not None:
        operation = of_logged_model(operation, ledger, request.model)
    refuse_unknown_attribute(operation.config, request)
    return operation


def asks_as_configured(operation: Operation, request: DriftRequest) -> bool:
    """Whether a check with this request would be of record without being told so."""
    with store_if_there(operation, create=False) as ledger:
        at = datetime.now(UTC) if ledger is None else ledger.now()
        return not _differences_of(operation, ledger, question_of(operation, ledger, request, at))


def announce_drift(operation: Operation, answer: DriftAnswer) -> None:
    """Run `drift.on_drift` where a check of record found drift that the command was not told of yet."""
    by_own_checks = answer.question.choice is not CheckChoice.EVIDENTLY
    if answer.look is None and by_own_checks and operation.config.drift.on_drift:
        with operation.open_ledger() as ledger:
            run_hook(operation, ledger, answer.result)


def _why_look(request: DriftRequest, differences: tuple[str, ...]) -> str | None:
    """Why the check is not one of record; None where it is."""
    if request.record is False:
        return "--no-record"
    reasons = differences if request.look_because is None else (*differences, request.look_because)
    return None if request.record or not reasons else " and ".join(reasons)


@contextmanager
def store_if_there(operation: Operation, *, create: bool) -> "Iterator[Ledger | None]":
    """The ledger; None where no store exists and none is to be created, because two tables compare without one."""
    from facemon.store.ledger.opening import has_ledger

    if not create and not has_ledger(operation.config.store.path):
        yield None
        return
    with operation.open_ledger(create=create) as ledger:
        yield ledger


def _differences_of(operation: Operation, ledger: "Ledger | None", question: DriftQuestion) -> tuple[str, ...]:
    """How a question differs from the configuration's; none for a check of record."""
    from facemon.drift.check_of_record import AskedCheck, differences
    from facemon.drift.reference_sample import usual_reference

    current, config = question.current, operation.config
    asked = AskedCheck(
        checks=frozenset(question.own_checks),
        model=question.model,
        settings=question.settings,
        at=question.at,
        window=(current.since, current.until) if isinstance(current, Window) else None,
        reference=question.reference,
        source=question.source,
    )
    usual = None if ledger is None else usual_reference(ledger, config.drift.reference, config.model.id)
    return differences(asked, config, usual)


@contextmanager
def _entered(
    operation: Operation, ledger: "Ledger | None", question: DriftQuestion, look: str | None
) -> "Iterator[Outcome]":
    """Enter how the command ends for a check of record, which holds the lock; a look takes no lock.

    Evidently alone enters the history only: no time stamp and no gauge follow it.
    """
    from facemon.store.process_lock import ProcessLock
    from facemon.store.recorded_commands import Outcome

    if ledger is None or look is not None or question.choice is CheckChoice.EVIDENTLY:
        yield Outcome()
        return
    ledger.refuse_foreign_root()
    with (
        ProcessLock.for_command(ledger.folder, "drift-check"),
        operation.recorded(ledger, "drift-check") as outcome,
    ):
        yield outcome


def _run_drift_check(
    operation: Operation, ledger: "Ledger | None", question: DriftQuestion, *, look: str | None, writes_pages: bool
) -> DriftAnswer:
    """Read both sides, compare them and record the result, unless the check is a look, for the reason `look`."""
    from facemon.drift.drift_check import join_evidently, run_checks
    from facemon.drift.lost_rows import with_lost_rows
    from facemon.store.drift_results import record_drift

    by_name = question.choice is CheckChoice.EVIDENTLY
    refuse_unknown_methods(question)
    normal, latest, edges = _sides(operation, ledger, question, keeps_counts=look is None)
    result = run_checks(
        normal.sample,
        latest.sample,
        checks=question.own_checks,
        attributes=operation.config.model.attributes,
        settings=question.settings,
        at=question.at,
        reference_side=normal.side,
        current_side=latest.side,
        model=question.model,
        source=question.source,
        cut=latest.cut,
        expected=_expected(ledger, question, normal, latest),
        by_source=question.by_source,
        ladder=latest.ladder,
    )
    result = with_lost_rows(result, _lost_rows(ledger, question, latest))
    if ledger is not None and isinstance(question.current, Window):
        since = latest.ladder.windows[0].rung.since if latest.ladder else question.current.since
        result = _with_last_seen(result, ledger, question.model, since)
        result = _with_changed_model(result, ledger, question, latest)
        result = with_plan(operation, ledger, result, (normal, latest), question.settings)
    result, page = replace(result, not_recorded_because=look), None
    arrivals = latest.arrivals if look is None and question.reads_all_arrivals else None
    if arrivals is not None and latest.cut is not None:
        result = _late(result, arrivals, latest.side.since or latest.cut.since)
    if question.asks_evidently(result.verdict):
        found = run_evidently_part(operation, question, result, normal, latest, writes_pages=writes_pages)
        result, page = join_evidently(result, found.outcome, decides=by_name, note=found.note), found.page
    earlier = _earlier(ledger, question) if writes_pages and ledger is not None else ()
    answer = DriftAnswer(question, result, normal, latest, edges, look, page, earlier)
    if look is None and ledger is not None:
        # Gauges are of all sources, and of our own checks.
        record_drift(ledger, result, for_gauges=question.source is None and not by_name, arrivals=arrivals)
        _keep_pages(operation, ledger, answer, has_own=not by_name)
    return answer


def _with_last_seen(result: DriftResult, ledger: "Ledger", model: str, since: datetime) -> DriftResult:
    """The result with the hour of the last rows of each source that is silent from `since` on.

    It is not known where an hour had so many sources since that rows of this one may be counted with others'.
    """
    from facemon.domain.times import hour_of, start_of_hour

    # The hour that the window cuts may hold rows from before it.
    end = hour_of(since) + 1

    def seen(each: SourceResult) -> SourceResult:
        if not each.is_silent or each.source is None:
            return each
        hour = ledger.profiles.last_hour(model, each.source, end)
        if hour is None or ledger.profiles.crowded_hours(hour + 1, end, model):
            return each
        return replace(each, last_seen=start_of_hour(hour))

    return replace(result, sources=tuple(map(seen, result.sources)))


def _with_changed_model(
    result: DriftResult, ledger: "Ledger", question: DriftQuestion, latest: ComparedSide
) -> DriftResult:
    """The result with a note where several models predicted the compared rows under one name and version."""
    from facemon.application.changed_model import mixed_sides

    if latest.side.since is None or latest.side.until is None:
        return result
    named = None if isinstance(question.reference, Path) else result.reference.name
    reference = next((each for each in ledger.references.all() if each.name == named), None)
    said = mixed_sides(ledger, question.model, reference, latest.side.since, latest.side.until)
    return result if said is None else replace(result, notes=(*result.notes, f"{said}."))


def _late(result: DriftResult, arrivals: "Arrivals", since: datetime) -> DriftResult:
    """The result with the number of rows that came too late for any check of record."""
    late = arrivals.late_rows(since)
    if not late:
        return replace(result, late_rows=0)
    was = "1 row was" if late == 1 else f"{late:,} rows were"
    note = f"{was} logged since the last recorded check for times before this window: no recorded check includes them."
    return replace(result, late_rows=late, notes=(*result.notes, note))


def _lost_rows(ledger: "Ledger | None", question: DriftQuestion, latest: ComparedSide) -> int:
    """How many rows of the longest window were dropped by a repair, at most."""
    from facemon.store.set_aside import lost_rows

    if ledger is None or latest.ladder is None or latest.side.until is None:
        return 0
    since = latest.ladder.windows[-1].rung.since
    return lost_rows(ledger, since, latest.side.until, question.model)


def _expected(
    ledger: "Ledger | None", question: DriftQuestion, normal: ComparedSide, latest: ComparedSide
) -> "ExpectedColumns":
    """The columns that must not be missing: those of attributes, and what was compared before."""
    from facemon.drift.expected_columns import ExpectedColumns, compared_before
    from facemon.store.drift_results import drift_history

    # Rows in memory have no name that says which earlier rows they continue.
    is_continued = question.source is None and isinstance(question.current, Path | Window)
    checks: Collection[Check] = [check for check in question.own_checks if check.is_own]
    limit: int | None = _RESULTS_LOOKED_AT
    if ledger is not None and isinstance(question.current, Window):
        # What has run is found, however many other checks have run since; what never has is not searched for.
        ran = {state.check for state in ledger.checks.states() if state.model == question.model}
        checks, limit = [check for check in checks if check in ran], None
    history = drift_history(ledger, limit) if ledger is not None and is_continued and checks else ()
    before = compared_before(
        history, model=question.model, reference=normal.side.name, current=latest.side, checks=checks
    )
    return ExpectedColumns(isinstance(question.current, Window), before)


def _earlier(ledger: "Ledger", question: DriftQuestion) -> tuple[DriftResult, ...]:
    """The recorded checks of the last days that asked what this one asks of the log; of tables none."""
    from facemon.domain.times import micros

    if not isinstance(question.current, Window):
        return ()
    found = ledger.checks.between(micros(question.at - _SHOWN), micros(question.at))
    return tuple(each for each in found if (each.model, each.source) == (question.model, question.source))


def _keep_pages(operation: Operation, ledger: "Ledger", answer: DriftAnswer, *, has_own: bool) -> None:
    """Write the page of a check of record and remove old ones; a page that cannot be written changes no verdict."""
    from facemon.reports.html_report import html_report
    from facemon.store.report_files import keep_page_of_record

    store = operation.config.store
    text = html_report(answer.result, answer.shapes(), answer.evidently_page, answer.earlier) if has_own else None
    try:
        days = None if ledger.clock.doubt() else store.retention_days
        if page := keep_page_of_record(store.path, answer.result.at, text, days):
            operation.reporter.say(f"report: {page}")
    except FacemonError as error:
        operation.reporter.warn(error.message)


def _sides(
    operation: Operation, ledger: "Ledger | None", question: DriftQuestion, *, keeps_counts: bool
) -> "tuple[ComparedSide, ComparedSide, Mapping[str, NDArray[np.float64]]]":
    """The reference, the current data, and the quantiles by which both were counted."""
    current, source = question.current, question.source
    normal, layout, named = reference_side(
        operation,
        ledger,
        question.reference,
        question.own_checks,
        model=question.model,
        for_log=isinstance(current, Window),
        source=source,
        keeps_counts=keeps_counts,
    )
    if not isinstance(current, Window):
        return normal, current_table(operation, current, question.own_checks, layout), layout.edges
    if source is not None:
        normal = of_one_source(normal, source)
    latest = current_window(
        operation,
        ledger or operation.open_ledger(),
        current,
        named,
        question.model,
        normal=normal.sample,
        checks=question.own_checks,
        settings=question.settings,
    )
    return normal, latest, layout.edges
