"""The options of commands that print what they found, for people or for programs, and their one way of printing."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from facemon.application.prediction_output import FORMATS
from facemon.terminal.console import Console

if TYPE_CHECKING:
    from facemon.reports.printed_parts import Part


class PrintFormat(StrEnum):
    """How a result is printed."""

    TEXT = "text"
    JSON = "json"


class Grouping(StrEnum):
    """What results can be split by."""

    SOURCE = "source"


FormatOption = Annotated[PrintFormat, typer.Option("--format", help="How to print.")]
RowFormatOption = Annotated[
    str | None,
    typer.Option(
        "--format", metavar="|".join(FORMATS), help="How to print rows (default: table on a terminal, else jsonl)."
    ),
]
OutputOption = Annotated[
    Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write here; .jsonl, .csv or .parquet.")
]
CsvSafeOption = Annotated[
    bool,
    typer.Option(
        "--csv-safe", help="Put an apostrophe before CSV cells that a spreadsheet would run as a formula (= + - @)."
    ),
]


class Answer(Protocol):
    """What a use case returns."""

    def document(self) -> Mapping[str, Any]:
        """The answer as JSON."""

    def report(self) -> "Iterable[Part]":
        """The answer for people."""


def print_answer(console: Console, answer: Answer, format_: PrintFormat, *, indent: int | None = None) -> None:
    """Print an answer as it was asked for."""
    if format_ is PrintFormat.JSON:
        console.document(answer.document(), indent=indent)
    else:
        console.show(answer.report())
