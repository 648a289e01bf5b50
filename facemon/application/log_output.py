"""Where the rows that `facemon log` finds go, and in which format: a file, a stream, or a table for people."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from facemon.application.logged_rows import Take
from facemon.application.prediction_output import TABLE, Screen

if TYPE_CHECKING:
    import pyarrow as pa

    from facemon.config.model import AttributeConfig


@contextmanager
def shown_rows(
    screen: Screen,
    output: Path | None,
    format_: str | None,
    attributes: "Sequence[AttributeConfig]",
    beside: "pa.Field | None",
) -> Iterator[Take]:
    """Take rows to a file, to stdout, or to a table at the end; without a format as who reads stdout needs them.

    `attributes` are those of the rows. `beside` is the field of the column that they have beside those of the log.
    """
    from facemon.predict.output import OutputFormat, open_file, open_stream

    if output is not None and format_ is not None:
        with open_file(output, OutputFormat(format_), attributes, beside) as writer:
            yield writer.add
    elif format_ == TABLE or (format_ is None and screen.is_terminal):
        from facemon.reports.log_report import LogTable

        table = LogTable(attributes, beside and beside.name)
        yield table.add
        screen.show(table.parts())
    else:
        with open_stream(screen.stream(), OutputFormat(format_ or "jsonl"), attributes, beside) as writer:
            yield writer.add
