"""One drift check from its two sides to its recorded result."""

from collections.abc import Mapping
from dataclasses import dataclass
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
from facemon.values.drift_result import Check, CheckResult, DriftResult

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from facemon.config.drift import DriftConfig
    from facemon.store.ledger import Ledger
    from facemon.values.explanation import Explanation


@dataclass(frozen=True, slots=True)
class DriftQuestion:
    """What is compared with what, and how."""

    choice: CheckChoice
    model: str
    """Whose rows of the log."""
    reference: str | None
    current: Path | Window
    by_source: bool


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
        from facemon.drift.explanations import explain

        sides = (self.normal.sample, self.latest.sample)
        return explain(self.result.checks, name, *sides, settings=self.settings, edges=self.edges)


def run_drift_check(
    session: Session, ledger: "Ledger", settings: "DriftConfig", question: DriftQuestion, now: datetime
) -> DriftAnswer:
    """Read both sides, compare them and enter the result into the ledger."""
    from facemon.drift.drift_check import join_evidently, run_checks
    from facemon.store.drift_results import record_drift

    choice, current = question.choice, question.current
    if choice in (CheckChoice.ALL, CheckChoice.EVIDENTLY):
        let_pandas_in()  # Evidently wants data frames
    own = [Check.DATA, Check.MODEL] if choice is CheckChoice.ALL else [Check(choice.value)]
    source = current.source if isinstance(current, Window) else None
    normal, layout, named = reference_side(
        session,
        ledger,
        question.reference,
        own,
        model=question.model,
        for_log=isinstance(current, Window),
        source=source,
    )
    if isinstance(current, Window):
        latest = current_window(session, ledger, current, named, question.model)
        if source is not None:
            normal, latest = (of_one_source(side, source) for side in (normal, latest))
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
        model=question.model,
        source=source,
        by_source=question.by_source,
    )
    if asks_evidently:
        found = _evidently(session, ledger, settings, result, normal, latest)
        result = join_evidently(result, found, decides=choice is CheckChoice.EVIDENTLY)
    # The gauges are of the configured model's rows, all of them.
    record_drift(ledger, result, for_gauges=source is None and question.model == session.config.model.id)
    return DriftAnswer(result, normal, latest, layout.edges, settings)


def _evidently(
    session: Session,
    ledger: "Ledger",
    settings: "DriftConfig",
    result: DriftResult,
    normal: ComparedSide,
    latest: ComparedSide,
) -> CheckResult:
    from facemon.drift.evidently_report import run_evidently
    from facemon.reports.html_report import verdict_table_html

    outcome, report = run_evidently(
        normal.rows(),
        latest.rows(),
        settings=settings.evidently,
        attributes=session.config.model.attributes,
        folder=ledger.folder / "reports",
        at=result.at,
        preface=verdict_table_html(result) if result.checks else "",
        ignored=normal.ignored | latest.ignored,
    )
    if report is not None:
        session.console.say(f"Evidently's report: {report}")
    return outcome
