"""`facemon drift-check --check model` on two tables, by the command's own entry point; options come first.

The working folder has the configuration.
"""

import io
import json
import sys
from contextlib import redirect_stdout
from pathlib import Path

from benchmarks.peers.protocol import run_checks
from facemon.cli.main import run


def _alarms(reference: Path, table: Path, threshold: str) -> list[str]:
    options = ["--check", "model", "--model-threshold", threshold, "--format", "json", "--exit-zero"]
    with redirect_stdout(io.StringIO()) as stdout:
        code = run(["drift-check", *options, "--reference", str(reference), "--current", str(table)])
    if code:
        raise RuntimeError(f"drift-check ended with {code}")
    columns = json.loads(stdout.getvalue())["checks"]["model"]["columns"]
    return [column["column"] for column in columns if column["verdict"] == "drift"]


if __name__ == "__main__":
    threshold = sys.argv.pop(1)
    run_checks(lambda reference, table: _alarms(reference, table, threshold))
