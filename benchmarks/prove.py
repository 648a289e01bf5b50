"""Prove the rendered stack at length and write PROVEN.md: `make prove`, or one part of it by its name."""

import sys
from pathlib import Path

from benchmarks import (
    prove_bad_luck,
    prove_configurations,
    prove_end_to_end,
    prove_high_availability,
    prove_life,
    prove_mutation,
    prove_panels,
    prove_ray,
    prove_tests,
)
from benchmarks.report import Part, Report

_PARTS = {
    "configurations": Part("Random configurations", prove_configurations.measure, prove_configurations.ABOUT),
    "mutation": Part("Mutation", prove_mutation.measure, prove_mutation.ABOUT),
    "end-to-end": Part("End to end", prove_end_to_end.measure, prove_end_to_end.ABOUT),
    "availability": Part("High availability", prove_high_availability.measure, prove_high_availability.ABOUT),
    "life": Part("Ordinary life", prove_life.measure, prove_life.ABOUT),
    "tests": Part("Long proofs among the tests", prove_tests.measure, prove_tests.ABOUT),
    "bad-luck": Part("Bad luck and bad company", prove_bad_luck.measure, prove_bad_luck.ABOUT),
    "ray": Part("Ray: nodes that are killed", prove_ray.measure, prove_ray.ABOUT),
    "panels": Part("No empty panel", prove_panels.measure, prove_panels.ABOUT),
}
_EXPLANATION = """\
# Proven

Written by `make prove`: what `make test` shows of the rendered stack for a few configurations, shown for many.
"""


if __name__ == "__main__":
    sys.exit(Report(Path(__file__).with_name("PROVEN.md"), _EXPLANATION, _PARTS).update(sys.argv[1:]))
