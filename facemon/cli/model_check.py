"""`facemon model check`: the model's description, run on photographs and shown step by step."""

from pathlib import Path
from typing import Annotated

import typer

from facemon.application.model_check import ModelCheckRequest, check_model
from facemon.cli.completion import ATTRIBUTES
from facemon.cli.print_format import FormatOption, PrintFormat, print_answer
from facemon.cli.session import Session
from facemon.errors import ExitCode, FacemonError

_PathsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE", help="Images, directories (with all below; links to directories are not followed) or manifests."
    ),
]
_LabelsOption = Annotated[
    Path | None,
    typer.Option(
        metavar="TABLE",
        help="Hold the attributes against this table of true labels, as evaluate reads it, and try the usual other "
        "descriptions.",
    ),
]
_AttributeOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", autocompletion=ATTRIBUTES, help="Look at this attribute only (default: all)."),
]
_CropsOption = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Write what each network is shown of each face into DIR, as PNG.")
]


def check(
    session: Session,
    paths: _PathsArgument,
    labels: _LabelsOption = None,
    attribute: _AttributeOption = None,
    crops: _CropsOption = None,
    format_: FormatOption = PrintFormat.TEXT,
) -> ExitCode:
    """Run the model's description on photographs and show each step; exit 3 when something looks wrong.

    Shows the faces, the crop, the tensor's statistics, the raw outputs and the
    attributes. With labels it tries other channel orders, normalisations, ways
    to fit and resize, margins and label orders, and tells which fits better.

    Log nothing. Exit 4 when no face is found, or when there are too few labels to decide.
    """
    result = check_model(session.operation, ModelCheckRequest(paths, labels, attribute, crops))
    code = result.code
    if not session.console.is_quiet or code is not ExitCode.OK:
        print_answer(session.console, result, format_, indent=2)
    if code is ExitCode.FAILED:
        raise FacemonError(
            f"{result.failed} of {len(result.images)} images could not be read", "the result says why for each of them"
        )
    return code
