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
from facemon.cli.drift_options import CheckChoice
from facemon.cli.pandas_gate import let_pandas_in
from facemon.cli.session import Session
from facemon.values.column_shape import ColumnShape
from facemon.values.drift_result import Check, CheckResult, DriftResult, Verdict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from facemon.config.drift import DriftConfig
    from facemon.store.command_runs import Outcome
    from facemon.store.ledger import Ledger
    from facemon.values.explanation import Explanation


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
    def source(self) -> str | None:
        """The one source whose rows are wanted."""
        return self.current.source if isinstance(self.current, Window) else None


@dataclass(frozen=True, slots=True)
class DriftAnswer:
    """The result, and what its distributions can be drawn from."""

    result: DriftResult
    normal: ComparedSide
    latest: ComparedSide
    edges: "Mapping[str, NDArray[np.float64]]"
    settings: "DriftConfig"

    def shapes(self) -> Mapping[tuple[Check, str], ColumnShape]:
        """Both distributions of every column."""
        from facemon.drift.column_shapes import column_shapes

        own: dict[Check, CheckResult] = {
            check: outcome for check, outcome in self.result.checks.items() if check is not Check.EVIDENTLY
        }
        return column_shapes(own, self.normal.sample, self.latest.sample, self.edges)

    def explain(self, name: str) -> "list[Explanation]":
        """Why the columns of a name got their verdicts; UsageError where there is none."""
        from facemon.drift.explanations import explain, refuse_unknown_column

        refuse_unknown_column([self.result], name)
        sides = (self.normal.sample, self.latest.sample)
        return explain(self.result, name, *sides, settings=self.settings, edges=self.edges)


@contextmanager
def store_if_there(session: Session, *, create: bool) -> "Iterator[Ledger | None]":
    """The ledger, or none where there is no store and none is to be made: two tables can be compared without one."""
    from facemon.store.ledger import LEDGER_NAME

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
        by_source=question.by_source,
    )
    usual = None if ledger is None else usual_reference(ledger, config.drift.reference, config.model.id)
    return differences(asked, config, usual)


@contextmanager
def entered(
    session: Session, ledger: "Ledger | None", question: DriftQuestion, look: str | None
) -> "Iterator[Outcome]":
    """How the command ends: entered in the ledger for a check of record, which runs alone; a look waits for nobody.

    Evidently alone is no check of ours: what it finds is in the history, but nothing waits for it.
    """
    from facemon.store.command_runs import Outcome
    from facemon.store.process_lock import ProcessLock

    if ledger is None or look is not None or question.choice is CheckChoice.EVIDENTLY:
        yield Outcome()
        return
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
    from facemon.store.drift_results import record_drift

    choice, source = question.choice, question.source
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
        source=source,
        by_source=question.by_source,
    )
    result = replace(result, not_recorded_because=look)
    if question.asks_evidently(result.verdict) and latest.sample.rows and normal.sample.rows:
        found = _evidently(session, question, result, normal, latest, writes_pages=writes_pages)
        result = join_evidently(result, found, decides=choice is CheckChoice.EVIDENTLY)
    if look is None and ledger is not None:
        # Gauges are of all sources, and of our own checks.
        record_drift(ledger, result, for_gauges=source is None and choice is not CheckChoice.EVIDENTLY)
    return DriftAnswer(result, normal, latest, edges, question.settings)


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
    latest = current_window(session, ledger or session.open_ledger(), current, named, question.model)
    if source is not None:
        normal, latest = (of_one_source(side, source) for side in (normal, latest))
    return normal, latest, layout.edges


def _evidently(
    session: Session,
    question: DriftQuestion,
    result: DriftResult,
    normal: ComparedSide,
    latest: ComparedSide,
    *,
    writes_pages: bool,
) -> CheckResult:
    let_pandas_in()  # Evidently wants data frames

    from facemon.drift.evidently_report import run_evidently
    from facemon.reports.html_report import verdict_table_html

    outcome, report = run_evidently(
        normal.rows(),
        latest.rows(),
        settings=question.settings.evidently,
        attributes=session.config.model.attributes,
        folder=session.config.store.path / "reports" if writes_pages else None,
        at=result.at,
        preface=verdict_table_html(result) if result.checks else "",
        ignored=normal.ignored | latest.ignored,
    )
    if report is not None:
        session.console.say(f"Evidently's report: {report}")
    return outcome
