"""How many requests each command makes of a storage, beside what docs/how-to/bucket.md says that they cost."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.acceptance.small_model import write_small_model
from tests.conftest import RunFacemon
from tests.model.onnx_files import flat_image
from tests.object_storage.origin import Origin
from tests.object_storage.reached_storage import reached_origin

TEXT = (Path(__file__).parents[2] / "docs" / "how-to" / "bucket.md").read_text("utf-8")
SECTION = (
    TEXT.partition("## What must stay, and what requests cost\n")[2]
    .partition("\n## ")[0]
    .replace("\N{MULTIPLICATION SIGN}", "*")
)
ROWS = re.findall(r"^\| (.*?) \| (\d.*?) \| (\d.*?) \|$", SECTION, re.MULTILINE)
MANIFEST, SHARD, AGAIN, DELIVER, NOTHING_NEW, COLLECT, NEW_DELIVERY = (
    tuple([int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", cell)] for cell in cells)
    for _, *cells in ROWS
)
"""The numbers of each row of the table: of its writes and listings, and of its reads."""
IMAGES, LOG = 5, "s3://logs/log/"
YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).isoformat()

Count = tuple[int, int]


@pytest.fixture
def origin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Origin]:
    with reached_origin(monkeypatch) as origin:
        origin.buckets["logs"] = {}
        yield origin


@pytest.fixture
def folder(tmp_path: Path, origin: Origin) -> Path:
    for folder in (tmp_path, tmp_path / "centre"):
        folder.mkdir(exist_ok=True)
        write_small_model(folder)
    flat_image(tmp_path / "one.png", (255, 0, 0))
    content = (tmp_path / "one.png").read_bytes()
    origin.buckets["photos"] = {f"{number}.png": content for number in range(2 * IMAGES)}
    return tmp_path


def counted(origin: Origin, facemon: RunFacemon, folder: Path, *line: str) -> Count:
    """The writes and listings, and the reads, of a command."""
    origin.asked.clear()
    done = facemon(*line, cwd=folder)
    assert done.returncode == 0, done.stderr
    methods = [request.split()[0] for request in origin.asked]
    return sum(method in ("PUT", "LIST") for method in methods), sum(method in ("GET", "HEAD") for method in methods)


def test_shards_cost_what_the_documentation_says(facemon: RunFacemon, folder: Path, origin: Origin) -> None:
    # The listing of few objects is one page, after the question whether there is any.
    found = counted(origin, facemon, folder, "manifest", "s3://photos/", "-o", "images.parquet")
    assert found == (MANIFEST[0][0] + 1, MANIFEST[1][0])
    first, second = (
        counted(origin, facemon, folder, "predict", "images.parquet", "--shard", shard, "--deliver", LOG)
        for shard in ("1/2", "2/2")
    )
    (writes, of_segment, of_first), (reads, of_image) = SHARD
    assert second == (writes + of_segment, reads + of_image * IMAGES)
    assert first == (second[0] + of_first, second[1])
    again = counted(origin, facemon, folder, "predict", "images.parquet", "--shard", "2/2", "--deliver", LOG)
    assert again == (AGAIN[0][0], AGAIN[1][0])
    whole, known = (counted(origin, facemon, folder / "centre", "store", "collect", LOG) for _ in range(2))
    assert known[1] == COLLECT[1][0]
    assert whole == (known[0] + 2 * NEW_DELIVERY[0][0], known[1] + 2 * sum(NEW_DELIVERY[1]))
    assert known[0] <= COLLECT[0][0]


def test_deliveries_of_nodes_cost_what_the_documentation_says(
    facemon: RunFacemon, folder: Path, origin: Origin
) -> None:
    assert facemon("predict", "one.png", "--observed-at", YESTERDAY, cwd=folder).returncode == 0
    found = counted(origin, facemon, folder, "store", "deliver", LOG, "--node", "gate")
    assert found == (sum(DELIVER[0]), DELIVER[1][0])
    assert counted(origin, facemon, folder, "store", "deliver", LOG) == (NOTHING_NEW[0][0], NOTHING_NEW[1][0])
    whole, known = (counted(origin, facemon, folder / "centre", "store", "collect", LOG) for _ in range(2))
    assert known == (COLLECT[0][0], 0)
    assert whole == (known[0], sum(NEW_DELIVERY[1]))


def test_the_sums_of_the_documentation_are_right() -> None:
    """With as many images, shards and deliveries as its examples have, and the prices that it names."""
    images, shards, write, read = 1_000_000, 256, 5e-6, 0.4e-6
    listing = MANIFEST[0][0] + images // MANIFEST[0][2]
    writes = listing + shards * sum(SHARD[0][:2]) + SHARD[0][2] + COLLECT[0][0]
    reads = images + shards * SHARD[1][0] + COLLECT[1][0] + shards * sum(NEW_DELIVERY[1])
    for said in (
        f"= {writes:,}\n", f"= {reads:,}\n", f"cost: {writes:,} * W + {reads:,} * R\n",
        f"{writes * write:.2f} + {reads * read:.2f} = {writes * write + reads * read:.2f} USD",
        f"{images // 10 * sum(SHARD[0][:2]):,} writes, {images // 10 * sum(SHARD[0][:2]) * write:.2f} USD",
    ):  # fmt: skip
        assert said in SECTION
    deliveries, collections = 100 * 720, 720
    sent = (deliveries * sum(DELIVER[0]), deliveries * DELIVER[1][0])
    fetched = (collections * COLLECT[0][0], deliveries * sum(NEW_DELIVERY[1]))
    assert f"{sent[0]:,} * W and {sent[1]:,} * R for the boxes, {fetched[1]:,} * R and 5 * 720 * W" in SECTION
    assert f"{(sent[0] + fetched[0]) * write + (sent[1] + fetched[1]) * read:.2f} USD together" in SECTION.replace(
        "\n", " "
    )
