"""What a folder gives is what can be decoded, and all else is counted."""

import sys
from pathlib import Path

import pytest
from PIL import Image
from pillow_heif import register_heif_opener

from facemon.config.serving import PredictConfig
from facemon.domain.formats.registry import FORMATS, suffixes_of
from facemon.predict.folder_walk import FolderWalk
from facemon.predict.skipped_files import SkippedFiles

ALL = PredictConfig().formats
HEIC_REMEDY = "pip install 'facemon[heif]' to read .heic"


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def found(walk: FolderWalk, folder: Path) -> list[str]:
    return [str(Path(name).relative_to(folder)) for name, _ in walk.below(str(folder))]


def counted(*suffixes: str, formats: tuple[str, ...] = ALL) -> str:
    skipped = SkippedFiles(formats)
    for suffix in suffixes:
        skipped.add(suffix)
    assert skipped.total == len(suffixes)
    return str(skipped)


def test_pillow_agrees_which_format_an_extension_has() -> None:
    register_heif_opener()
    known = Image.registered_extensions()
    for name, format_ in FORMATS.items():
        assert {known[suffix].lower() for suffix in format_.suffixes} <= {name, "mpo" if name == "jpeg" else name}


def test_every_extension_is_taken_in_any_case(tmp_path: Path) -> None:
    names = {f"photo{written}" for suffix in suffixes_of(ALL) for written in (suffix, suffix.upper(), suffix.title())}
    touch(tmp_path, *names)
    walk = FolderWalk(ALL)
    assert found(walk, tmp_path) == sorted(names)
    assert walk.skipped.total == 0


def test_formats_that_are_not_accepted_are_counted_by_name(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "b.JFIF", "c.webp", "d/e.WEBP", "f.png")
    walk = FolderWalk(("jpeg", "png"))
    assert found(walk, tmp_path) == ["a.jpg", "b.JFIF", "f.png"]
    assert str(walk.skipped) == ("2 files are not images that can be read: 2 .webp; predict.formats leaves out .webp")


def test_what_systems_put_beside_images_is_neither_taken_nor_counted(tmp_path: Path) -> None:
    touch(
        tmp_path, "a.jpg", "._a.jpg", ".hidden.png", ".DS_Store", ".thumbnails/a.jpg", "@eaDir/a.jpg/SYNO_XL.jpg",
        "Thumbs.db", "__MACOSX/._a.jpg", "__MACOSX/b.jpg", ".git/logo.png", "desktop.ini", "d/._b.HEIC", "d/b.png",
    )  # fmt: skip
    walk = FolderWalk(ALL)
    assert found(walk, tmp_path) == ["a.jpg", "d/b.png"]
    assert walk.skipped.total == 0


def test_a_hidden_folder_that_is_named_is_meant(tmp_path: Path) -> None:
    touch(tmp_path, ".thumbnails/a.jpg")
    assert found(FolderWalk(ALL), tmp_path / ".thumbnails") == ["a.jpg"]


def test_links_to_folders_are_no_files(tmp_path: Path) -> None:
    touch(tmp_path, "d/notes.txt")
    (tmp_path / "link").symlink_to("d")
    (tmp_path / "other.txt").symlink_to("d/notes.txt")
    (tmp_path / "link.jpg").symlink_to("d")
    (tmp_path / "link.tar").symlink_to("d")
    (tmp_path / ".hidden").symlink_to("d")
    walk = FolderWalk(ALL)
    assert found(walk, tmp_path) == []
    assert walk.skipped.total == 2
    names = ", ".join(str(tmp_path / name) for name in ("link", "link.jpg", "link.tar"))
    assert walk.skipped.remarks == [
        "2 files are not images that can be read: 2 .txt",
        f"3 linked folders were not entered: {names}; name them on the command line",
    ]


@pytest.mark.parametrize("target", ["link.txt", "a.jpg/b", "x" * 300, "gone"])
def test_a_link_that_leads_nowhere_hides_no_files_beside_it(tmp_path: Path, target: str) -> None:
    touch(tmp_path, "a.jpg", "z.jpg")
    (tmp_path / "link.txt").symlink_to(target)
    walk = FolderWalk(ALL)
    assert list(walk.below(str(tmp_path))) == [(str(tmp_path / name), None) for name in ("a.jpg", "z.jpg")]
    assert str(walk.skipped) == "1 file is not an image that can be read: 1 .txt"


def test_counts_are_those_of_the_walk_so_far(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.jpg", "a/x.txt", "b/2.jpg", "b/y.txt")
    walk = FolderWalk(ALL)
    stream = walk.below(str(tmp_path))
    next(stream)
    assert walk.skipped.total == 1
    list(stream)
    assert walk.skipped.total == 2


def test_without_the_extra_heic_is_counted_and_the_extra_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "a.jpg", *(f"{index}.heic" for index in range(5)), *(f"{index}.txt" for index in range(12)))
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    walk = FolderWalk(ALL)
    assert found(walk, tmp_path) == ["a.jpg"]
    assert str(walk.skipped) == f"17 files are not images that can be read: 12 .txt, 5 .heic; {HEIC_REMEDY}"
    assert HEIC_REMEDY not in counted(".heic", formats=("jpeg",))


def test_the_commonest_kinds_are_shown() -> None:
    assert counted(".txt") == "1 file is not an image that can be read: 1 .txt"
    assert counted("") == "1 file is not an image that can be read: 1 without an extension"
    kinds = [".a"] * 5 + [".b"] * 4 + [".d"] * 3 + [".c"] * 3 + [".e", ".f"]
    expected = "17 files are not images that can be read: 5 .a, 4 .b, 3 .c, 3 .d, 2 others"
    assert counted(*kinds) == counted(*reversed(kinds)) == expected


def test_a_million_kinds_take_little_memory_and_steer_no_terminal() -> None:
    skipped = SkippedFiles(ALL)
    for index in range(10_000):
        skipped.add(f".{index}")
    skipped.add("." + "x" * 200)
    skipped.add(".\x1b[2J")
    assert len(skipped._counts) < 300
    assert str(skipped).startswith("10002 files are not images that can be read: 1 .0, 1 .1, ")
    assert "\x1b" not in counted(".\x1b[2J", ".\udcff")
