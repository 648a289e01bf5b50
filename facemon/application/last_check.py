"""The recorded checks, and why a column got its verdict in the last one: from its rows where the log has them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from facemon.application.compared_sides import Window, current_window, reference_side
from facemon.application.drift_check import store_if_there
from facemon.application.drift_question import CheckChoice, DriftRequest
from facemon.application.operation import Operation
from facemon.config.durations import parse_duration
from facemon.domain.drift_result import Check, CheckResult, DriftResult, Side, Verdict
from facemon.domain.run_verdict import of_checks
from facemon.errors import ExitCode, FacemonError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from facemon.domain.explanation import Explanation
    from facemon.drift.sample import Sample
    from facemon.store.ledger.protocol import Ledger

    _Sides = tuple[Sample, Sample, dict[str, NDArray[np.float64]], dict[str, Sample]]
    """The reference, the current rows, the quantiles of both, and the rows of shorter windows."""

_WORST_FIRST = (ExitCode.FOUND, ExitCode.UNDECIDED, ExitCode.OK)
_MOST_OF_EVIDENTLY: int | None = 1_000
"""Entries of the history that are searched for a check by Evidently, of which nothing else is known."""
_CHECKS = {
    CheckChoice.ALL: (Check.DATA, Check.MODEL),
    CheckChoice.DATA: (Check.DATA,),
    CheckChoice.MODEL: (Check.MODEL,),
    CheckChoice.EVIDENTLY: (Check.EVIDENTLY,),
}


@dataclass(frozen=True, slots=True)
class ExplainedCheck:
    """Why columns of the last check of record got their verdicts, and the exit code in which that check ended."""

    explanations: "list[Explanation]"
    code: ExitCode


def explain_last_check(operation: Operation, request: DriftRequest, name: str) -> ExplainedCheck:
    """Explain a column of the last check of record, and end as that check did."""
    with store_if_there(operation, create=False) as ledger:
        if ledger is None:
            operation.open_ledger()  # which names the folder in which a store is missing
        results = _last_checks(ledger, request.model or operation.config.model.id, request.choice)
        # Data and model may have been checked by separate commands, each of which ended by its own result.
        checks = {check: outcome for result in results for check, outcome in result.checks.items()}
        request.fail_on.refuse_unknown(replace(results[0], checks=checks))
        codes = {request.fail_on.code_of(_with_quiet_columns(result)) for result in results}
        code = ExitCode.OK if request.exit_zero else next(code for code in _WORST_FIRST if code in codes)
        return ExplainedCheck(_explain_recorded(operation, ledger, results, name), code)


def _with_quiet_columns(result: DriftResult) -> DriftResult:
    """A recorded result whose sources have every column that the whole compared, for rules that count columns.

    The ledger keeps the drifted columns of sources alone.
    """

    def filled(check: Check, outcome: CheckResult) -> CheckResult:
        verdict = Verdict.UNDECIDED if outcome.verdict is Verdict.UNDECIDED else Verdict.OK
        drifted = {column.column for column in outcome.columns}
        quiet = [
            replace(column, verdict=verdict)
            for column in result.checks[check].columns
            if column.verdict is not Verdict.NOT_COMPARED and column.column not in drifted
        ]
        return replace(outcome, columns=(*outcome.columns, *quiet))

    sources = [
        replace(each, checks={check: filled(check, outcome) for check, outcome in each.checks.items()})
        for each in result.sources
    ]
    return replace(result, sources=tuple(sources))


def recorded_checks(operation: Operation) -> list[DriftResult]:
    """The results of the last checks of record, newest first."""
    from facemon.store.drift_results import drift_history

    with operation.open_ledger() as ledger:
        return list(drift_history(ledger))


def _last_checks(ledger: "Ledger | None", model: str, choice: CheckChoice) -> list[DriftResult]:
    """The newest recorded result of each check, with that check alone; FacemonError where there is none.

    Results of a single source are left out: they say nothing of the whole.
    """
    from facemon.store.drift_results import drift_history

    wanted, found, limit = set(_CHECKS[choice]), list[DriftResult](), _MOST_OF_EVIDENTLY
    if ledger and choice is not CheckChoice.EVIDENTLY:
        # What has run is found, however many other checks have run since; what never has is not searched for.
        ran = {state.check for state in ledger.checks.states() if state.model == model}
        wanted, limit = {check for check in wanted if check in ran}, None
    for result in drift_history(ledger, limit) if ledger and wanted else ():
        if result.model != model or result.source is not None:
            continue
        if here := wanted & result.checks.keys():
            found.append(of_checks(result, here))
            wanted -= here
        if not wanted:
            break
    if not found:
        named = "" if choice is CheckChoice.ALL else f" --check {choice.value}"
        raise FacemonError(
            f"no check of record of {model} has run yet",
            f"facemon drift-check{named} makes one; add --now for a look at the present",
        )
    return found


def _explain_recorded(
    operation: Operation, ledger: "Ledger | None", results: Iterable[DriftResult], name: str
) -> "list[Explanation]":
    """Why the columns of a name got their recorded verdicts; UsageError where no result has such a column."""
    from facemon.drift.explanations import explain, refuse_unknown_column

    results = list(results)
    refuse_unknown_column(results, name)
    explanations = []
    for result in results:
        sides, missing = _sides(operation, ledger, result)
        if missing is not None:
            operation.reporter.say(f"explained from the recorded result alone: {missing}")
        first, second, edges, windows = sides
        explanations += explain(
            result, name, first, second, settings=operation.config.drift, edges=edges, windows=windows
        )
    return explanations


def _sides(operation: Operation, ledger: "Ledger | None", result: DriftResult) -> "tuple[_Sides, str | None]":
    """Both samples as they were compared; empty ones, and why, where they cannot be had any more."""
    from facemon.drift.sample import Sample

    nothing = (Sample.of_sources({}), Sample.of_sources({}), dict[str, "NDArray[np.float64]"](), dict[str, Sample]())
    current, model, checks = result.current, result.model or "", tuple(result.checks)
    if ledger is None or current.since is None or current.until is None:
        return nothing, "its current rows are not from the log"
    try:
        first, layout, reference = reference_side(
            operation, ledger, result.reference.name, checks, model=model, for_log=True
        )
    except FacemonError as error:
        return nothing, error.message
    if not _is_same(first.side, result.reference):
        return nothing, f"the reference {result.reference.name} is another one now"

    def rows_since(since: datetime, until: datetime) -> "Sample":
        settings = operation.config.drift
        settings = settings.model_copy(update={"widen_to": settings.window})
        window, normal = Window(since, until), first.sample
        return current_window(
            operation, ledger, window, reference, model, normal=normal, checks=checks, settings=settings
        ).sample

    second = rows_since(current.since, current.until)
    if second.rows < current.rows:
        return nothing, f"the log holds {second.rows:,} of its {current.rows:,} rows now"
    if second.rows > current.rows:
        operation.reporter.say(f"the log holds {second.rows:,} rows of its window now, {current.rows:,} at the time")
    columns = [column for outcome in result.checks.values() for column in outcome.columns]
    spans = {column.window: parse_duration(column.window) for column in columns if column.window is not None}
    windows = {
        name: rows_since(current.until - span, current.until)
        for name, span in spans.items()
        if span < current.until - current.since
    }
    return (first.sample, second, dict(layout.edges), windows), None


def _is_same(reference: Side, recorded: Side) -> bool:
    return (reference.kind, reference.since, reference.until) == (recorded.kind, recorded.since, recorded.until)
