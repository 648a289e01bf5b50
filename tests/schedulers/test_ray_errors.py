"""Why a worker of Ray is lost, and why a cluster cannot be reached, in words for the user."""

import errno

import pytest

from facemon.schedulers.ray_errors import reason_of, unreached
from facemon.schedulers.scheduler import Placement

HEADER = "\x1b[36mray::ShardWorker.open()\x1b[39m (pid=7, ip=127.0.0.1, repr=<ShardWorker object at 0x7f>)\n  File ..."


class Raised(Exception):
    """As Ray's RayTaskError: a text of many lines, and what the worker's own code raised."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(f"{HEADER}\n{cause!r}")
        self.cause = cause


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Raised(ValueError("the graph is wrong\nat node 3")), "ValueError: the graph is wrong"),
        (Raised(OSError(errno.ENOSPC, "No space left on device", "/x")), "/x failed: No space left on device"),
        (Raised(MemoryError()), "there is not enough memory"),
        (Raised(ModuleNotFoundError("No module named 'onnxruntime'")),
         "ModuleNotFoundError: No module named 'onnxruntime'"),
        (Exception("The actor died.\n\tclass_name: ShardWorker"), "The actor died."),
        (Exception("...\nModuleNotFoundError: No module named 'facemon.schedulers'"),
         "facemon is not installed there, for the Python of Ray; pip install 'facemon[ray]'"),
        (Exception(""), "Exception"),
    ],
)  # fmt: skip
def test_the_reason_is_what_the_worker_raised(error: Exception, said: str) -> None:
    assert reason_of(error) == said


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (RuntimeError("Version mismatch: Ray 2.60 and 2.58"), 2, "ersion mismatch"),
        (RuntimeError("Unauthenticated"), 2, "does not accept this machine's token"),
        (ConnectionError("none"), 1, "no cluster of Ray is there"),
        (Exception("The current node timed out during startup."), 1, "limit of 30 seconds"),
        (OSError("odd"), 1, "cannot be started or reached: odd"),
    ],
)
@pytest.mark.parametrize("address", [None, "10.0.0.5:6379"])
def test_a_cluster_that_is_not_reached(error: Exception, code: int, said: str, address: str | None) -> None:
    found = unreached(Placement(address), error)
    assert (found.exit_code, said in found.message, bool(found.hint)) == (code, True, True)
    assert "ray status" not in (found.hint or "") or address, "a cluster of the command's own is gone by then"
