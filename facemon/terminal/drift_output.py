"""How `facemon drift-check` gives its result: on stdout in the format that was asked for, and as a page."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import get_terminal_size

from facemon.application.last_check import recorded_checks
from facemon.application.operation import Operation
from facemon.application.removed_references import removed_references
from facemon.domain.column_shape import ColumnShape
from facemon.domain.drift_result import Check, DriftResult
from facemon.domain.explanation import Explanation
from facemon.errors import ExitCode, UsageError
from facemon.reports.drift_formats import DRIFT_FORMATS, EACH, ReportFormat
from facemon.reports.printed_parts import Table
from facemon.terminal.console import Console

PAGE = Path("reports", "drift.html")
"""Where `--html` writes, in the store's folder."""

_ROOM_FOR_BARS = 110
"""Characters; in a narrower terminal one more column would fold all the others."""

_Shapes = Callable[[], Mapping[tuple[Check, str], ColumnShape]]


@dataclass(frozen=True, slots=True)
class Shown:
    """How a result is to be shown: `decided` is the exit code before `--exit-zero`, `code` the one after it."""

    format_: ReportFormat
    decided: ExitCode
    code: ExitCode
    page: Path | None = None
    evidently_page: str | None = None
    """The name of Evidently's page beside it, to which it links."""
    earlier: Sequence[DriftResult] = ()
    """Recorded checks before this one, which the page shows too."""
    shows_all: bool = False
    """Whether a terminal gets the rows of all columns."""


def print_result(
    console: Console,
    result: DriftResult,
    shown: Shown,
    *,
    shapes: _Shapes = dict,
    explained: Sequence[Explanation] | None = None,
) -> None:
    """Print a result, or the explanation of some of its columns, and write the page and what a runner reads.

    In quiet mode stdout stays empty where the command ends in 0. `shapes` is called only where distributions are drawn.
    """
    if shown.page is not None:
        from facemon.application.drift_page import write_page

        write_page(console, result, shapes(), shown.page, shown.evidently_page, shown.earlier)
    chosen = DRIFT_FORMATS[shown.format_]
    if chosen.is_for_runner:
        from facemon.application.github_runner import append_for_runner

        append_for_runner(result, shown.decided)
    if console.is_quiet and shown.code is ExitCode.OK:
        return
    if explained is not None:
        print_explanations(console, explained, shown.format_)
        return
    drawn = shapes() if chosen.draws and _can_draw(console) else None
    parts = chosen.parts(result, drawn)
    console.show(part.whole() if shown.shows_all and isinstance(part, Table) else part for part in parts)


def print_explanations(console: Console, explanations: Sequence[Explanation], format_: ReportFormat) -> None:
    """Print why columns got their verdicts."""
    if explained := DRIFT_FORMATS[format_].explained:
        console.show(explained(explanations, _can_draw(console)))


def print_history(console: Console, operation: Operation, format_: ReportFormat) -> ExitCode:
    """List the last checks; UsageError for a format that holds only one."""
    if (history := DRIFT_FORMATS[format_].history) is None:
        raise UsageError(f"--history has no --format {format_.value}", f"write {' or '.join(EACH)}")
    console.show(history(recorded_checks(operation), removed_references(operation)))
    return ExitCode.OK


def _can_draw(console: Console) -> bool:
    """Whether bars reach a person: not in a pipe, nor where they lack room, nor where stdout has no such characters."""
    has_room = get_terminal_size().columns >= _ROOM_FOR_BARS
    return console.is_terminal and has_room and (sys.stdout.encoding or "").lower().startswith("utf")
