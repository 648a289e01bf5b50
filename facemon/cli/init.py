"""`facemon init`: a configuration to begin with."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from facemon.application.first_answers import Answers, ask_answers
from facemon.application.first_configuration import (
    NetworkRequest,
    first_configuration,
    parse_size,
    require_writable,
    write_first_configuration,
)
from facemon.application.first_steps import answered_sections, tell_first_steps
from facemon.cli.command import command
from facemon.cli.session import Session
from facemon.errors import ExitCode, UsageError

app = typer.Typer()
_STDOUT, _USUAL = Path("-"), Path("facemon.yaml")


_Output = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        help="Where to write (default: the file of --config, or facemon.yaml); - prints it.",
    ),
]


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
    output: _Output = None,
    every_key: Annotated[bool, typer.Option("--all", help="Write every key with its default and what it is.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing: take the usual answers.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")] = False,
) -> ExitCode:
    """Write a commented facemon.yaml, for the built-in model or for an ONNX file of your own.

    On a terminal it asks for the model, images, receivers and Prometheus; not
    with --yes, --all or --model. Every guess about a model's file is marked as
    one: look at each before you trust a prediction.
    """
    if model is None:
        for option, given in (("--finder", finder), ("--size", size), ("--layout", layout)):
            if given is not None:
                raise UsageError(f"{option} describes a network of your own", f"add --model NET.onnx to {option}")
    is_printed = output == _STDOUT
    output = output or session.config_path or _USUAL
    console, folder = session.console, Path() if is_printed else output.parent
    if not is_printed:
        require_writable(output, (model, finder))
        if output.exists() and not force:
            raise UsageError(f"{output} is there already", "name another file with -o, or overwrite it with --force")
    answers = Answers()
    if model is not None:
        answers = Answers(NetworkRequest(model, finder, parse_size(size), layout.value if layout else None))
    if console.can_ask and not is_printed and not (yes or every_key or model):
        answers = ask_answers(console.ask, folder)
    text = first_configuration(answers.network, folder, every_key=every_key) + answered_sections(answers)
    if is_printed:
        console.file(text.rstrip("\n"))
    else:
        write_first_configuration(console, text, output)
        if not console.is_quiet:
            tell_first_steps(console, text, answers, output)
    return ExitCode.OK
