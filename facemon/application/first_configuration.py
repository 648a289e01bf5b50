"""A configuration to begin with: for the built-in model, or for an ONNX file that is described by what it holds."""

import errno
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from facemon.application.operation import Reporter
from facemon.error_hints import hint_of, refused_access
from facemon.errors import FacemonError, UsageError
from facemon.printable import Lines, printable

if TYPE_CHECKING:
    from facemon.config.document import Config
    from facemon.model.detector_description import Detector
    from facemon.model.graph import Graph
    from facemon.model.graph_files import GraphFile

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

# Who is told: facemon render-config --help. All other keys, explained: facemon init --all -o -
"""


@dataclass(frozen=True, slots=True)
class NetworkRequest:
    """An ONNX file to describe, and what the file may leave open."""

    model: Path
    finder: Path | None = None
    """The face detector that finds its faces; None where each image is one face."""
    size: tuple[int, int] | None = None
    """Width and height of the network's input."""
    layout: Literal["nchw", "nhwc"] | None = None


def parse_size(text: str | None) -> tuple[int, int] | None:
    """Return width and height in pixels; UsageError for what is neither."""
    if text is None:
        return None
    match = re.fullmatch(r"([0-9]{1,5})x([0-9]{1,5})", text, re.IGNORECASE)
    size = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 2 <= min(size) <= max(size) <= _LONGEST_SIDE:
        raise UsageError(f"--size {text} is not WIDTHxHEIGHT in pixels, from 2 to {_LONGEST_SIDE:,} each", _SIZE_HINT)
    return size


def first_configuration(network: NetworkRequest | None, folder: Path, *, every_key: bool = False) -> str:
    """The text of a commented facemon.yaml that lies in `folder`; without a network, for the built-in model.

    With `every_key` each key is there, with its default or an example in a comment. FacemonError where the network
    cannot be described, or the description could not be loaded.
    """
    section = _BUILT_IN if network is None else _described(network, folder)
    text = f"version: 1\n\n{section}"
    if every_key:
        text = _with_every_key(section if network is not None else None)
    else:
        text += _REST.format(attribute=_config(text, folder).model.attributes[0].name)
    if network is not None:
        _require_loadable(text, folder, network.model)
    return text


def require_writable(file: Path, networks: Sequence[Path | None] = ()) -> None:
    """Refuse a file that could not be written, before anything is asked; its schema, too.

    FacemonError where its folder takes no file; UsageError for a name that something else has, or the schema, or one
    of the `networks` that it is to describe.
    """
    from facemon.application.schema_file import SCHEMA_FILE, refuse_other_schema, refuse_unwritable
    from facemon.store.replaced_files import refuse_input

    refuse_unwritable(file)
    refuse_input(file, networks)
    if file.name == SCHEMA_FILE:
        raise UsageError(f"{file} is the name of the schema, which is written beside it", "name another file with -o")
    if refused := refused_access(file.parent) or (refused_access(file) if file.exists() else None):
        hint = "name a file in a folder of yours with -o" if refused.errno == errno.EACCES else hint_of(refused)
        raise FacemonError(f"{file} cannot be written: {str(refused.strerror).lower()}", hint) from refused
    refuse_other_schema(file.with_name(SCHEMA_FILE))


def write_first_configuration(reporter: Reporter, text: str, file: Path) -> None:
    """Write the text of `first_configuration` and the schema beside it, and tell how many guesses are marked in it.

    The schema is named in its first line, for editors. Errors as of `require_writable`.
    """
    from facemon.application.schema_file import EDITOR_LINE, SCHEMA_FILE, write_schema, write_whole

    schema = file.with_name(SCHEMA_FILE)
    # The schema first: where it cannot be written, a configuration that is there stays as it is.
    write_schema(schema)
    write_whole(file, EDITOR_LINE + text)
    guesses = text.count("# guess")
    marked = "1 guess is marked: look at it" if guesses == 1 else f"{guesses} guesses are marked: look at each"
    look = f"; {marked}" if guesses else ""
    reporter.say(f"wrote {file}{look}; facemon model show tells what it describes")
    reporter.say(f"wrote {schema}, by which editors complete and check its keys")


def _with_every_key(model: str | None) -> str:
    from facemon.config.explained_configuration import TEMPLATE, explained_configuration

    text = explained_configuration(TEMPLATE.read_text(encoding="utf-8"))
    if model is None:
        return text
    before, _, after = text.partition("\nmodel:\n")
    _, _, others = after.partition("\n\n")
    return f"{before}\n{model}\n{others}"


def _config(text: str, folder: Path) -> "Config":
    from facemon.config.loader import parse_config

    return parse_config(text, name="facemon.yaml", directory=folder.absolute())


def _require_loadable(text: str, folder: Path, model: Path) -> None:
    """Refuse to write a description that facemon itself would refuse."""
    from facemon.model.factory import ModelFactory

    config = _config(text, folder)
    try:
        ModelFactory.of(config).bundle()
    except FacemonError as error:
        raise FacemonError(_prefixed(f"{model}: cannot be described", error.message), error.hint) from error


def _described(network: NetworkRequest, folder: Path) -> str:
    from facemon.model.detector_description import detector_by_name, recognise_detector
    from facemon.model.graph_description import WHOLE_IMAGES, describe_graph
    from facemon.model.graph_input import AskedInput, find_input

    model, finder = network.model, network.finder
    faces = WHOLE_IMAGES if finder is None else _described_finder(finder, folder)
    file, graph = _loaded(model)
    name = "".join(sign if sign.isalnum() or sign in "-_." else "-" for sign in model.stem) or "model"
    with _naming(model):
        if detector := detector_by_name(graph):
            raise _without_attributes(detector, model)
        found = find_input(graph, AskedInput(network.size, network.layout))
        if detector := recognise_detector(graph, found):
            raise _without_attributes(detector, model)
        return describe_graph(
            graph,
            found,
            path=os.path.relpath(model, folder),
            sha256=file.sha256,
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


def _loaded(path: Path) -> "tuple[GraphFile, Graph]":
    from facemon.model.graph_files import GraphFile

    file = GraphFile.read(path, "cannot be read", "name an ONNX file that is there")
    return file, file.opened()


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
