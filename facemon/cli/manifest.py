"""`facemon manifest`: inputs frozen into a table that predict reads, whole or in shards."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from facemon.application.given_values import refuse_source
from facemon.application.prediction import observed_of
from facemon.cli.command import command
from facemon.cli.predict import NullOption, SourceOption
from facemon.cli.session import Session
from facemon.errors import ExitCode

app = typer.Typer()
_InputsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUTS",
        help="Images, directories (with all below; links to directories are not followed), addresses such as "
        "s3://bucket/photos/, or - for a list on stdin.",
    ),
]


@command(app, "manifest")
def manifest(
    session: Session,
    inputs: _InputsArgument,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Write here; .parquet.")],
    source: SourceOption = None,
    observed_at: Annotated[
        str | None, typer.Option(metavar="TIME|mtime", help="Set when the images were taken (default: no such column).")
    ] = None,
    null: NullOption = False,
) -> ExitCode:
    """Freeze inputs into a manifest that predict reads, whole or in shards.

    A row for each image: its address or absolute path, size and ETag. Predict then refuses an object that has
    changed. The same inputs give the same bytes, so the digest says whether two manifests are equal.
    """
    from facemon.application.frozen_manifest import ManifestRequest, freeze_inputs

    refuse_source("--source", source)
    path_list = sys.stdin.buffer if "-" in inputs else None
    request = ManifestRequest(tuple(inputs), output, source, observed_of(observed_at), path_list, null)
    freeze_inputs(session.operation, request)
    return ExitCode.OK
