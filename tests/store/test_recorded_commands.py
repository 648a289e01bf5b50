"""When commands last succeeded, as the ledger keeps it: also what is told before it has happened."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from facemon.domain.times import from_micros, micros
from facemon.errors import ExitCode, FacemonError
from facemon.store.command_run import CommandRun
from facemon.store.ledger.protocol import Ledger
from facemon.store.recorded_commands import Announcement, announce, entered_before, record_command, recorded
from tests.store.log_rows import NOON
from tests.store.sql import sql


@pytest.mark.parametrize("code", ExitCode)
def test_three_and_four_are_success(ledger: Ledger, code: ExitCode) -> None:
    record_command(ledger, "predict", NOON, 1.5, code)
    success = micros(NOON) if code in (0, 3, 4) else None
    assert ledger.commands.all() == [CommandRun("predict", 1.5, success)]


def test_a_failure_keeps_the_last_success(ledger: Ledger) -> None:
    record_command(ledger, "predict", NOON, 1.5, ExitCode.OK)
    record_command(ledger, "drift-check", NOON, 2.5, ExitCode.FOUND)
    record_command(ledger, "predict", NOON + timedelta(hours=1), 0.5, ExitCode.FAILED)
    assert ledger.commands.all() == [
        CommandRun("drift-check", 2.5, micros(NOON)),
        CommandRun("predict", 0.5, micros(NOON)),
    ]


@pytest.mark.parametrize("code", [ExitCode.OK, ExitCode.FOUND, ExitCode.UNDECIDED])
def test_a_command_may_say_that_it_is_no_success_whatever_its_exit_code(ledger: Ledger, code: ExitCode) -> None:
    for is_announced in (False, True):
        with recorded(ledger, "evaluate") as outcome:
            outcome.announced = announce("evaluate", time.monotonic(), ledger.now()) if is_announced else None
            outcome.code, outcome.renews_success = code, False
        assert [run.last_success for run in runs_of(ledger)] == [None]
    record_command(ledger, "evaluate", NOON, 1.5, ExitCode.OK)
    record_command(ledger, "evaluate", NOON + timedelta(hours=1), 2.5, code, renews_success=False)
    assert runs_of(ledger) == [CommandRun("evaluate", 2.5, micros(NOON))]


def runs_of(ledger: Ledger) -> list[CommandRun]:
    return ledger.commands.all()


def test_an_announced_success_is_entered_as_it_was_told(ledger: Ledger) -> None:
    with recorded(ledger, "export-metrics") as outcome:
        told = outcome.announced = announce("export-metrics", time.monotonic() - 2, ledger.now())
        time.sleep(0.01)
        outcome.code = ExitCode.OK
    assert runs_of(ledger) == [told.run]
    assert told.seconds >= 2


def test_an_announced_success_that_fails_is_a_failure(ledger: Ledger) -> None:
    def run() -> None:
        with recorded(ledger, "export-metrics") as outcome:
            outcome.announced = announce("export-metrics", time.monotonic() - 2, ledger.now())
            raise FacemonError("nobody took it")

    with pytest.raises(FacemonError, match="nobody took it"):
        run()
    (entered,) = runs_of(ledger)
    assert (entered.command, entered.last_success) == ("export-metrics", None)


def fail_after_entering(ledger: Ledger, meanwhile: Callable[[Announcement], None]) -> None:
    with recorded(ledger, "export-metrics") as outcome:
        told = outcome.announced = announce("export-metrics", time.monotonic(), ledger.now())
        with entered_before(ledger, outcome):
            assert runs_of(ledger) == [told.run]
            meanwhile(told)
            raise FacemonError("no rename")


@pytest.mark.parametrize("before", [None, NOON])
def test_a_success_that_was_entered_before_is_taken_back(ledger: Ledger, before: datetime | None) -> None:
    if before is not None:
        record_command(ledger, "export-metrics", before, 1.0, ExitCode.OK)
    with pytest.raises(FacemonError, match="no rename"):
        fail_after_entering(ledger, lambda _: None)
    (entered,) = runs_of(ledger)
    assert entered.last_success == (None if before is None else micros(before))


def test_anothers_success_in_between_stays(ledger: Ledger) -> None:
    def another(told: Announcement) -> None:
        record_command(ledger, "export-metrics", from_micros(told.finished + 1), 1.0, ExitCode.OK)

    with pytest.raises(FacemonError, match="no rename"):
        fail_after_entering(ledger, another)
    (entered,) = runs_of(ledger)
    assert entered.last_success is not None
    assert entered.last_success > micros(NOON)


def test_a_success_that_was_entered_before_is_entered_once(ledger: Ledger) -> None:
    with recorded(ledger, "export-metrics") as outcome:
        told = outcome.announced = announce("export-metrics", time.monotonic(), ledger.now())
        with entered_before(ledger, outcome):
            pass
        outcome.code = ExitCode.OK
        changes = sql(ledger).total_changes
    assert runs_of(ledger) == [told.run]
    assert sql(ledger).total_changes == changes
