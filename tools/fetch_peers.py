"""Decides which detectors and servers the bench runs beside facemon: each in an environment below .tools/peers."""

import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
PEERS = _ROOT / ".tools" / "peers"
_CONSTRAINTS = (_ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
_OURS = tuple(line for line in _CONSTRAINTS if line.partition("==")[0] in ("onnxruntime", "pillow"))
"""What servers decode and compute with: the versions that facemon is measured with, so that only the servers differ."""
PACKAGES = {
    # Each with the pyarrow that reads its tables; the first still needs numpy 1.
    "alibi-detect": ("0.13.0", ("pyarrow==20.0.0",)),
    "drift-watchdog": ("1.4.0", ("pyarrow>=20",)),
    "bentoml": ("1.4.40", _OURS),
    "litserve": ("0.2.19", (*_OURS, "python-multipart")),  # it takes files as form data
    "mosec": ("0.9.8", _OURS),
}


def _install(name: str, version: str, others: tuple[str, ...]) -> None:
    python = PEERS / name / "bin" / "python"
    mark = PEERS / name / f"{version}.installed"
    if mark.exists():
        return
    print(f"installing {name} {version} ...", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", PEERS / name], check=True)
    options = ["--quiet", "--no-input", "--disable-pip-version-check"]
    subprocess.run([python, "-m", "pip", "install", *options, f"{name}=={version}", *others], check=True)
    mark.touch()


if __name__ == "__main__":
    for name, (version, others) in PACKAGES.items():
        _install(name, version, others)
