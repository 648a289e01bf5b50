"""Makes what the pictures of the documentation show: two cameras for ten days, of which one goes dark at the end.

The cameras see crops of one real photograph in the public domain (examples/camera_day.py); what facemon says of them is
its own. Days and the clock of each command are fixed, so that a later run shows the same times.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from camera_day import simulate_day
from run_tests_at import environment_at

BIN = Path(sys.executable).parent
BEGIN = datetime(2026, 11, 16, tzinfo=UTC)
DAYS, REFERENCE_DAYS, DARK_DAYS = 10, 5, 1
NOW = BEGIN + timedelta(days=DAYS, hours=2)
"""When the last check runs, and the pictures are made."""
CAMERAS = ("entrance", "yard")
IMAGES_A_DAY = 150
METRICS = "metrics"
"""The folder of what was exported along the way, each textfile in one named after its second since 1970."""
CONFIGURATION = "version: 1\nmodel: {bundle: age-gender}\ndrift: {evidently: {when: never}}\n"


class SceneError(Exception):
    """A command of the scene ended otherwise than expected."""


def environment(at: datetime) -> Mapping[str, str]:
    """Return the variables of a command that takes now for a time."""
    kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
    return {**kept, "PATH": f"{BIN}:{os.environ['PATH']}", **environment_at(at)}


def write_scene(folder: Path) -> None:
    """Log all days, set the reference, and check each day after it but the last; SceneError where a command fails."""
    (folder / "facemon.yaml").write_text(CONFIGURATION)
    for day in range(DAYS):
        begin = BEGIN + timedelta(days=day)
        end = begin + timedelta(days=1)
        manifest = _photographed(folder, begin, day)
        run(folder, end + timedelta(hours=1), "predict", manifest, "-o", "rows.jsonl")
        keep_metrics(folder, end + timedelta(hours=1))
        (folder / "rows.jsonl").unlink()
        if day == REFERENCE_DAYS - 1:
            span = ("--since", f"{BEGIN:%Y-%m-%dT%H:%M:%SZ}", "--until", f"{end:%Y-%m-%dT%H:%M:%SZ}")
            run(folder, end + timedelta(hours=1), "reference", "set", *span, "--name", "first-days")
        elif REFERENCE_DAYS <= day < DAYS - 1:
            run(folder, end + timedelta(hours=2), "drift-check", expect=(0, 4))
            keep_metrics(folder, end + timedelta(hours=2))


def _photographed(folder: Path, begin: datetime, day: int) -> str:
    """Write a day's photographs and a manifest of them, and return its name.

    The manifest has their times, since the clock of a command moves the times of files along.
    """
    rows = ["image,source,time"]
    for number, camera in enumerate(CAMERAS):
        place = f"{camera}/{begin:%m-%d}"
        exposure = 0.35 if camera == "yard" and day >= DAYS - DARK_DAYS else 1.0
        simulate_day(folder / place, begin, images=IMAGES_A_DAY, exposure=exposure, seed=100 * number + day)
        for index in range(IMAGES_A_DAY):
            at = begin + index * timedelta(days=1) / IMAGES_A_DAY
            rows.append(f"{place}/{index:04}.jpg,{camera},{at:%Y-%m-%dT%H:%M:%SZ}")
    name = f"{begin:%m-%d}.csv"
    (folder / name).write_text("\n".join(rows) + "\n")
    return name


def keep_metrics(folder: Path, at: datetime) -> None:
    """Export the store's metrics as they are a minute after a command that began at a time."""
    later = at + timedelta(minutes=1)
    textfile = folder / METRICS / f"{later.timestamp():.0f}" / "facemon.prom"
    textfile.parent.mkdir(parents=True, exist_ok=True)
    textfile.write_text(run(folder, later, "export-metrics"))


def run(folder: Path, at: datetime, *arguments: str, expect: tuple[int, ...] = (0,)) -> str:
    """Run a command of facemon at a time and return its output; SceneError where it ends otherwise than expected."""
    outcome = subprocess.run(
        [BIN / "facemon", *arguments], cwd=folder, env=environment(at), capture_output=True, text=True, check=False
    )
    print(f"{at:%m-%d %H:%M} facemon {' '.join(arguments[:3])}: {outcome.returncode}", flush=True)
    if outcome.returncode not in expect:
        raise SceneError(f"facemon {' '.join(arguments)} ended in {outcome.returncode}: {outcome.stderr[-500:]}")
    return outcome.stdout


if __name__ == "__main__":
    write_scene(Path(sys.argv[1]))
