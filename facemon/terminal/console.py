"""Everything that facemon prints: results on stdout, all else on stderr; the only file that imports rich."""

import json
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO, TypeVar

from facemon.application.operation import HiddenProgress, Progress
from facemon.domain.shown_rate import shown_rate
from facemon.errors import FacemonError, Interrupted
from facemon.interruption import await_input
from facemon.printable import Lines, printable, printable_lines, without_command_lines, without_commands
from facemon.standard_streams import EscapedStream, StdoutStream, writing_stdout

if TYPE_CHECKING:
    from rich.console import Console as RichConsole

    from facemon.reports.printed_parts import Part, Table


T = TypeVar("T")
_ANY_WIDTH = 1_000_000
"""In cells: a table in a pipe is never fitted."""


class Color(StrEnum):
    """When to use colour."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Verbosity(StrEnum):
    """How much is said on stderr."""

    QUIET = "quiet"
    NORMAL = "normal"
    VERBOSE = "verbose"


@dataclass(frozen=True, slots=True)
class Console:
    """Where to print and how: plain text in a pipe, tables and colour on a terminal."""

    verbosity: Verbosity = Verbosity.NORMAL
    color: Color = Color.AUTO
    show_tracebacks: bool = False

    @property
    def is_quiet(self) -> bool:
        """Whether success is to be silent."""
        return self.verbosity is Verbosity.QUIET

    @property
    def is_terminal(self) -> bool:
        """Whether a person reads stdout."""
        return sys.stdout.isatty()

    def result(self, text: str) -> None:
        """Print a result for people on stdout; FacemonError when it cannot be written, as on a full disk."""
        self._write(without_command_lines(printable_lines(text)))

    def file(self, text: str) -> None:
        """Print the content of a file, such as an exposition, on stdout: unchanged, but escaped on a terminal."""
        self._write(printable_lines(text) if self.is_terminal else text)

    def stream(self) -> BinaryIO:
        """What takes lines of UTF-8 for stdout, as `file` does."""
        stream = StdoutStream(sys.stdout.buffer)
        return EscapedStream(stream) if self.is_terminal else stream

    def flush(self) -> None:
        """Let go of what stdout still holds back; FacemonError as for `result`."""
        with writing_stdout():
            sys.stdout.flush()

    def document(self, document: Mapping[str, Any], *, indent: int | None = None) -> None:
        """Print a result as JSON on stdout; without `indent`, as one line."""
        is_unicode = (sys.stdout.encoding or "utf-8").lower().startswith("utf")
        self._write(printable_lines(json.dumps(document, ensure_ascii=not is_unicode, indent=indent, allow_nan=False)))

    def say(self, text: str) -> None:
        """Tell, on stderr, what was done; not in quiet mode."""
        if not self.is_quiet:
            self._write_error(_kept_lines(text))

    def detail(self, text: str) -> None:
        """Tell, on stderr, what only `-v` wants to know."""
        if self.verbosity is Verbosity.VERBOSE:
            self._write_error(_kept_lines(text))

    def notice(self, text: str) -> None:
        """Tell, on stderr, what a script must not overlook; in quiet mode too."""
        self._write_error(_kept_lines(text))

    def warn(self, text: str) -> None:
        """Tell of trouble that does not stop the run; in quiet mode too, so that cron mails it."""
        self._write_error(f"warning: {_kept_lines(text)}")

    def error(self, error: FacemonError | Interrupted) -> None:
        """Tell why the command stops, and what to do about it."""
        if self.show_tracebacks:
            self._write_error("".join(traceback.format_exception(error)).rstrip("\n"))
        for line in error.message.splitlines() if isinstance(error.message, Lines) else [error.message]:
            self._write_error(f"error: {_kept_lines(line)}")
        if error.hint:
            self._write_error(f"  hint: {_kept_lines(error.hint)}")

    def fault(self, error: BaseException) -> None:
        """Tell of a fault of facemon's own."""
        if self.show_tracebacks:
            self._write_error("".join(traceback.format_exception(error)).rstrip("\n"))
        self._write_error(f"error: facemon failed unexpectedly: {type(error).__name__}: {printable(str(error))}")
        if not self.show_tracebacks:
            self._write_error("  hint: run the same command with --debug and report what it prints")

    def table(self, table: "Table", *, after_empty_line: bool = False) -> bool:
        """Print a table on stdout: fitted to a terminal, aligned with spaces and whole in a pipe.

        Return whether the last line of stdout is empty then. A drawn table ends with an empty line, and begins with one
        where there is none yet.
        """
        if not self._draws_tables:
            self._plain_table(table.headings, table.rows, table.title)
            return False
        from rich import box
        from rich.cells import cell_len
        from rich.markup import escape
        from rich.segment import SegmentLines
        from rich.table import Table as RichTable

        from facemon.terminal.drawn_table import GAP, drawn_table

        # In a log cells that are broken into lines would be read by a runner, which looks for commands.
        safe = printable if self.is_terminal else (lambda cell: without_commands(printable(cell)))
        console = self._rich(sys.stdout)
        drawn = drawn_table(table.mapped(safe), console.width - 2 if self.is_terminal else _ANY_WIDTH, cell_len)
        if not self.is_terminal:
            console.width = sum(drawn.widths) + GAP * len(drawn.widths) + 2
        title = table.title and escape(printable(table.title))
        grid = RichTable(
            title=title, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False, padding=(0, GAP - 1, 0, 0)
        )
        for heading, width in zip(drawn.headings, drawn.widths, strict=True):
            grid.add_column(escape(heading), overflow="fold", width=width)
        for row in drawn.rows:
            grid.add_row(*map(_styled, row))
        if is_drawn := bool(drawn.rows) or table.for_terminal is None:
            lines = console.render_lines(grid, pad=False)
            if title and not after_empty_line:
                console.print()
            is_doubled = after_empty_line and not title
            console.print(SegmentLines(lines[1:] if is_doubled else lines, new_lines=True), end="")
        for line in drawn.below:
            self.result(_folded(line, console.width) if self.is_terminal else line)
        return not drawn.below and (is_drawn or after_empty_line)

    def show(self, parts: "Iterable[Part]") -> None:
        """Print a report: remarks on stderr, all else on stdout; beside drawn tables no empty line follows another."""
        from facemon.reports.printed_parts import Document, FileText, Prose, Remark, Table

        is_empty = False  # the last line that was printed
        for part in parts:
            match part:
                case "" if is_empty and self._draws_tables:
                    continue
                case Prose():
                    self.result(_folded(part, self._rich(sys.stdout).width) if self.is_terminal else part)
                case str():
                    self.result(part)
                case Table():
                    is_empty = self.table(part, after_empty_line=is_empty)
                    continue
                case Remark(text, tone):
                    getattr(self, tone.value)(text)
                case FileText(text):
                    self.file(text)
                case Document(content):
                    self.document(content)
            is_empty = part == ""

    @property
    def can_ask(self) -> bool:
        """Whether a person can be asked: on a terminal, and not in quiet mode."""
        return not self.is_quiet and sys.stdin.isatty() and sys.stderr.isatty()

    def ask(self, question: str, default: str, check: Callable[[str], T]) -> T:
        """Ask on stderr until an answer passes the check, and return what that makes of it; no answer is the default.

        What the check raises as FacemonError is said before the question is asked again. Interrupted where input ends.
        """
        from rich.text import Text

        prompt = Text(f"{question} [{default}]: ")
        while True:
            try:
                self._rich(sys.stderr).print(prompt, end="")
                await_input(sys.stdin.fileno())
                return check(input().strip() or default)
            except (Interrupted, EOFError) as error:
                self._write_error("")
                raise error if isinstance(error, Interrupted) else Interrupted("the input ended") from None
            except UnicodeDecodeError:
                self._write_error("  the answer is not UTF-8")
            except FacemonError as error:
                hint = f"; {error.hint}" if error.hint else ""
                self._write_error(f"  {_kept_lines(error.message)}{_kept_lines(hint)}")

    @contextmanager
    def progress(self, label: str, unit: str) -> Iterator[Progress]:
        """Show a bar with rate and time left while the block runs; only on a terminal's stderr."""
        if self.is_quiet or not sys.stderr.isatty():
            yield HiddenProgress()
            return
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        columns = (
            TextColumn(label),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TextColumn("elapsed"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        with RichProgress(*columns, console=self._rich(sys.stderr), transient=True) as bar:
            yield _Bar(bar, unit)

    @property
    def _draws_tables(self) -> bool:
        return self.is_terminal or self.color is Color.ALWAYS

    def _plain_table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], title: str | None) -> None:
        lines = [tuple(map(printable, row)) for row in (columns, *rows)]
        widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
        if title:
            self.result(printable(title))
        for line in lines:
            self.result("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())

    def _rich(self, stream: TextIO) -> "RichConsole":
        from rich.console import Console as RichConsole

        colorless = self.color is Color.NEVER or (self.color is Color.AUTO and bool(os.environ.get("NO_COLOR")))
        force = True if self.color is Color.ALWAYS else None
        console = RichConsole(file=stream, no_color=colorless, force_terminal=force, highlight=False)
        if console.width < 1:  # COLUMNS=0, which programs set that do not know it
            console.width = get_terminal_size().columns
        return console

    def _write(self, text: str) -> None:
        with writing_stdout():
            print(text, file=sys.stdout)  # noqa: T201 - this is the place for it

    def _write_error(self, text: str) -> None:
        # Where stderr is closed, the exit code still tells. In one write, since threads print at the same time.
        with suppress(OSError):
            text = without_command_lines(printable_lines(text))
            print(f"{text}\n", end="", file=sys.stderr)  # noqa: T201 - this is the place for it


def _folded(text: str, width: int) -> str:
    """Break what is wider than a terminal between words, which keeps names whole; following lines are indented."""
    import textwrap

    indent = text[: len(text) - len(text.lstrip())] + "  "
    lines = textwrap.wrap(text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines)


def _kept_lines(text: str) -> str:
    """A message, whose own line ends are kept and those of names are not."""
    return text if isinstance(text, Lines) else printable(text)


class _Bar:
    """A rich progress bar with a rate of its own, since rich only knows a speed when a total is known."""

    is_shown = True

    def __init__(self, bar: Any, unit: str) -> None:
        self._bar = bar
        self._unit = unit
        self._task = bar.add_task("", total=None, rate=f"… {unit}/s")

    def advance(self, count: int) -> None:
        self._bar.update(self._task, advance=count)
        task = self._bar.tasks[0]
        if task.elapsed:
            self._bar.update(self._task, rate=shown_rate(task.completed, task.elapsed, self._unit))

    def expect(self, total: int) -> None:
        self._bar.update(self._task, total=total)


_STYLES = {"drift": "bold red", "undecided": "yellow", "ok": "green", "not_compared": "dim", "no_face": "yellow"}


def _styled(cell: str) -> Any:
    from rich.text import Text

    from facemon.domain.prediction import ErrorCode

    return Text(cell, style=_STYLES.get(cell, "red" if cell in set(ErrorCode) else ""))
