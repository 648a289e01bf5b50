"""What every runner does: for each folder named it checks each table against the folder's reference.

It prints one line of JSON for each check: the folder, the table and the columns that the tool alarms on.
"""

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

REFERENCE = "reference.parquet"


def run_checks(alarms: Callable[[Path, Path], Iterable[str]]) -> None:
    """Run `alarms`, which is given the reference's path and the table's, on all tables of the folders named."""
    for folder in map(Path, sys.argv[1:]):
        for table in sorted(folder.glob("*.parquet")):
            if table.name != REFERENCE:
                found = sorted(alarms(folder / REFERENCE, table))
                print(json.dumps({"folder": folder.name, "table": table.stem, "alarms": found}), flush=True)
