"""The option of commands that print what they found either for people or for programs."""

from enum import StrEnum
from typing import Annotated

import typer


class PrintFormat(StrEnum):
    """How a result is printed."""

    TEXT = "text"
    JSON = "json"


FormatOption = Annotated[PrintFormat, typer.Option("--format", help="How to print.")]
