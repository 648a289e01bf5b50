"""The textfile: replaced in one step, and refused where node-exporter, as another user, could not read it."""

import os
import stat
from pathlib import Path

import pytest

from facemon.errors import FacemonError
from facemon.metrics.textfile import drafted_textfile

TEXT = "drift_score 0.25\n"
OLD = 'facemon_build_info{version="0.1.0"} 1.0\n'


def write(path: Path, text: str = TEXT) -> None:
    with drafted_textfile(path, text) as put_in_place:
        put_in_place()


def test_it_is_whole_and_readable_by_all(open_folder: Path) -> None:
    path = open_folder / "facemon.prom"
    before = os.umask(0o077)
    try:
        write(path)
    finally:
        os.umask(before)
    assert path.read_text() == TEXT
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(open_folder.iterdir()) == [path]


def test_it_is_replaced_not_written_into(open_folder: Path) -> None:
    path = open_folder / "facemon.prom"
    path.write_text(OLD)
    with path.open() as reader:
        write(path)
        assert reader.read() == OLD
    assert path.read_text() == TEXT


def test_nothing_is_seen_before_it_is_put_in_place(open_folder: Path) -> None:
    path = open_folder / "facemon.prom"
    path.write_text(OLD)
    with drafted_textfile(path, TEXT) as put_in_place:
        assert path.read_text() == OLD
        assert [found.name for found in open_folder.glob("*.prom")] == ["facemon.prom"]
        put_in_place()
        assert path.read_text() == TEXT


def test_a_block_that_fails_leaves_the_old_one_and_nothing_else(open_folder: Path) -> None:
    path = open_folder / "facemon.prom"
    path.write_text(OLD)
    with pytest.raises(FacemonError, match="no commit"), drafted_textfile(path, TEXT):
        raise FacemonError("no commit")
    with pytest.raises(UnicodeEncodeError):  # fails in the middle of writing
        write(path, "new\n\udcff")
    assert path.read_text() == OLD
    assert list(open_folder.iterdir()) == [path]


@pytest.mark.parametrize("name", ["facemon.txt", "facemon", "facemon.prom.tmp", "."])
def test_a_name_that_node_exporter_would_not_read_is_refused(open_folder: Path, name: str) -> None:
    with pytest.raises(FacemonError, match=r"only \*\.prom"):
        write(open_folder / name if name != "." else Path())
    assert not list(open_folder.iterdir())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing/facemon.prom", "there is no folder .*/missing"),
        ("file/facemon.prom", "there is no folder .*/file"),
        ("folder.prom", "it is not a regular file"),
        ("pipe.prom", "it is not a regular file"),
        ("null.prom", "it is not a regular file"),
        ("loop.prom", "Too many levels of symbolic links"),
        (f"{'n' * 250}.prom", "File name too long"),
    ],
)
def test_a_place_that_cannot_be_written(open_folder: Path, name: str, said: str) -> None:
    (open_folder / "folder.prom").mkdir()
    (open_folder / "file").touch()
    os.mkfifo(open_folder / "pipe.prom")
    (open_folder / "null.prom").symlink_to("/dev/null")
    (open_folder / "loop.prom").symlink_to("loop.prom")
    before = sorted(open_folder.rglob("*"))
    with pytest.raises(FacemonError, match=f"cannot be written: {said}"):
        write(open_folder / name)
    assert sorted(open_folder.rglob("*")) == before
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


@pytest.mark.parametrize(
    ("closed", "mode", "hint"),
    [
        ("a/b", 0o750, "o+rx"),
        ("a/b", 0o751, "o+rx"),
        ("a/b", 0o754, "o+rx"),
        ("a", 0o700, "o+x"),
        ("a", 0o744, "o+x"),
    ],
)
def test_a_folder_that_others_cannot_read_is_refused(open_folder: Path, closed: str, mode: int, hint: str) -> None:
    folder = open_folder / "a" / "b"
    folder.mkdir(parents=True)
    write(folder / "facemon.prom")
    (open_folder / closed).chmod(mode)
    with pytest.raises(FacemonError, match=f"other users cannot read .*{closed}") as refused:
        write(folder / "facemon.prom", "new")
    assert (refused.value.hint or "").startswith(f"chmod {hint} {open_folder / closed},")
    assert (folder / "facemon.prom").read_text() == TEXT


def test_a_parent_that_can_only_be_entered_is_enough(open_folder: Path) -> None:
    (open_folder / "a" / "b").mkdir(parents=True)
    (open_folder / "a").chmod(0o711)
    write(open_folder / "a" / "b" / "facemon.prom")
    assert (open_folder / "a" / "b" / "facemon.prom").read_text() == TEXT


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a folder to a group that it is not in")
@pytest.mark.parametrize(("mode", "is_taken"), [(0o750, True), (0o710, False), (0o700, False)])
def test_a_folder_of_node_exporters_group_is_taken(open_folder: Path, mode: int, is_taken: bool) -> None:
    folder = open_folder / "node"
    folder.mkdir()
    os.chown(folder, -1, 65533)
    folder.chmod(mode)
    if is_taken:
        write(folder / "facemon.prom")
    else:
        with pytest.raises(FacemonError, match="other users cannot read"):
            write(folder / "facemon.prom")
    assert (folder / "facemon.prom").exists() == is_taken


@pytest.mark.parametrize("is_there", [True, False])
def test_of_a_link_the_target_is_replaced(open_folder: Path, is_there: bool) -> None:
    (open_folder / "elsewhere").mkdir(mode=0o711)
    target, link = open_folder / "elsewhere" / "metrics", open_folder / "facemon.prom"
    link.symlink_to("elsewhere/metrics")
    if is_there:
        target.write_text(OLD)
    write(link)
    assert link.is_symlink()
    assert target.read_text() == TEXT
    assert list((open_folder / "elsewhere").iterdir()) == [target]


def test_a_link_into_a_closed_folder_is_refused(open_folder: Path) -> None:
    (open_folder / "closed").mkdir(mode=0o700)
    (open_folder / "facemon.prom").symlink_to("closed/facemon.prom")
    with pytest.raises(FacemonError, match=r"other users cannot read .*closed"):
        write(open_folder / "facemon.prom")
    assert not list((open_folder / "closed").iterdir())
