"""How a plain function becomes a command that takes the common options before or after its name."""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer
from typer.core import TyperCommand, TyperGroup

from facemon.application.given_values import refuse_unusable
from facemon.cli.session import Session
from facemon.errors import ExitCode, OutputClosed
from facemon.terminal.console import Color, Console, Verbosity

_PANEL = "Common options"

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        rich_help_panel=_PANEL,
        help="Configuration file (default: facemon.yaml, if it is there).",
    ),
]
QuietOption = Annotated[
    bool | None,
    typer.Option("--quiet", "-q", rich_help_panel=_PANEL, help="Print nothing on success.", show_default=False),
]
VerboseOption = Annotated[
    bool | None, typer.Option("--verbose", "-v", rich_help_panel=_PANEL, help="Say more on stderr.", show_default=False)
]
DebugOption = Annotated[
    bool | None, typer.Option("--debug", rich_help_panel=_PANEL, help="Show tracebacks.", show_default=False)
]
ColorOption = Annotated[
    Color | None, typer.Option("--color", rich_help_panel=_PANEL, help="When to use colour.", show_default=False)
]
AsRootOption = Annotated[
    bool | None,
    typer.Option(
        "--as-root",
        rich_help_panel=_PANEL,
        help="Let root write to another user's store; all files stay that user's.",
        show_default=False,
    ),
]

COMMON: dict[str, Any] = {
    "config": ConfigOption, "quiet": QuietOption, "verbose": VerboseOption, "debug": DebugOption, "color": ColorOption,
    "as_root": AsRootOption,
}  # fmt: skip


class HelpPage:
    """Prints the help of a command or group, and gives its options the variables that it names."""

    def format_help(self, ctx: Any, _formatter: Any) -> None:
        """Print the page for the width of the terminal; an error whose text is the help then has an empty one."""
        from shutil import get_terminal_size

        from facemon.terminal.help_page import help_page

        typer.echo(help_page(self, ctx, get_terminal_size().columns), nl=False)

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        """Read the arguments; an option whose parameter has another name, such as `format_`, has its own variable."""
        from facemon.terminal.help_page import variable_of

        for option in self.params:  # type: ignore[attr-defined]
            found, usual = variable_of(option, ctx.auto_envvar_prefix), f"{ctx.auto_envvar_prefix}_{option.name}"
            if found and found != usual.upper():
                option.envvar = found
        return super().parse_args(ctx, args)  # type: ignore[misc]


class _Command(HelpPage, TyperCommand):
    """A command."""


class _Group(HelpPage, TyperGroup):
    """A group of commands."""


def remember(ctx: typer.Context, given: Mapping[str, Any]) -> None:
    """Keep the common options that were given; one that stands further right goes before."""
    ctx.ensure_object(dict).update({option: given[option] for option in COMMON if given[option] is not None})


def make_session(options: dict[str, Any]) -> Session:
    """The session that the common options ask for; an option that is None was not given."""
    verbosity = Verbosity.QUIET if options.get("quiet") else Verbosity.NORMAL
    if options.get("verbose"):
        verbosity = Verbosity.VERBOSE
    console = Console(verbosity, options.get("color") or Color.AUTO, bool(options.get("debug")))
    return Session(console, options.get("config"), bool(options.get("as_root")))


def group(app: typer.Typer, name: str, about: str) -> typer.Typer:
    """Register a group of commands, which takes the common options after its own name too."""
    made = typer.Typer(name=name, cls=_Group, no_args_is_help=True, help=about)

    @made.callback(help=about)
    def take(
        ctx: typer.Context,
        *,
        config: ConfigOption = None,
        quiet: QuietOption = None,
        verbose: VerboseOption = None,
        debug: DebugOption = None,
        color: ColorOption = None,
        as_root: AsRootOption = None,
    ) -> None:
        remember(ctx, locals())

    app.add_typer(made)
    return made


def command(app: typer.Typer, name: str) -> Callable[[Callable[..., ExitCode]], Callable[..., ExitCode]]:
    """Register `run(session, …)` as the command `name`; its docstring is the help.

    Typer reads a signature, so the common options are added to the one that it sees.
    """

    def register(run: Callable[..., ExitCode]) -> Callable[..., ExitCode]:
        hints = get_type_hints(run, include_extras=True)
        own = [
            parameter.replace(annotation=hints[parameter.name])
            for parameter in inspect.signature(run).parameters.values()
            if parameter.name != "session"
        ]
        common = [
            inspect.Parameter(option, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
            for option, annotation in COMMON.items()
        ]

        def invoke(ctx: typer.Context, **values: Any) -> ExitCode:
            given = {option: values.pop(option) for option in COMMON}
            remember(ctx, given)
            refuse_unusable({**values, **given})
            try:
                return run(make_session(ctx.obj), **values)
            except BrokenPipeError as error:
                # Named here, because typer makes a bare exit 1 of it.
                raise OutputClosed("stdout was closed") from error

        context = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
        keyword_own = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
        invoke.__signature__ = inspect.Signature([context, *keyword_own, *common])  # type: ignore[attr-defined]
        invoke.__annotations__ = {
            "ctx": typer.Context,
            **{parameter.name: parameter.annotation for parameter in [*own, *common]},
        }
        invoke.__doc__ = run.__doc__
        invoke.__name__ = run.__name__
        app.command(name, cls=_Command)(invoke)
        return run

    return register
