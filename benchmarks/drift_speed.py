"""What drift-check costs on large tables and on a busy day's log, and what it says of rows that fool others."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa
from scipy.stats import ks_2samp

from benchmarks.command import FACEMON
from benchmarks.drift_simulation import BASE_RATES, confidence_counts, correlated_normals, marks
from benchmarks.drift_store import BEGIN, BUSY, CAMERAS, END, HOURS, ROWS, logged_day
from benchmarks.drift_tables import write_config, write_table, yes_no
from benchmarks.machine import ROUNDS, Line
from benchmarks.peers.protocol import REFERENCE
from benchmarks.process_usage import Usage, run_measured, with_bytecode
from facemon.config.drift import DriftConfig
from facemon.domain.drift_result import Check
from facemon.domain.profile import Profile
from facemon.drift.compared_columns import ComparedColumn
from facemon.drift.comparison import compare
from facemon.drift.sample import Sample

_ROWS, _ATTRIBUTES = 1_000_000, tuple(BASE_RATES)[:20]
_ANY_VERDICT = (0, 3, 4)
_ROOT = Path(__file__).resolve().parent.parent
_HARD_ROWS = 10_000
_TELL_IMPORTS = """\
import atexit, sys
atexit.register(lambda: print(*sorted({"pandas", "evidently"} & set(sys.modules)), file=sys.stderr))
from facemon.cli.main import main
main()
"""
"""Runs the command line, and tells at its end what of the two was imported."""
ABOUT = f"""\
Two tables of 1,000,000 rows: 20 attributes' labels as text and their confidences, 40 columns. Both tools as whole
processes, with their bytecode compiled, as an installation leaves it; processor seconds of all their threads, the
median of {ROUNDS} runs of facemon and one run of Evidently's default preset. Cached: the reference was set before with
`facemon reference set`. The log is {BUSY.segments * HOURS:,} segments of a second each, {BUSY.sources} sources,
{BUSY.attributes} attributes with confidences, compacted; the window cuts an hour at both ends. The cameras' log has
{CAMERAS.rows // CAMERAS.sources} rows an hour of each source.
"""


def measure(folder: Path) -> Iterator[Line]:
    """Tables, the log, and the cases that fool others."""
    yield from _table_lines(folder / "tables")
    yield from _log_lines(folder)
    yield from _hard_lines(folder / "hard")
    yield _saturated_line()


def _table_lines(folder: Path) -> Iterator[Line]:
    write_config(folder, dict.fromkeys(_ATTRIBUTES, ("no", "yes")))
    for seed, name in enumerate(("normal.parquet", "latest.parquet")):
        write_table(folder / name, _predictions(seed))
    script = [sys.executable, "-m", "benchmarks.peers.evidently_pair", "normal.parquet", "latest.parquet"]
    others = run_measured(script, folder, environment={"PYTHONPATH": str(_ROOT), "HOME": str(folder)})
    check: list[str | Path] = [FACEMON, "drift-check", "--check", "model", "--current", "latest.parquet", "--reference"]
    own = with_bytecode(folder.parent)
    run_measured([FACEMON, "reference", "set", "normal.parquet", "--name", "normal"], folder, environment=own)
    plain, cached = (
        [run_measured([*check, reference], folder, environment=own, expected=_ANY_VERDICT) for _ in range(ROUNDS)]
        for reference in ("normal.parquet", "normal")
    )
    for what, usages, wanted in (("not cached", plain, 50), ("cached", cached, 65)):
        cpu = median(usage.cpu for usage in usages)
        note = f"{cpu:.2f} s against {others.cpu:.0f} s"
        ratio = others.cpu / cpu
        yield Line(
            f"tables, reference {what}: CPU against Evidently", f"{ratio:.0f}x", f"≥ {wanted}x", ratio >= wanted, note
        )
    peak = max(usage.peak for usage in (*plain, *cached))
    note = f"Evidently {others.peak:.0f} MB"
    yield Line("tables: peak memory", f"{peak:.0f} MB", "≤ 300 MB", peak <= 300, note)


def _predictions(seed: int) -> dict[str, pa.Array]:
    rng = np.random.default_rng([8, seed])
    columns: dict[str, pa.Array] = {}
    marked, normals = marks(rng, _ROWS, BASE_RATES), correlated_normals(rng, _ROWS, len(BASE_RATES))
    for at, name in enumerate(_ATTRIBUTES):
        columns[name] = yes_no(marked[:, at])
        columns[f"{name}_confidence"] = pa.array(1 / (1 + np.exp(-np.abs(3 + 2 * normals[:, at]))), pa.float32())
    return columns


def _log_lines(folder: Path) -> Iterator[Line]:
    since, until = f"{BEGIN:%Y-%m-%dT%H:%M:%SZ}", f"{END:%Y-%m-%dT%H:%M:%SZ}"
    defaults = ["drift-check", "--since", since, "--until", until]
    model = [*defaults, "--check", "model"]
    busy, cameras = logged_day(BUSY), logged_day(CAMERAS)
    what = f"log, {ROWS:,} rows"
    # In turns, so that a machine that gets faster or slower meanwhile does so for all.
    runs: dict[str, tuple[Path, list[str]]] = {
        "--help": (busy, ["--help"]),
        f"{what}, --check model": (busy, model),
        f"{what}, all defaults": (busy, defaults),
        f"log, {CAMERAS.sources} sources of {2 * CAMERAS.attributes} columns, --check model": (cameras, model),
    }
    own = with_bytecode(folder)
    usages: dict[str, list[Usage]] = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, (store, arguments) in runs.items():
            command: list[str | Path] = [FACEMON, *arguments]
            usages[name].append(run_measured(command, store, environment=own, expected=_ANY_VERDICT))
    help_s = median(usage.wall for usage in usages.pop("--help"))
    for name, of_one in usages.items():
        wall, most = median(usage.wall for usage in of_one), 6 if runs[name][0] == cameras else 4
        note = f"{wall:.2f} s against {help_s:.2f} s; {_shown(of_one)}"
        ratio = wall / help_s
        yield Line(f"{name}: time against --help", f"{ratio:.1f}x", f"≤ {most}x", ratio <= most, note)
    for name, arguments in (("--check model", model), ("all defaults", defaults)):
        answer = subprocess.run(
            [sys.executable, "-c", _TELL_IMPORTS, *arguments], cwd=busy, capture_output=True, text=True, check=False
        )
        heavy = answer.stderr.splitlines()[-1]
        yield Line(f"log, {name}: imports neither pandas nor evidently", heavy or "yes", "yes", not heavy)


def _shown(usages: list[Usage]) -> str:
    cpu, peak = median(usage.cpu for usage in usages), max(usage.peak for usage in usages)
    return f"{cpu:.2f} s of CPU, {peak:.0f} MB"


def _hard_lines(folder: Path) -> Iterator[Line]:
    """Evidently's defects: what each tool says of one column."""
    write_config(folder, {"beard": ("no", "yes")})
    for name, (reference, current) in _hard_cases().items():
        case = folder / name.replace(" ", "-")
        write_table(case / REFERENCE, reference)
        write_table(case / "current.parquet", current)
        verdict, theirs = _our_verdict(folder, case), _evidentlys_verdict(case)
        yield Line(name, verdict, "drift", verdict == "drift", f"Evidently: {theirs}")


def _hard_cases() -> Mapping[str, tuple[dict[str, pa.Array], dict[str, pa.Array]]]:
    rng = np.random.default_rng(9)
    first, second, uniform = (rng.standard_normal(_HARD_ROWS) for _ in range(3))
    missing = np.where(rng.random(_HARD_ROWS) < 0.6, np.nan, second)
    outlier = np.append(first[1:], 1e9)
    empty = pa.nulls(_HARD_ROWS, pa.float64())
    tables = {
        "60 % missing": (first, missing),
        "a shift of three deviations beside an outlier of 1e9": (outlier, second + 3),
        "a column that becomes all null": (first, empty),
        "a constant that changes": (np.full(_HARD_ROWS, 1.0), np.full(_HARD_ROWS, 2.0)),
    }
    return {
        name: ({"size": pa.array(reference, from_pandas=True), "other": pa.array(uniform)},
               {"size": pa.array(current, from_pandas=True), "other": pa.array(uniform)})
        for name, (reference, current) in tables.items()
    }  # fmt: skip


def _our_verdict(folder: Path, case: Path) -> str:
    sides: list[str | Path] = ["--reference", case / REFERENCE, "--current", case / "current.parquet"]
    command = [FACEMON, "drift-check", "--check", "data", "--format", "json", *sides]
    answer = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    columns = json.loads(answer.stdout)["checks"]["data"]["columns"]
    return str(next(column["verdict"] for column in columns if column["column"] == "size"))


def _evidentlys_verdict(case: Path) -> str:
    command: list[str | Path] = [sys.executable, "-m", "benchmarks.peers.evidently_preset", case]
    environment = {"PYTHONPATH": str(_ROOT), "HOME": str(case)}
    answer = subprocess.run(command, cwd=case, env=environment, capture_output=True, text=True, check=False)
    if answer.returncode:
        return f"aborts ({answer.stderr.strip().splitlines()[-1][:80]})"
    return "drift" if "size" in json.loads(answer.stdout.splitlines()[-1])["alarms"] else "no drift"


def _saturated_line() -> Line:
    """Normal logits around the two medians, as a model that is nearly always sure gives."""
    rng, column = np.random.default_rng(10), "beard_confidence"
    logits = (np.log(middle / (1 - middle)) + 1.1 * rng.standard_normal(_HARD_ROWS) for middle in (0.9997, 0.9991))
    sides = [(1 / (1 + np.exp(-each))).astype(np.float32) for each in logits]
    samples = [
        Sample.of_sources({None: Profile(_HARD_ROWS, _HARD_ROWS, _HARD_ROWS, {column: confidence_counts(side)})})
        for side in sides
    ]
    columns = [ComparedColumn(column, "beard", "confidence")]
    (result,) = compare(*samples, columns=columns, settings=DriftConfig(), check=Check.MODEL).columns
    exact, binned = float(ks_2samp(*sides).statistic), result.score or 0.0
    off = abs(exact - binned)
    note = f"exact {exact:.4f}, binned {binned:.4f}"
    return Line("median confidence 0.9997 → 0.9991: binned KS off by", f"{off:.4f}", "≤ 0.02", off <= 0.02, note)
