"""Predictions in the formats that people ask for, on stdout or in a file that is whole or not there."""

import csv
import io
import json
import shlex
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Generic, Protocol, TypeVar

from facemon.config.model import AttributeConfig
from facemon.domain.prediction import log_schema
from facemon.domain.prediction_json import PredictionJson
from facemon.domain.times import format_time
from facemon.errors import FacemonError, UsageError
from facemon.files import Draft, drafted

if TYPE_CHECKING:
    import pyarrow as pa

_BOX_COLUMNS = ("box_left", "box_top", "box_right", "box_bottom")
"""What stands in a CSV file instead of the column `box`."""
_ROWS_A_GROUP = 20_000
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a formula begins with; spreadsheets read the wide signs of East Asian text as the narrow ones."""


class OutputFormat(StrEnum):
    """A format that a stream of predictions can be written in."""

    JSONL = "jsonl"
    CSV = "csv"
    CSV_SAFE = "csv-safe"
    """CSV in which no cell is a formula."""
    PARQUET = "parquet"


_SUFFIXES = {
    ".jsonl": OutputFormat.JSONL,
    ".ndjson": OutputFormat.JSONL,
    ".csv": OutputFormat.CSV,
    ".parquet": OutputFormat.PARQUET,
}


Rows_contra = TypeVar("Rows_contra", contravariant=True)


class RowWriter(Protocol[Rows_contra]):
    """Writes rows to a stream, which it does not close."""

    def add(self, rows: Rows_contra, /) -> None:
        """Write some rows."""

    def close(self) -> None:
        """Write what must stand at the end."""


PredictionWriter = RowWriter["pa.RecordBatch"]
"""Writes rows of the log."""


class _JsonLinesWriter:
    """One object of `facemon.prediction/1` a line; what it has beside is a member at its end."""

    def __init__(
        self, stream: BinaryIO, attributes: Sequence[AttributeConfig], beside: "pa.Field | None" = None
    ) -> None:
        self._stream = stream
        self._json = PredictionJson(attributes)
        self._beside = beside and beside.name

    def add(self, rows: "pa.RecordBatch") -> None:
        """Write a line for each row, and hand them on at once to who reads along."""
        texts: Iterable[str] = self._json.texts(rows)
        if self._beside:
            members = (json.dumps(_short(each), ensure_ascii=False) for each in rows.column(self._beside).to_pylist())
            pairs = zip(texts, members, strict=True)
            texts = (f'{text[:-1]}, "{self._beside}": {member}}}' for text, member in pairs)
        self._stream.write("".join(f"{text}\n" for text in texts).encode())
        self._stream.flush()

    def close(self) -> None:
        """Nothing stands at the end."""


class _CsvWriter:
    """The columns of the log with a header; `box` becomes four columns, nothing is an empty cell.

    What rows have beside them is a column for each of its members.
    """

    def __init__(
        self, stream: BinaryIO, attributes: Sequence[AttributeConfig], beside: "pa.Field | None" = None
    ) -> None:
        self._stream = stream
        self._beside = beside and beside.name
        names = log_schema(attributes).names
        box = names.index("box")
        members = [f"{beside.name}_{member.name}" for member in beside.type] if beside else []
        self._write([[*names[:box], *_BOX_COLUMNS, *names[box + 1 :], *members]])

    def add(self, rows: "pa.RecordBatch") -> None:
        """Write a line for each row."""
        self._write(self._cells(row) for row in rows.to_pylist())
        self._stream.flush()

    def close(self) -> None:
        """Nothing stands at the end."""

    def _write(self, rows: "Iterator[list[Any]] | list[list[Any]]") -> None:
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows(rows)
        self._stream.write(text.getvalue().encode())

    def _cells(self, row: dict[str, Any]) -> list[Any]:
        cells: list[Any] = []
        if self._beside:
            beside = row.pop(self._beside)
            row = {**row, **{f"{self._beside}_{name}": value for name, value in beside.items()}}
        for name, value in row.items():
            if name == "box":
                cells += value or [None] * len(_BOX_COLUMNS)
            elif isinstance(value, datetime):
                cells.append(format_time(value))
            else:
                # Float32 carries about seven digits; more would print noise of the conversion.
                cells.append(f"{value:.7g}" if isinstance(value, float) else self._text(value))
        return cells

    @staticmethod
    def _text(value: Any) -> Any:
        return value


class _SafeCsvWriter(_CsvWriter):
    """CSV for spreadsheets: text that one would run as a formula begins with an apostrophe.

    Source: OWASP, "CSV Injection".
    """

    @staticmethod
    def _text(value: Any) -> Any:
        return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_SIGNS) else value


class _ParquetWriter:
    """The log's own schema, in row groups that are large enough to be read fast."""

    def __init__(
        self, stream: BinaryIO, attributes: Sequence[AttributeConfig], beside: "pa.Field | None" = None
    ) -> None:
        from pyarrow import parquet

        schema = log_schema(attributes)
        self._schema = schema.append(beside) if beside else schema
        self._writer = parquet.ParquetWriter(stream, self._schema, compression="zstd")
        self._held: list[pa.RecordBatch] = []
        self._held_rows = 0

    def add(self, rows: "pa.RecordBatch") -> None:
        """Hold the rows, and write a row group when enough have come together."""
        self._held.append(rows)
        self._held_rows += rows.num_rows
        if self._held_rows >= _ROWS_A_GROUP:
            self._write_group()

    def close(self) -> None:
        """Write the rest and the footer, without which no reader takes the file."""
        if self._held:
            self._write_group()
        self._writer.close()

    def _write_group(self) -> None:
        import pyarrow as pa

        self._writer.write_table(pa.Table.from_batches(self._held, self._schema))
        self._held, self._held_rows = [], 0


