"""Enters in the ledger how a command ended: when, after how long, and whether that is a success."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from facemon.domain.times import micros
from facemon.errors import ExitCode, FacemonError, Interrupted
from facemon.store.command_run import CommandRun
from facemon.store.ledger.protocol import Ledger

_SUCCESS = (ExitCode.OK, ExitCode.FOUND, ExitCode.UNDECIDED)


@dataclass
class Outcome:
    """The exit code that a command comes to; failed until it says otherwise."""

    code: ExitCode = ExitCode.FAILED
    renews_success: bool = True
    """Whether exit 0, 3 or 4 counts as a success: not where the command had nothing to work on."""
    announced: "Announcement | None" = None
    """What others are told of this run before it ends; a success is entered as it was told."""
    is_entered: bool = False
    """Whether the announced success stands in the ledger already."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """A success that is told before the command has ended: `finished` is in microseconds since 1970."""

    command: str
    seconds: float
    finished: int

    @property
    def run(self) -> CommandRun:
        """The run as it will be entered."""
        return CommandRun(self.command, self.seconds, self.finished)


@contextmanager
def recorded(ledger: Ledger, command: str, began: float | None = None) -> Iterator[Outcome]:
    """Enter in the ledger how a command ended: with the code that the block sets, or with its error's.

    `began` is when it did, by the monotonic clock; none is now.
    """
    ledger.refuse_foreign_root()
    start, outcome = time.monotonic() if began is None else began, Outcome()
    try:
        yield outcome
    except (FacemonError, Interrupted) as error:
        outcome.code = error.exit_code
        raise
    finally:
        is_success = outcome.renews_success and outcome.code in _SUCCESS
        if not is_success or (told := outcome.announced) is None:
            seconds, renews = time.monotonic() - start, outcome.renews_success
            record_command(ledger, command, ledger.now(), seconds, outcome.code, renews_success=renews)
        elif not outcome.is_entered:
            _record(ledger, command, told.finished, told.seconds, outcome.code)
        ledger.clock.keep()


def announce(command: str, began: float, now: datetime) -> Announcement:
    """A success of now; `began` is when the command did, by the monotonic clock."""
    return Announcement(command, time.monotonic() - began, micros(now))


@contextmanager
def entered_before(ledger: Ledger, outcome: Outcome) -> Iterator[None]:
    """Enter the announced success before the block that makes it one; a block that fails takes it back.

    For a step that hardly fails but cannot be undone, behind a ledger whose disk may be full.
    """
    if (told := outcome.announced) is None:
        raise ValueError("nothing was announced")
    with ledger.reading():
        before = {run.command: run.last_success for run in ledger.commands.all()}.get(told.command)
    _record(ledger, told.command, told.finished, told.seconds, ExitCode.OK)
    try:
        yield
    except BaseException:
        with ledger.writing():
            # Another run may have succeeded since: its success stays.
            ledger.commands.take_back_success(told.command, told.finished, before)
        raise
    outcome.is_entered = True


def record_command(
    ledger: Ledger, command: str, finished: datetime, seconds: float, code: ExitCode, *, renews_success: bool = True
) -> None:
    """Enter that a command ended; exit 3 and 4 are success: it found something, it could not decide.

    Without `renews_success` the time of the last success stays as it was, whatever the exit code.
    """
    _record(ledger, command, micros(finished), seconds, code, renews_success=renews_success)


def _record(
    ledger: Ledger, command: str, finished: int, seconds: float, code: ExitCode, *, renews_success: bool = True
) -> None:
    success = finished if renews_success and code in _SUCCESS else None
    with ledger.writing():
        ledger.commands.enter(command, finished, seconds, int(code), success)
