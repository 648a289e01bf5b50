"""`facemon store deliver` and `facemon store collect`: what users of camera boxes and of a centre see."""

import json
import re
import shlex
import shutil
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from facemon.domain.times import parse_time
from tests.acceptance.small_model import write_small_model
from tests.conftest import RunFacemon
from tests.model.onnx_files import flat_image
from tests.object_storage.origin import Fault, Origin, running_origin
from tests.patience import wait_until
from tests.started import Process, start_facemon

LOCATION = "s3://logs/log/"
YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).isoformat()


@pytest.fixture
def origin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Origin]:
    with running_origin() as origin:
        origin.buckets["logs"] = {}
        for name, value in origin.environment().items():
            monkeypatch.setenv(name, value)
        yield origin


@pytest.fixture
def folder(tmp_path: Path, origin: Origin, facemon: RunFacemon) -> Path:
    """A camera's working folder with a log of four images, of which one failed, and a folder for a centre."""
    node = tmp_path / "node"
    (node / "images").mkdir(parents=True)
    write_small_model(node)
    for number in range(3):
        flat_image(node / "images" / f"{number}.png", (80 * number, 0, 0))
    (node / "images" / "broken.png").write_bytes(b"no image")
    (tmp_path / "centre").mkdir()
    write_small_model(tmp_path / "centre")
    predicted = facemon("predict", "images", "--observed-at", YESTERDAY, cwd=node)
    assert predicted.returncode == 1, predicted.stderr
    return node


def test_rows_are_delivered_collected_and_counted_once(facemon: RunFacemon, folder: Path, origin: Origin) -> None:
    done = facemon("store", "deliver", LOCATION, "--node", "gate", cwd=folder)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert re.search(r"s3://logs/log/: 1 delivery with 4 rows of gate, observed before \d{4}-", done.stderr)
    origin.asked.clear()
    done = facemon("store", "deliver", "s3://logs/log", cwd=folder)
    assert (done.returncode, "no new rows observed before" in done.stderr, origin.asked) == (0, True, [])
    assert facemon("-q", "store", "deliver", LOCATION, cwd=folder).stderr == ""
    centre = folder.parent / "centre"
    for said in ("registered 1 delivery with 4 rows", "registered 0 deliveries with 0 rows, and has 1 from before"):
        done = facemon("store", "collect", LOCATION, cwd=centre)
        assert (done.returncode, done.stdout) == (0, f"{said}\n"), done.stderr
    assert "ok: 4 rows" in facemon("store", "verify", cwd=centre).stdout
    ours, theirs = (facemon("metrics", "--format", "json", cwd=place).stdout for place in (folder, centre))
    assert counters(ours) == counters(theirs) != {}


def counters(metrics: str) -> dict[str, object]:
    return {
        each["name"]: each["series"]
        for each in json.loads(metrics)["metrics"]
        if each["name"] in ("model_predictions_total", "images_processed_total", "model_inference_latency_seconds")
    }


@pytest.mark.parametrize("written", ["PUT logs/log/node-segments/", "PUT logs/log/node-deliveries/"])
def test_a_process_that_is_killed_leaves_all_or_nothing(
    written: str, facemon: RunFacemon, folder: Path, origin: Origin
) -> None:
    """At the second place the delivery is there, and the ledger of the node does not know it."""
    processes = list[Process]()

    def kill(request: str) -> None:
        if request.startswith(written):
            wait_until(lambda: bool(processes))
            processes[0].kill()
            processes[0].wait()

    origin.before_answer = kill
    processes.append(start_facemon("store", "deliver", LOCATION, "--node", "gate", cwd=folder))
    assert processes[0].stderr is not None
    with processes[0].stderr:
        processes[0].stderr.read()
    assert processes[0].wait() == -signal.SIGKILL
    origin.before_answer = lambda _: None
    again = facemon("store", "deliver", LOCATION, cwd=folder)
    assert (again.returncode, "1 delivery with 4 rows of gate" in again.stderr) == (0, True), again.stderr
    done = facemon("store", "collect", LOCATION, cwd=folder.parent / "centre")
    assert (done.returncode, done.stdout) == (0, "registered 1 delivery with 4 rows\n"), done.stderr
    assert "ok: 4 rows" in facemon("store", "verify", cwd=folder.parent / "centre").stdout
    assert len([key for key in origin.buckets["logs"] if "node-deliveries" in key]) == 1


def test_store_info_says_how_far_a_node_and_a_centre_are(facemon: RunFacemon, folder: Path, origin: Origin) -> None:
    centre = folder.parent / "centre"
    assert facts(facemon, folder)["delivers"] is None
    for _ in range(3):
        facemon("predict", "images/0.png", "--observed-at", YESTERDAY, cwd=folder)
        facemon("store", "deliver", LOCATION, "--node", "gate", cwd=folder)
    (second,) = [key for key in origin.buckets["logs"] if key.endswith("/2.json")]
    del origin.buckets["logs"][second]
    facemon("store", "collect", LOCATION, cwd=centre)
    delivers, (collected,) = facts(facemon, folder)["delivers"], facts(facemon, centre)["collected"]
    assert (delivers["node"], delivers["location"], delivers["deliveries"]) == ("gate", LOCATION, 3)
    assert parse_time(YESTERDAY) < parse_time(delivers["until"]) <= datetime.now(UTC)
    numbers = [collected[name] for name in ("node", "epochs", "deliveries", "missing")]
    assert numbers == ["gate", 1, 2, 1]
    assert parse_time(collected["last_observed_at"]) == parse_time(YESTERDAY)
    assert "1 number missing" in facemon("store", "info", cwd=centre).stdout
    assert re.search(r"^delivers +as gate to s3://logs/log/", facemon("store", "info", cwd=folder).stdout, re.MULTILINE)


