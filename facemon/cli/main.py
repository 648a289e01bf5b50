"""The `facemon` command: the one place where errors become exit codes.

What it needs is loaded when signals are heeded, so that an early Ctrl-C ends it like a late one.
"""

import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from facemon.errors import ExitCode, FacemonError, Interrupted, OutputClosed
from facemon.interruption import heed_no_more, heed_signals, was_interrupted

if TYPE_CHECKING:
    import typer


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    heed_signals()
    try:
        _prepare()
        code = run(sys.argv[1:])
    except Interrupted as error:
        # Before there was anything to interrupt, or once more, while the first signal was being told.
        heed_no_more()
        code = _tell_interruption(error, {})
    heed_no_more()
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run one command line in this process; answer its exit code."""
    from facemon.standard_streams import discard_stdout

    options: dict[str, Any] = {}
    try:
        from facemon.cli.command import make_session
        from facemon.cli.command_line import app

        call = partial(app, arguments, prog_name="facemon", standalone_mode=False, obj=options)
        if "_FACEMON_COMPLETE" in os.environ:
            from facemon.terminal.shell_completion import answer_shell

            return answer_shell(call)
        outcome = call()
        make_session(options).console.flush()
    except (OutputClosed, BrokenPipeError):
        discard_stdout()
        return ExitCode.INTERRUPTED
    except SystemExit as end:
        if end.code == 0:  # of --show-completion and --install-completion
            return ExitCode.OK
        # typer ends so when the reader of a help text leaves.
        discard_stdout()
        return ExitCode.INTERRUPTED
    except Interrupted as error:
        return _tell_interruption(error, options)
    except FacemonError as error:
        return _tell(error, options)
    except Exception as error:  # noqa: BLE001 - the one boundary
        return _tell_other(error, options, arguments)
    return int(outcome or ExitCode.OK)


def _tell(error: FacemonError, options: dict[str, Any]) -> int:
    from facemon.cli.command import make_session
    from facemon.standard_streams import discard_unwritable

    make_session(options).console.error(error)
    discard_unwritable()
    return error.exit_code


def _tell_interruption(error: Interrupted, options: dict[str, Any]) -> int:
    """Say that a signal ended the command; it may have done so before anything was loaded."""
    from facemon.standard_streams import discard_unwritable
    from facemon.terminal.console import Console

    Console(show_tracebacks=bool(options.get("debug"))).error(error)
    discard_unwritable()
    return error.exit_code


def _tell_other(error: Exception, options: dict[str, Any], arguments: list[str]) -> int:
    """Say what no code of ours raised: wrong usage, a failing system call, or a fault of facemon's own."""
    import typer

    from facemon.cli.command import make_session
    from facemon.system_errors import explained

    if isinstance(error, typer.TyperException):
        _tell_usage(error, arguments)
        return ExitCode.USAGE
    if isinstance(error, typer.Abort):
        return ExitCode.INTERRUPTED
    if was_interrupted():
        # What was being loaded or called made another exception of the interruption.
        return _tell_interruption(Interrupted("interrupted"), options)
    if known := explained(error):
        return _tell(known, options)
    make_session(options).console.fault(error)
    return ExitCode.FAILED


def _tell_usage(error: "typer.TyperException", arguments: list[str]) -> None:
    """Say what is wrong with the command line; a group without a command has just printed its help, which says it."""
    from facemon.cli.command import make_session

    context = getattr(error, "ctx", None)
    if message := usage_text(error):
        called = context.command_path if context else " ".join(["facemon", *_leading_word(arguments)])
        make_session({}).console.error(FacemonError(message, f"run {called} --help"))


def usage_text(error: "typer.TyperException") -> str:
    """What is wrong with the command line; typer has values read by pydantic, whose words are for programmers."""
    from pydantic import ValidationError

    if isinstance(error.__cause__, ValidationError):
        from facemon.config.validation_faults import option_fault
        from facemon.printable import printable

        error.message = printable(option_fault(error.__cause__))
    return error.format_message()


def _prepare() -> None:
    from facemon.blas_threads import use_few_threads
    from facemon.pandas_gate import keep_pandas_out
    from facemon.standard_streams import prepare_streams
    from facemon.unused_modules import leave_unused_modules_out

    prepare_streams()
    _forget_variables()
    keep_pandas_out()
    leave_unused_modules_out()
    use_few_threads()


def _leading_word(arguments: list[str]) -> list[str]:
    """The command that was meant, where the error does not know it."""
    return [word for word in arguments[:1] if not word.startswith("-")]


def _forget_variables() -> None:
    """Drop the variables of flags that do something else than the command: FACEMON_HELP=1 would end every cron job."""
    import re

    for name in list(os.environ):
        if re.fullmatch(r"FACEMON_(\w+_)?(HELP|INSTALL_COMPLETION|SHOW_COMPLETION)", name):
            del os.environ[name]
