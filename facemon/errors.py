"""What can go wrong, and the exit code each kind of trouble ends in."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of every facemon command."""

    OK = 0
    FAILED = 1
    USAGE = 2
    FOUND = 3
    UNDECIDED = 4
    LOCKED = 75
    INTERRUPTED = 130


class FacemonError(Exception):
    """Trouble that the user can act on: what happened and where, then what to do about it."""

    exit_code = ExitCode.FAILED

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(FacemonError):
    """The command line asks for something that makes no sense."""

    exit_code = ExitCode.USAGE


class ConfigError(FacemonError):
    """The configuration is wrong; `message` holds one line per fault, each with its place."""

    exit_code = ExitCode.USAGE


class LockedError(FacemonError):
    """Another run holds a lock that this one needs."""

    exit_code = ExitCode.LOCKED


class Interrupted(FacemonError):
    """The user asked to stop."""

    exit_code = ExitCode.INTERRUPTED


class OutputClosed(Interrupted):
    """Whoever read our output, such as `head`, has left; no news to anybody."""
