"""24 shards over moto, two machines that are killed at random moments, some shards twice at once: each image once."""

import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from facemon.store.ledger.opening import open_ledger
from facemon.store.row_counts import IMAGES
from facemon.store.segment_files import read_segment
from tests.acceptance.small_model import write_small_model
from tests.conftest import RunFacemon
from tests.model.onnx_files import flat_image
from tests.object_storage.moto_server import make_bucket, running_moto
from tests.object_storage.reached_storage import lead_to
from tests.patience import wait_until
from tests.started import Process, start_facemon

pytestmark = pytest.mark.servers
SHARDS, PICTURES = 24, 240
SHORT, FULL = 8, 50
"""Processes that are killed."""
AT_ONCE = 2
LOCATION = "s3://logs/log/"


@pytest.fixture
def folder(object_stores: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A model and a folder of images; moto's server with a bucket for the log."""
    write_small_model(tmp_path)
    (tmp_path / "day").mkdir()
    for number in range(PICTURES):
        flat_image(tmp_path / "day" / f"{number:03}.png", ((255, 0, 0), (0, 255, 0))[number % 2], (8, 8 + number))
    with running_moto(object_stores) as url:
        lead_to(url, monkeypatch)
        make_bucket(url, "logs")
        yield tmp_path


def start(shard: int, folder: Path) -> Process:
    """Start a machine that predicts a shard."""
    options = ("--shard", f"{shard}/{SHARDS}", "--deliver", LOCATION, "--threads", "1", "-q")
    return start_facemon("predict", "images.parquet", *options, cwd=folder)


def end(process: Process) -> int:
    """Wait for a process; it ends well, or is killed."""
    assert process.stderr is not None
    with process.stderr:
        said = process.stderr.read()
    code: int = process.wait()
    assert code in (0, -signal.SIGKILL), said
    return code


@dataclass
class Cluster:
    """Two machines that take shards from a list, and are killed at random moments."""

    folder: Path
    waiting: list[int]
    kills: int
    latest_s: float
    moments: random.Random
    killed: int = 0

    def work(self) -> None:
        """Predict all shards; the shard of a machine that is killed is predicted again."""
        running: list[tuple[Process, int, float | None]] = []
        while self.waiting or running:
            while self.waiting and len(running) < AT_ONCE:
                shard = self.waiting.pop(0)
                is_doomed = self.killed + sum(at is not None for *_, at in running) < self.kills
                at = time.monotonic() + self.moments.uniform(0, self.latest_s) if is_doomed else None
                running.append((start(shard, self.folder), shard, at))
            for each in list(running):
                process, shard, at = each
                if at is not None and time.monotonic() >= at:
                    process.kill()
                if process.poll() is not None:
                    running.remove(each)
                    if end(process) != 0:
                        self.killed += 1
                        self.waiting.append(shard)
            time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.long_proof
def test_each_image_counts_once_whatever_is_killed(facemon: RunFacemon, folder: Path, at_length: bool) -> None:
    assert facemon("manifest", "day", "-o", "images.parquet", cwd=folder).returncode == 0
    seed = time.time_ns()
    print(f"seed {seed}")
    began = time.monotonic()
    assert end(start(1, folder)) == 0
    took_s, kills = time.monotonic() - began, FULL if at_length else SHORT
    # Ten shards are predicted by two machines at once.
    shards = [1, *(shard for shard in range(2, 12) for _ in range(2)), *range(12, SHARDS + 1)]
    cluster = Cluster(folder, shards, kills, took_s, random.Random(seed))
    cluster.work()
    for _ in range(kills):
        if cluster.killed < kills:
            cluster.waiting.append(cluster.moments.randint(1, SHARDS))
            cluster.latest_s /= 2
            cluster.work()
    assert cluster.killed >= kills, "machines end at once"
    collect_twice_at_once(folder)
    last = facemon("store", "collect", LOCATION, cwd=folder)
    assert (last.returncode, last.stdout) == (
        0, f"registered 0 deliveries with 0 rows, and has {SHARDS} from before\n",
    ), last.stderr  # fmt: skip
    assert_every_image_once(facemon, folder)
    print(f"{cluster.killed} killed")


def collect_twice_at_once(folder: Path) -> None:
    """Two collectors at once, one of which is killed; at the end one that goes on with what is left."""
    for _ in range(2):
        collectors = [start_facemon("-q", "store", "collect", LOCATION, cwd=folder) for _ in range(2)]
        wait_until((folder / ".facemon" / "ledger.sqlite").exists)
        collectors[0].kill()
        end(collectors[0])
        assert end(collectors[1]) == 0


def assert_every_image_once(facemon: RunFacemon, folder: Path) -> None:
    """By verify, by the names in the rows, and by the totals."""
    verified = facemon("store", "verify", cwd=folder)
    assert verified.returncode == 0, verified.stdout
    with open_ledger(folder / ".facemon") as ledger:
        names = Counter[str]()
        for segment in ledger.segments.within():
            names.update(read_segment(ledger, segment)["image"].to_pylist())
        totals = {key.labels: value for key, value in ledger.totals.read().items() if key.metric == IMAGES}
    assert names == {str(folder / "day" / f"{number:03}.png"): 1 for number in range(PICTURES)}
    assert totals == {("ok",): PICTURES}
