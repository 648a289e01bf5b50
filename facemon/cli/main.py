"""The `facemon` command: parses, dispatches, and is the one place where errors become exit codes."""

import os
import signal
import sys
from types import FrameType
from typing import Annotated, NoReturn

import typer

from facemon import __version__
from facemon.cli import drift_check, export_metrics, predict, reference, render_config, serve_metrics, store
from facemon.cli.command import ColorOption, ConfigOption, DebugOption, QuietOption, VerboseOption, make_session
from facemon.errors import ExitCode, FacemonError, Interrupted, OutputClosed

app = typer.Typer(
    name="facemon",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "FACEMON"},
)
for room in (predict, reference, drift_check, export_metrics, serve_metrics, render_config, store):
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
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Keep a face-attribute classifier honest in production."""
    ctx.obj = {"config": config, "quiet": quiet, "verbose": verbose, "debug": debug, "color": color}


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line in this process; answer its exit code."""
    console = make_session({"debug": "--debug" in arguments}).console
    try:
        outcome = app(arguments, standalone_mode=False)
        sys.stdout.flush()
    except typer.TyperException as error:
        console.error(FacemonError(error.format_message(), f"{_called(arguments)} --help shows what it takes"))
        return ExitCode.USAGE
    except typer.Abort:
        return ExitCode.INTERRUPTED
    except (OutputClosed, BrokenPipeError):
        # Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.INTERRUPTED
    except FacemonError as error:
        console.error(error)
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the one boundary
        console.fault(error)
        return ExitCode.FAILED
    return int(outcome or ExitCode.OK)


def _called(arguments: list[str]) -> str:
    """The command that was meant, as far as its name is known."""
    known = {info.name for room in app.registered_groups for info in room.typer_instance.registered_commands}  # type: ignore[union-attr]
    return " ".join(["facemon", *[word for word in arguments[:1] if word in known]])


def _interrupt(number: int, _frame: FrameType | None) -> NoReturn:
    raise Interrupted(f"interrupted by {signal.Signals(number).name}")
