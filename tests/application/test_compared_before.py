"""What a check of record compared stays expected, however many other checks have run since."""

from datetime import timedelta
from pathlib import Path

import pyarrow as pa

from facemon.application.drift_check import check_drift
from facemon.application.drift_question import CheckChoice, DriftRequest
from facemon.application.last_check import explain_last_check
from facemon.application.operation import Operation
from facemon.config.loader import parse_config
from facemon.domain.drift_result import Check, CheckResult, ColumnResult, DriftResult, Side, Verdict
from facemon.monitor.python_reporter import PythonReporter
from facemon.store.drift_results import record_drift
from facemon.store.ledger.opening import open_ledger
from facemon.store.references import set_from_table
from tests.metrics.stores import AT, CONFIGURATION
from tests.store.log_rows import MODEL, NOON, log_images

DAY = timedelta(days=1)
OTHER_CHECKS = 1_200
"""Of the model, every five minutes for four days."""


def recorded(check: Check, column: str) -> DriftResult:
    outcome = CheckResult(Verdict.OK, 0.1, (ColumnResult(column, "number", Verdict.OK, 0.01),))
    return DriftResult(Verdict.OK, AT, Side(900, "older"), Side(800, since=NOON, until=AT), {check: outcome}, MODEL)


def test_a_column_is_missed_after_many_checks_of_another_kind(tmp_path: Path) -> None:
    operation = Operation(parse_config(CONFIGURATION, name="facemon.yaml", directory=tmp_path), PythonReporter())
    with open_ledger(tmp_path / ".facemon", create=True) as ledger:
        log_images(ledger, 300)
        record_drift(ledger, recorded(Check.DATA, "image_brightness"))
        with ledger.writing():
            for _ in range(OTHER_CHECKS):
                ledger.checks.enter(recorded(Check.MODEL, "gender"), for_gauges=True)
        labels = pa.table({"gender": ["female", "male"] * 150})
        set_from_table(ledger, "newer", labels, kind="labels", note="", now=NOON)
    request = DriftRequest(CheckChoice.DATA, reference="newer", since=NOON, until=(NOON + DAY).isoformat())
    columns = check_drift(operation, request).result.checks[Check.DATA].columns
    (brightness,) = [column for column in columns if column.column == "image_brightness"]
    assert brightness.verdict is Verdict.UNDECIDED
    assert "the last check of record compared it" in (brightness.reason or "")
    (explained,) = explain_last_check(operation, DriftRequest(), "image_brightness").explanations
    assert explained.check is Check.DATA


def test_an_attribute_that_was_removed_is_missed_until_a_new_reference(tmp_path: Path) -> None:
    """And so is the old name of one that was renamed."""
    configurations = (CONFIGURATION, CONFIGURATION.replace("name: gender,", "name: sex,"))
    before, after = (
        Operation(parse_config(text, name="facemon.yaml", directory=tmp_path), PythonReporter())
        for text in configurations
    )

    def names(operation: Operation, reference: str) -> set[str]:
        """The undecided columns whose attribute the configuration no longer has."""
        request = DriftRequest(
            CheckChoice.MODEL, reference=reference, since=NOON, until=(NOON + DAY).isoformat(), record=True
        )
        columns = check_drift(operation, request).result.checks[Check.MODEL].columns
        missed = [each for each in columns if (each.reason or "").startswith("no attribute of the configuration")]
        assert {each.verdict for each in missed} <= {Verdict.UNDECIDED}
        return {each.column for each in missed}

    with open_ledger(tmp_path / ".facemon", create=True) as ledger:
        log_images(ledger, 400)
        for name in ("one", "two"):
            rows = pa.table({"gender": ["female", "male"] * 150, "sex": ["female", "male"] * 150})
            set_from_table(ledger, name, rows, kind="predictions", note="", now=NOON)
    assert names(before, "one") == set()
    assert names(after, "one") == names(after, "one") == {"gender"}
    assert names(after, "two") == names(after, "two") == set()
