"""A manifest as a Parquet file: the same rows give the same bytes, and memory does not grow with their number."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from facemon.config.drift import TablesConfig
from facemon.errors import UsageError
from facemon.predict.earlier_rows import parquet_columns
from facemon.predict.frozen_rows import FrozenRow
from facemon.predict.image_source import ObservedFrom

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS_A_GROUP = 8_192
"""Rows that are held: a shard skips whole row groups before it begins to read."""
_SUFFIX = ".parquet"


@dataclass(frozen=True, slots=True)
class ManifestColumns:
    """The columns of a manifest, by the names that the configuration reads them under."""

    names: TablesConfig
    source: str | None = None
    """Where all images come from; None for no such column."""
    observed_at: datetime | ObservedFrom | None = None
    """When all images were taken, or that their files' time of change says it; None for no such column."""

    def table(self, rows: list[FrozenRow]) -> "pa.Table":
        """Return rows as a table."""
        import pyarrow as pa

        # Names may hold bytes that are not UTF-8, as readers of manifests take them: a view does not look at them.
        image = pa.array([row.image for row in rows], pa.binary()).view(pa.string())
        columns = {
            self.names.image: image,
            self.names.size: pa.array([row.size for row in rows], pa.int64()),
            self.names.etag: pa.array([row.etag for row in rows], pa.string()),
        }
        if self.source is not None:
            columns[self.names.source] = pa.array([self.source] * len(rows), pa.string())
        if self.observed_at is not None:
            fixed = self.observed_at if isinstance(self.observed_at, datetime) else None
            times = [fixed or row.modified for row in rows]
            columns[self.names.observed_at] = pa.array(times, pa.timestamp("us", "UTC"))
        return pa.table(columns)


@dataclass
class ManifestWriter:
    """Writes rows in groups."""

    stream: BinaryIO
    columns: ManifestColumns
    _held: list[FrozenRow] = field(default_factory=list)
    _writer: "pa.parquet.ParquetWriter | None" = None

    def add(self, row: FrozenRow) -> None:
        """Take a row in."""
        self._held.append(row)
        if len(self._held) >= _ROWS_A_GROUP:
            self._write()

    def close(self) -> None:
        """Write the last rows and the footer."""
        if self._held:
            self._write()
        if self._writer is not None:
            self._writer.close()

    def _write(self) -> None:
        from pyarrow import parquet

        table = self.columns.table(self._held)
        if self._writer is None:
            # Names and ETags do not repeat: a dictionary of them is tried in vain.
            repeated = [name for name in (self.columns.names.source,) if name in table.column_names]
            self._writer = parquet.ParquetWriter(
                self.stream, table.schema, compression="zstd", use_dictionary=repeated or False
            )
        self._writer.write_table(table, row_group_size=_ROWS_A_GROUP)
        self._held.clear()


def holds_manifest(path: Path, names: TablesConfig) -> bool:
    """Whether a file has the columns of a manifest, and no others; OSError where it cannot be read."""
    needed, known = {names.image, names.size, names.etag}, {names.source, names.observed_at}
    columns = parquet_columns(path)
    return columns is None or needed <= set(columns) <= needed | known


def refuse_manifest_path(output: Path) -> None:
    """UsageError where a name does not end as that of a Parquet file."""
    if output.suffix.lower() != _SUFFIX:
        raise UsageError(f"-o {output}: a manifest is written as Parquet", f"name it such as images{_SUFFIX}")
