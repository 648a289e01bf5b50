"""Shards on a cluster of real processes, some of which are killed; and what predict says of a cluster's options."""

import re
import shutil
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from facemon.application.operation import Operation
from facemon.application.run_inputs import PredictRequest
from facemon.application.scheduled_shards import ClusterOptions, ScheduledRequest, predict_shards, scheduled_request
from facemon.cli.main import run
from facemon.cli.session import Session
from facemon.errors import FacemonError, UsageError
from facemon.object_storage.folder_address import parse_folder
from facemon.predict.run_summary import RunSummary
from facemon.schedulers.registry import SCHEDULERS
from tests.acceptance.small_model import write_small_model
from tests.model.onnx_files import flat_image
from tests.schedulers.spawned_cluster import Spawned

IMAGES = 12


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model, and a manifest of twelve images whose names are relative to the folder."""
    monkeypatch.chdir(tmp_path)
    write_small_model(Path())
    for number in range(IMAGES):
        flat_image(Path(f"{number}.png"), (20 * number, 0, 0))
    Path("images.csv").write_text("image\n" + "".join(f"{number}.png\n" for number in range(IMAGES)))
    return tmp_path


def requested(folder: Path, cluster: Spawned, monkeypatch: pytest.MonkeyPatch, shards: int = 4) -> ScheduledRequest:
    monkeypatch.setitem(SCHEDULERS, cluster.name, cluster)
    options = ClusterOptions(cluster.name, shards)
    return scheduled_request(PredictRequest(("images.csv",)), (folder / "log").as_uri(), options)


def operation() -> Operation:
    return Session().operation


def predicted(folder: Path, cluster: Spawned, monkeypatch: pytest.MonkeyPatch, shards: int = 4) -> RunSummary:
    return predict_shards(operation(), requested(folder, cluster, monkeypatch, shards))


@pytest.mark.slow
def test_each_shard_is_delivered_once_though_workers_are_killed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Whichever of the first two gets a shard first is killed at it.
    cluster = Spawned(room=2, killed={1: 1, 2: 1})
    summary = predicted(folder, cluster, monkeypatch)
    said = capsys.readouterr().err
    assert (summary.images, summary.ok) == (IMAGES, IMAGES)
    assert "4 of 4 shards of images are delivered; register them" in said
    assert re.search("worker [12] was lost: the process was killed", said)
    assert {shard for _, shard in cluster.given} == {1, 2, 3, 4}
    log = (folder / "log").as_uri()
    assert run(["store", "collect", log]) == 0
    assert capsys.readouterr().out == f"registered 4 deliveries with {IMAGES} rows\n"
    # The same command again predicts nothing.
    again = predicted(folder, Spawned(), monkeypatch)
    assert again.images == 0
    assert "4 of 4 shards of images are delivered, 4 of them before" in capsys.readouterr().err


@pytest.mark.slow
def test_without_workers_the_run_ends_and_names_what_is_missing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Spawned(killed={1: 2, 2: 1, 3: 1, 4: 1})
    with pytest.raises(FacemonError, match=r"no worker is left.*killed; .*1 of 4 shards .*missing: 2-4") as raised:
        predicted(folder, cluster, monkeypatch)
    assert (raised.value.exit_code, "it skips delivered shards" in (raised.value.hint or "")) == (1, True)
    assert predicted(folder, Spawned(), monkeypatch).images == 3 * IMAGES // 4


@pytest.mark.slow
def test_a_cluster_that_is_lost_leaves_a_list_of_what_is_missing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FacemonError, match=r"cluster was lost; .*1 of 4 shards .*; missing: 2-4") as raised:
        predicted(folder, Spawned(lost_after=1), monkeypatch)
    hint = raised.value.hint or ""
    assert (raised.value.exit_code, hint.startswith("start it again; then run the same command")) == (1, True)


@pytest.mark.slow
def test_shards_of_earlier_runs_are_not_called_missing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FacemonError, match="missing: 3-4"):
        predicted(folder, Spawned(lost_after=2), monkeypatch)
    # The log is asked: no worker of this run has looked for the first two.
    with pytest.raises(FacemonError, match=r"2 of 4 shards .*; missing: 3-4"):
        predicted(folder, Spawned(lost_after=0), monkeypatch)
    shutil.rmtree(folder / "log")
    with pytest.raises(FacemonError, match=r"0 of 4 shards .* delivered; missing: 1-4"):
        predicted(folder, Spawned(lost_after=0), monkeypatch)


def test_a_log_that_cannot_be_read_has_shards_of_which_nothing_is_known(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    request = requested(folder, Spawned(lost_after=0), monkeypatch)
    unreadable = replace(request, delivery=replace(request.delivery, address=parse_folder("az://logs/november/")))
    with pytest.raises(FacemonError, match=r"0 of 4 shards .* as far as is known; not known of: 1-4"):
        predict_shards(operation(), unreadable)


@pytest.mark.slow
def test_another_job_in_the_log_ends_the_run_with_2(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert predicted(folder, Spawned(), monkeypatch).images == IMAGES
    with pytest.raises(UsageError, match="shards is 4 in the job and 3 in this command"):
        predicted(folder, Spawned(), monkeypatch, shards=3)


@pytest.mark.slow
def test_a_log_that_cannot_be_written_ends_the_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = requested(folder, Spawned(), monkeypatch, shards=1)
    (folder / "log").write_text("not a folder")
    with pytest.raises(FacemonError):
        predict_shards(operation(), request)


def test_more_shards_than_rows_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"--shards 13: .*images\.csv has 12 rows"):
        predicted(folder, Spawned(), monkeypatch, shards=13)


LOG = "--deliver file:///tmp/log/"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"--engine ray {LOG}", "--shards is missing"),
        ("--engine ray --shards 2", "--deliver is missing"),
        (f"--engine ray --shards 0 {LOG}", "--shards 0: there must be one at least"),
        (f"--engine ray --shards -1 {LOG}", "--shards -1: there must be one at least"),
        (f"--engine ray --shards 2 --shard 1/2 {LOG}", "--shard is for one of them"),
        (f"--engine ray --shards 2 -o rows.csv {LOG}", "no rows come back from there"),
        (f"--engine rya --shards 2 {LOG}", "--engine rya: is unknown"),
        (f"--shards 2 {LOG}", "--shards is for a cluster, and --engine names none"),
        ("--engine inline --address auto", "--address is for a cluster"),
        ("--worker-gpus 1", "--worker-gpus is for a cluster"),
    ],
)
def test_options_that_do_not_go_together_end_with_2(
    line: str, said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["predict", "images.csv", *line.split()]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "hint: " in error


@pytest.mark.skipif(find_spec("ray") is not None, reason="Ray is installed here")
def test_without_ray_the_command_to_install_it_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["predict", "images.csv", *f"--engine ray --shards 2 {LOG}".split()]) == 2
    assert "the package ray\n  hint: pip install 'facemon[ray]'" in capsys.readouterr().err


@pytest.mark.parametrize("engine", ["inline", "processes"])
def test_an_engine_of_this_machine_can_be_named(engine: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["predict", "images.csv", "--engine", engine]) == 0
    shutil.rmtree(".facemon")
    assert "12 images, 12 ok" in capsys.readouterr().err
