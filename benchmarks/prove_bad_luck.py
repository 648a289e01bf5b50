"""Bad luck and bad company: an API under every attack, bombs for the decoder, kills, and input that is noise."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from statistics import median

from benchmarks import prove_inputs, prove_kills
from benchmarks.api_speed import prepared
from benchmarks.attackers import Assault
from benchmarks.load_generator import Outcome
from benchmarks.machine import Line
from benchmarks.process_tree import megabytes_of_tree
from benchmarks.results_table import Table
from benchmarks.served import Running, facemon_servers, running
from tests.model.decoder_bombs import BOMBS

_ROOT = Path(__file__).resolve().parent.parent
_SECONDS, _PARTS = 300.0, 10
_WARM_UP_S = 5.0
_CAPACITY_REQUESTS, _CAPACITY_CONNECTIONS, _CONNECTIONS = 3_000, 16, 64
_HALF, _GOOD, _WITHIN_S = 0.5, 0.99, 1.0
_LONG_TESTS = "tests/server/test_odd_requests.py"
_BOMB_TESTS = ("tests/acceptance/test_decoder_bombs.py",)

ABOUT = f"""\
The API: {_SECONDS / 60:.0f} minutes of every attack at once (`benchmarks/attackers.py`: bombs for the decoder, slow
heads and bodies, idle and unreading connections, gigabytes, endless chunks, noise, odd Accept headers, foreign pages,
new sources, killed workers, SIGHUP), from other addresses than the good client's, which sends images at half of what
the server can take. Memory: the median in each tenth of the time, and the most beside it: a bomb holds what its budget
allows for as long as it is decoded, and which bombs come when is chance. Ready: `/ready` was asked every second, and
where it said yes an image was sent at once. Bombs: {len(BOMBS)} kinds, through predict and serve.

{prove_kills.ABOUT}
Noise: {prove_inputs.ABOUT}"""


def measure(folder: Path) -> Iterator[Line | Table]:
    """The API under attack, bombs, kills, then noise."""
    yield from _attacked_lines(folder / "api")
    yield _tests_line(f"{len(BOMBS)} kinds of bombs end within their budget", folder, _BOMB_TESTS)
    yield from prove_kills.measure(folder)
    (folder / "inputs").mkdir()
    yield from prove_inputs.measure(folder / "inputs")
    yield _tests_line("1,000 odd requests of the API, and of the exporter", folder, (_LONG_TESTS, "--at-length"))


def _attacked_lines(folder: Path, seconds: float = _SECONDS) -> Iterator[Line | Table]:
    folder.mkdir()
    site = prepared(folder)
    images = site / "images"
    (folder / "bombs").mkdir()
    for number, make in enumerate(BOMBS.values()):
        (folder / "bombs" / f"{number:02}").write_bytes(make())
    with running(facemon_servers()[-1], site) as up:
        capacity = up.load(images, _CAPACITY_REQUESTS, _CAPACITY_CONNECTIONS)
        rate = _HALF * _CAPACITY_REQUESTS / capacity.seconds
        image = next(images.rglob("*.jpg"))
        assault = Assault(up.port, up.process, seconds + 2 * _WARM_UP_S, str(folder / "bombs"), str(image))
        watch = _Watch(up, image.read_bytes(), seconds)
        command = [sys.executable, "-m", "benchmarks.attackers", json.dumps(asdict(assault))]
        with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as attackers:
            time.sleep(_WARM_UP_S)
            outcome = up.load(images, round(rate * seconds), _CONNECTIONS, rate=rate, meanwhile=watch.look)
            answers: Mapping[str, Mapping[str, int]] = json.loads(attackers.communicate()[0])
    yield _good_line(outcome, rate)
    yield watch.memory_line()
    yield watch.ready_line()
    rows = tuple(
        (name, ", ".join(f"{count:,} {status}" for status, count in got.items())) for name, got in answers.items()
    )
    yield Table(("attack", "what it was answered"), rows)


def _good_line(outcome: Outcome, rate: float) -> Line:
    sent = len(outcome.latencies)
    late = sum(latency > _WITHIN_S for latency in outcome.latencies)
    # One that was refused and late counts twice, which errs downwards.
    good = (outcome.statuses.get("200", 0) - late) / sent
    shown = ", ".join(f"{count:,} of {status}" for status, count in outcome.statuses.items())
    note = f"{rate:.0f} a second; {shown}; {late} later than a second"
    return Line("good requests answered with 200 within a second", f"{good:.2%}", f"≥ {_GOOD:.0%}", good >= _GOOD, note)


class _Watch:
    """Looks at a server every second: its memory, and whether what `/ready` says is so."""

    def __init__(self, up: Running, image: bytes, seconds: float) -> None:
        self._up, self._image, self._seconds = up, image, seconds
        self._begin: float | None = None
        self._megabytes: list[list[float]] = [[] for _ in range(_PARTS)]
        self._ready = self._kept = self._not_ready = 0

    def look(self) -> None:
        now = time.perf_counter()
        self._begin = self._begin or now
        part = min(_PARTS - 1, int((now - self._begin) / self._seconds * _PARTS))
        self._megabytes[part].append(megabytes_of_tree(self._up.process))
        if self._status("GET", "/ready") != 200:
            self._not_ready += 1
            return
        self._ready += 1
        self._kept += self._status("POST", "/predict", self._image + os.urandom(8)) == 200

    def _status(self, method: str, path: str, body: bytes | None = None) -> int:
        connection = HTTPConnection("127.0.0.1", self._up.port, timeout=10)
        try:
            connection.request(method, path, body)
            return connection.getresponse().status
        except (OSError, HTTPException):
            return 0
        finally:
            connection.close()

    def memory_line(self) -> Line:
        """The last half of the time to the first tenth: workers that are being replaced come and go."""
        usual, most = ([pick(part) for part in self._megabytes] for pick in (median, max))
        growth = max(usual[_PARTS // 2 :]) / usual[0]
        note = f"{_listed(usual)} MB by tenths of the time; the most {_listed(most)} MB"
        return Line("memory, the second half to the first tenth", f"{growth:.2f}x", "≤ 1.1x", growth <= 1.1, note)

    def ready_line(self) -> Line:
        share = self._kept / max(1, self._ready)
        note = f"{self._not_ready} times it said that it was not"
        what = "images answered at once after /ready said yes"
        return Line(what, f"{self._kept} of {self._ready}", "≥ 99 %", self._ready > 0 and share >= _GOOD, note)


def _listed(megabytes: Sequence[float]) -> str:
    return ", ".join(f"{each:.0f}" for each in megabytes)


def _tests_line(what: str, folder: Path, arguments: Sequence[str]) -> Line:
    command = [sys.executable, "-m", "pytest", "-q", f"--basetemp={folder / 'tests'}", *arguments]
    outcome = subprocess.run(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True, check=False)
    print(outcome.stdout)
    told = outcome.stdout.splitlines()[-1].strip("= ")
    return Line(what, told.partition(" in ")[0], "all passed", outcome.returncode == 0)
