"""Tables in files, written and compared as drift-check does it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from facemon.config.drift import DriftConfig, TablesConfig
from facemon.config.model import AttributeConfig
from facemon.domain.drift_result import Check, ColumnResult, Side
from facemon.drift.drift_check import run_checks
from facemon.drift.sample import Sample
from facemon.drift.tables import read_reference, read_sample
from tests.drift.worlds import NOW, binary

BEARD = binary("beard")
AGE = AttributeConfig(
    name="age", output="out", kind="ordinal", values=tuple(range(81)), bands={"young": (0, 30), "old": (30, 100)}
)
TABLES = TablesConfig()


def write(path: Path, columns: Mapping[str, object]) -> Path:
    table = pa.table(dict(columns))
    if path.suffix == ".parquet":
        pyarrow.parquet.write_table(table, path, row_group_size=300)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))
    else:
        pyarrow.csv.write_csv(table, path)
    return path


def check(
    reference: Path, current: Path, *attributes: AttributeConfig, tables: TablesConfig = TABLES, **settings: object
) -> dict[str, ColumnResult]:
    first, layout = read_reference(reference, attributes=attributes, tables=tables)
    second = read_sample(current, attributes=attributes, tables=tables, layout=layout)
    return compared(first, second, attributes, **settings)


def compared(
    first: Sample, second: Sample, attributes: Sequence[AttributeConfig], **settings: object
) -> dict[str, ColumnResult]:
    result = run_checks(
        first,
        second,
        checks=[Check.DATA, Check.MODEL],
        attributes=attributes,
        settings=DriftConfig.model_validate(settings),
        at=NOW,
        reference_side=Side(0),
        current_side=Side(0),
    )
    return {column.column: column for outcome in result.checks.values() for column in outcome.columns}
