"""Which labels count on the current side: those of the hours that the reference leaves of the window."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from facemon.application.compared_sides import Window, current_window
from facemon.application.operation import Operation
from facemon.config.loader import parse_config
from facemon.domain.drift_result import Check
from facemon.domain.labelled import LabelledImage
from facemon.domain.times import hour_of
from facemon.drift.sample import Sample
from facemon.monitor.python_reporter import PythonReporter
from facemon.store.evaluations import record_accuracy
from facemon.store.ledger.opening import open_ledger
from facemon.store.references import set_from_window
from tests.metrics.stores import CONFIGURATION
from tests.store.log_rows import MODEL, NOON, log_images

HOUR = timedelta(hours=1)
BEGINS, ENDS = NOON + 10.5 * HOUR, NOON + 20 * HOUR
"""The reference's window; there is a label of each hour from five hours before noon until a day after it."""


@pytest.mark.parametrize(
    ("since", "until", "hours"),
    [
        (NOON, NOON + 5 * HOUR, range(-5, 5)),
        (NOON, NOON + 15 * HOUR, range(-5, 10)),
        (NOON, BEGINS, range(-5, 10)),
        (NOON + 11 * HOUR, NOON + 12 * HOUR, range(0)),
        (NOON + 15 * HOUR, NOON + 23 * HOUR, range(20, 23)),
        (NOON, NOON + 23 * HOUR, range(20, 23)),
    ],
)
def test_no_label_counts_on_both_sides(tmp_path: Path, since: datetime, until: datetime, hours: range) -> None:
    config, noon = parse_config(CONFIGURATION, name="facemon.yaml", directory=tmp_path), hour_of(NOON)
    operation = Operation(config, PythonReporter())
    images = [LabelledImage("gender", str(hour), noon + hour, None, True) for hour in range(-5, 24)]
    with open_ledger(tmp_path / "store", create=True) as ledger:
        log_images(ledger, 240, spread=timedelta(hours=100))
        record_accuracy(ledger, MODEL, NOON, {}, images)
        reference = set_from_window(ledger, "normal", BEGINS, ENDS, model=MODEL, note="", now=NOON)
        side = current_window(
            operation, ledger, Window(since, until), reference, MODEL,
            normal=Sample.of_sources({}), checks=(Check.MODEL,), settings=config.drift,
        )  # fmt: skip
    column = side.sample.accuracy().column("gender")
    assert (column.total if column else 0) == len(hours)
