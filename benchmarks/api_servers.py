"""The servers that `facemon serve` is measured beside: each as its documentation says, in its own environment."""

import os
from pathlib import Path

from benchmarks.peers.served_network import BATCH, NETWORK, PORT, TUNED, WORKERS
from benchmarks.served import Server

_ROOT = Path(__file__).resolve().parent.parent
_PEERS = _ROOT / ".tools" / "peers"
_BATCHES = (1, 8)
_WORKERS = (1, 2)


def peer_servers(network: Path, *, tuned: bool) -> dict[str, list[Server]]:
    """By name and version, each server with one worker and two, one image at a time and its dynamic batches.

    With `tuned` their sessions have facemon's settings, else onnxruntime's own.
    """
    names = (f"{name} {_version(name.lower())}" for name in ("BentoML", "LitServe", "mosec"))
    bentoml, litserve, mosec = (f"{name}, tuned" if tuned else name for name in names)
    settings = [(workers, batch, tuned) for workers in _WORKERS for batch in _BATCHES]
    return {
        bentoml: [_bentoml(network, *setting) for setting in settings],
        litserve: [_script("litserve", network, *setting, field="image") for setting in settings],
        mosec: [_script("mosec", network, *setting) for setting in settings],
    }


def _version(name: str) -> str:
    return next(_PEERS.joinpath(name).glob("*.installed")).stem


def _bentoml(network: Path, workers: int, batch: int, tuned: bool) -> Server:
    module, field = ("bentoml_batched", "images") if batch > 1 else ("bentoml_single", None)
    command: list[str | Path] = [_bin("bentoml") / "bentoml", "serve", f"benchmarks.peers.{module}:Classifier"]
    options: list[str | Path] = ["--port", "{port}", "--host", "127.0.0.1", "--working-dir", _ROOT]
    return Server(_shown(workers, batch), [*command, *options], _environment(network, workers, batch, tuned), field)


def _script(name: str, network: Path, workers: int, batch: int, tuned: bool, field: str | None = None) -> Server:
    command: list[str | Path] = [_bin(name) / "python", "-m", f"benchmarks.peers.{name}_server"]
    return Server(_shown(workers, batch), command, _environment(network, workers, batch, tuned), field)


def _bin(name: str) -> Path:
    return _PEERS / name / "bin"


def _shown(workers: int, batch: int) -> str:
    batches = f"batches of up to {batch}" if batch > 1 else "no batches"
    return f"{workers} worker{'s' if workers > 1 else ''}, {batches}"


def _environment(network: Path, workers: int, batch: int, tuned: bool) -> dict[str, str]:
    own = {
        NETWORK: str(network),
        WORKERS: str(workers),
        BATCH: str(batch),
        TUNED: str(int(tuned)),
        PORT: "{port}",
        "PYTHONPATH": str(_ROOT),
    }
    mosec = {"MOSEC_PORT": "{port}", "MOSEC_ADDRESS": "127.0.0.1", "MOSEC_LOG_LEVEL": "warning"}
    quiet = {"BENTOML_DO_NOT_TRACK": "True", "HOME": str(network.parent), "PATH": os.defpath}
    return {**own, **mosec, **quiet}
