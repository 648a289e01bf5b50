"""Runs the long proofs among the tests in full: twenty kills, both generations of servers, every scenario."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.machine import Line

ABOUT = """\
`pytest -m "long_proof or only_at_length or hypothesis" --at-length`. `make test` runs the same tests in their short
form.
"""
_COUNT = re.compile(r"(\d+) (passed|failed|error|skipped)")


def measure(folder: Path) -> Iterator[Line]:
    """How many of them pass."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-m",
        "long_proof or only_at_length or hypothesis",
        "--at-length",
        f"--basetemp={folder / 'tests'}",
    ]
    outcome = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    print(outcome.stdout)
    counts = {what: int(number) for number, what in _COUNT.findall(outcome.stdout.splitlines()[-1])}
    told = ", ".join(f"{number} {what}" for what, number in counts.items())
    yield Line("long proofs", told, "all passed", outcome.returncode == 0 and counts.keys() == {"passed"})
