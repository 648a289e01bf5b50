"""Makes the golden samples of the JSON that facemon prints: `PYTHONPATH=examples python -m tests.contracts.samples`.

All come from the installed command: the predictions of one photograph, one picture without a face and one
file that is not a picture; the model check of a dark day against a bright one; the metrics after it; and what an alert,
a metric and other names are. What other people's programs read is in them: keys may be added, and never go.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Protocol

from camera_day import photograph
from PIL import Image

from tests.acceptance.camera import DAY_ONE, DAY_THREE, DAY_TWO, take_pictures

COMMAND = Path(sys.executable).with_name("facemon")
FOLDER = Path(__file__).parent
PREDICTION, DRIFT, METRICS = "facemon.prediction-1.jsonl", "facemon.drift-1.json", "facemon.metrics-1.json"
EXPLANATIONS = "facemon.explain-1.jsonl"
EXPLAINED = ("DriftDetected", "drift_score", "gender", "store", "rate(api_requests_total[5m])")
"""An alert, a metric, a column, a source and an expression."""


class Run(Protocol):
    """Runs the command."""

    def __call__(self, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]: ...


def make_samples(folder: Path, run: Run) -> dict[str, str]:
    """Each sample's name with the text that the command prints now; `folder` is empty and stays behind."""

    def said(*arguments: str) -> str:
        outcome = run(*arguments, cwd=folder)
        outcome.check_returncode()
        return outcome.stdout

    (folder / "astronaut.png").write_bytes(photograph().read_bytes())
    Image.new("RGB", (300, 300), (90, 120, 200)).save(folder / "sky.png")
    (folder / "text.jpg").write_text("this is no picture\n")
    images = ("astronaut.png", "sky.png", "text.jpg")
    predictions = said("predict", *images, "--max-failures", "1", "--source", "hall", "--no-store")
    take_pictures(folder / "one", images=30, day=DAY_ONE, seed=1)
    take_pictures(folder / "two", images=30, day=DAY_TWO, seed=2, exposure=0.35)
    said("predict", "-q", "one", "two", "--observed-at", "mtime")
    since, until = DAY_ONE.isoformat(), DAY_TWO.isoformat()
    said("reference", "set", "--since", since, "--until", until, "--name", "bright")
    window = ("--since", until, "--until", DAY_THREE.isoformat(), "--min-rows", "5", "--record")
    drift = said("drift-check", "--check", "model", *window, "--format", "json", "--exit-zero")
    metrics = said("metrics", "--format", "json")
    explained = [said("explain", name, "--format", "json") for name in EXPLAINED]
    return {PREDICTION: predictions, DRIFT: drift, METRICS: metrics, EXPLANATIONS: "".join(explained)}


def run_installed(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the installed command."""
    return subprocess.run([COMMAND, *arguments], cwd=cwd, capture_output=True, encoding="utf-8", check=False)


def main() -> None:
    """Write the samples beside this file."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in make_samples(Path(folder), run_installed).items():
            (FOLDER / name).write_text(text, encoding="utf-8")
            print(f"wrote {FOLDER / name}")


if __name__ == "__main__":
    main()
