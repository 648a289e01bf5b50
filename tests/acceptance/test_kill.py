"""A killed predict loses nothing and doubles nothing, in the log and in the file of -o."""

import json
import random
import shutil
import time
from pathlib import Path

import pytest

from facemon.store.ledger.opening import open_ledger
from tests.acceptance.camera import take_pictures
from tests.conftest import RunFacemon
from tests.started import start_facemon
from tests.store.sql import sql

SHORT, FULL = (3, 240), (20, 3000)
"""Kills, and images that are predicted meanwhile."""


@pytest.mark.slow
@pytest.mark.long_proof
def test_kill_9_at_random_moments(facemon: RunFacemon, tmp_path: Path, at_length: bool) -> None:
    kills, images = FULL if at_length else SHORT
    once = take_pictures(tmp_path / "once", images=images // 20)
    for copy in range(20):
        shutil.copytree(once, tmp_path / "pictures" / f"{copy:02}")
    began = time.monotonic()
    assert facemon("predict", "pictures", "-q", "-o", "whole.jsonl", cwd=tmp_path).returncode == 0
    latest_s = 0.9 * (time.monotonic() - began)
    seed = time.time_ns()
    moments = random.Random(seed)
    print(f"seed {seed}")
    killed, ended = 0, 0
    while killed < kills:
        process = start_facemon("predict", "pictures", "--resume", "-o", "rows.jsonl", cwd=tmp_path)
        time.sleep(moments.uniform(0, latest_s))
        if process.poll() is None:
            killed += 1
        else:  # the first run was slowed by what else this machine did
            ended, latest_s = ended + 1, latest_s / 2
            assert ended < 10, "runs end at once"
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()
        outcome = facemon("store", "verify", cwd=tmp_path)
        assert outcome.returncode == 0 or "there is no store" in outcome.stderr, outcome.stdout
    shutil.rmtree(tmp_path / "rest", ignore_errors=True)
    last = facemon("predict", "pictures", "--resume", "-o", "rows.jsonl", cwd=tmp_path)
    assert last.returncode == 0, last.stderr
    assert results_in(tmp_path / "rows.jsonl") == results_in(tmp_path / "whole.jsonl")
    assert list(tmp_path.glob(".*.part")) == []
    verified = facemon("store", "verify", cwd=tmp_path)
    print(f"{killed} killed; {verified.stdout}")
    assert verified.returncode == 0, verified.stdout
    assert_every_image_once(tmp_path, images)


def results_in(file: Path) -> list[tuple[object, ...]]:
    """What a file says of each face, but for the times and the last digits of probabilities."""
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    labels = [[attribute["label"] for attribute in row["attributes"].values()] for row in rows]
    said = ("image", "image_sha256", "face", "box", "error")
    return [(*(row[name] for name in said), label) for row, label in zip(rows, labels, strict=True)]


def assert_every_image_once(folder: Path, count: int) -> None:
    """Look with another pair of eyes than verify's: at each run's rows, by the name of the image."""
    from facemon.store.segment_files import read_segment

    images: dict[str, list[str]] = {}
    with open_ledger(folder / ".facemon") as ledger:
        for segment in ledger.segments.within():
            table = read_segment(ledger, segment)
            for run, image in zip(table["run"].to_pylist(), table["image"].to_pylist(), strict=True):
                images.setdefault(run, []).append(image)
        finished = [run for (run,) in sql(ledger).execute("SELECT id FROM runs WHERE finished IS NOT NULL")]
        unfinished = [run for (run,) in sql(ledger).execute("SELECT id FROM runs WHERE finished IS NULL")]
    # A kill after the last commit ends a run just before it is called finished; the next one then has nothing to do.
    assert finished
    for run in finished:
        assert sorted(images[run]) == sorted(set(images[run])), f"run {run} has an image twice"
        assert len(images[run]) == count
    assert not unfinished or all(len(images.get(run, [])) < count for run in unfinished)
