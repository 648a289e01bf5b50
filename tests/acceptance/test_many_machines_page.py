"""The commands of docs/many-machines.md as the page has them, on small images, a small model and moto's buckets."""

import os
import re
import shlex
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from obstore.store import S3Store

from tests.acceptance.console_blocks import Command, commands_of, shows
from tests.acceptance.small_model import small_config
from tests.conftest import RunFacemon
from tests.model.onnx_files import flat_image, write_reducing_model
from tests.object_storage.moto_server import make_bucket, running_moto
from tests.object_storage.reached_storage import lead_to

pytestmark = pytest.mark.servers
PAGE = (Path(__file__).parents[2] / "docs" / "many-machines.md").read_text("utf-8")
_, BUCKET_PART, CAMERA_PART, _ = PAGE.split("\n## ")
_BLOCK = re.compile(r"^```(console|crontab)\n# on (.*?)\n(?:AWS_\w+=…\n)*(.*?)^```$", re.MULTILINE | re.DOTALL)
"""Without a crontab's credentials: the tests have their own."""
GENDER = small_config("name: gender, output: hair, kind: categorical, labels: [female, male], activation: softmax")
IMAGES, FIRST_WEEK, YESTERDAY = 240, 700, 400
MONDAY = datetime(2026, 11, 2, tzinfo=UTC).timestamp()
HOUR, WEEK = 3_600, 7 * 86_400
NOWHERE = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}


@dataclass
class Block:
    """Commands that the page shows together."""

    is_crontab: bool
    place: str
    """Where they are run, as the block's first line says."""
    commands: list[Command]


def blocks_of(part: str) -> list[Block]:
    return [Block(kind == "crontab", place, list(commands_of(text))) for kind, place, text in _BLOCK.findall(part)]


def expect(facemon: RunFacemon, command: Command, folder: Path, env: dict[str, str] | None = None) -> None:
    """Run a command, and hold its exit code and what it prints against the page."""
    assert command.line.startswith("facemon "), command.line
    done = facemon(*shlex.split(command.line)[1:], cwd=folder, env=env)
    assert done.returncode == command.code, f"{command.line}: {done.stderr}"
    printed = done.stderr + done.stdout
    assert shows(command.shown, printed), f"{command.line}\n{printed}\nand the page has\n{command.shown}"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A picture of each label."""
    folder = tmp_path_factory.mktemp("pictures")
    flat_image(folder / "female.png", (255, 0, 0))
    flat_image(folder / "male.png", (0, 255, 0))
    return folder / "female.png", folder / "male.png"


@pytest.fixture
def storage(object_stores: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """moto, to which s3:// leads, with the buckets of the page."""
    with running_moto(object_stores) as url:
        lead_to(url, monkeypatch)
        for name in ("faces", "logs"):
            make_bucket(url, name)
        yield


def machine(folder: Path) -> Path:
    """A folder with a model; Evidently's report, which takes seconds, is not of the page."""
    folder.mkdir()
    write_reducing_model(folder / "m.onnx", {"hair": [[9, 0], [0, 9], [0, 0]]})
    (folder / "facemon.yaml").write_text(f"{GENDER}drift: {{evidently: {{when: never}}}}\n")
    return folder


def is_female(number: int, of_ten: int) -> bool:
    # Spread over each ten: frames that repeat would count as fewer.
    return number * 7 % 10 < of_ten


@pytest.mark.usefixtures("storage")
def test_a_bucket_and_workers(facemon: RunFacemon, tmp_path: Path, pictures: tuple[Path, Path]) -> None:
    female, male = (path.read_bytes() for path in pictures)
    bucket = S3Store("faces")
    for month, of_ten in (("october", 5), ("november", 8)):
        for number in range(IMAGES):
            bucket.put(f"{month}/{number:03}.png", female if is_female(number, of_ten) else male)
    folders = {"the machine with the store": machine(tmp_path / "store"), "the workers": machine(tmp_path / "workers")}
    for block in blocks_of(BUCKET_PART):
        for command in block.commands:
            expect(facemon, command, folders[block.place])
        for manifest in folders["the machine with the store"].glob("*.parquet"):
            shutil.copy(manifest, folders["the workers"])


def take_photographs(folder: Path, pictures: tuple[Path, Path], count: int, of_ten: int,
                     taken: Callable[[int], float]) -> None:  # fmt: skip
    folder.mkdir(parents=True)
    for number in range(count):
        path = folder / f"{number:03}.png"
        shutil.copyfile(pictures[0 if is_female(number, of_ten) else 1], path)
        os.utime(path, (taken(number), taken(number)))


@pytest.mark.usefixtures("storage")
def test_cameras_and_a_centre(facemon: RunFacemon, open_folder: Path, pictures: tuple[Path, Path]) -> None:
    began = time.time() - 21 * HOUR
    # A textfile must lie where node-exporter can read it.
    folders = {name: machine(open_folder / name) for name in ("gate", "hall", "yard", "the centre")}
    (folders["the centre"] / "metrics").mkdir()
    for box in ("gate", "hall", "yard"):
        photos = folders[box] / "photos"
        take_photographs(photos / "first-week", pictures, FIRST_WEEK, 5, lambda n: MONDAY + n * WEEK / FIRST_WEEK)
        take_photographs(
            photos / "yesterday", pictures, YESTERDAY, 9 if box == "yard" else 5, lambda n: began + n * HOUR / 24
        )
    nightly = list[Command]()
    for block in blocks_of(CAMERA_PART):
        place, _, state = block.place.partition(", ")
        if block.is_crontab and place == "the centre":
            nightly = block.commands
        elif block.is_crontab:
            for box in ("gate", "hall", "yard"):
                predict = ("-q", "predict", "photos/yesterday", "--source", box, "--observed-at", "mtime")
                assert facemon(*predict, cwd=folders[box]).returncode == 0
                for command in block.commands if box != "yard" else ():
                    expect(facemon, command, folders[box])
        else:
            for box in ("gate", "hall", "yard") if place == "gate" else (place,):
                for command in block.commands:
                    named = Command(command.line.replace("gate", box), command.code, command.shown.replace("gate", box))
                    expect(facemon, named, folders[box], NOWHERE if state == "without a network" else None)
    night = [facemon(*shlex.split(command.line)[1:], cwd=folders["the centre"]) for command in nightly]
    assert [done.returncode for done in night] == [0, 3, 0], [done.stderr for done in night]
    exported = (folders["the centre"] / "metrics" / "facemon.prom").read_text()
    assert re.search(r"^model_predictions_total\{.*\} ", exported, re.MULTILINE)


def test_every_block_with_commands_is_run() -> None:
    every = re.findall(r"^```(?:console|crontab)$", PAGE, re.MULTILINE)
    assert len(blocks_of(BUCKET_PART)) + len(blocks_of(CAMERA_PART)) == len(every) > 10
