"""render-config for a stack with everything on: nothing heavy, and the same bytes."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.command import FACEMON
from tests.render.everything import EVERYTHING

HEAVY = {
    "numpy",
    "pandas",
    "pyarrow",
    "onnxruntime",
    "evidently",
    "PIL",
    "scipy",
    "dlib",
    "cv2",
    "rich",
    "prometheus_client",
}
RENDER = ("-q", "render-config", "--out", "out")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "facemon.yaml").write_text(EVERYTHING)
    return tmp_path


def test_nothing_heavy_is_loaded_for_it(folder: Path) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "facemon", *RENDER]
    outcome = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    modules = {line.rsplit("|", 1)[1].strip().split(".")[0] for line in outcome.stderr.splitlines() if "|" in line}
    assert {"yaml", "pydantic"} <= modules
    assert not HEAVY & modules


def test_a_second_run_writes_nothing(folder: Path) -> None:
    def written() -> dict[Path, tuple[bytes, int]]:
        files = (path for path in (folder / "out").rglob("*") if path.is_file())
        return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}

    subprocess.run([FACEMON, *RENDER], cwd=folder, check=True)
    before = written()
    subprocess.run([FACEMON, *RENDER], cwd=folder, check=True)
    assert written() == before
    assert len(before) > 40
