"""`facemon config`: what the configuration may say, whether a file is right, and which values are in force."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from facemon.cli.command import command, group
from facemon.cli.print_format import FormatOption, PrintFormat
from facemon.cli.session import Session
from facemon.errors import ExitCode, UsageError

app = typer.Typer()
_config = group(app, "config", "Check, explain and show the configuration.")


class _CheckFormat(StrEnum):
    """How faults are printed."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


@command(_config, "check")
def check(
    session: Session,
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="The file (default: facemon.yaml).")] = None,
    format_: Annotated[_CheckFormat, typer.Option("--format", help="How to print.")] = _CheckFormat.TEXT,
) -> ExitCode:
    """Say each fault of a configuration file with its line and the nearest key; exit 2 with faults.

    A key that may be a typo is a note: columns of tables may have any name.
    Only the file is read: neither the store and the files that it names, nor a
    server.
    """
    from facemon.application.checked_configuration import check_configuration

    if file is not None and session.config_path is not None:
        raise UsageError(f"{file} and --config {session.config_path} both name a file", "name one of them")
    checked = check_configuration(file or session.config_path)
    match format_:
        case _CheckFormat.TEXT:
            session.console.show(checked.report())
        case _CheckFormat.JSON:
            session.console.document(checked.document(), indent=2)
        case _CheckFormat.GITHUB if checked.faults or checked.notes:
            session.console.file(checked.annotations())
    return checked.code


@command(_config, "schema")
def schema(
    session: Session,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write here (default: stdout).")
    ] = None,
) -> ExitCode:
    """Print the JSON Schema of facemon.yaml, by which editors complete and check keys.

    facemon init writes it beside the configuration; write it again after an
    upgrade.
    """
    from facemon.application.schema_file import schema_for_stdout, write_schema

    if output is None or str(output) == "-":
        session.console.file(schema_for_stdout())
    else:
        write_schema(output)
        session.console.say(f"wrote {output}")
    return ExitCode.OK


@command(_config, "show")
def show(
    session: Session,
    key: Annotated[
        str | None, typer.Argument(metavar="KEY", help="Only this section or key, such as drift.window.")
    ] = None,
    origin: Annotated[bool, typer.Option("--origin", help="Say where each value came from.")] = False,
    format_: FormatOption = PrintFormat.TEXT,
) -> ExitCode:
    """Print the values in force, defaults included, as YAML; secrets are hidden."""
    from facemon.application.shown_configuration import show_configuration

    shown = show_configuration(session.config, key)
    if format_ is PrintFormat.JSON:
        session.console.document(shown.document(with_origins=origin), indent=2)
    else:
        session.console.file(shown.yaml(with_origins=origin))
    return ExitCode.OK
