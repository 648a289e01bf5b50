"""A scrape of `facemon serve-metrics`, from a store with a busy day's ten million rows and from a small one."""

import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from http.client import HTTPConnection
from os import environ, sync
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa

from benchmarks.api_latency import percentile_99
from benchmarks.command import FACEMON
from benchmarks.drift_simulation import BASE_RATES, marks
from benchmarks.drift_store import BUSY, logged_day
from benchmarks.drift_tables import write_config, yes_no
from benchmarks.machine import Line
from benchmarks.served import Server, running
from facemon.monitor.monitor import Monitor
from facemon.store.inventory import take_inventory
from facemon.store.ledger.opening import open_ledger

_SCRAPES, _WARM_UP = 300, 10
_SMALL_ROWS = 100_000
_ATTRIBUTES = tuple(BASE_RATES)[:21]
_CHECK = ("drift-check", "--record", "--check", "model", "--since", "1h", "--exit-zero")
ABOUT = f"""\
Both stores hold the same {_SMALL_ROWS:,} rows of {len(_ATTRIBUTES)} attributes, a reference and a drift check; the
large one is a copy of the busy day's store, to which they were added. Each is served by `facemon serve-metrics`.
{_SCRAPES} scrapes of each in turn, each over a new connection, timed by the client.
"""


def measure(folder: Path) -> Iterator[Line]:
    """The 99th percentiles, and their ratio."""
    stores = {"small": folder / "small", "large": folder / "large"}
    write_config(stores["large"], dict.fromkeys(_ATTRIBUTES, ("no", "yes")))
    write_config(stores["small"], dict.fromkeys(_ATTRIBUTES, ("no", "yes")))
    shutil.copytree(logged_day(BUSY) / ".facemon", stores["large"] / ".facemon")
    rows = {name: _fill(store) for name, store in stores.items()}
    sync()  # what is still to be written of the copy must not disturb the scrapes
    seconds, series = _scraped(stores)
    # Some commands may have run in the large store alone, and each has two series.
    if abs(series["small"] - series["large"]) > 0.01 * series["small"]:
        raise RuntimeError(f"the stores do not export the same series: {series}")
    worst = {name: 1000 * percentile_99(each) for name, each in seconds.items()}
    note = "; ".join(
        f"{rows[name]:,} rows: median {1000 * median(each):.1f} ms, 99th percentile {worst[name]:.1f} ms"
        for name, each in seconds.items()
    )
    what, ratio = f"{series['large']} series, {rows['large']:,} rows", worst["large"] / worst["small"]
    yield Line(f"{what}: 99th percentile", f"{worst['large']:.1f} ms", "≤ 20 ms", worst["large"] <= 20, note)
    yield Line(f"{what}: against {rows['small']:,} rows", f"{ratio:.2f}x", "≤ 1.2x", ratio <= 1.2)


def _fill(store: Path) -> int:
    """Log the rows, make others of the kind the reference, check; the rows that the store then holds."""
    monitor = Monitor(store / "facemon.yaml")
    table = _table(1)
    monitor.log(table)
    monitor.set_reference(_table(0).drop_columns("image"), name="bench-reference")
    subprocess.run([FACEMON, *_CHECK], cwd=store, check=True, capture_output=True)
    with open_ledger(store / ".facemon") as ledger:
        return take_inventory(ledger).rows


def _table(seed: int) -> pa.Table:
    rng = np.random.default_rng([15, seed])
    marked = marks(rng, _SMALL_ROWS, BASE_RATES)
    columns: dict[str, object] = {"image": pa.array([f"{number}.jpg" for number in range(_SMALL_ROWS)])}
    for at, name in enumerate(_ATTRIBUTES):
        columns[name] = yes_no(marked[:, at])
        columns[f"{name}_confidence"] = pa.array(rng.uniform(0.5, 1, _SMALL_ROWS), pa.float32())
    columns["source"] = pa.array([f"camera {number % 10}" for number in range(_SMALL_ROWS)])
    return pa.table(columns)


def _scraped(stores: dict[str, Path]) -> tuple[dict[str, list[float]], dict[str, int]]:
    """Seconds of each scrape, and how many series there were."""
    seconds: dict[str, list[float]] = {name: [] for name in stores}
    serve = Server("facemon serve-metrics", [FACEMON, "serve-metrics", "--listen", "127.0.0.1:{port}"], environ)
    with ExitStack() as stack:
        ports = {name: stack.enter_context(running(serve, store)).port for name, store in stores.items()}
        for number in range(_WARM_UP + _SCRAPES):
            for name in stores if number % 2 == 0 else reversed(stores):
                begin = time.perf_counter()
                _scrape(ports[name])
                if number >= _WARM_UP:
                    seconds[name].append(time.perf_counter() - begin)
        series = {name: _series(_scrape(port).splitlines()) for name, port in ports.items()}
    return seconds, series


def _scrape(port: int) -> str:
    connection = HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    return text


def _series(lines: Sequence[str]) -> int:
    return sum(not line.startswith("#") for line in lines)
