"""The whole path, as `make demo` shows it: two days of a camera, of which the second one has gone dark."""

import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from camera_day import simulate_day

FACEMON = Path(sys.executable).with_name("facemon")
IMAGES_A_DAY = 300


def main(folder: Path) -> None:
    """Make the pictures in a new folder, then do there what an operator does."""
    shutil.rmtree(folder, ignore_errors=True)
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first, second = today - timedelta(days=2), today - timedelta(days=1)
    print("Two days of a camera, simulated: crops of one real photograph (NASA's portrait of an astronaut),")
    print("with exposure, noise and blur. On the second day the camera has gone dark.\n")
    simulate_day(folder / "day-one", first, images=IMAGES_A_DAY, exposure=1.0, seed=1)
    simulate_day(folder / "day-two", second, images=IMAGES_A_DAY, exposure=0.35, seed=2)
    (folder / "secrets").mkdir()
    (folder / "secrets" / "grafana_password").write_text("for-the-demo-only\n")
    (folder / "facemon.yaml").write_text(CONFIGURATION)

    day = "%Y-%m-%dT%H:%M:%SZ"
    show(folder, "predict", "day-one", "--observed-at", "mtime", "-o", "day-one.jsonl")
    show(folder, "predict", "day-two", "--observed-at", "mtime", "-o", "day-two.jsonl")
    show(folder, "reference", "set", "--since", f"{first:{day}}", "--until", f"{second:{day}}", "--name", "day-one")
    found = show(
        folder, "drift-check", "--since", f"{second:{day}}", "--until", f"{today:{day}}", "--record", expect=(3,)
    )
    show(folder, "metrics")
    show(folder, "render-config")
    show(folder, "store", "verify")
    print(f"drift-check ended in {found}: 3 means drift was found.\n")
    print(f"the log         {folder}/.facemon/segments and ledger.sqlite; the rows also in {folder}/*.jsonl")
    print(f"the report      {folder}/.facemon/reports/latest.html")
    print(f"the stack       {folder}/monitoring")
    print("\nTry next:")
    print(f"  cd {folder} && ../{FACEMON.relative_to(Path.cwd())} predict day-one --format table --no-store | head")
    print(f"  cd {folder} && ../{FACEMON.relative_to(Path.cwd())} drift-check --check model --since {second:{day}} "
          f"--until {today:{day}} --format json")  # fmt: skip
    print(f"  cd {folder} && ../{FACEMON.relative_to(Path.cwd())} serve-metrics")


CONFIGURATION = """\
version: 1
model: {bundle: age-gender}
grafana: {admin_password_file: secrets/grafana_password}
alertmanager:
  receivers:
    - {name: operators, webhook: [{url: "http://127.0.0.1:9094/alerts"}]}
"""


def show(folder: Path, *arguments: str, expect: tuple[int, ...] = (0,)) -> int:
    """Print a command, run it in the folder as its user would, and stop if it ends otherwise than expected."""
    print(f"$ facemon {' '.join(arguments)}", flush=True)
    code = subprocess.run([FACEMON, *arguments], cwd=folder, check=False).returncode
    print(flush=True)
    if code not in expect:
        raise SystemExit(f"facemon {arguments[0]} ended in {code}, not in {expect[0]}")
    return code


if __name__ == "__main__":
    main(Path(sys.argv[1]))
