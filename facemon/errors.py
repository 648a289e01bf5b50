"""What can go wrong, and the exit code each kind of trouble ends in."""

from enum import IntEnum

from facemon.error_hints import hint_of


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
    """Trouble that the user can act on: what happened and where, then what to do about it.

    Where no hint is given, an error that is raised `from` one of the system's has the hint for that.
    """

    exit_code = ExitCode.FAILED

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self._hint = hint

    @property
    def hint(self) -> str | None:
        """What to do about it, as far as that is known."""
        return self._hint or hint_of(self.__cause__)


class UsageError(FacemonError):
    """The command line asks for something that makes no sense."""

    exit_code = ExitCode.USAGE


class ConfigError(FacemonError):
    """The configuration is wrong; `message` holds one line per fault, each with its place."""

    exit_code = ExitCode.USAGE


class LockedError(FacemonError):
    """Another run holds a lock that this one needs."""

    exit_code = ExitCode.LOCKED


class Interrupted(BaseException):
    """The user asked to stop.

    It is not an Exception, so that no code on the way takes it for a failure of its own and goes on.
    """

    exit_code = ExitCode.INTERRUPTED

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class OutputClosed(Interrupted):
    """stdout was closed by its reader, such as `head`: there is nothing to say."""
