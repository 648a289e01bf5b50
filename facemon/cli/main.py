"""The `facemon` command: parses, dispatches, and is the one place where errors become exit codes."""

import io
import os
import re
import sys
from typing import Annotated, Any, NoReturn

import typer

from facemon import __version__
from facemon.cli import (
    drift_check,
    evaluate,
    explain,
    export_metrics,
    init,
    metrics,
    model,
    predict,
    reference,
    render_config,
    serve,
    serve_metrics,
    store,
)
from facemon.cli.blas_threads import use_one_thread
from facemon.cli.command import (
    AsRootOption,
    ColorOption,
    ConfigOption,
    DebugOption,
    QuietOption,
    VerboseOption,
    make_session,
    remember,
)
from facemon.cli.interruption import heed_signals
from facemon.cli.pandas_gate import keep_pandas_out
from facemon.errors import ExitCode, FacemonError, OutputClosed

app = typer.Typer(
    name="facemon",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "FACEMON"},
)
_ROOMS = (
    init, predict, evaluate, reference, drift_check, export_metrics, serve_metrics, serve, render_config, store, model,
    metrics, explain,
)  # fmt: skip
for room in _ROOMS:
    app.add_typer(room.app)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"facemon {__version__}")
        raise typer.Exit


@app.callback()
def facemon(
    ctx: typer.Context,
    *,
    config: ConfigOption = None,
    quiet: QuietOption = None,
    verbose: VerboseOption = None,
    debug: DebugOption = None,
    color: ColorOption = None,
    as_root: AsRootOption = None,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, allow_from_autoenv=False, help="Print the version."
        ),
    ] = False,
) -> None:
    """Keep a face-attribute classifier honest in production."""
    remember(ctx, locals())


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    heed_signals()
    _prepare_streams()
    _forget_variables()
    keep_pandas_out()
    use_one_thread()
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line in this process; answer its exit code."""
    options: dict[str, Any] = {}
    try:
        outcome = app(arguments, prog_name="facemon", standalone_mode=False, obj=options)
        make_session(options).console.flush()
    except typer.TyperException as error:
        _tell_usage(error, arguments)
        return ExitCode.USAGE
    except typer.Abort:
        return ExitCode.INTERRUPTED
    except (OutputClosed, BrokenPipeError):
        _discard_stdout()
        return ExitCode.INTERRUPTED
    except SystemExit:
        # Completion ends so, and typer when the reader of a help text leaves.
        if "_FACEMON_COMPLETE" in os.environ:
            raise
        _discard_stdout()
        return ExitCode.INTERRUPTED
    except FacemonError as error:
        make_session(options).console.error(error)
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the one boundary
        make_session(options).console.fault(error)
        return ExitCode.FAILED
    return int(outcome or ExitCode.OK)


def _tell_usage(error: typer.TyperException, arguments: list[str]) -> None:
    """Say what is wrong with the command line; a group without a command has just printed its help, which says it."""
    context = getattr(error, "ctx", None)
    if message := error.format_message():
        called = context.command_path if context else " ".join(["facemon", *_leading_word(arguments)])
        make_session({}).console.error(FacemonError(message, f"{called} --help shows what it takes"))


def _leading_word(arguments: list[str]) -> list[str]:
    """The command that was meant, where the error does not know it."""
    return [word for word in arguments[:1] if not word.startswith("-")]


def _discard_stdout() -> None:
    """Let what is still buffered go nowhere: Python would complain of it when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _prepare_streams() -> None:
    """Put /dev/null where a stream is closed, so that no file of ours takes its number; escape what cannot be shown."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    sys.stdin = sys.stdin or os.fdopen(0, encoding="utf-8")
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8")
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _forget_variables() -> None:
    """Drop the variables of flags that do something else than the command: FACEMON_HELP=1 would end every cron job."""
    for name in list(os.environ):
        if re.fullmatch(r"FACEMON_(\w+_)?(HELP|INSTALL_COMPLETION|SHOW_COMPLETION)", name):
            del os.environ[name]
