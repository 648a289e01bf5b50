"""Prove the rendered stack at length and write PROVEN.md: `make prove`, or one part of it by its name."""

import sys
from pathlib import Path

from benchmarks.report import Part, Report

_PARTS: dict[str, Part] = {}
_EXPLANATION = """\
# Proven

Written by `make prove`: what `make test` shows of the rendered stack for a few configurations, shown for many.
"""


if __name__ == "__main__":
    sys.exit(Report(Path(__file__).with_name("PROVEN.md"), _EXPLANATION, _PARTS).update(sys.argv[1:]))
