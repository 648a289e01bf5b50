"""`facemon init`: a configuration to begin with."""

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facemon.cli.command import command
from facemon.cli.session import Session
from facemon.errors import ExitCode, FacemonError, UsageError
from facemon.printable import Lines, printable

if TYPE_CHECKING:
    from facemon.config.document import Config
    from facemon.model.detector_description import Detector
    from facemon.model.sessions import Graph

app = typer.Typer()
_STDOUT = Path("-")
_LONGEST_SIDE = 4096
_SIZE_HINT = "for example --size 112x112"
_BUILT_IN = """\
model:
  bundle: age-gender              # the built-in one; facemon init --model FILE.onnx describes your own
"""
_REST = """
predict:
  decode: exact                   # fast decodes large JPEGs about four times as fast, at a smaller scale: on real
                                  # photographs that moved confidences by up to 0.087

store:
  path: .facemon                  # the folder of the log; not on a network file system
  retention_days: 90

# How the columns of tables of labels, references and manifests are called.
tables:
  image: image
  columns: {{}}                     # attribute: the table's column, where their names differ
  values: {{}}                      # attribute: what its cells mean, e.g. {{{attribute}: {{0: "no", 1: "yes"}}}}

drift:
  window: 24h                     # how much of the newest data is compared with the reference
  data: {{threshold: 0.1}}          # score, from 0 to 1, from which on a shift of the images matters
  model: {{threshold: 0.05}}        # the same for predictions: 0.05 is five percentage points
  columns: {{}}                     # thresholds of single columns, e.g. {{{attribute}: {{threshold: 0.02}}}}

alerts:
  HighLatency: {{threshold: 0.5, for: 5m}}
  LowModelAccuracy: {{threshold: 0.7, for: 15m}}

# Who is told: facemon render-config --help. All other keys, explained: configs/facemon.yaml of the project.
"""


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
    section = _BUILT_IN if model is None else _described(model, finder, _size(size), layout, folder)
    text = _text(section, folder)
    if model is not None:
        _require_loadable(text, folder, model)
    if output == _STDOUT:
        session.console.file(text.rstrip("\n"))
        return ExitCode.OK
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FacemonError(f"{output} cannot be written: {(error.strerror or str(error)).lower()}") from error
    _say_what_was_written(session, text, output)
    _say_needed_images(session, _config(text, output.parent))
    return ExitCode.OK


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    match = re.fullmatch(r"([0-9]{1,5})x([0-9]{1,5})", text, re.IGNORECASE)
    size = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 2 <= min(size) <= max(size) <= _LONGEST_SIDE:
        raise UsageError(f"--size {text} is not WIDTHxHEIGHT in pixels, from 2 to {_LONGEST_SIDE:,} each", _SIZE_HINT)
    return size


def _say_what_was_written(session: Session, text: str, output: Path) -> None:
    guesses = text.count("# guess")
    marked = "1 guess is marked: look at it" if guesses == 1 else f"{guesses} guesses are marked: look at each"
    look = f"; {marked}" if guesses else ""
    session.console.say(f"wrote {output}{look}; facemon model show tells what it describes")


def _say_needed_images(session: Session, config: "Config") -> None:
    """Tell how much data the model's threshold takes, which is known before there is any."""
    if session.console.is_quiet:
        return
    from facemon.drift.decision_plan import images_of_even_label
    from facemon.reports.plan_report import images_in_words

    if images := images_of_even_label(config.drift):
        said = (
            f"to decide a shift of {100 * config.drift.model.threshold:g} pts of a binary attribute at 50 %, the "
            f"reference and a\ncheck's window take about {images_in_words(images)} each; reference set tells more"
        )
        session.console.say(Lines(said))


def _config(text: str, folder: Path) -> "Config":
    from facemon.config.loader import parse_config

    return parse_config(text, name="facemon.yaml", directory=folder.absolute())


def _text(section: str, folder: Path) -> str:
    text = f"version: 1\n\n{section}"
    return text + _REST.format(attribute=_config(text, folder).model.attributes[0].name)


def _require_loadable(text: str, folder: Path, model: Path) -> None:
    """Refuse to write a description that facemon itself would refuse."""
    from facemon.model.bundle import load_bundle

    config = _config(text, folder)
    try:
        load_bundle(config.model, config.predict)
    except FacemonError as error:
        raise FacemonError(_prefixed(f"{model}: cannot be described", error.message), error.hint) from error


def _described(
    model: Path, finder: Path | None, size: tuple[int, int] | None, layout: _Layout | None, folder: Path
) -> str:
    from facemon.model.detector_description import detector_by_name, recognise_detector
    from facemon.model.graph_description import WHOLE_IMAGES, describe_graph
    from facemon.model.graph_input import AskedInput, find_input

    faces = WHOLE_IMAGES if finder is None else _described_finder(finder, folder)
    content, graph = _loaded(model)
    name = "".join(sign if sign.isalnum() or sign in "-_." else "-" for sign in model.stem) or "model"
    with _naming(model):
        if detector := detector_by_name(graph):
            raise _without_attributes(detector, model)
        found = find_input(graph, AskedInput(size, layout.value if layout else None))
        if detector := recognise_detector(graph, found):
            raise _without_attributes(detector, model)
        return describe_graph(
            graph,
            found,
            path=os.path.relpath(model, folder),
            sha256=hashlib.sha256(content).hexdigest(),
            name=name,
            faces=faces,
        )


def _without_attributes(detector: "Detector", file: Path) -> UsageError:
    message = f"is a face detector ({detector.kind}), without attributes of its own"
    if not detector.lines:
        return UsageError(f"{message}; {detector.problem}", detector.hint)
    return UsageError(
        message, f"name it beside a network with attributes: facemon init --model NET.onnx --finder {file}"
    )


def _described_finder(finder: Path, folder: Path) -> Sequence[str]:
    from facemon.model.description_faults import what_is_there
    from facemon.model.detector_description import (
        USUAL_DETECTOR_SIDES,
        detector_by_name,
        faces_lines,
        recognise_detector,
    )
    from facemon.model.graph_input import AskedInput, find_input

    _, graph = _loaded(finder)
    with _naming(finder):
        detector = detector_by_name(graph)
        if detector is None:
            detector = recognise_detector(graph, find_input(graph, AskedInput(), USUAL_DETECTOR_SIDES))
        if detector is None:
            hint = what_is_there(graph, "describe it yourself as model.faces.detector: docs/models.md")
            raise FacemonError("is not recognised as a face detector by the forms of its outputs", hint)
        if not detector.lines:
            message = f"is a face detector ({detector.kind}) that facemon cannot describe: {detector.problem}"
            raise FacemonError(message, detector.hint)
        return tuple(faces_lines(detector, os.path.relpath(finder, folder)))


def _loaded(file: Path) -> "tuple[bytes, Graph]":
    from facemon.model.sessions import Graph
    from facemon.model.weight_files import read_weights

    content = read_weights(file, "cannot be read", "name an ONNX file that is there")
    return content, Graph(content, str(file), folder=file.absolute().parent)


@contextmanager
def _naming(file: Path) -> Iterator[None]:
    """Let errors begin with the file that they are about."""
    try:
        yield
    except FacemonError as error:
        if error.message.startswith(f"{file}: "):
            raise
        raise type(error)(_prefixed(str(file), error.message), error.hint) from error


def _prefixed(name: str, message: str) -> str:
    """The message after a name; one that has several lines keeps them."""
    return Lines(f"{printable(name)}: {message}") if isinstance(message, Lines) else f"{name}: {message}"
