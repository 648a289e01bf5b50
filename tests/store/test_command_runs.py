from datetime import timedelta

import pytest

from facemon.errors import ExitCode
from facemon.store.command_runs import CommandRun, read_command_runs, record_command
from facemon.store.ledger import Ledger
from facemon.values.times import micros
from tests.store.log_rows import NOON


@pytest.mark.parametrize("code", ExitCode)
def test_three_and_four_are_success(ledger: Ledger, code: ExitCode) -> None:
    record_command(ledger, "predict", NOON, 1.5, code)
    success = micros(NOON) if code in (0, 3, 4) else None
    assert read_command_runs(ledger.connection) == [CommandRun("predict", 1.5, success)]


def test_a_failure_keeps_the_last_success(ledger: Ledger) -> None:
    record_command(ledger, "predict", NOON, 1.5, ExitCode.OK)
    record_command(ledger, "drift-check", NOON, 2.5, ExitCode.FOUND)
    record_command(ledger, "predict", NOON + timedelta(hours=1), 0.5, ExitCode.FAILED)
    assert read_command_runs(ledger.connection) == [
        CommandRun("drift-check", 2.5, micros(NOON)),
        CommandRun("predict", 0.5, micros(NOON)),
    ]
