"""The roads of docs/architecture.md: while a command runs, control goes down through the rooms and never climbs."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType

import pytest

import facemon
from facemon.cli.main import run
from tests.acceptance.small_model import write_small_model
from tests.model.onnx_files import flat_image
from tests.test_architecture import LAYERS, layer

ROOT = Path(facemon.__path__[0])
ROOMS = set().union(*LAYERS[layer("finders") :])
"""From the finders up; below are values and what holds for all layers."""
GIVEN = {
    ("application", "cli"),
    ("application", "terminal"),
    ("metrics", "application"),
    ("engines", "application"),
    ("finders", "model"),
}
"""Calls of what was handed down: a command's reporter and streams, how the exporter opens the ledger, how many images a
run has; and what a finder loads, which is declared below the configuration."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_small_model(tmp_path, "evaluate: {min_labels: 2}\ndrift: {evidently: {when: never}, cluster: none}\n")
    flat_image(Path("a.png"), (9, 90, 200))
    rows = [{"image": "a.png", "observed_at": f"2026-11-0{1 + at % 2}T{at % 20:02}:30:00Z"} for at in range(400)]
    Path("all.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    Path("labels.csv").write_text("image,hair\na.png,a\n")
    assert run(["-q", "predict", "all.jsonl", "-o", "all.parquet"]) == 0
    assert run(["-q", "reference", "set", "--since", "2026-11-01", "--until", "2026-11-02"]) == 0
    return tmp_path


ROADS = {
    ("predict", "--threads", "1", "a.png"): {"predict", "engines", "model", "store"},
    ("drift-check", "--since", "2026-11-02", "--until", "2026-11-03"): {"drift", "store", "reports"},
    ("evaluate", "labels.csv"): {"tables", "evaluation", "store", "reports"},
    ("export-metrics", "-o", "-"): {"metrics", "store"},
}
"""A command, and the rooms that its road leads through."""


@pytest.mark.parametrize("command", ROADS, ids=[command[0] for command in ROADS])
def test_a_road_never_climbs(command: tuple[str, ...], folder: Path) -> None:
    steps: set[tuple[str, str]] = set()
    with walked(steps):
        assert run([*command]) in (0, 4)
    assert ROADS[command] <= {room for _, room in steps}
    climbs = {(above, below) for below, above in steps if layer(above) > layer(below)}
    assert {(below, above) for above, below in climbs} <= GIVEN


@contextmanager
def walked(steps: set[tuple[str, str]]) -> Iterator[None]:
    """Add each pair of a room and another that it calls, in this thread."""

    def see(frame: FrameType, event: str, _: object) -> None:
        if event != "call" or (room := room_of(frame.f_code)) is None:
            return
        caller = frame.f_back
        while caller is not None and room_of(caller.f_code) is None:
            caller = caller.f_back
        if caller is not None and (begin := room_of(caller.f_code)) != room and begin is not None:
            steps.add((begin, room))

    sys.setprofile(see)
    try:
        yield
    finally:
        sys.setprofile(None)


def room_of(code: CodeType) -> str | None:
    """The room of a function; none outside rooms, for imports, and for values that are handed down one by one."""
    path = Path(code.co_filename)
    if code.co_name.startswith("<") or not path.is_relative_to(ROOT):
        return None
    room = path.relative_to(ROOT).parts[0]
    return room if room in ROOMS else None
