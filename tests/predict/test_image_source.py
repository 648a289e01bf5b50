import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest

from facemon.domain.prediction import ErrorCode
from facemon.errors import UsageError
from facemon.predict.image_source import ImageSource, ObservedFrom


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def names(source: ImageSource) -> list[str]:
    inputs = list(source)
    assert [image.ordinal for image in inputs] == list(range(len(inputs)))
    return [image.name for image in inputs]


def test_directories_are_walked_sorted_and_depth_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    touch(tmp_path, "d/b/2.JPG", "d/b/1.png", "d/a.jpeg", "d/c.webp", "d/b/deep/x.tif", "d/notes.txt", "d/z/y.gif")
    expected = ["d/a.jpeg", "d/b/1.png", "d/b/2.JPG", "d/b/deep/x.tif", "d/c.webp", "d/z/y.gif"]
    assert names(ImageSource(["d"])) == expected
    assert names(ImageSource(["./d/b", "d/c.webp"])) == [
        "./d/b/1.png", "./d/b/2.JPG", "./d/b/deep/x.tif", "d/c.webp"
    ]  # fmt: skip


def test_a_named_file_may_have_any_suffix_and_may_be_missing(tmp_path: Path) -> None:
    touch(tmp_path, "photo")
    paths = [str(tmp_path / "photo"), str(tmp_path / "missing.jpg"), "a\0b"]
    assert names(ImageSource(paths)) == paths


def test_the_same_file_twice_is_two_inputs(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg")
    assert names(ImageSource([str(tmp_path / "a.jpg"), str(tmp_path)])) == [str(tmp_path / "a.jpg")] * 2


def test_only_one_directory_is_open_at_a_time(tmp_path: Path) -> None:
    for index in range(3):
        touch(tmp_path, f"{index}/image.jpg")
    stream = iter(ImageSource([str(tmp_path)]))
    assert next(stream).name.endswith("0/image.jpg")
    # What has not been reached has not been listed: a new name there is still found, and an old one not missed.
    touch(tmp_path, "2/another.jpg")
    (tmp_path / "1/image.jpg").unlink()
    assert [Path(image.name).name for image in stream] == ["another.jpg", "image.jpg"]


def test_links(tmp_path: Path) -> None:
    touch(tmp_path, "d/real.jpg")
    (tmp_path / "d" / "loop").symlink_to(tmp_path / "d")
    (tmp_path / "d" / "broken.jpg").symlink_to("nowhere")
    (tmp_path / "d" / "linked.jpg").symlink_to("real.jpg")
    found = [Path(name).name for name in names(ImageSource([str(tmp_path / "d")]))]
    assert found == ["broken.jpg", "linked.jpg", "real.jpg"]
    # A link that is named is meant.
    assert len(names(ImageSource([str(tmp_path / "d" / "loop")]))) == 3


def test_a_list_on_stdin_is_echoed_as_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    touch(tmp_path, "d/a.jpg", "b c.jpg")
    lines = BytesIO(b"./b c.jpg\n\nmissing.jpg\r\nd\ncaf\xe9.jpg")
    source = ImageSource(["-", "d/a.jpg"], path_list=lines)
    assert names(source) == ["./b c.jpg", "missing.jpg", "d/a.jpg", "caf\\xe9.jpg", "d/a.jpg"]


def test_a_list_is_read_only_as_far_as_it_is_wanted() -> None:
    lines = BytesIO(b"a.jpg\nb.jpg\nc.jpg\n")
    stream = iter(ImageSource(["-"], path_list=lines))
    assert next(stream).name == "a.jpg"
    assert lines.tell() == len(b"a.jpg\n")


def test_a_list_that_is_asked_for_twice_or_not_there() -> None:
    with pytest.raises(UsageError):
        ImageSource(["-", "-"], path_list=BytesIO())
    with pytest.raises(UsageError):
        ImageSource(["-"])


def test_a_name_that_is_not_utf_8_is_found_and_shown_with_escapes(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/caf\xe9.jpg"
    Path(os.fsdecode(raw)).write_bytes(b"content")
    (found,) = ImageSource([str(tmp_path)])
    assert found.name == f"{tmp_path}/caf\\xe9.jpg"
    assert found.path is not None
    assert found.path.read_bytes() == b"content"


def test_directories_without_images_are_remembered(tmp_path: Path) -> None:
    touch(tmp_path, "empty/deep/notes.txt", "full/a.jpg")
    source = ImageSource([str(tmp_path / "empty"), str(tmp_path / "full")])
    assert len(list(source)) == 1
    assert source.empty_directories == [str(tmp_path / "empty")]
    assert source.skipped.total == 1


def test_a_directory_that_may_not_be_listed_is_an_input_with_a_problem(tmp_path: Path) -> None:
    touch(tmp_path, "d/a.jpg", "d/locked/b.jpg", "d/z.jpg")
    (tmp_path / "d" / "locked").chmod(0)
    prefix: tuple[str, ...] = ()
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip(
                "root lists every directory, and setpriv, which could take that from a process, is not installed"
            )
        prefix = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all")
    program = (
        "import sys; from facemon.predict.image_source import ImageSource\n"
        "for image in ImageSource(sys.argv[1:]): print(image.name.rsplit('/', 1)[1], image.problem)"
    )
    command = [*prefix, sys.executable, "-c", program, str(tmp_path / "d")]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    (tmp_path / "d" / "locked").chmod(0o700)
    first, locked, last = answer.stdout.splitlines()
    assert (first, last) == ("a.jpg None", "z.jpg None")
    assert locked.startswith("locked ")
    assert repr(ErrorCode.DENIED) in locked
    assert "the directory cannot be listed: permission denied" in locked


def test_times(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg")
    os.utime(tmp_path / "a.jpg", (0, 86400))
    paths = [str(tmp_path / "a.jpg"), str(tmp_path / "missing.jpg")]
    by_file = list(ImageSource(paths, observed_at=ObservedFrom.MTIME))
    assert [image.observed_at for image in by_file] == [datetime(1970, 1, 2, tzinfo=UTC), None]
    fixed = datetime(2026, 11, 23, tzinfo=UTC)
    assert {image.observed_at for image in ImageSource(paths, observed_at=fixed)} == {fixed}
    by_camera = list(ImageSource(paths, observed_at=ObservedFrom.EXIF, source="gate"))
    assert all(image.observed_from_exif and image.observed_at is None for image in by_camera)
    assert {image.source for image in by_camera} == {"gate"}
