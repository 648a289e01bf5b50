"""Where the rows of a run go besides the log, and in which format: a file, a stream, or a table for people."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from facemon.application.operation import Operation
from facemon.application.prediction_run import Sink
from facemon.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from facemon.reports.printed_parts import Part

TABLE = "table"
FORMATS = (TABLE, "jsonl", "csv", "parquet")


def chosen_format(
    output: Path | None,
    chosen: str | None,
    *,
    csv_safe: bool,
    is_terminal: bool,
    inputs: Iterable[str | Path | None] = (),
) -> str | None:
    """Return the format of a file's rows, or of those on stdout; None to go by who reads stdout.

    `inputs` are what the command reads, which `output` must not replace.

    UsageError where a format cannot be, and for an `output` that must not be replaced or cannot be made.
    """
    found = _plain_format(output, chosen)
    if csv_safe and found != "csv":
        raise UsageError("--csv-safe is for CSV", "add --format csv, or -o FILE.csv")
    if found == "parquet" and output is None and is_terminal:
        raise UsageError("Parquet is not for a terminal", "-o FILE.parquet writes a file")
    if output is not None:
        from facemon.predict.earlier_rows import holds_rows
        from facemon.predict.output import refuse_unwritable
        from facemon.store.replaced_files import refuse_input, refuse_other_file

        refuse_input(output, inputs)
        refuse_other_file(output, holds_rows, "file of rows")
        refuse_unwritable(output)
    return "csv-safe" if csv_safe else found


class Screen(Protocol):
    """What shows rows beside the log: a terminal, or a pipe."""

    @property
    def is_quiet(self) -> bool:
        """Whether success is to be silent."""

    @property
    def is_terminal(self) -> bool:
        """Whether a person reads the rows."""

    def stream(self) -> BinaryIO:
        """Return what takes the rows of a format."""

    def show(self, parts: "Iterable[Part]") -> None:
        """Show a report."""


@dataclass(frozen=True, slots=True)
class RowOutput:
    """Where rows go besides the log: a file, stdout, a table at the end, or nowhere.

    One of many machines that deliver prints rows only where a file or a format is asked for.
    """

    operation: Operation
    screen: Screen
    output: Path | None
    format_: str | None
    is_delivered: bool = False

    @property
    def has_every_row(self) -> bool:
        """Whether it shows all rows of a run, as a file does, and not only those that are predicted now."""
        return self.output is not None

    @contextmanager
    def __call__(self, earlier: "Iterable[pa.RecordBatch]" = ()) -> Iterator[Sink]:
        """Open it; a file begins with the `earlier` rows, and the others have shown them before."""
        if self.output is not None and self.format_ is not None:
            with _file_sink(self.operation, self.output, self.format_, earlier) as sink:
                yield sink
        elif self.format_ is None and (self.screen.is_quiet or self.is_delivered):
            yield lambda _: None
        elif self.format_ == TABLE or (self.format_ is None and self.screen.is_terminal):
            from facemon.reports.prediction_report import PredictionReport

            report = PredictionReport(self.operation.config.model.attributes)
            yield report.add
            self.screen.show(report.parts())
        else:
            with _stream_sink(self.operation, self.screen.stream(), self.format_) as sink:
                yield sink


@contextmanager
def _file_sink(
    operation: Operation, output: Path, format_: str, earlier: "Iterable[pa.RecordBatch]" = ()
) -> Iterator[Sink]:
    """Write rows to a file, which begins with the `earlier` rows of the run, so that it has all of them."""
    from facemon.predict.output import OutputFormat, open_file

    with open_file(output, OutputFormat(format_), operation.config.model.attributes) as writer:
        for rows in earlier:
            writer.add(rows)
        yield lambda batch: writer.add(batch.rows)


@contextmanager
def _stream_sink(operation: Operation, stream: BinaryIO, format_: str | None) -> Iterator[Sink]:
    """Write rows to a stream, which has shown those of before already; None for JSON lines."""
    from facemon.predict.output import OutputFormat, open_stream

    with open_stream(stream, OutputFormat(format_ or "jsonl"), operation.config.model.attributes) as writer:
        yield lambda batch: writer.add(batch.rows)


def _plain_format(output: Path | None, chosen: str | None) -> str | None:
    from facemon.predict.output import format_of, named_format

    if chosen is not None and chosen not in FORMATS:
        raise UsageError(f"--format {chosen}: there are {', '.join(FORMATS)}")
    if output is not None and chosen == TABLE:
        raise UsageError("a table is for the terminal; a file takes jsonl, csv or parquet", "leave out --format table")
    if output is None:
        return chosen
    if chosen is None:
        return format_of(output).value
    if (named := named_format(output)) is not None and named.value != chosen:
        raise UsageError(f"--format {chosen} and -o {output} contradict each other", "leave out --format")
    return chosen
