"""Evidently's `DataDriftPreset` on two Parquet files, the reference first: what a script that people write does."""

import os
import sys
import warnings

import pandas as pd

os.environ["DO_NOT_TRACK"] = "1"  # read when evidently is imported
warnings.simplefilter("ignore")

from evidently import Report  # noqa: E402
from evidently.presets import DataDriftPreset  # noqa: E402

if __name__ == "__main__":
    reference, current = (pd.read_parquet(path) for path in sys.argv[1:])
    print(len(Report([DataDriftPreset()]).run(current, reference).dict()["metrics"]), "metrics")
