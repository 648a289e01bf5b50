"""What users of one machine pay for what many machines need: commands beside those of the commit before it."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from statistics import median

from benchmarks.command import FACEMON
from benchmarks.machine import Line, rounds
from benchmarks.mobilenet import config_text, write_mobilenet
from benchmarks.photographs import SIZES, crops
from benchmarks.process_usage import run_measured
from benchmarks.served import Server, running

BEFORE = os.environ.get("FACEMON_BEFORE", "7fe531f")
"""The last commit without object storage, or another one to compare with."""
_IMAGES, _HELPS, _RUNS, _SCRAPES, _WARM_UP = 1_000, 21, 9, 400, 10
_MOST = 1.03
_ROOT = Path(__file__).resolve().parent.parent
_TREES = _ROOT / ".tools" / "bench-before"
_NEW, _OLD = "new", "before"
ABOUT = f"""\
Users of one machine: processor seconds of `facemon --help` (the median of {_HELPS} runs) and of `predict` of
{_IMAGES:,} images with its log ({_RUNS} runs), and the time of a scrape ({_SCRAPES} in turn over new connections),
against the commit {BEFORE}, the last one without object storage; FACEMON_BEFORE names another. Both are run by the same
interpreter and packages.
"""


def unpaid_lines(folder: Path) -> Iterator[Line]:
    """The ratios of new to old; none where the older commit is not in the repository."""
    sides = {_NEW: _environment(_ROOT, folder), _OLD: _environment(_tree(BEFORE), folder)}
    _refuse_one_side(sides)
    write_mobilenet(folder / "mobilenet.onnx")
    (folder / "facemon.yaml").write_text(config_text())
    crops(folder / "day", SIZES["178x218"], _IMAGES)
    for what, count, cost in (("--help", _HELPS, _help), (f"predict, {_IMAGES:,} images", _RUNS, _predict)):
        calls: dict[str, Callable[[], float]] = {
            name: partial(cost, folder, environment) for name, environment in sides.items()
        }
        for call in calls.values():
            call()  # the first compiles, and reads what the system then has in memory
        seconds = rounds(calls, count=count)
        yield _line(f"{what}: CPU", {name: median(each) for name, each in seconds.items()}, "s", 1)
    yield _line("a scrape: median", _scraped(folder, sides), "ms", 1000)


def _line(what: str, cost: Mapping[str, float], unit: str, scale: float) -> Line:
    ratio = cost[_NEW] / cost[_OLD]
    note = f"{scale * cost[_NEW]:.3f} {unit} against {scale * cost[_OLD]:.3f} {unit}"
    return Line(f"one machine, {what} against before", f"{ratio:.3f}x", f"≤ {_MOST}x", ratio <= _MOST, note)


def _help(folder: Path, environment: Mapping[str, str]) -> float:
    return run_measured([FACEMON, "--help"], folder, environment=environment).cpu


def _predict(folder: Path, environment: Mapping[str, str]) -> float:
    shutil.rmtree(folder / ".facemon", ignore_errors=True)
    return run_measured([FACEMON, "predict", "-q", "day"], folder, environment=environment).cpu


def _scraped(folder: Path, sides: Mapping[str, Mapping[str, str]]) -> dict[str, float]:
    """Seconds of a scrape, of stores with the rows of one run each."""
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    with ExitStack() as stack:
        ports = {}
        for name, environment in sides.items():
            store = folder / name
            store.mkdir()
            for file in ("mobilenet.onnx", "facemon.yaml"):
                shutil.copy(folder / file, store)
            run_measured([FACEMON, "predict", "-q", folder / "day"], store, environment=environment)
            serve = Server(name, [FACEMON, "serve-metrics", "--listen", "127.0.0.1:{port}"], environment)
            ports[name] = stack.enter_context(running(serve, store)).port
        for number in range(_WARM_UP + _SCRAPES):
            for name in ports if number % 2 == 0 else reversed(ports):
                begin = time.perf_counter()
                _scrape(ports[name])
                if number >= _WARM_UP:
                    seconds[name].append(time.perf_counter() - begin)
    return {name: median(each) for name, each in seconds.items()}


def _scrape(port: int) -> None:
    connection = HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/metrics")
    connection.getresponse().read()
    connection.close()


def _tree(commit: str) -> Path:
    """The package as it was at a commit, taken out of the repository once."""
    tree = _TREES / commit
    if not tree.exists():
        shutil.rmtree(draft := tree.with_suffix(".part"), ignore_errors=True)
        draft.mkdir(parents=True)
        archive = subprocess.run(["git", "archive", commit, "facemon"], cwd=_ROOT, stdout=subprocess.PIPE, check=False)
        if archive.returncode:
            raise RuntimeError(f"the repository has no commit {commit}: fetch it, or name one with FACEMON_BEFORE")
        subprocess.run(["tar", "-x"], cwd=draft, input=archive.stdout, check=True)
        draft.rename(tree)
    return tree


def _environment(tree: Path, folder: Path) -> dict[str, str]:
    """What lets the installed command take the package from a tree, with bytecode of its own."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPATH": str(tree), "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}


def _refuse_one_side(sides: Mapping[str, Mapping[str, str]]) -> None:
    """RuntimeError where both sides run the same package."""
    script = "import facemon; print(facemon.__file__)"
    files = {
        subprocess.run(
            [FACEMON.with_name("python"), "-c", script], env=environment, cwd="/", stdout=subprocess.PIPE, check=True
        ).stdout
        for environment in sides.values()
    }
    if len(files) != len(sides):
        raise RuntimeError(f"both sides run {files.pop().decode().strip()}")
