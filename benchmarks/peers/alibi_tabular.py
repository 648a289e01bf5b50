"""alibi-detect's `TabularDrift`: chi-squared per column, corrected by Bonferroni, which is its default."""

from pathlib import Path

import numpy as np
import pandas as pd
from alibi_detect.cd import TabularDrift  # type: ignore[import-not-found]

from benchmarks.peers.protocol import run_checks


def _alarms(reference: Path, table: Path) -> list[str]:
    first, second = ((pd.read_parquet(path) == "yes").astype(int) for path in (reference, table))
    detector = TabularDrift(first.to_numpy(), categories_per_feature=dict.fromkeys(range(first.shape[1])))
    answer = detector.predict(second.to_numpy())["data"]
    return list(np.array(first.columns)[answer["p_val"] < answer["threshold"]])


if __name__ == "__main__":
    run_checks(_alarms)
