"""One node of two is killed in the middle of a job on real Ray; what must hold whichever it is, and whenever."""

import random
import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from facemon.domain.shard import gaps, shown_ranges
from tests.patience import HANG_S
from tests.schedulers.ray_nodes import Cluster, delivered, ended, run, start, write_job

IMAGES, SHARDS = 120, 24
_SIZE = (2000, 1500)
"""Of images that take long enough for a kill to come in the middle of a job, however busy the machine is."""
_LOOK_AROUND_S = 0.02


@dataclass(frozen=True, slots=True)
class KilledNode:
    """What a job did after one of its nodes was killed."""

    code: int
    said: str
    shard_s: float
    """What a shard took on average before the kill."""
    silence_s: float
    """The longest after the kill without a delivery, up to the end of the command."""


def kill_a_node(folder: Path, seed: int) -> KilledNode:
    """Predict a new job on two nodes, kill one, and go on where that ended the command.

    AssertionError unless the kill came before the end of the job, each image is counted once, and shards that were
    missing at the end were named. Each fifth seed kills the head, without which a cluster of Ray ends.
    """
    write_job(folder, IMAGES, size=_SIZE)
    rng = random.Random(seed)
    kills_head, after = seed % 5 == 0, rng.randrange(2, SHARDS - 4)
    with ExitStack() as stack:
        cluster = Cluster(stack)
        process = start(folder, "--shards", str(SHARDS), "--address", cluster.address, variables=cluster.variables)
        first = _next_delivery(folder, process, 0)
        while delivered(folder) < after and process.poll() is None:
            _next_delivery(folder, process, delivered(folder))
        shard_s = (time.monotonic() - first) * 2 / max(1, delivered(folder) - 1)
        time.sleep(rng.random() * shard_s)
        assert process.poll() is None, "the job ended before a node was killed"
        cluster.kill(cluster.head if kills_head else cluster.other)
        silence_s = _longest_silence(folder, process)
        code, said = ended(process)
    _expect_what_is_missing_named(folder, code, said)
    again = run(folder, *_job(folder))
    assert again.returncode == 0, again.stderr
    _expect_each_image_once(folder)
    return KilledNode(code, said, shard_s, silence_s)


def _job(folder: Path) -> list[str]:
    to = ["--deliver", (folder / "log").as_uri()]
    return ["predict", "images.parquet", "--engine", "ray", "--shards", str(SHARDS), *to]


def _next_delivery(folder: Path, process: "subprocess.Popen[str]", known: int) -> float:
    """When the log has more than so many deliveries, or the command has ended."""
    limit = time.monotonic() + HANG_S
    while delivered(folder) <= known and process.poll() is None:
        assert time.monotonic() < limit, f"no delivery after {known} for {HANG_S:.0f} s"
        time.sleep(_LOOK_AROUND_S)
    return time.monotonic()


def _longest_silence(folder: Path, process: "subprocess.Popen[str]") -> float:
    longest, last = 0.0, time.monotonic()
    while process.poll() is None:
        now = _next_delivery(folder, process, delivered(folder))
        longest, last = max(longest, now - last), now
    return longest


def _expect_what_is_missing_named(folder: Path, code: int, said: str) -> None:
    numbers = {int(commit.stem) for commit in folder.glob("log/deliveries/images/*.json")}
    if len(numbers) == SHARDS:
        return
    assert code == 1, said
    assert f"missing: {shown_ranges(gaps(numbers, SHARDS))}\n" in said, said


def _expect_each_image_once(folder: Path) -> None:
    found = run(folder, "store", "collect", (folder / "log").as_uri())
    assert (found.returncode, found.stdout) == (0, f"registered {SHARDS} deliveries with {IMAGES} rows\n"), found.stderr
    assert f"ok: {IMAGES} rows" in run(folder, "store", "verify").stdout
