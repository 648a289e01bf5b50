"""`facemon init`: a configuration to begin with."""

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facemon.cli.command import command
from facemon.cli.session import Session
from facemon.errors import ExitCode, FacemonError, UsageError
from facemon.printable import Lines
from facemon.regular_file import read_regular

if TYPE_CHECKING:
    from facemon.config.document import Config

app = typer.Typer()
_STDOUT = Path("-")
_BUILT_IN = """\
model:
  bundle: age-gender              # the built-in one; facemon init --model FILE.onnx describes your own
"""
_REST = """
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


@command(app, "init")
def init(
    session: Session,
    model: Annotated[
        Path | None, typer.Option(metavar="FILE.onnx", help="Describe this network (default: the built-in bundle).")
    ] = None,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Where to write; - prints it.")] = Path(
        "facemon.yaml"
    ),
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")] = False,
) -> ExitCode:
    """Write a commented facemon.yaml, for the built-in model or for an ONNX file of your own.

    Every guess about the file is marked as one: look at each before you trust a prediction.
    """
    if output != _STDOUT and output.exists() and not force:
        raise UsageError(f"{output} is there already", "name another file with -o, or overwrite it with --force")
    text = _text(model, Path() if output == _STDOUT else output.parent)
    if output == _STDOUT:
        session.console.file(text.rstrip("\n"))
        return ExitCode.OK
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FacemonError(f"{output} cannot be written: {(error.strerror or str(error)).lower()}") from error
    guesses = text.count("# guess")
    look = f"; {guesses} guesses are marked: look at each" if guesses else ""
    session.console.say(f"wrote {output}{look}; facemon model show tells what it describes")
    _say_needed_images(session, _config(text, output.parent))
    return ExitCode.OK


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


def _text(model: Path | None, folder: Path) -> str:
    section = _BUILT_IN if model is None else _described(model, folder)
    text = f"version: 1\n\n{section}"
    return text + _REST.format(attribute=_config(text, folder).model.attributes[0].name)


def _described(model: Path, folder: Path) -> str:
    from facemon.model.graph_description import describe_graph
    from facemon.model.sessions import LARGEST_MODEL, Graph

    try:
        content = read_regular(model, LARGEST_MODEL)
    except OSError as error:
        raise FacemonError(f"{model}: cannot be read: {(error.strerror or str(error)).lower()}") from error
    graph = Graph(content, str(model), folder=model.absolute().parent)
    path = os.path.relpath(model, folder)
    name = "".join(sign if sign.isalnum() or sign in "-_." else "-" for sign in model.stem) or "model"
    try:
        return describe_graph(graph, path=path, sha256=hashlib.sha256(content).hexdigest(), name=name)
    except FacemonError as error:
        raise FacemonError(f"{model}: {error.message}", error.hint) from error
