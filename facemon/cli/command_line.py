"""The command line: all commands, each loaded when it is called, and the options that they share."""

from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from facemon.cli.command import (
    AsRootOption,
    ColorOption,
    ConfigOption,
    DebugOption,
    HelpPage,
    QuietOption,
    VerboseOption,
    remember,
)
from facemon.version import __version__

_ROOMS = (
    "init", "config", "manifest", "predict", "log", "evaluate", "reference", "drift-check", "export-metrics",
    "serve-metrics", "serve", "render-config", "report", "store", "model", "metrics", "explain", "doctor",
)  # fmt: skip
"""The commands and groups; each is `app` in the module of its name."""


class _Rooms(HelpPage, TyperGroup):
    """The commands as one group, which loads only the one that is called, and all where they are listed."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Load a command; None where there is none of that name."""
        if cmd_name in _ROOMS and cmd_name not in self.commands:
            room = import_module(f"facemon.cli.{cmd_name.replace('-', '_')}")
            self.commands[cmd_name] = typer.main.get_group(room.app).commands[cmd_name]
        return super().get_command(ctx, cmd_name)

    def list_commands(self, ctx: Any) -> list[str]:
        """Load all commands, for help and completion."""
        for name in _ROOMS:
            self.get_command(ctx, name)
        return list(_ROOMS)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that is called; the error for a wrong name suggests names of the loaded commands."""
        if args[0] not in _ROOMS:
            self.list_commands(ctx)
        return super().resolve_command(ctx, args)


app = typer.Typer(
    name="facemon",
    cls=_Rooms,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "FACEMON"},
)


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
    """Monitor a face-attribute classifier in production."""
    remember(ctx, locals())
