"""Where the rows of a run go besides the log."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from facemon.application.prediction_run import Sink
from facemon.cli.session import Session

if TYPE_CHECKING:
    import pyarrow as pa

    from facemon.domain.prediction import PredictedBatch

TABLE = "table"
_TABLE_ROWS = 100
"""A table on a terminal shows so many rows; the log has them all."""


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
