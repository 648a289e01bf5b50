"""The options of `facemon export-metrics` that name a group on a Pushgateway and say who pushes."""

from pathlib import Path
from typing import Annotated

import typer

from facemon.application.push_target import DEFAULT_JOB, DEFAULT_TIMEOUT_S

_PANEL = "Pushing"

JobOption = Annotated[
    str | None,
    typer.Option("--job", metavar="NAME", rich_help_panel=_PANEL, help=f"The job's name (default: {DEFAULT_JOB})."),
]
GroupingOption = Annotated[
    list[str] | None,
    typer.Option(
        "--grouping", metavar="KEY=VALUE", rich_help_panel=_PANEL, help="A part of the grouping key; repeatable."
    ),
]
UserOption = Annotated[
    str | None,
    typer.Option("--user", metavar="NAME", rich_help_panel=_PANEL, help="The user of basic authentication."),
]
PasswordFileOption = Annotated[
    Path | None,
    typer.Option("--password-file", metavar="FILE", rich_help_panel=_PANEL, help="The file with that user's password."),
]
TokenFileOption = Annotated[
    Path | None,
    typer.Option("--token-file", metavar="FILE", rich_help_panel=_PANEL, help="The file with a bearer token."),
]
CaFileOption = Annotated[
    Path | None,
    typer.Option(
        "--ca-file", metavar="FILE", rich_help_panel=_PANEL, help="Trust these certificates (PEM), not the system's."
    ),
]
TimeoutOption = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        metavar="SECONDS",
        rich_help_panel=_PANEL,
        help=f"How long all of it may take (default: {DEFAULT_TIMEOUT_S:g}).",
    ),
]
DeleteOption = Annotated[
    bool,
    typer.Option("--delete", rich_help_panel=_PANEL, help="Delete the group instead; reads and records nothing."),
]
