"""A folder behind a link is not entered, and each command that walks folders says so; one that is named is read."""

from pathlib import Path

import pytest

from facemon.cli.main import run
from facemon.config.serving import PredictConfig
from facemon.predict.folder_walk import FolderWalk
from facemon.predict.skipped_files import SkippedFiles
from tests.acceptance.small_model import write_small_model
from tests.model.onnx_files import flat_image

FORMATS = PredictConfig().formats
COMMANDS = {
    "predict": ("predict", "--no-store", "-o", "rows.jsonl"),
    "predict into the log": ("predict", "-o", "rows.jsonl"),
    "manifest": ("manifest", "-o", "frozen.parquet"),
    "model check": ("model", "check"),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`photos`, which has one image and a link to `yard`, which has two; `links`, which has two links to it."""
    monkeypatch.chdir(tmp_path)
    write_small_model(tmp_path)
    for name in ("photos/a.png", "yard/b.png", "yard/c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        flat_image(tmp_path / name, (255, 0, 0))
    (tmp_path / "links").mkdir()
    for link in ("photos/cam2", "links/cam2", "links/cam3.png"):
        (tmp_path / link).symlink_to("../yard")
    return tmp_path


@pytest.mark.parametrize("is_address", [False, True])
@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_names_the_folders_that_it_does_not_enter(
    folder: Path, command: str, is_address: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    if is_address and command == "model check":
        pytest.skip("it reads no addresses")
    before = f"file://{folder}/" if is_address else ""
    shown = f"{folder}/" if is_address else ""
    run([*COMMANDS[command], f"{before}photos"])
    said = capsys.readouterr().err
    assert f"1 linked folder was not entered: {shown}photos/cam2; name it on the command line" in said
    assert run([*COMMANDS[command], f"{before}links"]) == 1 or command == "model check"
    said = capsys.readouterr().err
    assert f"2 linked folders were not entered: {shown}links/cam2, {shown}links/cam3.png; name them" in said
    assert "no image is in" in said or command == "model check"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_link_that_is_named_is_followed(folder: Path, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    run([*COMMANDS[command], "links/cam2"])
    said = "".join(capsys.readouterr())
    assert "2 images" in said
    assert "entered" not in said


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "back").symlink_to("..")
    walk = FolderWalk(FORMATS)
    assert list(walk.below(str(tmp_path))) == []
    assert walk.skipped.remarks == [f"1 linked folder was not entered: {tmp_path}/a/back; name it on the command line"]


def test_many_links_take_little_memory_and_steer_no_terminal() -> None:
    skipped = SkippedFiles(FORMATS)
    for index in range(10_000):
        skipped.add_linked_folder(f"d/\x1b[2J{index}")
    (said,) = skipped.remarks
    assert said.startswith("10000 linked folders were not entered: d/")
    assert said.endswith(", 9996 others; name them on the command line")
    assert "\x1b" not in said
    assert len(said) < 200
