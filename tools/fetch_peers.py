"""Decides which other drift detectors the bench runs beside facemon: each in an environment below .tools/peers."""

import subprocess
import sys
from pathlib import Path

PEERS = Path(__file__).resolve().parent.parent / ".tools" / "peers"
PACKAGES = {
    # Each with the pyarrow that reads its tables; the first still needs numpy 1.
    "alibi-detect": ("0.13.0", "pyarrow==20.0.0"),
    "drift-watchdog": ("1.4.0", "pyarrow>=20"),
}


def _install(name: str, version: str, reader: str) -> None:
    python = PEERS / name / "bin" / "python"
    mark = PEERS / name / f"{version}.installed"
    if mark.exists():
        return
    print(f"installing {name} {version} ...", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", PEERS / name], check=True)
    options = ["--quiet", "--no-input", "--disable-pip-version-check"]
    subprocess.run([python, "-m", "pip", "install", *options, f"{name}=={version}", reader], check=True)
    mark.touch()


if __name__ == "__main__":
    for name, (version, reader) in PACKAGES.items():
        _install(name, version, reader)
