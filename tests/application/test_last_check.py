"""How `--explain` of the last check of record ends: as that check did, although the ledger keeps less of it."""

from pathlib import Path

import pytest

from facemon.application.drift_question import DriftRequest
from facemon.application.fail_on import FailOn
from facemon.application.last_check import explain_last_check
from facemon.application.operation import Operation
from facemon.config.loader import parse_config
from facemon.domain.drift_result import Check, CheckResult, ColumnResult, DriftResult, Side, SourceResult, Verdict
from facemon.domain.run_verdict import verdict_over
from facemon.monitor.python_reporter import PythonReporter
from facemon.store.drift_results import record_drift
from facemon.store.ledger.opening import open_ledger
from tests.metrics.stores import AT, CONFIGURATION
from tests.store.log_rows import MODEL

OK, DRIFT, UNDECIDED = Verdict.OK, Verdict.DRIFT, Verdict.UNDECIDED
QUIET = {"a": OK, "b": OK, "c": OK, "d": OK}


def checks(columns: dict[str, Verdict], check: Check = Check.DATA) -> dict[Check, CheckResult]:
    found = tuple(ColumnResult(name, "number", verdict, 0.1) for name, verdict in columns.items())
    verdict = next(each for each in (DRIFT, UNDECIDED, OK) if each in columns.values())
    return {check: CheckResult(verdict, 0.1, found)}


def result(whole: dict[str, Verdict], *sources: dict[str, Verdict], check: Check = Check.DATA) -> DriftResult:
    """A result of the whole and of sources with as many rows each."""
    parts = tuple(
        SourceResult(f"camera {number}", checks(each)[Check.DATA].verdict, 90, 90, checks(each, check))
        for number, each in enumerate(sources)
    )
    of_whole = checks(whole, check)
    return DriftResult(verdict_over(of_whole, parts), AT, Side(900), Side(800), of_whole, MODEL, sources=parts)


def code_of_explanation(folder: Path, rule: str, *results: DriftResult) -> int:
    """The exit code of an explanation after checks of record, of which the last one is the newest."""
    operation = Operation(parse_config(CONFIGURATION, name="facemon.yaml", directory=folder), PythonReporter())
    with open_ledger(folder / ".facemon", create=True) as ledger:
        for each in results:
            record_drift(ledger, each)
    return explain_last_check(operation, DriftRequest(fail_on=FailOn.parse(rule)), "a").code


CASES = {
    "drift of one source": (result(QUIET, QUIET, QUIET | {"a": DRIFT}), {"any": 3, "attribute=a": 3, "share=0.5": 0}),
    "half of the sources are undecided": (result(QUIET, QUIET, QUIET | {"b": UNDECIDED}), {"any": 4}),
    "a third of the sources is undecided": (result(QUIET, QUIET, QUIET, QUIET | {"b": UNDECIDED}), {"any": 0}),
    "drift of a source, undecided ones": (
        result(QUIET, QUIET | {"a": DRIFT}, QUIET | {"b": UNDECIDED}), {"share=0.5": 4, "never": 0}
    ),
    "drift of the whole": (result(QUIET | {"a": DRIFT}, QUIET | {"a": DRIFT}), {"any": 3, "share=0.5": 0}),
    "all is well": (result(QUIET, QUIET), {"any": 0}),
}  # fmt: skip


@pytest.mark.parametrize(("name", "rule"), [(name, rule) for name, (_, codes) in CASES.items() for rule in codes])
def test_an_explanation_ends_as_the_check_did(tmp_path: Path, name: str, rule: str) -> None:
    checked, codes = CASES[name]
    assert FailOn.parse(rule).code_of(checked) == codes[rule]
    assert code_of_explanation(tmp_path, rule, checked) == codes[rule]


def test_of_separate_checks_the_worst_end_counts(tmp_path: Path) -> None:
    sources = result(QUIET, QUIET, QUIET | {"a": DRIFT}, check=Check.MODEL)
    assert code_of_explanation(tmp_path, "any", sources, result(QUIET)) == 3
    newer = result(QUIET, QUIET, QUIET | {"a": UNDECIDED}, check=Check.MODEL)
    assert code_of_explanation(tmp_path, "any", newer) == 4
    assert code_of_explanation(tmp_path, "any", result(QUIET, check=Check.MODEL)) == 0
