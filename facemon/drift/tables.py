"""Reads CSV, JSON Lines and Parquet files into samples, so that two tables, or a table and the log, compare."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, assert_never

import numpy as np
import pyarrow as pa

from facemon.config.drift import TablesConfig
from facemon.config.model import LOG_COLUMNS, RESERVED_PREFIX, AttributeConfig
from facemon.domain.array_types import Floats
from facemon.domain.attribute import Measure
from facemon.domain.binning import MISSING, Scale
from facemon.domain.drift_result import Check
from facemon.domain.profile import MISSING_LABEL, ColumnCounts, ColumnKind, Profile
from facemon.drift.attribute_columns import AttributeReader
from facemon.drift.column_kinds import (
    FEWEST_DISTINCT,
    are_truths,
    bytes_fault,
    coarse_precision,
    coarsest,
    counts_up,
    presence,
    texts_of,
    truth,
)
from facemon.drift.log_table import is_log_table, read_log_table
from facemon.drift.sample import IGNORED, Sample, StrangeCells
from facemon.drift.table_counts import (
    MOST_LABELS,
    Cells,
    TooManyLabels,
    count_bins,
    count_labels,
    fixed_bins,
    is_number,
    is_text,
    may_be_numbers,
    numbers_of,
    quantile_bins,
    quantile_edges,
    value_type,
)
from facemon.drift.table_rows import TableRows, rows_of_table
from facemon.tables.attribute_cells import text_of
from facemon.tables.number_notations import number_of, refuse_foreign_numbers
from facemon.tables.sourced_table import open_with_sources
from facemon.tables.table_file import TableFile

_ALL_CHECKS = (Check.DATA, Check.MODEL)
_TRUTHS, _UNKNOWN = {0.0, 1.0}, (math.nan,)
_EDGE_ROWS = 2_000_000
"""Rows of the reference that its quantiles are taken from."""


@dataclass(frozen=True, slots=True)
class TableLayout:
    """How the columns of a reference were counted, so that the current table is counted alike.

    `edges` are the quantiles of its numeric data columns, `precisions` the types of those that are coarser than
    float64, `empty` its columns without any value, `truths` those of truth values. With `like_log` only the log's own
    columns are read, in the log's bins.
    """

    edges: Mapping[str, Floats] = field(default_factory=dict)
    empty: frozenset[str] = frozenset()
    like_log: bool = False
    precisions: Mapping[str, str] = field(default_factory=dict)
    truths: frozenset[str] = frozenset()


LOG_LAYOUT = TableLayout(like_log=True)
"""For a table that is compared with profiles of the store."""


def read_reference(
    path: Path,
    *,
    attributes: Sequence[AttributeConfig],
    tables: TablesConfig,
    checks: Collection[Check] = _ALL_CHECKS,
) -> tuple[Sample, TableLayout]:
    """Count a reference table; the layout is what the current table is to be read with."""
    file = open_with_sources(path, tables)
    if is_log_table(file):
        return _read_log(file, tables, None), LOG_LAYOUT
    return _TableReader(file, attributes, tables, checks, None).read()


def read_sample(
    path: Path,
    *,
    attributes: Sequence[AttributeConfig],
    tables: TablesConfig,
    layout: TableLayout = LOG_LAYOUT,
    checks: Collection[Check] = _ALL_CHECKS,
    source: str | None = None,
) -> Sample:
    """Count a table in a reference's layout, or in the log's; `source` as in `rows_of_table`.

    FacemonError where the file is missing, unreadable, empty or of an unknown kind, or where no cell of an
    attribute's column is one of its labels.
    """
    file = open_with_sources(path, tables)
    return count_sample(file, attributes=attributes, tables=tables, layout=layout, checks=checks, source=source)


def count_sample(
    file: TableFile,
    *,
    attributes: Sequence[AttributeConfig],
    tables: TablesConfig,
    layout: TableLayout = LOG_LAYOUT,
    checks: Collection[Check] = _ALL_CHECKS,
    source: str | None = None,
) -> Sample:
    """As `read_sample`, for an opened table."""
    if layout.like_log and is_log_table(file):
        return _read_log(file, tables, source)
    return _TableReader(file, attributes, tables, checks, layout, source).read()[0]


def _read_log(file: TableFile, tables: TablesConfig, source: str | None) -> Sample:
    """A file in the log's own schema: its columns are of the log's kinds, but may be ignored."""
    sample = read_log_table(file, source)
    ignored = {name: IGNORED for name, kind in tables.kinds.items() if kind == "ignore" and name in sample.names}
    return replace(sample, not_comparable={**sample.not_comparable, **ignored})


class _TableReader:
    """Counts one table, column by column."""

    def __init__(
        self,
        file: TableFile,
        attributes: Sequence[AttributeConfig],
        tables: TablesConfig,
        checks: Collection[Check],
        layout: TableLayout | None,
        source: str | None = None,
    ) -> None:
        self._file = file
        self._rows: TableRows = rows_of_table(self._file, tables, source)
        self._attributes = attributes
        self._tables = tables
        self._checks = checks
        self._layout = layout or TableLayout()
        self._edges: dict[str, Floats] = {}
        self._precisions: dict[str, str] = {}
        self._truths: set[str] = set()
        self._empty: set[str] = set()
        self._columns: dict[str, list[ColumnCounts]] = {}
        self._not_comparable: dict[str, str] = {}
        self._faulty: dict[str, str] = {}
        self._strange: dict[str, StrangeCells] = {}

    def read(self) -> tuple[Sample, TableLayout]:
        """The sample, and the layout that a table compared with it must have."""
        used = self._read_attributes()
        others = [name for name in self._file.names if name not in used and not self._is_bookkeeping(name)]
        if Check.DATA in self._checks:
            for name in others:
                if not self._layout.like_log or name.startswith(RESERVED_PREFIX):
                    self._read_data(name)
        by_source = {source: self._profile(code) for code, source in enumerate(self._rows.sources)}
        sample = Sample.of_sources({source: part for source, part in by_source.items() if not part.is_empty})
        names = (*self._columns, *others)
        return (
            Sample(
                sample.by_source,
                sample.total,
                not_comparable=self._not_comparable,
                faulty=self._faulty,
                strange=self._strange,
                names=tuple(dict.fromkeys(names)),
                bucketed=self._rows.bucketed,
            ),
            TableLayout(
                self._edges,
                frozenset(self._empty),
                precisions=self._precisions,
                truths=frozenset(self._truths),
            ),
        )

    def _read_attributes(self) -> set[str]:
        """Count the attributes' columns; the columns of the file that belong to them."""
        used: set[str] = set()
        for attribute in self._attributes:
            for column in dict.fromkeys(measure.column(attribute.name) for measure in Measure):
                name = self._tables.columns.get(column, column)
                if name not in self._file.names:
                    continue
                used.add(name)
                if Check.MODEL in self._checks:
                    self._read_attribute(attribute, column, name)
        return used

    def _read_attribute(self, attribute: AttributeConfig, column: str, name: str) -> None:
        reader = AttributeReader(self._file.path, self._tables, len(self._rows.sources), self._face_cells)
        found = reader.read(attribute, column, name, self._file.schema.field(name).type)
        if found.fault is not None:
            self._faulty[found.name] = found.fault
        else:
            self._columns[found.name] = found.counts
        if found.strange is not None:
            self._strange[found.name] = found.strange

    def _face_cells(self, name: str) -> Cells:
        return self._rows.cells(name, faces_only=True)

    def _read_data(self, name: str) -> None:
        """Count a column that is no attribute, by the kind that was declared or else that of its cells."""
        type_ = value_type(self._file.schema.field(name).type)
        if name in self._tables.kinds:
            self._read_declared(name, type_)
        elif pa.types.is_temporal(type_):
            self._not_comparable[name] = "it holds times"
        elif name in self._layout.empty or (pa.types.is_null(type_) and name not in self._layout.edges):
            self._empty.add(name)
            self._columns[name] = self._count_labels(name, presence, faces_only=False)
        elif pa.types.is_boolean(type_) and set(self._layout.edges.get(name, _UNKNOWN)) <= _TRUTHS:
            self._read_numbers(name)
        elif is_number(type_) and name in self._layout.truths and are_truths(self._rows.cells(name, faces_only=False)):
            self._columns[name] = self._count_labels(name, truth, faces_only=False)
        elif is_number(type_) or pa.types.is_null(type_):
            self._read_numbers(name)
        elif pa.types.is_boolean(type_):
            self._truths.add(name)
            self._columns[name] = self._count_labels(name, text_of, faces_only=False)
        elif is_text(type_):
            self._read_text(name)
        elif pa.types.is_binary(type_):
            raise bytes_fault(self._file.path, name)
        else:
            self._not_comparable[name] = f"it holds {type_}, neither numbers nor labels"

    def _read_text(self, name: str) -> None:
        """Count labels; FacemonError where they are numbers in another notation than `tables.csv` says."""
        try:
            self._columns[name] = self._count_labels(name, text_of, faces_only=False)
        except TooManyLabels as many:
            self._refuse_foreign_numbers(name, dict.fromkeys(many.seen, 1))
            self._set_aside(name, many.seen)
            return
        texts = texts_of(self._columns[name])
        if len(texts) > FEWEST_DISTINCT or name in self._layout.edges:
            self._refuse_foreign_numbers(name, texts)
        self._set_aside_if_distinct(name)

    def _refuse_foreign_numbers(self, name: str, texts: Mapping[str, int], *, declarable: bool = True) -> None:
        decimal = self._tables.csv.decimal
        refuse_foreign_numbers(str(self._file.path), name, texts, decimal, declarable=declarable)

    def _read_declared(self, name: str, type_: Any) -> None:
        """Count a column as `tables.kinds` says; text that is no number is a missing number."""
        match self._tables.kinds[name]:
            case "ignore":
                self._not_comparable[name] = IGNORED
            case "categorical" if pa.types.is_nested(type_) or pa.types.is_binary(type_):
                self._faulty[name] = f"it holds {type_}, not labels"
            case "categorical":
                try:
                    self._columns[name] = self._count_labels(name, text_of, faces_only=False)
                except TooManyLabels:
                    self._faulty[name] = f"it has more than {MOST_LABELS:,} labels"
            case "numerical" if may_be_numbers(type_):
                self._read_numbers(name)
                if is_text(type_) and not any((column.bins != MISSING).any() for column in self._columns[name]):
                    self._columns.pop(name)
                    self._faulty[name] = "it holds no numbers"
            case "numerical":
                self._faulty[name] = f"it holds {type_}, not numbers"
            case other:
                assert_never(other)

    def _read_numbers(self, name: str) -> None:
        if self._layout.like_log:
            bin_of = fixed_bins(Scale.LOG_LINEAR)
        else:
            edges = self._layout.edges.get(name)
            own = coarse_precision(value_type(self._file.schema.field(name).type))
            if own is not None:
                self._precisions[name] = own
            precision = coarsest(own, self._layout.precisions.get(name))
            bin_of = quantile_bins(self._reference_edges(name) if edges is None else edges, precision)
        cells = self._rows.cells(name, faces_only=False)
        if name in self._empty:
            self._columns[name] = self._count_labels(name, presence, faces_only=False)
        elif name not in self._not_comparable:
            sources, decimal = len(self._rows.sources), self._tables.csv.decimal
            self._columns[name] = count_bins(cells, sources, bin_of, ColumnKind.NUMBER, decimal)

    def _reference_edges(self, name: str) -> Floats:
        stride = 1 + self._file.rows // _EDGE_ROWS
        decimal = self._tables.csv.decimal
        parts = [numbers_of(cells, decimal)[::stride] for cells, _ in self._rows.cells(name, faces_only=False)]
        values = np.concatenate(parts)
        if name not in self._tables.kinds:
            if counts_up(values):
                self._not_comparable[name] = "it numbers the rows"
            if np.isnan(values).all():
                self._empty.add(name)
        self._edges[name] = quantile_edges(values)
        return self._edges[name]

    def _count_labels(self, name: str, label_of: Callable[[Any], str], *, faces_only: bool) -> list[ColumnCounts]:
        return count_labels(self._rows.cells(name, faces_only=faces_only), len(self._rows.sources), label_of)

    def _set_aside(self, name: str, seen: Sequence[str]) -> None:
        """An identifier is not compared; numbers with text among them are a fault."""
        self._columns.pop(name, None)
        if sum(not math.isnan(number_of(text)) for text in seen) > len(seen) / 2:
            self._faulty[name] = "it mixes numbers and text"
        else:
            self._not_comparable[name] = "it names single rows (an identifier)"

    def _set_aside_if_distinct(self, name: str) -> None:
        counts = self._columns[name]
        labels = {label for column in counts for label in column.labels} - {MISSING_LABEL}
        if len(labels) > FEWEST_DISTINCT and len(labels) > self._file.rows / 2:
            self._set_aside(name, sorted(labels))

    def _is_bookkeeping(self, name: str) -> bool:
        if self._rows.is_face is not None and name in LOG_COLUMNS:
            return True
        return name in (self._tables.source, self._tables.image, self._tables.observed_at)

    def _profile(self, code: int) -> Profile:
        columns = {name: parts[code] for name, parts in self._columns.items() if parts[code].total}
        return Profile(*self._rows.shape_of(code), columns)
