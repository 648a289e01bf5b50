"""When each command last ran, how long it took, and when it last succeeded."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from facemon.errors import ExitCode, FacemonError
from facemon.store.ledger import Ledger
from facemon.values.times import micros

_SUCCESS = (ExitCode.OK, ExitCode.FOUND, ExitCode.UNDECIDED)


@dataclass(frozen=True, slots=True)
class CommandRun:
    """A command's last run; `last_success` in microseconds since 1970, none if it never succeeded."""

    command: str
    seconds: float
    last_success: int | None


@dataclass
class Outcome:
    """The exit code that a command comes to; failed until it says otherwise."""

    code: ExitCode = ExitCode.FAILED


@contextmanager
def recorded(ledger: Ledger, command: str, began: float | None = None) -> Iterator[Outcome]:
    """Enter in the ledger how a command ended: with the code that the block sets, or with its error's.

    `began` is when it did, by the monotonic clock; none is now.
    """
    start, outcome = time.monotonic() if began is None else began, Outcome()
    try:
        yield outcome
    except FacemonError as error:
        outcome.code = error.exit_code
        raise
    finally:
        record_command(ledger, command, datetime.now(UTC), time.monotonic() - start, outcome.code)


def record_command(ledger: Ledger, command: str, finished: datetime, seconds: float, code: ExitCode) -> None:
    """Enter that a command ended; exit 3 and 4 are success: it found something, it could not decide."""
    success = micros(finished) if code in _SUCCESS else None
    with ledger.writing() as connection:
        connection.execute(
            "INSERT INTO command_runs VALUES (?, ?, ?, ?, ?) ON CONFLICT (command) DO UPDATE SET "
            "finished = excluded.finished, seconds = excluded.seconds, exit_code = excluded.exit_code, "
            "last_success = coalesce(excluded.last_success, last_success)",
            (command, micros(finished), seconds, int(code), success),
        )


def read_command_runs(connection: sqlite3.Connection) -> list[CommandRun]:
    """Every command that was ever run on this store."""
    return [CommandRun(*row) for row in connection.execute("SELECT command, seconds, last_success FROM command_runs")]
