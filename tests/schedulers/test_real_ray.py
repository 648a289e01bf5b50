"""Real Ray: a cluster of the command's own, and one of two nodes on this machine, one of which is killed."""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from tests.acceptance.small_model import write_small_model
from tests.conftest import RunFacemon
from tests.model.onnx_files import flat_image
from tests.patience import HANG_S, wait_until
from tests.servers import free_port
from tests.started import neutral_environment

pytestmark = [pytest.mark.servers, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".tools/peers/ray/bin/python"
IMAGES, SHARDS = 48, 24
OBJECTS_BYTES = 90_000_000
"""Memory that Ray's own objects take on each node; less is refused."""


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    if not PYTHON.exists():
        pytest.skip("Ray is not in .tools/peers: make peers")


@pytest.fixture
def folder(tmp_path: Path, facemon: RunFacemon) -> Path:
    """A model, a manifest of images, and a folder for the log."""
    write_small_model(tmp_path)
    (tmp_path / "day").mkdir()
    (tmp_path / "log").mkdir()
    for number in range(IMAGES):
        flat_image(tmp_path / "day" / f"{number:03}.png", (255, 0, 0), (8, 8 + number))
    assert facemon("manifest", "day", "-o", "images.parquet", cwd=tmp_path).returncode == 0
    # What lies in the folder is data, and is never imported.
    for name in ("ray", "onnxruntime", "types"):
        (tmp_path / f"{name}.py").write_text("raise OSError('a file of the folder was imported')")
    return tmp_path


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in neutral_environment().items() if not name.startswith("RAY_")}
    return {**kept, "PYTHONPATH": str(ROOT), **more}


def start(folder: Path, *options: str, variables: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
    """Start predict with Ray; a process of a cluster of its own ends with it."""
    line = ["predict", "images.parquet", "--engine", "ray", "--deliver", (folder / "log").as_uri(), *options]
    return subprocess.Popen(
        [PYTHON, "-m", "facemon", *line], cwd=folder, env=environment(**(variables or {})), stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip


def ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    _, said = process.communicate(timeout=HANG_S)
    return process.returncode, said


def delivered(folder: Path) -> int:
    return len(list(folder.glob("log/deliveries/images/*.json")))


def assert_each_image_once(facemon: RunFacemon, folder: Path, shards: int) -> None:
    found = facemon("store", "collect", (folder / "log").as_uri(), cwd=folder)
    assert (found.returncode, found.stdout) == (0, f"registered {shards} deliveries with {IMAGES} rows\n")
    assert f"ok: {IMAGES} rows" in facemon("store", "verify", cwd=folder).stdout


def test_a_cluster_of_its_own_predicts_all_shards_and_the_same_command_none(facemon: RunFacemon, folder: Path) -> None:
    code, said = ended(start(folder, "--shards", "3"))
    assert (code, "3 of 3 shards of images are delivered; register them" in said) == (0, True), said
    assert f"{IMAGES} images, {IMAGES} ok" in said
    assert len(said.splitlines()) == 2, "Ray says nothing of its own"
    assert not Path("~/.ray/auth_token").expanduser().exists()
    code, said = ended(start(folder, "--shards", "3"))
    assert (code, "3 of 3 shards of images are delivered, 3 of them before" in said) == (0, True), said
    code, said = ended(start(folder, "--shards", "4"))
    assert (code, "shards is 3 there and 4 here" in said) == (2, True), said
    assert_each_image_once(facemon, folder, 3)


def test_ctrl_c_ends_it_and_keeps_what_was_delivered(facemon: RunFacemon, folder: Path) -> None:
    process = start(folder, "--shards", str(SHARDS))
    wait_until(lambda: delivered(folder) or process.poll() is not None)
    process.send_signal(signal.SIGINT)
    code, said = ended(process)
    assert (code, "stopped; " in said) == (130, True), said
    assert 0 < delivered(folder) < SHARDS
    code, said = ended(start(folder, "--shards", str(SHARDS)))
    assert code == 0, said
    assert_each_image_once(facemon, folder, SHARDS)


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
        self._start("head", "--head", "--port", port, "--include-dashboard", "false", "--temp-dir", self._folder / "r")
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
        for pid in [*_below(node.pid), node.pid]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        node.wait()


def _below(pid: int) -> list[int]:
    """The processes that a process has begun, and those that they have: Ray gives them groups of their own."""
    with suppress(FileNotFoundError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [each for child in map(int, children) for each in (*_below(child), child)]
    return []


@contextmanager
def _short_folder() -> Iterator[str]:
    folder = tempfile.mkdtemp(prefix="fm-", dir="/tmp")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with ExitStack() as stack:
        yield Cluster(stack)


def test_a_node_that_is_killed_costs_no_image(facemon: RunFacemon, folder: Path, cluster: Cluster) -> None:
    options = ("--shards", str(SHARDS), "--address", cluster.address)
    process = start(folder, *options, variables=cluster.variables)
    wait_until(lambda: delivered(folder) >= 4 or process.poll() is not None)
    cluster.kill(cluster.other)
    code, said = ended(process)
    assert (code, f"{SHARDS} of {SHARDS} shards" in said, " was lost: " in said) == (0, True, True), said
    assert_each_image_once(facemon, folder, SHARDS)
    # A cluster whose token another machine does not have.
    wrong = {**cluster.variables, "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    code, said = ended(start(folder, *options, variables=wrong))
    assert (code, "does not accept this machine's token" in said) == (2, True), said


def test_clusters_that_are_not_there_or_have_no_tokens(folder: Path) -> None:
    tokens = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    code, said = ended(start(folder, "--shards", "2", "--address", "auto"))
    assert (code, "RAY_AUTH_MODE is not token here" in said) == (2, True), said
    code, said = ended(start(folder, "--shards", "2", "--address", f"127.0.0.1:{free_port()}", variables=tokens))
    assert (code, "no cluster of Ray is there (connection refused)" in said) == (1, True), said
    code, said = ended(start(folder, "--shards", "2", "--address", "auto", variables=tokens))
    assert (code, "auto: no cluster of Ray is there" in said) == (1, True), said
    code, said = ended(start(folder, "--shards", "2", "--worker-cpus", "1000"))
    assert (code, "no room for a worker with 1000 CPUs" in said) == (2, True), said
