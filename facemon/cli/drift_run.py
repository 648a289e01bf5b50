"""One drift check from its two sides to its result, which is recorded where the check is of record."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from facemon.cli.compared_sides import (
    ComparedSide,
    Window,
    current_table,
    current_window,
    of_one_source,
    reference_side,
)
from facemon.cli.decision_plans import with_plan
from facemon.cli.drift_options import CheckChoice
from facemon.cli.drift_question import DriftQuestion
from facemon.cli.evidently_part import refuse_unknown_methods, run_evidently_part
from facemon.cli.session import Session
from facemon.errors import FacemonError
from facemon.values.column_shape import ColumnShape
from facemon.values.drift_result import Check, CheckResult, DriftResult, SourceResult

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from facemon.config.drift import DriftConfig
    from facemon.drift.expected_columns import ExpectedColumns
    from facemon.drift.sample import Sample
    from facemon.store.arrivals import Arrivals
    from facemon.store.command_runs import Outcome
    from facemon.store.ledger import Ledger
    from facemon.values.explanation import Explanation


_RESULTS_LOOKED_AT = 200
"""Of the history, for what was compared before: a check that is not among them is run no more."""


@dataclass(frozen=True, slots=True)
class DriftAnswer:
    """The result, and what its distributions can be drawn from."""

    result: DriftResult
    normal: ComparedSide
    latest: ComparedSide
    edges: "Mapping[str, NDArray[np.float64]]"
    settings: "DriftConfig"
    evidently_page: str | None = None
    """The name of Evidently's page in the store's reports, where one was written."""

    def shapes(self) -> Mapping[tuple[Check, str], ColumnShape]:
        """Both distributions of every column."""
        from facemon.drift.column_shapes import column_shapes

        own: dict[Check, CheckResult] = {
            check: outcome for check, outcome in self.result.checks.items() if check is not Check.EVIDENTLY
        }
        return column_shapes(own, self.normal.sample, self.latest.sample, self.edges, self._windows)

    def explain(self, name: str) -> "list[Explanation]":
        """Why the columns of a name got their verdicts; UsageError where there is none."""
        from facemon.drift.explanations import explain, refuse_unknown_column

        refuse_unknown_column([self.result], name)
        sides = (self.normal.sample, self.latest.sample)
        return explain(self.result, name, *sides, settings=self.settings, edges=self.edges, windows=self._windows)

    @property
    def _windows(self) -> "Mapping[str, Sample]":
        ladder = self.latest.ladder
        return {} if ladder is None else {each.rung.name: each.sample for each in ladder.windows}


@contextmanager
def store_if_there(session: Session, *, create: bool) -> "Iterator[Ledger | None]":
    """The ledger; None where no store exists and none is to be created, because two tables compare without one."""
    from facemon.store.layout import LEDGER_NAME

    try:
        is_there = (session.config.store.path / LEDGER_NAME).exists()
    except OSError:
        is_there = True  # to be told why it cannot be read
    if not is_there and not create:
        yield None
        return
    with session.open_ledger(create=create) as ledger:
        yield ledger


def differences_of(session: Session, ledger: "Ledger | None", question: DriftQuestion) -> tuple[str, ...]:
    """How a question differs from the configuration's; none for a check of record."""
    from facemon.drift.check_of_record import AskedCheck, differences
    from facemon.drift.reference_sample import usual_reference

    current, config = question.current, session.config
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
def entered(
    session: Session, ledger: "Ledger | None", question: DriftQuestion, look: str | None
) -> "Iterator[Outcome]":
    """Enter how the command ends for a check of record, which holds the lock; a look takes no lock.

    Evidently alone enters the history only: no time stamp and no gauge follow it.
    """
    from facemon.store.command_runs import Outcome
    from facemon.store.process_lock import ProcessLock

    if ledger is None or look is not None or question.choice is CheckChoice.EVIDENTLY:
        yield Outcome()
        return
    ledger.refuse_foreign_root()
    with (
        ProcessLock.for_command(ledger.folder, "drift-check"),
        session.recorded(ledger, "drift-check") as outcome,
    ):
        yield outcome


