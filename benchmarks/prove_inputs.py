"""A thousand odd manifests and a thousand odd configurations: nothing fails unexpectedly, and no good line is lost."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from benchmarks.command import FACEMON
from benchmarks.machine import Line
from tests.acceptance.small_model import write_small_model
from tests.fuzz import odd_manifests, odd_yaml

ABOUT = """\
From fixed seeds: manifests of CSV and JSON Lines with bytes that are not UTF-8, surrogates, quotation marks, nesting,
long cells and numbers among good lines; texts of YAML, from valid configurations with values replaced and from odd keys
and values. One `facemon predict` reads all the manifests.
"""
COUNT, SEED = 1000, 1


def measure(folder: Path) -> Iterator[Line]:
    """Hold every manifest and every text against its laws; raises what fails unexpectedly."""
    yield from _manifests(folder)
    refused = [odd_yaml.why_refused(text) for text in odd_yaml.sampled(COUNT, SEED)]
    unplaced = [line for faults in refused if faults for line in faults.split("\n") if not odd_yaml.has_place(line)]
    valid = sum(faults is None for faults in refused)
    yield Line("configurations: faults without a place", str(len(unplaced)), "0", not unplaced, f"{valid} are valid")


def _manifests(folder: Path) -> Iterator[Line]:
    write_small_model(folder)
    Image.new("RGB", (8, 8)).save(folder / "good-0.jpg")
    manifests = odd_manifests.sampled(COUNT, SEED)
    read = {each.name: odd_manifests.inputs_of(each, folder) for each in manifests}
    lost = [
        name for each in manifests for name in odd_manifests.lost_lines(each, read[each.name] or ()) if read[each.name]
    ]
    yield Line("manifests: good lines lost", str(len(lost)), "0", not lost, f"seed {SEED}")
    # The encoding is one for all of a run.
    names = [each.name for each in manifests if each.encoding is None and read[each.name] is not None]
    expected = sum(len(read[name] or ()) for name in names)
    answer = subprocess.run(
        [FACEMON, "predict", *names, "--max-failures", "100%"], cwd=folder, capture_output=True, text=True, check=False
    )
    rows = [json.loads(line) for line in answer.stdout.splitlines()]
    note = f"{len(names)} manifests, exit code {answer.returncode}"
    yield Line("manifests: rows of one run", str(len(rows)), str(expected), len(rows) == expected, note)
    verified = subprocess.run([FACEMON, "store", "verify"], cwd=folder, capture_output=True, text=True, check=False)
    yield Line("store verify after it", str(verified.returncode), "0", verified.returncode == 0)
