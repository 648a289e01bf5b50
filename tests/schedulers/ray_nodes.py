"""Predict on real Ray: nodes of one core each on this machine, which can be killed as the loss of a machine does."""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from tests.acceptance.small_model import write_small_model
from tests.model.onnx_files import flat_image
from tests.patience import HANG_S, wait_until
from tests.servers import free_port
from tests.started import neutral_environment

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".tools/peers/ray/bin/python"
OBJECTS_BYTES = 90_000_000
"""Memory that Ray's own objects take on each node; less is refused."""


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in neutral_environment().items() if not name.startswith("RAY_")}
    return {**kept, "PYTHONPATH": str(ROOT), **more}


def start(folder: Path, *options: str, variables: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
    """Start predict with Ray; a process of a cluster of its own ends with it."""
    line = ["predict", "images.parquet", "--engine", "ray", "--deliver", (folder / "log").as_uri(), *options]
    command: list[str | Path] = [PYTHON, "-P", "-m", "facemon", *line]
    return subprocess.Popen(
        command, cwd=folder, env=environment(**(variables or {})), stderr=subprocess.PIPE, text=True
    )


def run(folder: Path, *line: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of facemon with the Python of Ray, to its end."""
    command: list[str | Path] = [PYTHON, "-P", "-m", "facemon", *line]
    return subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=False)


def ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """The exit code of a command, and what it said."""
    _, said = process.communicate(timeout=HANG_S)
    return process.returncode, said


def delivered(folder: Path) -> int:
    """How many shards the log in a folder has."""
    return len(list(folder.glob("log/deliveries/images/*.json")))


def write_job(folder: Path, images: int, *, size: tuple[int, int] | None = None) -> None:
    """Write a small model, images, a manifest of them, and a folder for the log.

    With a size (width, height) all images are one, of that size, so that each takes its time.
    """
    write_small_model(folder)
    (folder / "day").mkdir()
    (folder / "log").mkdir()
    for number in range(images):
        path = folder / "day" / f"{number:03}.png"
        if size is not None and number:
            path.hardlink_to(folder / "day" / "000.png")
        else:
            flat_image(path, (255, 0, 0), size or (8, 8 + number))
    made = run(folder, "manifest", "day", "-o", "images.parquet")
    assert made.returncode == 0, made.stderr
    # What lies in the folder is data, and is never imported.
    for name in ("ray", "onnxruntime", "types"):
        (folder / f"{name}.py").write_text("raise OSError('a file of the folder was imported')")


class Cluster:
    """Nodes of one core each, on this machine, with one token."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.address = f"127.0.0.1:{free_port()}"
        self.variables = {
            "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32), "RAY_USAGE_STATS_ENABLED": "0",
            # Ray's workers would wait for all else on a busy machine.
            "RAY_worker_niceness": "0",
        }  # fmt: skip
        # Ray's sockets lie far below it, and their paths may have 107 characters.
        self._folder = Path(stack.enter_context(_short_folder()))
        port = self.address.rpartition(":")[2]
        self.head = self._start(
            "head", "--head", "--port", port, "--include-dashboard", "false", "--temp-dir", self._folder / "r"
        )
        self.other = self._start("other", "--address", self.address)

    def _start(self, name: str, *options: str | Path) -> "subprocess.Popen[bytes]":
        line = [PYTHON, "-m", "ray.scripts.scripts", "start", *options, "--num-cpus", "1", "--block"]
        # Outside of the ports that Ray gives to its workers.
        line += ["--min-worker-port", "0", "--max-worker-port", "0", "--object-store-memory", str(OBJECTS_BYTES)]
        log = self._folder / f"{name}.log"
        with log.open("wb") as output:
            node = subprocess.Popen(line, env=environment(**self.variables), stdout=output, stderr=output)
        self._stack.callback(self.kill, node)
        wait_until(lambda: b"block forever" in log.read_bytes() or node.poll() is not None, log.read_text)
        assert node.poll() is None, log.read_text()
        return node

    def kill(self, node: "subprocess.Popen[bytes]") -> None:
        """Kill all processes of a node at once, as the loss of a machine does."""
        for pid in [*below(node.pid), node.pid]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        node.wait()


def below(pid: int) -> list[int]:
    """The processes that a process has begun, and those that they have: Ray gives them groups of their own."""
    with suppress(FileNotFoundError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [each for child in map(int, children) for each in (*below(child), child)]
    return []


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and is not waited for does not."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@contextmanager
def _short_folder() -> Iterator[str]:
    folder = tempfile.mkdtemp(prefix="fm-", dir="/tmp")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
