"""drift-check beside other detectors: the same tables for all, each tool by its public interface, with its defaults."""

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks.drift_simulation import BASE_RATES, marks, moved, three_of
from benchmarks.drift_tables import write_config, write_table, yes_no
from benchmarks.machine import CORES, Line
from benchmarks.peers.protocol import REFERENCE
from benchmarks.results_table import Table
from benchmarks.shares import Share, percent

_REPEATS = 50
_ROOT = Path(__file__).resolve().parent.parent
_PEERS = _ROOT / ".tools" / "peers"
_QUIET_ROWS = (200, 1_000, 10_000)
_SHIFTS = tuple(product((0.05, 0.08), (1_000, 10_000)))
ABOUT = f"""\
The 40 correlated binary attributes of the section above, {_REPEATS} repeats, the reference 10,000 rows. Every tool gets
the same Parquet files. Quiet: the share of runs in which the tool alarms on any column, and its 95 % interval. Found:
of three attributes that move by 5 or 8 points at once, the share that is found. A shift of 5 points is a coin toss for
facemon at its default threshold of 0.05 by definition: it asks for at least so much. Evidently alarms where a column's
own test fails; its preset's verdict asks for half of all columns. alibi-detect's `TabularDrift` is told which columns
are categorical, and corrects by Bonferroni. drift-watchdog takes numbers only, so that yes is 1 and no is 0; it
compares numbers drawn evenly from the bins of the reference's histogram, hardly ever 0 or 1, with the current ones. It
alarms on every table, so that what it "found" tells nothing. Above 1,000 reference rows Evidently tests no p-value but
whether a distance is large, whatever the number of rows. With so few repeats a rate may be off by some points;
facemon's over 1,000 repeats stand in the section above.
"""


@dataclass(frozen=True, slots=True)
class Tool:
    """A detector and how its runner is started."""

    name: str
    python: Path
    runner: str
    options: tuple[str, ...] = ()


Alarms = Mapping[str, Mapping[str, frozenset[str]]]
"""Per table and per repeat the columns that a tool alarms on."""


def measure(folder: Path) -> Iterator[Line | Table]:
    """What each tool says of the same tables."""
    repeats = [_write_tables(folder / f"{seed}", seed) for seed in range(_REPEATS)]
    write_config(folder, dict.fromkeys(BASE_RATES, ("no", "yes")))
    tools = _tools()
    jobs = [(tool, part, folder) for part in (repeats[::2], repeats[1::2]) for tool in tools]
    found: dict[str, dict[str, dict[str, frozenset[str]]]] = {tool.name: defaultdict(dict) for tool in tools}
    with ThreadPoolExecutor(CORES) as pool:
        for (tool, *_), checks in zip(jobs, pool.map(_run, *zip(*jobs, strict=True)), strict=True):
            for check in checks:
                found[tool.name][check["table"]][check["folder"]] = frozenset(check["alarms"])
    rows = {name: _row(name, alarms) for name, alarms in found.items()}
    headings = ("tool", *(f"quiet, {rows:,}" for rows in _QUIET_ROWS), *(_shift_heading(*each) for each in _SHIFTS))
    yield Table(headings, tuple(rows.values()))


def _shift_heading(shift: float, rows: int) -> str:
    return f"+{100 * shift:.0f} found, {rows:,}"


def _tools() -> list[Tool]:
    own = Path(sys.executable)
    installed = {
        name: (_PEERS / name / "bin" / "python", next((_PEERS / name).glob("*.installed")).stem)
        for name in ("alibi-detect", "drift-watchdog")
    }
    alibi, watchdog = installed["alibi-detect"], installed["drift-watchdog"]
    return [
        Tool(f"Evidently {version('evidently')}, `DataDriftPreset`", own, "evidently_preset"),
        Tool("facemon", own, "facemon_command", ("0.05",)),
        Tool("facemon, threshold 0.02", own, "facemon_command", ("0.02",)),
        Tool(f"alibi-detect {alibi[1]}, `TabularDrift`", alibi[0], "alibi_tabular"),
        Tool(f"drift-watchdog {watchdog[1]}", watchdog[0], "watchdog_detector"),
    ]


def _write_tables(folder: Path, seed: int) -> Path:
    rng = np.random.default_rng([6, seed])
    tables = {REFERENCE: (10_000, BASE_RATES)}
    tables |= {f"quiet-{rows}.parquet": (rows, BASE_RATES) for rows in _QUIET_ROWS}
    tables |= {
        f"{_case(shift, rows)}.parquet": (rows, moved(BASE_RATES, three_of(seed), shift)) for shift, rows in _SHIFTS
    }
    for name, (rows, rates) in tables.items():
        marked = marks(rng, rows, rates)
        write_table(folder / name, {column: yes_no(marked[:, at]) for at, column in enumerate(rates)})
    return folder


def _case(shift: float, rows: int) -> str:
    return f"moved-{shift}-{rows}"


def _run(tool: Tool, folders: Sequence[Path], where: Path) -> list[dict[str, str]]:
    command: list[str | Path] = [tool.python, "-m", f"benchmarks.peers.{tool.runner}", *tool.options, *folders]
    environment = {"PYTHONPATH": str(_ROOT), "PATH": "/usr/bin:/bin", "HOME": str(where)}
    answer = subprocess.run(command, cwd=where, env=environment, check=False, capture_output=True, text=True)
    if answer.returncode:
        raise RuntimeError(f"{tool.name} failed: {answer.stderr[-500:]}")
    return [json.loads(line) for line in answer.stdout.splitlines() if line.startswith("{")]


def _row(name: str, alarms: Alarms) -> tuple[str, ...]:
    quiet = [Share.of([bool(found) for found in alarms[f"quiet-{rows}"].values()]) for rows in _QUIET_ROWS]
    shifts = [
        Share.of([name in found for repeat, found in alarms[_case(*shift)].items() for name in three_of(int(repeat))])
        for shift in _SHIFTS
    ]
    return (
        name,
        *(f"{percent(share.value)} ({share.shown_interval})" for share in quiet),
        *(percent(s.value) for s in shifts),
    )