def run_drift_check(
    session: Session, ledger: "Ledger | None", question: DriftQuestion, *, look: str | None, writes_pages: bool
) -> DriftAnswer:
    """Read both sides, compare them and record the result, unless the check is a look, for the reason `look`."""
    from facemon.drift.drift_check import join_evidently, run_checks
    from facemon.drift.lost_rows import with_lost_rows
    from facemon.store.drift_results import record_drift

    by_name = question.choice is CheckChoice.EVIDENTLY
    refuse_unknown_methods(question)
    normal, latest, edges = _sides(session, ledger, question, keeps_counts=look is None)
    result = run_checks(
        normal.sample,
        latest.sample,
        checks=question.own_checks,
        attributes=session.config.model.attributes,
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
        result = with_plan(session, ledger, result, (normal, latest), question.settings)
    result, page = replace(result, not_recorded_because=look), None
    arrivals = latest.arrivals if look is None and question.reads_all_arrivals else None
    if arrivals is not None and latest.cut is not None:
        result = _late(result, arrivals, latest.side.since or latest.cut.since)
    if question.asks_evidently(result.verdict):
        found = run_evidently_part(session, question, result, normal, latest, writes_pages=writes_pages)
        result, page = join_evidently(result, found.outcome, decides=by_name, note=found.note), found.page
    answer = DriftAnswer(result, normal, latest, edges, question.settings, page)
    if look is None and ledger is not None:
        # Gauges are of all sources, and of our own checks.
        record_drift(ledger, result, for_gauges=question.source is None and not by_name, arrivals=arrivals)
        _keep_pages(session, ledger, answer, has_own=not by_name)
    return answer


def _with_last_seen(result: DriftResult, ledger: "Ledger", model: str, since: datetime) -> DriftResult:
    """The result with the hour of the last rows of each source that is silent from `since` on."""
    from facemon.store.profiles import last_hour
    from facemon.values.times import hour_of, start_of_hour

    # The hour that the window cuts may hold rows from before it.
    end = hour_of(since) + 1

    def seen(each: SourceResult) -> SourceResult:
        if not each.is_silent or each.source is None:
            return each
        hour = last_hour(ledger.connection, model, each.source, end)
        return replace(each, last_seen=None if hour is None else start_of_hour(hour))

    return replace(result, sources=tuple(map(seen, result.sources)))


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
    return lost_rows(ledger.connection, ledger.folder, since, latest.side.until, question.model)


def _expected(
    ledger: "Ledger | None", question: DriftQuestion, normal: ComparedSide, latest: ComparedSide
) -> "ExpectedColumns":
    """The columns that must not be missing: those of attributes, and what was compared before."""
    from facemon.drift.expected_columns import ExpectedColumns, compared_before
    from facemon.store.drift_results import drift_history

    history = drift_history(ledger, _RESULTS_LOOKED_AT) if ledger is not None and question.source is None else ()
    before = compared_before(history, model=question.model, reference=normal.side.name, current=latest.side)
    return ExpectedColumns(isinstance(question.current, Window), before)


def _keep_pages(session: Session, ledger: "Ledger", answer: DriftAnswer, *, has_own: bool) -> None:
    """Write the page of a check of record and remove old ones; a page that cannot be written changes no verdict."""
    from facemon.reports.html_report import html_report
    from facemon.store.report_files import keep_page_of_record

    store = session.config.store
    text = html_report(answer.result, answer.shapes(), answer.evidently_page) if has_own else None
    try:
        days = None if ledger.clock.doubt() else store.retention_days
        if page := keep_page_of_record(store.path, answer.result.at, text, days):
            session.console.say(f"report: {page}")
    except FacemonError as error:
        session.console.warn(error.message)


def _sides(
    session: Session, ledger: "Ledger | None", question: DriftQuestion, *, keeps_counts: bool
) -> "tuple[ComparedSide, ComparedSide, Mapping[str, NDArray[np.float64]]]":
    """The reference, the current data, and the quantiles by which both were counted."""
    current, source = question.current, question.source
    normal, layout, named = reference_side(
        session,
        ledger,
        question.reference,
        question.own_checks,
        model=question.model,
        for_log=isinstance(current, Window),
        source=source,
        keeps_counts=keeps_counts,
    )
    if isinstance(current, Path):
        return normal, current_table(session, current, question.own_checks, layout), layout.edges
    if source is not None:
        normal = of_one_source(normal, source)
    latest = current_window(
        session,
        ledger or session.open_ledger(),
        current,
        named,
        question.model,
        normal=normal.sample,
        checks=question.own_checks,
        settings=question.settings,
    )
    return normal, latest, layout.edges
