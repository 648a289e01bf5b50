"""`facemon predict` with a network of MobileNetV2's size, beside the machine's limit and the loop that people write."""

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, repeat
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

from benchmarks.command import predict_seconds
from benchmarks.machine import CORES, Line, cpu_seconds, medians, rounds
from benchmarks.mobilenet import HEADS, SIDE, config_text, write_mobilenet
from benchmarks.photographs import SIZES, crops

_MEAN, _STD = np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)
# Files of each size, how often the command is given them (start-up must not count), and the figures to reach.
_PLAN = {"178x218": (400, 100, 0.90, 1.7), "1024²": (100, 200, 0.90, 3.3), "12 MP": (24, 125, 0.85, 8.0)}
_BATCH = 8


def measure(folder: Path) -> Iterator[Line]:
    """Both ratios at each size."""
    write_mobilenet(folder / "mobilenet.onnx")
    (folder / "facemon.yaml").write_text(config_text())
    session = _session(folder / "mobilenet.onnx")
    for name, (count, times, of_limit, of_naive) in _PLAN.items():
        files = crops(folder / f"crops-{count}", SIZES[name], count)
        speeds = medians(rounds(_sides(folder, session, files, times)))
        note = ", ".join(f"{side} {speed:.0f}/s" for side, speed in speeds.items())
        share, ratio = speeds["facemon"] / speeds["limit"], speeds["facemon"] / speeds["naive"]
        limit_met, naive_met = share >= of_limit, ratio >= of_naive
        yield Line(f"{name}: share of the machine's limit", f"{share:.2f}", f"≥ {of_limit:.2f}", limit_met, note)
        yield Line(f"{name}: against a naive loop", f"{ratio:.1f}x", f"≥ {of_naive}x", naive_met)


def _sides(
    folder: Path, session: onnxruntime.InferenceSession, files: Sequence[Path], times: int
) -> dict[str, Callable[[], float]]:
    def facemon() -> float:
        return len(files) * times / predict_seconds(folder, chain.from_iterable(repeat(files, times)))

    return {"limit": lambda: _limit(session, files), "naive": lambda: _naive(session, files), "facemon": facemon}


def _session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _limit(session: onnxruntime.InferenceSession, files: Sequence[Path]) -> float:
    """Images a second if decoding (file to tensor, at a reduced scale) and inference were all there is to do.

    Cores ÷ (decode CPU + inference CPU), each measured alone, with all cores at it.
    """
    some = files[: max(_BATCH, len(files) // 2)]
    batch = _normalised([_decoded(path) for path in some[:_BATCH]])
    times = max(1, 400 // _BATCH)

    def decode() -> None:
        for start in range(0, len(some), _BATCH):
            _normalised([_decoded(path) for path in some[start : start + _BATCH]])

    def infer() -> None:
        for _ in range(times):
            session.run(None, {"input": batch})

    return CORES / (cpu_seconds(decode) / len(some) + cpu_seconds(infer) / (times * _BATCH))


def _naive(session: onnxruntime.InferenceSession, files: Sequence[Path]) -> float:
    """Images a second of a loop: open with Pillow, resize, normalise, run, one at a time; nothing is written."""
    some = files[: max(12, len(files) // 4)]
    begin = time.perf_counter()
    for path in some:
        pixels = np.asarray(Image.open(path).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR), np.float32)
        image = ((pixels / 255 - _MEAN) / _STD).transpose(2, 0, 1)[np.newaxis]
        answers = session.run(None, {"input": np.ascontiguousarray(image)})
        if len([answer.argmax() for answer in answers]) != len(HEADS):
            raise RuntimeError("a head is missing")
    return len(some) / (time.perf_counter() - begin)


def _decoded(path: Path) -> NDArray[np.uint8]:
    image = Image.open(path)
    image.draft("RGB", (2 * SIDE, 2 * SIDE))
    return np.asarray(image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def _normalised(pixels: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
    values = np.stack(pixels).astype(np.float32)
    values *= np.float32(1 / 255)
    values -= _MEAN
    values /= _STD
    return np.ascontiguousarray(values.transpose(0, 3, 1, 2))
