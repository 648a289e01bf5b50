"""Cameras with stores of their own, and a centre that collects: the verdict is that of one store with all rows."""

import json
import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from facemon.monitor.monitor import Monitor
from facemon.object_storage.folder_address import parse_folder
from facemon.object_storage.object_folder import open_folder
from facemon.object_storage.storage_error import StorageError
from facemon.store.compaction import compact
from facemon.store.ledger.opening import open_ledger
from tests.acceptance.tables import CONFIGURATION
from tests.conftest import RunFacemon
from tests.object_storage.origin import Origin, running_origin
from tests.store.delivered import facts_of
from tests.store.nodes import images_of, send

SPRING, SUMMER = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NODES = ("gate", "hall", "yard")
LOCATION = "s3://logs/log/"
NO_EVIDENTLY = "drift: {evidently: {when: never}}\n"
"""It adds up floats of rows, in the order in which they lie; our own checks count."""
CUT_SHARE = 0.15
"""Of all requests; a delivery takes about ten."""
SEEDS = [pytest.param(seed, marks=[] if seed == 1 else [pytest.mark.only_at_length]) for seed in range(1, 11)]


@pytest.fixture
def origin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Origin]:
    with running_origin() as origin:
        origin.buckets["logs"] = {}
        for name, value in origin.environment().items():
            monkeypatch.setenv(name, value)
        yield origin


def hour_of_rows(node: str, begin: datetime, rng: np.random.Generator) -> pa.Table:
    """An hour of predictions of a camera; in summer the yard sees more beards."""
    count = int(rng.integers(20, 40))
    share = 0.6 if node == "yard" and begin >= SUMMER else 0.3
    times = [begin + HOUR * share for share in sorted(rng.random(count))]
    return pa.table({
        "image": [f"{node}-{begin:%m%d%H}-{number}.jpg" for number in range(count)],
        "source": [node] * count,
        "observed_at": pa.array(times, pa.timestamp("us", "UTC")),
        "beard": np.where(rng.random(count) < share, "yes", "no"),
        "beard_confidence": pa.array(1 - rng.beta(1, 20, count), pa.float32()),
    })  # fmt: skip


def log(folder: Path, tables: Sequence[pa.Table]) -> None:
    with chdir(folder), Monitor("facemon.yaml") as monitor:
        for table in tables:
            monitor.log(table)


def deliver_despite_cuts(folder: Path, node: str) -> None:
    """Deliver again until nothing is left, as cron does."""
    while True:
        try:
            objects = open_folder(parse_folder(LOCATION), create=True)
            with open_ledger(folder / ".facemon") as ledger:
                send(ledger, objects, node)
        except StorageError:
            continue
        return


def store_folders(tmp_path: Path) -> dict[str, Path]:
    folders = {name: tmp_path / name for name in (*NODES, "centre", "second centre", "one")}
    for folder in folders.values():
        folder.mkdir()
        (folder / "facemon.yaml").write_text(CONFIGURATION + NO_EVIDENTLY)
    return folders


def checked(facemon: RunFacemon, folder: Path) -> str:
    """The result of a check as JSON, without the time at which it was made."""
    window = ("--since", SPRING.isoformat(), "--until", (SPRING + DAY).isoformat())
    assert facemon("reference", "set", *window, "--name", "spring", cwd=folder).returncode == 0
    summer = ("--since", SUMMER.isoformat(), "--until", (SUMMER + DAY).isoformat(), "--by", "source")
    done = facemon("drift-check", *summer, "--format", "json", cwd=folder)
    assert done.returncode == 3, done.stderr
    document = json.loads(done.stdout)
    assert document.pop("at")
    return json.dumps(document)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_the_verdict_of_three_nodes_is_that_of_one_store(
    seed: int, origin: Origin, facemon: RunFacemon, tmp_path: Path
) -> None:
    chance, rng = random.Random(seed), np.random.default_rng(seed)
    folders = store_folders(tmp_path)
    origin.cut = lambda _: chance.choice(("before", "after")) if chance.random() < CUT_SHARE else ""
    hours = [day + HOUR * number for day in (SPRING, SUMMER) for number in range(24)]
    every = list[pa.Table]()
    for node in NODES:
        waiting = list[pa.Table]()
        # Some hours come late, after hours that follow them.
        for place in sorted(range(len(hours)), key=lambda number: number + chance.choice((0, 0, 0, 5))):
            waiting.append(hour_of_rows(node, hours[place], rng))
            if chance.random() < 0.8:
                continue
            log(folders[node], waiting)
            every += waiting
            waiting = []
            deliver_despite_cuts(folders[node], node)
            if chance.random() < 0.2:
                with open_ledger(folders[node] / ".facemon") as ledger:
                    compact(ledger, datetime.now(UTC))
        log(folders[node], waiting)
        every += waiting
        deliver_despite_cuts(folders[node], node)
    log(folders["one"], every)
    collect_despite_cuts(facemon, folders, origin)
    of_one_store = checked(facemon, folders["one"])
    for name in ("centre", "second centre"):
        again = facemon("store", "collect", LOCATION, cwd=folders[name])
        assert (again.returncode, "registered 0 deliveries" in again.stdout) == (0, True), again.stdout
        assert facemon("store", "verify", cwd=folders[name]).returncode == 0
        assert checked(facemon, folders[name]) == of_one_store
    with open_ledger(folders["centre"] / ".facemon") as centre, open_ledger(folders["one"] / ".facemon") as one:
        assert len(images_of(centre)) == len(set(images_of(centre)))
        assert facts_of(centre)["rows"] == facts_of(one)["rows"]


def collect_despite_cuts(facemon: RunFacemon, folders: dict[str, Path], origin: Origin) -> None:
    """Collect into two stores at once, twice at once into each, until each has all; in any order of the deliveries."""
    hidden = {key: origin.buckets["logs"].pop(key) for key in list(origin.buckets["logs"])[::3]}
    places = [folders["centre"], folders["second centre"]] * 2
    with ThreadPoolExecutor(len(places)) as pool:
        for _ in pool.map(lambda folder: facemon("store", "collect", LOCATION, cwd=folder), places):
            pass
        origin.buckets["logs"] |= hidden
        done = [1]
        while any(done):
            done = [
                each.returncode for each in pool.map(lambda f: facemon("store", "collect", LOCATION, cwd=f), places)
            ]
    origin.cut = lambda _: ""
