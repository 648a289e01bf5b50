"""The command line: all commands, and the options that they share."""

from typing import Annotated

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
from facemon.cli.command import (
    AsRootOption,
    ColorOption,
    ConfigOption,
    DebugOption,
    QuietOption,
    VerboseOption,
    remember,
)

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
