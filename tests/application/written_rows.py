"""What `-o` has written, to be compared with what another run wrote."""

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet

UNLIKE = ("run", "predicted_at", "observed_at")
"""Columns that differ from run to run."""


def rows_in(path: Path) -> list[dict[str, Any]]:
    """The rows of a file of any format, without the columns that differ from run to run."""
    match path.suffix:
        case ".jsonl":
            rows = [json.loads(line) for line in path.read_text().splitlines()]
        case ".csv":
            with path.open(newline="") as file:
                rows = list(csv.DictReader(file))
        case _:
            rows = pyarrow.parquet.read_table(path).to_pylist()
    return [{name: value for name, value in row.items() if name not in UNLIKE} for row in rows]
