"""Real Ray: a cluster of the command's own, and two nodes on this machine, one of which is killed."""

import secrets
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import RunFacemon
from tests.patience import wait_until
from tests.schedulers.killed_nodes import IMAGES, SHARDS, kill_a_node
from tests.schedulers.ray_nodes import PYTHON, Cluster, below, delivered, ended, is_alive, start, write_job
from tests.servers import free_port

pytestmark = [pytest.mark.servers, pytest.mark.slow]


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    if not PYTHON.exists():
        pytest.skip("Ray is not in .tools/peers: make peers")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model, a manifest of images, and a folder for the log."""
    write_job(tmp_path, IMAGES)
    return tmp_path


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
    assert (code, "shards is 3 in the job and 4 in this command" in said) == (2, True), said
    assert_each_image_once(facemon, folder, 3)


def _folders() -> set[str]:
    return {each.name for each in Path(tempfile.gettempdir()).glob("facemon-*")}


def test_a_run_that_is_killed_leaves_no_process_and_no_folder(folder: Path) -> None:
    before = _folders()
    process = start(folder, "--shards", str(SHARDS))
    wait_until(lambda: delivered(folder) or process.poll() is not None)
    family, made = below(process.pid), _folders() - before
    assert (process.poll(), len(made)) == (None, 1)
    process.kill()
    process.wait()
    wait_until(lambda: not any(is_alive(pid) for pid in family), "the end of Ray's processes")
    wait_until(lambda: not made & _folders(), "the removal of their folder")


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


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with ExitStack() as stack:
        yield Cluster(stack)


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.only_at_length) for seed in range(2, 11))])
def test_a_node_that_is_killed_costs_no_image(tmp_path: Path, seed: int) -> None:
    killed = kill_a_node(tmp_path, seed)
    assert " was lost: " in killed.said, killed.said
    if seed % 5:
        assert killed.code == 0, killed.said


def test_a_cluster_with_another_token_is_refused(folder: Path, cluster: Cluster) -> None:
    wrong = {**cluster.variables, "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    code, said = ended(start(folder, "--shards", "2", "--address", cluster.address, variables=wrong))
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
