"""How long one client waits for an answer, beside the same prediction inside a Python process."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles

from benchmarks.machine import Line, rounds
from benchmarks.served import Server, running

_ROOT = Path(__file__).resolve().parent.parent
_IMAGES, _WARM_UP = 600, 50


def latency_line(server: Server, site: Path, images: Path) -> Line:
    """The 99th percentiles of single requests, one after the other, and of calls of `Predictor.predict`."""
    with running(server, site) as up:
        up.load(images, _WARM_UP, 1)
        sides = {
            "served": lambda: up.load(images, _IMAGES, 1).latencies,
            "in process": lambda: _in_process(site, images),
        }
        seconds = {name: [each for some in answers for each in some] for name, answers in rounds(sides).items()}
    worst = {name: percentile_99(each) for name, each in seconds.items()}
    ratio = worst["served"] / worst["in process"]
    note = ", ".join(
        f"{name} {1000 * worst[name]:.1f} ms, median {1000 * median(each):.1f}" for name, each in seconds.items()
    )
    what = "one connection: 99th percentile against the prediction in process"
    return Line(what, f"{ratio:.2f}x", "≤ 1.5x", ratio <= 1.5, note)


def percentile_99(seconds: Sequence[float]) -> float:
    """The 99th percentile."""
    return quantiles(seconds, n=100)[98]


def _in_process(site: Path, images: Path) -> list[float]:
    """In a process of its own, so that nothing of the bench is in its way."""
    command: list[str | Path] = [sys.executable, "-m", "benchmarks.api_latency", site / "facemon.yaml", images]
    answer = subprocess.run(command, cwd=_ROOT, stdout=subprocess.PIPE, check=True)
    return [float(each) for each in json.loads(answer.stdout)]


def _predict_one_by_one(config_file: Path, images: Path) -> list[float]:
    from facemon.config.loader import load_config
    from facemon.model.predictor import Predictor
    from facemon.values.image_input import ImageInput

    config = load_config(config_file)
    predictor = Predictor(config.model, config.predict)
    contents = [path.read_bytes() for path in sorted(images.rglob("*.jpg"))[:_IMAGES]]
    for content in contents[:_WARM_UP]:
        predictor.predict([ImageInput(0, "", content=content)], "")
    seconds = []
    for content in contents:
        begin = time.perf_counter()
        predictor.predict([ImageInput(0, "", content=content)], "")
        seconds.append(time.perf_counter() - begin)
    return seconds


if __name__ == "__main__":
    print(json.dumps(_predict_one_by_one(Path(sys.argv[1]), Path(sys.argv[2]))))
