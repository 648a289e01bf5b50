"""A kind of input in a file of its own and a line of the registry is all that predict needs to know."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from facemon.cli.main import run
from facemon.predict.inputs import registry
from facemon.predict.inputs.input_kind import Found, Given, InputKind
from tests.acceptance.small_model import write_small_model
from tests.model.onnx_files import flat_image


class ZipOfImages(InputKind):
    """An archive whose images are read without being unpacked."""

    def takes(self, path: str) -> bool:
        return path.endswith(".zip") and Path(path).is_file()

    def open(self, path: str, given: Given) -> Iterator[Found]:
        with zipfile.ZipFile(path) as archive:
            for name in sorted(archive.namelist()):
                yield Found(f"{path}/{name}", content=archive.read(name))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small model, an image, and an archive of two images and a text."""
    monkeypatch.chdir(tmp_path)
    write_small_model(tmp_path)
    for name, colour in (("a.png", (255, 0, 0)), ("b.png", (0, 255, 0))):
        flat_image(Path(name), colour)
    Path("c.png").write_text("not an image")
    with zipfile.ZipFile("photos.zip", "w") as archive:
        for name in ("a.png", "b.png", "c.png"):
            archive.write(name)
    return tmp_path


def predicted(capfd: pytest.CaptureFixture[str], *arguments: str) -> dict[str, str]:
    """Each image with its label, or with its error."""
    assert run(["predict", *arguments, "--format", "jsonl", "--max-failures", "1"]) == 0
    rows = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    return {row["image"]: row["error"] or row["attributes"]["hair"]["label"] for row in rows}


def test_an_archive_is_refused_without_its_kind(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["predict", "photos.zip"]) == 2
    assert "is an archive (.zip), not an image" in capfd.readouterr().err


def test_a_kind_of_its_own_is_predicted_counted_and_logged(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "INPUT_KINDS", [ZipOfImages(), *registry.INPUT_KINDS])
    inside = {"photos.zip/a.png": "a", "photos.zip/b.png": "b", "photos.zip/c.png": "unreadable"}
    assert predicted(capfd, "photos.zip") == inside
    assert predicted(capfd, "a.png", "photos.zip", "--observed-at", "mtime") == {"a.png": "a", **inside}
    assert run(["store", "verify"]) == 0
    assert "7 rows" in capfd.readouterr().out


def test_a_folder_takes_what_it_took(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kind is asked about paths of the command line, not about the files of a folder."""
    monkeypatch.setattr(registry, "INPUT_KINDS", [ZipOfImages(), *registry.INPUT_KINDS])
    assert set(predicted(capfd, ".")) == {"./a.png", "./b.png", "./c.png"}
