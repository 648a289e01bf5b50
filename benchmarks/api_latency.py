"""How long one client waits for an answer, beside the same prediction inside a Python process.

    python -m benchmarks.api_latency CONFIG_FILE IMAGES PORT

is the process that takes both times, in turns of half a second to a second. What else the machine's host does slows
a prediction by half, for a tenth of a second at a time and more: sides that were measured one after the other for
longer would compare those moments and not each other.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median, quantiles

from benchmarks.api_speed import prepared
from benchmarks.http_connection import Connection, request_bytes
from benchmarks.machine import Line
from benchmarks.served import facemon_servers, running

_ROOT = Path(__file__).resolve().parent.parent
_TURNS, _IMAGES = 60, 200
"""So many turns of each side, with so many images in each."""
_SERVED, _IN_PROCESS = "served", "in process"
ABOUT = f"""\
The images and the network of the section above, one worker, no cache. Each request is sent when the last one is
answered, in turn with calls of `Predictor.predict` in a process of their own: {_TURNS} turns of {_IMAGES} images each.
"""


def measure(folder: Path) -> Iterator[Line]:
    """The 99th percentiles of single requests, one after the other, and of calls of `Predictor.predict`."""
    site = prepared(folder)
    with running(facemon_servers()[0], site) as up:
        arguments = map(str, (site / "facemon.yaml", site / "images", up.port))
        command = [sys.executable, "-m", "benchmarks.api_latency", *arguments]
        answer = subprocess.run(command, cwd=_ROOT, stdout=subprocess.PIPE, check=True)
    seconds: dict[str, list[float]] = json.loads(answer.stdout)
    worst = {name: percentile_99(each) for name, each in seconds.items()}
    ratio = worst[_SERVED] / worst[_IN_PROCESS]
    note = ", ".join(
        f"{name} {1000 * worst[name]:.1f} ms, median {1000 * median(each):.1f}" for name, each in seconds.items()
    )
    what = "99th percentile against the prediction in process"
    yield Line(what, f"{ratio:.2f}x", "≤ 1.5x", ratio <= 1.5, note)


def percentile_99(seconds: Sequence[float]) -> float:
    """The 99th percentile."""
    return quantiles(seconds, n=100)[98]


async def _both(config_file: Path, images: Path, port: int) -> dict[str, list[float]]:
    """Seconds of each request and of each call; a first turn of both is the warm-up."""
    from facemon.config.loader import load_config
    from facemon.domain.image_input import ImageInput
    from facemon.model.predictor import Predictor

    config = load_config(config_file)
    predictor = Predictor(config.model, config.predict)
    contents = [path.read_bytes() for path in sorted(images.rglob("*.jpg"))]
    requests = [request_bytes(content, port, None) for content in contents]
    connection = Connection(port)
    await connection.open()
    seconds: dict[str, list[float]] = {_SERVED: [], _IN_PROCESS: []}
    for turn in range(_TURNS + 1):
        chosen = [number % len(contents) for number in range(turn * _IMAGES, (turn + 1) * _IMAGES)]
        for number in chosen:
            begin = time.perf_counter()
            status = await connection.exchange(requests[number])
            seconds[_SERVED].append(time.perf_counter() - begin)
            if status != 200:
                raise RuntimeError(f"an image was answered with {status}")
        for number in chosen:
            begin = time.perf_counter()
            predictor.predict([ImageInput(0, "", content=contents[number])], "")
            seconds[_IN_PROCESS].append(time.perf_counter() - begin)
    connection.close()
    return {name: each[_IMAGES:] for name, each in seconds.items()}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_both(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))))
