"""Decides which other programs run beside facemon in tests and benches: each in an environment below .tools/peers.

The bench compares with the detectors and the servers; Airflow runs the DAG that facemon renders, and
facemon itself predicts on Ray. Zensical builds the documentation site.
"""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
PEERS = _ROOT / ".tools" / "peers"
_CONSTRAINTS = (_ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
_OURS = tuple(line for line in _CONSTRAINTS if line.partition("==")[0] in ("onnxruntime", "pillow"))
"""What servers decode and compute with: the versions that facemon is measured with, so that only the servers differ."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A distribution and what is installed with it, within `constraints` where it works with few versions only."""

    distribution: str
    version: str
    others: tuple[str, ...] = ()
    constraints: Path | None = None


PACKAGES = {
    # Each with the pyarrow that reads its tables; the first still needs numpy 1.
    "alibi-detect": Peer("alibi-detect", "0.13.0", ("pyarrow==20.0.0",)),
    "drift-watchdog": Peer("drift-watchdog", "1.4.0", ("pyarrow>=20",)),
    "bentoml": Peer("bentoml", "1.4.40", _OURS),
    "litserve": Peer("litserve", "0.2.19", (*_OURS, "python-multipart")),  # it takes files as form data
    "mosec": Peer("mosec", "0.9.8", _OURS),
    "airflow": Peer("apache-airflow", "3.3.2", constraints=_ROOT / "tools" / "airflow_constraints.txt"),
    "zensical": Peer("zensical", "0.0.73"),  # later ones have their theme in a package of its own
    "ray": Peer("ray", "2.60.0", (f"{_ROOT}[ray]",), constraints=_ROOT / "constraints.txt"),
}


def _install(name: str, peer: Peer) -> None:
    python = PEERS / name / "bin" / "python"
    mark = PEERS / name / f"{peer.version}.installed"
    if mark.exists():
        return
    print(f"installing {name} {peer.version} ...", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", PEERS / name], check=True)
    options = ["--quiet", "--no-input", "--disable-pip-version-check"]
    constraints = [] if peer.constraints is None else ["--constraint", str(peer.constraints)]
    wanted = [f"{peer.distribution}=={peer.version}", *peer.others]
    subprocess.run([python, "-m", "pip", "install", *options, *constraints, *wanted], check=True)
    mark.touch()


if __name__ == "__main__":
    for name in sys.argv[1:] or PACKAGES:
        _install(name, PACKAGES[name])
