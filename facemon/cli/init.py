"""`facemon init`: a configuration to begin with."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from facemon.application.first_configuration import (
    NetworkRequest,
    first_configuration,
    needed_images,
    parse_size,
    write_first_configuration,
)
from facemon.cli.command import command
from facemon.cli.session import Session
from facemon.errors import ExitCode, UsageError

app = typer.Typer()
_STDOUT = Path("-")


class _Layout(StrEnum):
    """Where the channels are among the dimensions of a network's input."""

    NCHW = "nchw"
    NHWC = "nhwc"


@command(app, "init")
def init(
    session: Session,
    model: Annotated[
        Path | None, typer.Option(metavar="FILE.onnx", help="Describe this network (default: the built-in bundle).")
    ] = None,
    finder: Annotated[
        Path | None, typer.Option(metavar="FILE.onnx", help="Find faces for --model by this face detector.")
    ] = None,
    size: Annotated[
        str | None, typer.Option(metavar="WIDTHxHEIGHT", help="Size of --model's input, where the file leaves it open.")
    ] = None,
    layout: Annotated[
        _Layout | None, typer.Option(help="Order of its dimensions, where the file leaves it open.")
    ] = None,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Where to write; - prints it.")] = Path(
        "facemon.yaml"
    ),
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")] = False,
) -> ExitCode:
    """Write a commented facemon.yaml, for the built-in model or for an ONNX file of your own.

    Every guess about the file is marked as one: look at each before you trust a prediction.
    """
    if model is None:
        for option, given in (("--finder", finder), ("--size", size), ("--layout", layout)):
            if given is not None:
                raise UsageError(f"{option} describes a network of your own", f"add --model NET.onnx to {option}")
    if output != _STDOUT and output.exists() and not force:
        raise UsageError(f"{output} is there already", "name another file with -o, or overwrite it with --force")
    folder = Path() if output == _STDOUT else output.parent
    network = (
        None
        if model is None
        else NetworkRequest(model, finder, parse_size(size), None if layout is None else layout.value)
    )
    text = first_configuration(network, folder)
    if output == _STDOUT:
        session.console.file(text.rstrip("\n"))
        return ExitCode.OK
    write_first_configuration(session.console, text, output)
    if not session.console.is_quiet and (needed := needed_images(text, folder)):
        session.console.say(needed)
    return ExitCode.OK
