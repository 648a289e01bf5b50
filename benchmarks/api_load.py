"""`facemon serve` under more load than it can take, for ten minutes: its memory, its answers, its counters."""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.request import urlopen

from benchmarks.api_latency import percentile_99
from benchmarks.api_speed import prepared
from benchmarks.load_generator import Outcome
from benchmarks.machine import Line
from benchmarks.process_tree import megabytes_of_tree
from benchmarks.results_table import Table
from benchmarks.served import Running, facemon_servers, running

_SECONDS, _PARTS = 600, 10
_OVER = 1.2
_CAPACITY_CONNECTIONS, _CAPACITY_REQUESTS = 16, 3_000
_CONNECTIONS = 256
_SETTLE_S, _NO_MORE_S = 30, 3
_COUNTER = "images_processed_total{"
ABOUT = f"""\
Capacity: images a second at {_CAPACITY_CONNECTIONS} connections, each of which sends its next request when the last is
answered. The load: {_OVER} times as many requests a second, sent whatever the answers, over {_CONNECTIONS} connections;
the images and the network of the section above, no cache, two workers where `serve` has workers. Memory: the most that
all processes of the server held in each tenth of the time, looked at every second; what they share counts in each.
"""


def measure(folder: Path, *, seconds: float = _SECONDS) -> Iterator[Line | Table]:
    """Put it under load; what was counted is read once it has settled."""
    site = prepared(folder)
    images = site / "images"
    with running(facemon_servers()[-1], site) as up:
        capacity = up.load(images, _CAPACITY_REQUESTS, _CAPACITY_CONNECTIONS)
        rate = _OVER * _CAPACITY_REQUESTS / capacity.seconds
        outcome, memory = _loaded(up, images, rate, seconds)
        expected = sum(each.statuses.get("200", 0) for each in (capacity, outcome))
        counted = _settled(up.port, expected)
    note = f"{rate / _OVER:.0f} images a second at capacity, {rate:.0f} requests a second sent"
    yield _answered(outcome, round(rate * seconds), note)
    growth = memory[-1] / memory[0]
    note = f"{memory[0]:.0f} MB, then {memory[-1]:.0f} MB"
    yield Line("memory, the last tenth to the first", f"{growth:.2f}x", "≤ 1.1x", growth <= 1.1, note)
    yield Line("images counted", f"{counted:,}", f"= {expected:,} answers of 200", counted == expected)
    headings = ("tenth of the time", *(str(number) for number in range(1, _PARTS + 1)))
    yield Table(headings, (("MB", *(f"{each:.0f}" for each in memory)),))


def _loaded(up: Running, images: Path, rate: float, seconds: float) -> tuple[Outcome, list[float]]:
    """What came of the load, and the most memory in each of its parts."""
    peaks = [0.0] * _PARTS
    begin = time.perf_counter()

    def look() -> None:
        part = min(_PARTS - 1, int((time.perf_counter() - begin) / seconds * _PARTS))
        peaks[part] = max(peaks[part], megabytes_of_tree(up.process))

    outcome = up.load(images, round(rate * seconds), _CONNECTIONS, rate=rate, meanwhile=look)
    return outcome, peaks


def _answered(outcome: Outcome, sent: int, note: str) -> Line:
    statuses = outcome.statuses
    answered = sum(statuses.get(status, 0) for status in ("200", "503"))
    others = {status: count for status, count in statuses.items() if status not in ("200", "503")}
    told = [note, _shown(statuses), f"99th percentile {1000 * percentile_99(outcome.latencies):.0f} ms"]
    if others:
        told.append(f"never answered or otherwise: {_shown(others)}")
    if outcome.delayed:
        told.append(f"{outcome.delayed:,} waited for a free connection")
    return Line("requests answered, 200 or 503", f"{answered:,}", f"all {sent:,}", answered == sent, "; ".join(told))


def _shown(statuses: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} of {status}" for status, count in statuses.items())


def _settled(port: int, expected: int) -> int:
    """What /metrics counts once it is as much as is expected and no more is to come, or after some time."""
    deadline = time.monotonic() + _SETTLE_S
    while _counted(port) < expected and time.monotonic() < deadline:
        time.sleep(1)
    time.sleep(_NO_MORE_S)
    return _counted(port)


def _counted(port: int) -> int:
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=_SETTLE_S) as answer:
        lines: Sequence[str] = answer.read().decode().splitlines()
    return round(sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(_COUNTER)))
