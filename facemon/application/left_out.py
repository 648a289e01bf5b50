"""Damaged segments that a command went on without: each is told, and the command does not succeed."""

from collections.abc import Sequence

from facemon.application.operation import Operation
from facemon.errors import FacemonError


def refuse_left_out(operation: Operation, left_out: Sequence[FacemonError], consequence: str = "") -> None:
    """FacemonError, once all else is done, when segments were left out because they are damaged."""
    for error in left_out:
        operation.reporter.warn(error.message)
    if count := len(left_out):
        was = "1 damaged segment was" if count == 1 else f"{count} damaged segments were"
        raise FacemonError(f"{was} left out{consequence}", "facemon store repair shows how to go on without")
