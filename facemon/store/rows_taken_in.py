"""Rows of files and tables that a ledger does not know, added to its log: each image of a run once."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from numpy.typing import NDArray

from facemon.config.model import LOG_COLUMNS
from facemon.domain.row_ranges import ranges_of
from facemon.errors import FacemonError
from facemon.store.deliveries import Delivery, register
from facemon.store.ledger.protocol import Ledger
from facemon.store.row_counts import count_rows
from facemon.store.row_profiles import profile_rows
from facemon.store.run_state import RunState
from facemon.store.runs import UNKNOWN_INPUTS
from facemon.store.segment import NewSegment
from facemon.store.segment_files import (
    is_as_written,
    last_predicted,
    observed_range,
    read_segment,
    sha256_of,
)
from facemon.store.segment_writer import prepare_segments

_WRITER = "recover"
_TIMES = ["observed_at", "predicted_at"]


@dataclass
class LeftFiles:
    """Files that were not taken in as they are, by their path below the store."""

    known: list[str] = field(default_factory=list)
    """All or some of their rows are in the log in other segments."""
    damaged: list[str] = field(default_factory=list)


class NewerRows:
    """Adds rows to a log whose ledger is older than they are; of an image that is known no row is added."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._ordinals: dict[str, list[NDArray[np.int64]]] = {}
        self.rows = 0
        """Rows in the log."""
        for segment in ledger.segments.within():
            try:
                self._remember(read_segment(ledger, segment, ("run", "ordinal")))
            except FacemonError:
                continue  # for facemon store repair

    def add_files(self, paths: Iterable[str], sha256: Mapping[str, str]) -> LeftFiles:
        """Take in files of the log, those that were predicted last first; a sha256 that is known proves a file."""
        left, found = LeftFiles(), list[tuple[int, str]]()
        for path in paths:
            try:
                found.append((self._last_predicted(path, sha256.get(path)), path))
            except (OSError, pa.ArrowException, ValueError, KeyError):
                left.damaged.append(path)
        for _, path in sorted(found, reverse=True):
            try:
                table = pa.parquet.read_table(self._ledger.folder / path, partitioning=None)
            except (OSError, pa.ArrowException):
                left.damaged.append(path)
                continue
            fresh = self._fresh(table)
            if fresh.num_rows == table.num_rows:
                digest = sha256_of(self._ledger.folder / path)
                self._register([NewSegment(self._id_for(path), path, None, table, digest)])
                continue
            left.known.append(path)
            self._write(fresh)
        return left

    def add_tables(self, tables: Iterable[pa.Table]) -> None:
        """Take in rows that are in no file, in few segments: a server has many small ones."""
        alike: dict[tuple[str, str], list[pa.Table]] = {}
        for table in tables:
            if table.num_rows:
                alike.setdefault((table.schema.to_string(), table["model"][0].as_py()), []).append(table)
        for group in alike.values():
            self._write(self._fresh(pa.concat_tables(group)))

    def _last_predicted(self, path: str, sha256: str | None) -> int:
        file = self._ledger.folder / path
        if sha256 is not None and not is_as_written(file, sha256):
            raise ValueError("not the file that was written")
        if set(LOG_COLUMNS[:12]) - set(pa.parquet.read_schema(file).names):
            raise ValueError("not a file of the log")
        return last_predicted(pa.parquet.read_table(file, columns=_TIMES, partitioning=None))

    def _id_for(self, path: str) -> str:
        """The name of a file, unless a segment has it whose own file is somewhere else."""
        name = Path(path).stem
        return secrets.token_hex(8) if self._ledger.segments.has(name) else name

    def _write(self, rows: pa.Table) -> None:
        if rows.num_rows:
            self._register(prepare_segments(self._ledger, _WRITER, rows))

    def _register(self, segments: list[NewSegment]) -> None:
        with self._ledger.writing():
            for segment in segments:
                counted = Delivery([segment], totals=count_rows(segment.table), profiles=profile_rows(segment.table))
                register(self._ledger, counted)
                self._extend_runs(segment.table)
        for segment in segments:
            self._remember(segment.table)

    def _extend_runs(self, table: pa.Table) -> None:
        """Enter runs that are not known, and close those that went on: which inputs they had is not known."""
        for run, ordinals in _ordinals_of(table):
            end, (first, last) = int(ordinals.max()) + 1, (observed_range(table)[0], last_predicted(table))
            model = table["model"][0].as_py()
            self._ledger.runs.extend(run, RunState(model, end, UNKNOWN_INPUTS, 0, first, last))
            # Rows of a node that are in the log now must not come with its delivery again.
            self._ledger.nodes.know({run: ranges_of(ordinals)})

    def _fresh(self, table: pa.Table) -> pa.Table:
        """The rows of images that the log does not have."""
        runs, ordinals = table["run"].to_numpy(), table["ordinal"].to_numpy()
        is_known = np.zeros(len(ordinals), np.bool_)
        for run in table["run"].unique().to_pylist():
            of_run = runs == run
            is_known[of_run] = np.isin(ordinals[of_run], np.concatenate(self._ordinals.get(run, [_NONE])))
        return table.filter(pa.array(~is_known))

    def _remember(self, table: pa.Table) -> None:
        self.rows += table.num_rows
        for run, ordinals in _ordinals_of(table):
            self._ordinals.setdefault(run, []).append(np.unique(ordinals))


_NONE = np.empty(0, np.int64)


def _ordinals_of(table: pa.Table) -> Iterable[tuple[str, NDArray[np.int64]]]:
    runs, ordinals = table["run"].to_numpy(), table["ordinal"].to_numpy()
    return [(run, ordinals[runs == run]) for run in table["run"].unique().to_pylist()]
