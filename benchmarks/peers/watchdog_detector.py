"""drift-watchdog's `DriftDetector` with its defaults; it takes numbers only, so that yes is 1 and no is 0."""

from pathlib import Path

import numpy as np
import pandas as pd
from drift_watchdog import BaselineStore, DriftDetector  # type: ignore[import-not-found]

from benchmarks.peers.protocol import run_checks


def _alarms(reference: Path, table: Path) -> list[str]:
    first, second = ((pd.read_parquet(path) == "yes").astype(int) for path in (reference, table))
    np.random.seed(0)  # it draws from the global generator
    result = DriftDetector(BaselineStore.create_from_dataframe(first, "reference")).check(second)
    return [name for name, report in result.features.items() if report.is_drift]


if __name__ == "__main__":
    run_checks(_alarms)
