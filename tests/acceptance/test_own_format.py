"""Formats of images, registered as a contributor would: one that Pillow reads, one whose library is missing."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from facemon.cli.main import run
from facemon.domain.formats.image_format import ImageFormat, PluginFormat
from facemon.domain.formats.registry import FORMATS
from facemon.domain.image_input import ImageProblem
from facemon.domain.prediction import ErrorCode
from facemon.model.decoding import decode_image
from tests.acceptance.small_model import write_small_model
from tests.model.onnx_files import flat_image

PCX = ImageFormat("pcx", (".pcx",))
Captured = pytest.CaptureFixture[str]


@dataclass(frozen=True, slots=True)
class Made(PluginFormat):
    """A format whose library is not installed."""

    name: str = "made"
    suffixes: tuple[str, ...] = (".made",)
    title: str = "MADE"
    library: str = "pillow_made"
    extra: str = "made"

    def begins(self, content: bytes) -> bool:
        """Return whether the file says so."""
        return content.startswith(b"MADE")


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    for each in (PCX, Made()):
        monkeypatch.setitem(FORMATS, each.name, each)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_small_model(tmp_path, "predict: {formats: [jpeg, pcx, made]}\napi: {formats: [png, made]}\n")
    photos = tmp_path / "photos"
    photos.mkdir()
    flat_image(photos / "a.png", (9, 90, 200))
    Image.open(photos / "a.png").save(photos / "b.pcx")
    (photos / "c.made").write_bytes(b"MADE" + bytes(60))
    return tmp_path


def test_a_folder_s_files_are_taken_and_predicted(folder: Path, capfd: Captured) -> None:
    assert run(["predict", "photos", "--no-store", "--format", "jsonl"]) == 0
    said = capfd.readouterr()
    row = json.loads(said.out)
    assert (row["image"], row["error"]) == ("photos/b.pcx", None)
    assert "1 .made, 1 .png; pip install 'facemon[made]' to read .made; predict.formats leaves out .png" in said.err


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("c.made", "is a MADE image, which needs an extra package: pip install 'facemon[made]'"),
        ("a.png", "images in the format png are not accepted here, only made, pcx"),
    ],
)
def test_what_lacks_its_library_or_is_left_out_says_so(folder: Path, name: str, message: str) -> None:
    # In this process: the one that decodes odd files loads the formats anew.
    found = decode_image((folder / "photos" / name).read_bytes(), 1000, formats=("PCX", "MADE"))
    assert found == ImageProblem(ErrorCode.UNREADABLE, message)


def test_the_api_does_not_start_without_the_library(folder: Path, capfd: Captured) -> None:
    assert run(["serve", "--listen", "127.0.0.1:0"]) == 2
    said = capfd.readouterr().err
    assert "api.formats has made, which needs an extra package" in said
    assert "pip install 'facemon[made]'" in said


def test_a_wrong_name_is_held_against_them(folder: Path, capfd: Captured) -> None:
    (folder / "facemon.yaml").write_text("version: 1\npredict: {formats: [jpeg, pcxx]}\n")
    assert run(["store", "info"]) == 2
    said = capfd.readouterr().err
    assert [*FORMATS][-2:] == ["pcx", "made"]
    assert f"is 'pcxx', must be one of {', '.join(FORMATS)}" in said
    assert "did you mean pcx?" in said
