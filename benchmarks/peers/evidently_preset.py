"""Evidently's `DataDriftPreset` with its default methods and thresholds."""

import os
import warnings
from pathlib import Path

import pandas as pd

from benchmarks.peers.protocol import run_checks

os.environ["DO_NOT_TRACK"] = "1"  # read when evidently is imported
warnings.simplefilter("ignore")

from evidently import Report  # noqa: E402
from evidently.presets import DataDriftPreset  # noqa: E402


def _alarms(reference: Path, table: Path) -> list[str]:
    report = Report([DataDriftPreset()], include_tests=True)
    document = report.run(pd.read_parquet(table), pd.read_parquet(reference)).dict()
    failed = {test["metric_config"]["metric_id"] for test in document["tests"] if str(test["status"]).endswith("FAIL")}
    columns = [metric for metric in document["metrics"] if "column" in metric["config"]]
    return [metric["config"]["column"] for metric in columns if metric["id"] in failed]


if __name__ == "__main__":
    run_checks(_alarms)