WRITERS: dict[OutputFormat, Callable[[BinaryIO, Sequence[AttributeConfig], "pa.Field | None"], PredictionWriter]] = {
    OutputFormat.JSONL: _JsonLinesWriter,
    OutputFormat.CSV: _CsvWriter,
    OutputFormat.CSV_SAFE: _SafeCsvWriter,
    OutputFormat.PARQUET: _ParquetWriter,
}


def _short(members: Mapping[str, Any]) -> dict[str, Any]:
    """What a row has beside the log's columns, with numbers of seven digits, as those of the log are written."""
    each = members.items()
    return {name: float(f"{value:.7g}") if isinstance(value, float) else value for name, value in each}


def named_format(path: Path) -> OutputFormat | None:
    """The format that a file's suffix names; None for a suffix that names none."""
    return _SUFFIXES.get(path.suffix.lower())


def format_of(path: Path) -> OutputFormat:
    """The format that a file's suffix names; UsageError for another one."""
    try:
        return _SUFFIXES[path.suffix.lower()]
    except KeyError:
        raise UsageError(f"-o {path}: the suffix names no format", f"use one of {', '.join(_SUFFIXES)}") from None


@contextmanager
def open_stream(
    stream: BinaryIO,
    output_format: OutputFormat,
    attributes: Sequence[AttributeConfig],
    beside: "pa.Field | None" = None,
) -> Iterator[PredictionWriter]:
    """Write to an open stream, such as stdout's; its own errors pass through, a reader's leaving among them.

    `beside` is the field, a struct, of a column that rows have beside those of the log.
    """
    writer = WRITERS[output_format](stream, attributes, beside)
    yield writer
    writer.close()
    stream.flush()


@contextmanager
def open_file(
    path: Path,
    output_format: OutputFormat,
    attributes: Sequence[AttributeConfig],
    beside: "pa.Field | None" = None,
) -> Iterator[PredictionWriter]:
    """Write to a file as `open_written` does, or to a device such as /dev/stdout; `beside` as of `open_stream`."""
    if _is_device(path):
        with path.open("wb") as device, open_stream(device, output_format, attributes, beside) as writer:
            yield writer
        return
    with open_written(path, lambda stream: WRITERS[output_format](stream, attributes, beside)) as writer:
        yield writer


@contextmanager
def open_written(path: Path, make: Callable[[BinaryIO], RowWriter[Rows_contra]]) -> Iterator[RowWriter[Rows_contra]]:
    """Write to a file that appears under its name when the block ends well, and not at all when it raises.

    UsageError when the path cannot be a file, FacemonError when writing fails (a full disk).
    """
    target = path.resolve()
    refuse_unwritable(target if path.is_symlink() else path)
    with _drafted(path, target) as draft:
        guarded = _GuardedWriter(draft, path, make(draft.stream))
        yield guarded
        guarded.close()


@contextmanager
def _drafted(path: Path, target: Path) -> Iterator[Draft]:
    with ExitStack() as stack:
        try:
            draft = stack.enter_context(drafted(target))
        except OSError as error:
            raise UsageError(f"-o {path}: cannot be written: {_reason(error)}") from error
        yield draft


def refuse_unwritable(path: Path) -> None:
    """UsageError where no file can be made under a name, before anything is done that is to be written there."""
    if path.is_dir():
        raise UsageError(f"-o {path}: is a directory", f"name a file in it: -o {path / 'rows.parquet'}")
    folder = path.parent
    if not path.exists() and not folder.exists():
        raise UsageError(f"-o {path}: the folder {folder} does not exist", f"mkdir -p {shlex.quote(str(folder))}")


class _GuardedWriter(Generic[Rows_contra]):
    """Says of a failure to write which file it was, and keeps it apart from other failures of the block."""

    def __init__(self, draft: Draft, path: Path, writer: RowWriter[Rows_contra]) -> None:
        self._draft = draft
        self._path = path
        self._writer = writer

    def add(self, rows: Rows_contra, /) -> None:
        try:
            self._writer.add(rows)
        except OSError as error:
            raise _unwritten(self._path, error) from error

    def close(self) -> None:
        try:
            self._writer.close()
            self._draft.put()
        except OSError as error:
            raise _unwritten(self._path, error) from error


def _is_device(path: Path) -> bool:
    # /dev/stdout, a named pipe: nothing that could be renamed into place.
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _unwritten(path: Path, error: OSError) -> FacemonError:
    return FacemonError(f"-o {path}: writing failed: {_reason(error)}", "a file that was there before is untouched")


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
