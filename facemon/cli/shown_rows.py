"""Where the rows of a run go besides the log, and what is said when their reader leaves."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from facemon.cli.session import Session
from facemon.errors import FacemonError

if TYPE_CHECKING:
    import pyarrow as pa

    from facemon.store.ledger import Ledger
    from facemon.store.runs import Run
    from facemon.values.prediction import PredictedBatch

TABLE = "table"
_TABLE_ROWS = 100
"""A table on a terminal shows so many rows; the log has them all."""

Sink = Callable[["PredictedBatch"], None]


@contextmanager
def showing(
    session: Session, output: Path | None, format_: str | None, earlier: "Iterable[pa.RecordBatch]" = ()
) -> Iterator[Sink]:
    """Where rows go besides the log: a file, stdout, a table at the end, or nowhere.

    A file begins with the `earlier` rows of the run, so that it has all of them. Other outputs have shown them already.
    """
    from facemon.predict.output import OutputFormat, open_file, open_stream

    attributes, console = session.config.model.attributes, session.console
    if output is not None and format_ is not None:
        with open_file(output, OutputFormat(format_), attributes) as writer:
            for rows in earlier:
                writer.add(rows)
            yield lambda batch: writer.add(batch.rows)
    elif format_ is None and console.is_quiet:
        yield lambda _: None
    elif format_ == TABLE or (format_ is None and console.is_terminal):
        with _tabulating(session) as sink:
            yield sink
    else:
        with open_stream(console.stream(), OutputFormat(format_ or "jsonl"), attributes) as writer:
            yield lambda batch: writer.add(batch.rows)


@contextmanager
def _tabulating(session: Session) -> Iterator[Sink]:
    from facemon.predict.terminal_table import table_columns, table_rows

    attributes, rows, beyond = session.config.model.attributes, list[Sequence[str]](), 0

    def keep(batch: "PredictedBatch") -> None:
        nonlocal beyond
        room = _TABLE_ROWS - len(rows)
        beyond += max(0, batch.rows.num_rows - room)
        if room:
            rows.extend(table_rows(batch.rows.slice(0, room), attributes))

    yield keep
    session.console.table(table_columns(attributes), rows)
    if beyond:
        session.console.result(f"… and {beyond} rows more; -o FILE writes all")


def logged_rows(session: Session, ledger: "Ledger", run: "Run") -> "Iterable[pa.RecordBatch]":
    """The rows that the run has in the log from before, which are read when they are asked for."""
    from facemon.store.run_rows import rows_of_run
    from facemon.values.prediction import log_schema

    return rows_of_run(ledger, run, log_schema(session.config.model.attributes))


def reader_left(state: str, hint: str) -> FacemonError:
    """The error of a run whose rows have no reader any more; `state` is what became of it."""
    return FacemonError(f"the output was closed by its reader (such as head): {state}", hint)