def test_rows_of_another_model_are_registered_and_named(facemon: RunFacemon, folder: Path) -> None:
    """A camera that was not updated: drift checks of the centre look at none of its rows."""
    centre = folder.parent / "centre"
    (centre / "facemon.yaml").write_text((centre / "facemon.yaml").read_text().replace('version: "1"', 'version: "2"'))
    facemon("store", "deliver", LOCATION, "--node", "gate", cwd=folder)
    done = facemon("store", "collect", LOCATION, cwd=centre)
    assert (done.returncode, "with 4 rows" in done.stdout) == (0, True)
    assert "4 rows of the model small@1 registered, and facemon.yaml describes small@2" in done.stderr
    assert "small@1" not in facemon("store", "collect", LOCATION, cwd=centre).stderr, "said once"


def facts(facemon: RunFacemon, folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(facemon("store", "info", "--json", cwd=folder).stdout)
    return document


def test_missing_numbers_are_named(facemon: RunFacemon, folder: Path, origin: Origin) -> None:
    for _ in range(3):
        facemon("predict", "images/0.png", "--observed-at", YESTERDAY, cwd=folder)
        facemon("store", "deliver", LOCATION, "--node", "gate", cwd=folder)
    (second,) = [key for key in origin.buckets["logs"] if key.endswith("/2.json")]
    del origin.buckets["logs"][second]
    done = facemon("store", "collect", LOCATION, cwd=folder.parent / "centre")
    assert done.returncode == 3
    assert "hint: restore the objects of nodes from a version or a copy of the bucket" in done.stderr
    assert re.search(r"^missing: gate, epoch [0-9a-f]{16}: 2 of 3$", done.stdout, re.MULTILINE), done.stdout
    answer = facemon("store", "collect", LOCATION, "--format", "json", cwd=folder.parent / "centre")
    (node,) = json.loads(answer.stdout)["nodes"]
    assert (node["name"], node["newest"], node["registered"], node["missing"]) == ("gate", 3, 2, "2")


def test_retention_and_a_retry_say_what_they_leave(facemon: RunFacemon, folder: Path) -> None:
    assert facemon("store", "deliver", LOCATION, "--node", "gate", cwd=folder).returncode == 0
    retried = facemon("predict", "images", "--observed-at", YESTERDAY, "--retry-failed", cwd=folder)
    assert "1 failed image of run" in retried.stderr
    assert "facemon store deliver has delivered it; predict it in a new run instead" in retried.stderr
    facemon("predict", "images/0.png", "--observed-at", "2026-01-05", cwd=folder)
    pruned = facemon("store", "prune", "--days", "1", cwd=folder)
    assert (pruned.returncode, "removed 0 rows" in pruned.stderr) == (0, True)


@pytest.mark.parametrize(
    ("line", "code", "said", "hint"),
    [
        ("/shared/log", 2, "/shared/log: is not an address", "file:///FOLDER/"),
        ("s3://none/", 2, "there is no bucket none", "correct the bucket's name"),
        ("L --node a/b", 2, "'a/b' cannot be the name of a node", "--node NAME"),
        ("L --node ''", 2, "'' cannot be the name of a node", "--node NAME"),
        ("s3://logs/other/", 2, "this store delivers to s3://logs/log/, and not to s3://logs/other/", "--moved"),
    ],
)
def test_what_makes_no_sense_is_refused_and_delivers_nothing(
    line: str, code: int, said: str, hint: str, facemon: RunFacemon, folder: Path, origin: Origin
) -> None:
    if "other" in line:
        facemon("store", "deliver", LOCATION, "--node", "gate", cwd=folder)
    before = dict(origin.buckets["logs"])
    done = facemon("store", "deliver", *shlex.split(line.replace("L ", f"{LOCATION} ")), cwd=folder)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert hint in done.stderr.partition("hint: ")[2]
    assert origin.buckets["logs"] == before


def test_a_bucket_that_may_only_be_read_and_one_that_ignores_conditions(
    facemon: RunFacemon, folder: Path, origin: Origin
) -> None:
    origin.faults["PUT"] = Fault(403, "AccessDenied")
    done = facemon("store", "deliver", LOCATION, "--node", "gate", cwd=folder)
    assert done.returncode == 2, done.stderr
    origin.faults.clear()
    origin.keeps_conditions = False
    done = facemon("store", "deliver", LOCATION, "--node", "gate", cwd=folder)
    assert (done.returncode, "ignores If-None-Match" in done.stderr) == (2, True), done.stderr
    assert origin.buckets["logs"] == {}
    origin.keeps_conditions = True
    assert facemon("store", "deliver", LOCATION, "--node", "gate", cwd=folder).returncode == 0


def test_a_store_delivers_or_collects_and_a_copy_says_that_it_is_one(
    facemon: RunFacemon, folder: Path, origin: Origin
) -> None:
    assert facemon("store", "deliver", LOCATION, "--node", "gate", cwd=folder).returncode == 0
    refused = facemon("store", "collect", LOCATION, cwd=folder)
    assert (refused.returncode, "and does not collect" in refused.stderr) == (2, True)
    shutil.copytree(folder, folder.parent / "copy")
    facemon("predict", "images/0.png", "--observed-at", YESTERDAY, cwd=folder.parent / "copy")
    done = facemon("store", "deliver", LOCATION, cwd=folder.parent / "copy")
    assert "the numbers of gate's deliveries start again at 1: the store is a copy, or was restored" in done.stderr
    assert facemon("store", "collect", LOCATION, cwd=folder.parent / "centre").returncode == 0
    refused = facemon("store", "deliver", LOCATION, cwd=folder.parent / "centre")
    assert (refused.returncode, "collects deliveries of other machines" in refused.stderr) == (2, True)
