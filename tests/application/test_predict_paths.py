"""Paths that predict is given and cannot use: exit 2 with the way out, and no store is made."""

import sys
from pathlib import Path

import pytest
from PIL import Image

from facemon.application.predict_paths import refuse_paths, refuse_without_boxes
from facemon.cli.main import run
from facemon.config.document import Config
from facemon.config.loader import parse_config
from facemon.errors import UsageError
from tests.acceptance.small_model import write_small_model

MANIFEST_FINDER = """
version: 1
model:
  name: m
  version: "1"
  faces: {finder: manifest}
  networks:
    - path: m.onnx
      input: {name: input, size: [4, 4]}
      attributes: [{name: hair, output: hair, kind: categorical, labels: [a, b], activation: softmax}]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (8, 8)).save("a.png")
    (tmp_path / "photos").mkdir()
    return tmp_path


def refused(*paths: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        refuse_paths(paths)
    return caught.value


def test_what_is_there_is_taken(folder: Path) -> None:
    (folder / "photos.zip").mkdir()
    (folder / "odd.name").touch()
    for name in ("x.tar", "x.TAR.GZ", "x.tgz"):
        (folder / name).touch()
    taken = ["a.png", "photos", "./photos/", "photos.zip", "odd.name", "-", str(folder), "x.tar", "x.TAR.GZ", "x.tgz"]
    refuse_paths(taken)


@pytest.mark.parametrize("path", ["typo.png", "photos/typo", "a.png/b.png", "*.jpg", "", "typo.csv", "typo.tar"])
def test_what_is_not_there_is_named(folder: Path, path: str) -> None:
    error = refused("a.png", path)
    assert error.message == f"{path or repr('')}: no such file or directory"
    assert error.hint is not None
    assert error.hint.startswith("nothing was logged: correct the path")


def test_a_link_to_nothing_is_not_there_and_a_folder_without_permission_is_a_row(folder: Path) -> None:
    (folder / "link").symlink_to("nothing")
    assert "link: no such file" in refused("link").message
    (folder / "loop").symlink_to("loop")
    refuse_paths(["loop", "x" * 300])  # the row has the system's reason


def test_few_of_many_are_shown_and_all_are_counted(folder: Path) -> None:
    lines = refused(*(f"{number}.jpg" for number in range(1000)), "a.png").message.splitlines()
    assert lines[0] == "0.jpg: no such file or directory"
    assert (len(lines), lines[-1]) == (6, "and 995 paths more")


@pytest.mark.parametrize(
    ("path", "kind", "remedy"),
    [
        ("x.RAR", "an archive (.rar)", "unrar x x.RAR"),
        ("my photos.zip", "an archive (.zip)", "unzip 'my photos.zip'"),
        ("x.mp4", "a video (.mp4)", "ffmpeg -i x.mp4"),
        ("a.b.MOV", "a video (.mov)", "ffmpeg -i a.b.MOV"),
    ],
)
def test_archives_and_videos_are_called_so(folder: Path, path: str, kind: str, remedy: str) -> None:
    Path(path).write_bytes(b"x")
    error = refused(path)
    assert error.message == f"{path}: is {kind}, not an image"
    assert remedy in str(error.hint)


@pytest.mark.parametrize(
    ("path", "suffix", "remedy"),
    [("x.tar.xz", ".tar.xz", "xz -dk x.tar.xz"), ("my x.TBZ2", ".tbz2", "bzip2 -dk 'my x.TBZ2'")],
)
def test_archives_in_another_compression_are_to_be_decompressed(
    folder: Path, path: str, suffix: str, remedy: str
) -> None:
    Path(path).write_bytes(b"x")
    error = refused(path)
    assert error.message == f"{path}: is a tar archive that is not compressed with gzip ({suffix})"
    assert error.hint == f"decompress it and name the .tar: {remedy}"


def test_each_kind_of_trouble_has_its_remedy_once(folder: Path) -> None:
    for name in ("1.zip", "2.zip", "3.mp4"):
        (folder / name).touch()
    error = refused("typo", "1.zip", "3.mp4", "2.zip", "typo2")
    assert len(error.message.splitlines()) == 5
    assert (
        str(error.hint).count("unpack it") == str(error.hint).count("ffmpeg") == str(error.hint).count("correct") == 1
    )


def test_a_name_cannot_make_a_line_of_its_own(folder: Path) -> None:
    assert refused("x\nhint: rm -rf\x1b[2J").message.splitlines() == [
        "x\\u000ahint: rm -rf\\u001b[2J: no such file or directory"
    ]


def test_nothing_is_logged_and_no_store_is_made(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_small_model(folder)
    before = sorted(path.name for path in folder.iterdir())
    for arguments in (
        ["a.png", "typo.png"],
        ["typo.csv"],
        ["-q", "typo.png", "-o", "out.jsonl", "--max-failures", "9"],
    ):
        assert run(["predict", *arguments]) == 2
    assert "typo.png: no such file" in capsys.readouterr().err
    assert sorted(path.name for path in folder.iterdir()) == before


def config_with(finder: str, folder: Path) -> Config:
    return parse_config(MANIFEST_FINDER.replace("manifest", finder), name="facemon.yaml", directory=folder)


def test_the_finder_manifest_takes_manifests_with_boxes_only(folder: Path) -> None:
    config = config_with("manifest", folder)
    (folder / "boxes.csv").write_text("image,box\na.png,0 0 4 4\n")
    (folder / "sides.csv").write_text("image,box_left,box_top,box_right,box_bottom\na.png,0,0,4,4\n")
    (folder / "some.jsonl").write_text('{"image": "a.png"}\n{"image": "a.png", "box": [0, 0, 4, 4]}\n')
    (folder / "none.csv").write_text("image,source\na.png,x\n")
    refuse_without_boxes(config, ["boxes.csv", "sides.csv", "some.jsonl"])
    for paths, said in (
        (["boxes.csv", "a.png"], "a.png is not a manifest"),
        (["photos"], "photos is not a manifest"),
        (["-"], "a list on stdin brings no boxes"),
        (["boxes.csv", "none.csv"], "the manifest none.csv has no column with boxes"),
    ):
        with pytest.raises(UsageError, match=said) as caught:
            refuse_without_boxes(config, paths)
        assert caught.value.message.startswith("model.faces.finder is manifest, but")
        refuse_without_boxes(config_with("none", folder), paths)


@pytest.mark.parametrize("line", ["serve --listen 127.0.0.1:0", "predict a.png"])
def test_each_command_that_brings_no_boxes_says_so_before_it_starts(
    folder: Path, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    (folder / "facemon.yaml").write_text(MANIFEST_FINDER)
    assert run(line.split()) == 2
    said = capsys.readouterr().err
    assert "model.faces.finder is manifest" in said
    assert "set model.faces.finder to dlib" in said
    assert sorted(path.name for path in folder.iterdir()) == ["a.png", "facemon.yaml", "photos"]


def test_only_what_logs_says_that_nothing_was_logged(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "facemon.yaml").write_text(MANIFEST_FINDER.replace("manifest", "none"))
    for line, hint in (
        ("predict typo.png", "nothing was logged: correct"),
        ("model check typo.png", "correct"),
    ):
        assert run(line.split()) == 2
        assert f"hint: {hint}" in capsys.readouterr().err


def test_serve_says_at_its_start_that_a_format_takes_an_extra(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "facemon.yaml").write_text("version: 1\napi: {formats: [jpeg, heif]}\n")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    assert run(["serve", "--listen", "127.0.0.1:0"]) == 2
    assert "api.formats has heif" in (said := capsys.readouterr().err)
    assert "pip install 'facemon[heif]'" in said


def test_null_is_for_a_list_on_stdin(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["predict", "-0", "a.png"]) == 2
    assert "--null needs a list on stdin" in capsys.readouterr().err
