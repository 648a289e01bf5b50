"""Tar archives as inputs: they give the images of the folder that was packed, and nothing else is opened."""

import gzip
import io
import os
import tarfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.domain.image_input import ImageInput, ImageProblem
from facemon.domain.prediction import ErrorCode
from facemon.errors import FacemonError, UsageError
from facemon.model.decoding import read_image
from facemon.model.predictor import Predictor
from facemon.predict.image_source import ImageSource, ObservedFrom
from tests.predict.predicted import small_predictor
from tests.predict.tar_files import BLUE, GREEN, RED, member, tar_bytes, write_tar

LIMIT = 1 << 20
FOLDERS = st.sampled_from(["", "a/", "b/c/", ".hidden/", "@eaDir/", "d.jpg/"])
STEMS = st.text("ab.-é _", min_size=1, max_size=4).filter(lambda name: name not in (".", ".."))
SUFFIXES = st.sampled_from([".png", ".PNG", ".jpg", ".txt", "", ".json", ".cls"])
NAMES = st.tuples(FOLDERS, STEMS, SUFFIXES).map("".join).filter(lambda name: name.rpartition("/")[2] not in (".", ".."))
CONTENTS = st.sampled_from([RED, GREEN, BLUE, RED[:40], b"", b"text"])
TREES = (
    st.dictionaries(NAMES, CONTENTS, min_size=1, max_size=8)
    .filter(lambda files: not {"d.jpg", "a", "b"} & files.keys())
    .map(lambda files: {name: b'{"caption": "x"}' if name.endswith(".json") else files[name] for name in files})
)


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    return small_predictor(tmp_path_factory.mktemp("model"))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows(predictor: Predictor, path: str) -> list[dict[str, Any]]:
    """What is logged of an input, but for the times."""
    source = ImageSource([path])
    inputs = list(source)
    found = predictor.predict(inputs, "r").rows.to_pylist() if inputs else []
    skipped = str(source.skipped).split(";")[0] if source.skipped.total else ""
    return [*({**row, "image": row["image"].removeprefix(f"{path}/")} for row in found), {"skipped": skipped}]


def content(image: ImageInput) -> bytes | ImageProblem:
    if image.problem is not None:
        return image.problem
    return image.content if image.path is None else read_image(image.path, LIMIT, part=image.part)  # type: ignore[return-value]


def inputs(path: Path | str, **options: Any) -> list[ImageInput]:
    return list(ImageSource([str(path)], **options))


def named(path: Path | str, **options: Any) -> dict[str, bytes | str]:
    """Each input's name with its bytes, or with what is wrong with it."""
    read = {each.name.removeprefix(str(path)): content(each) for each in inputs(path, **options)}
    return {name: each.message if isinstance(each, ImageProblem) else each for name, each in read.items()}


@given(files=TREES, suffix=st.sampled_from([".tar", ".tar.gz", ".tgz"]), order=st.randoms(use_true_random=False))
def test_a_tar_gives_what_its_folder_gives(
    files: dict[str, bytes], suffix: str, order: Any, predictor: Predictor, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("tree")
    os.chdir(place)
    names = list(files)
    order.shuffle(names)
    Path("tree").mkdir()
    for name in names:
        Path("tree", name).parent.mkdir(parents=True, exist_ok=True)
        Path("tree", name).write_bytes(files[name])
    write_tar(Path(f"tree{suffix}"), [(f"./{name}", files[name]) for name in names])
    of_tar, of_folder = rows(predictor, f"tree{suffix}"), rows(predictor, "tree")
    seen = [row["image"] for row in of_tar if "image" in row]
    assert seen == [name for name in names if name in seen]
    left_out = ("run", "ordinal", "observed_at", "predicted_at")
    by_name = [
        sorted(({k: v for k, v in row.items() if k not in left_out} for row in each), key=repr)
        for each in (of_tar, of_folder)
    ]
    assert by_name[0] == by_name[1]


@pytest.mark.parametrize("name", ["x.tar", "X.TAR", "x.tar.gz", "x.TGZ"])
def test_members_are_images_in_the_archive_s_order(name: str) -> None:
    archive = tar_bytes([("./z/1.png", RED), ("a.png", GREEN), ("/abs/2.png", BLUE), ("b/./c//3.png", RED)])
    Path(name).write_bytes(archive if name.lower().endswith(".tar") else gzip.compress(archive))
    assert list(named(name).items()) == [
        ("/z/1.png", RED),
        ("/a.png", GREEN),
        ("/abs/2.png", BLUE),
        ("/b/c/3.png", RED),
    ]


def test_of_a_plain_tar_nothing_is_held_and_each_image_is_read_where_it_lies() -> None:
    write_tar(Path("x.tar"), {"a.png": RED, "b.png": GREEN})
    for image in inputs("x.tar"):
        assert (image.content, str(image.path)) == (None, "x.tar")
        assert image.part is not None
        assert content(image) in (RED, GREEN)


def test_an_archive_that_changed_meanwhile_gives_no_other_image() -> None:
    write_tar(Path("x.tar"), {"a.png": RED})
    (image,) = inputs("x.tar")
    write_tar(Path("y.tar"), {"a.png": GREEN})
    Path("y.tar").replace("x.tar")
    assert content(image) == ImageProblem(ErrorCode.UNREADABLE, "the archive was changed while it was read")


def test_links_devices_and_names_that_lead_out_are_errors_and_nothing_is_opened() -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, type_, target in (
            ("sym.jpg", tarfile.SYMTYPE, "/etc/passwd"), ("hard.jpg", tarfile.LNKTYPE, "a.jpg"),
            ("pipe.jpg", tarfile.FIFOTYPE, ""), ("dev.jpg", tarfile.CHRTYPE, ""), ("dir.jpg", tarfile.DIRTYPE, ""),
            ("odd.jpg", b"Z", ""), ("link.txt", tarfile.SYMTYPE, "x"),
        ):  # fmt: skip
            header = member(name, type_=type_)
            header.linkname = target
            archive.addfile(header)
        for name in ("../../out.jpg", "n" * 5000 + ".jpg", "a\x1b[2J\n.jpg"):
            archive.addfile(member(name, len(RED)), io.BytesIO(RED))
        archive.addfile(member("../out.json", 16), io.BytesIO(b'{"source": "ab"}'))
    Path("x.tar").write_bytes(stream.getvalue())
    assert named("x.tar") == {
        "/sym.jpg": "is a symbolic link, which is not followed: write the archive with tar --dereference",
        "/hard.jpg": "is a hard link, which is not followed: write the archive with tar --hard-dereference",
        "/pipe.jpg": "is a named pipe, not a file",
        "/dev.jpg": "is a device, not a file",
        "/odd.jpg": "has the type b'Z', which is not read",
        ":7": "member 7: its name leads out of the archive by ..",
        ":8": "member 8: its name has 5,004 characters; a path has at most 4,096",
        "/a\x1b[2J\n.jpg": RED,
        ":10": "is beside no image of its name: the members of a sample must follow each other",
    }


def test_a_name_may_hold_any_bytes_but_nul() -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name in (os.fsdecode(b"\xff.png"), "a\0b.png"):
            header = member("x", len(RED))
            header.pax_headers = {"path": name}
            archive.addfile(header, io.BytesIO(RED))
    Path("x.tar").write_bytes(stream.getvalue())
    assert named("x.tar") == {
        "/\\xff.png": RED, ":2": "member 2: its name holds the character NUL, which no path can"
    }  # fmt: skip


@pytest.mark.parametrize("path", ["x.tar", "x.tar.gz"])
def test_a_member_beyond_the_limit_is_not_read(path: str) -> None:
    write_tar(Path(path), {"a.png": bytes(LIMIT + 1), "b.png": RED})
    said = f"the file has {LIMIT + 1} bytes; the limit is {LIMIT}"
    assert named(path, max_bytes=LIMIT) == {"/a.png": said, "/b.png": RED}


def test_the_time_of_a_member_is_that_of_its_header() -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as archive:
        archive.addfile(member("a.png", mtime=1_700_000_000))
        archive.addfile(member("b.png", mtime=2**62))
    Path("x.tar").write_bytes(stream.getvalue())
    times = [each.observed_at for each in inputs("x.tar", observed_at=ObservedFrom.MTIME)]
    assert times == [datetime.fromtimestamp(1_700_000_000, UTC), None]


@pytest.mark.parametrize("cut", [300, 600, 1100, 2000])
@pytest.mark.parametrize("path", ["x.tar", "x.tar.gz"])
def test_a_cut_archive_gives_a_beginning_and_says_where_it_ends(path: str, cut: int) -> None:
    whole = [(f"{number}.png", RED) for number in range(5)]
    write_tar(Path(path), whole)
    archive = Path(path).read_bytes()
    Path(path).write_bytes(archive[: cut if path.endswith("r") else len(archive) * cut // 2500])
    seen: list[str] = []
    with pytest.raises(FacemonError, match=rf"{path}: (the archive is damaged at byte|is not a tar archive)"):
        seen.extend(each.name for each in ImageSource([path]))
    assert seen == [f"{path}/{name}" for name, _ in whole][: len(seen)]


def test_an_archive_is_opened_before_the_first_image_is_read() -> None:
    write_tar(Path("x.tar"), {"a.png": RED})
    for name, archive, said in (
        ("empty.tar", b"", "is empty"), ("png.tar", RED * 30, "is not a tar archive"),
        ("gz.tar", gzip.compress(RED), "is compressed with gzip"), ("x.tgz", RED, "is not compressed with gzip"),
        ("short.tgz", gzip.compress(tar_bytes({"a": b""}))[:20], "its compressed data end too early"),
    ):  # fmt: skip
        Path(name).write_bytes(archive)
        with pytest.raises(FacemonError, match=f"{name}: .*{said}"):
            ImageSource(["x.tar", name])
    os.mkfifo("pipe.tar")
    for name, said in (("none.tar", "no such file"), ("pipe.tar", "is a named pipe")):
        with pytest.raises(FacemonError, match=f"{name}: the archive cannot be read: {said}"):
            ImageSource(["x.tar", name])


def test_an_archive_without_images_and_a_folder_that_is_called_so() -> None:
    write_tar(Path("x.tar"), {"a.txt": b"x"})
    source = ImageSource(["x.tar"])
    assert (list(source), list(source.empty_directories)) == ([], ["x.tar"])
    Path("d.tar").mkdir()
    Path("d.tar/a.png").write_bytes(RED)
    assert [each.name for each in inputs("d.tar")] == ["d.tar/a.png"]


def test_the_same_archive_twice_is_two_inputs_each_and_a_root_is_for_manifests() -> None:
    write_tar(Path("x.tar"), {"a.png": RED})
    assert [each.ordinal for each in ImageSource(["x.tar", "x.tar"])] == [0, 1]
    with pytest.raises(UsageError, match="--root confines"):
        ImageSource(["x.tar"], root=Path())


def test_a_member_in_a_list_or_a_manifest_is_an_error() -> None:
    write_tar(Path("x.tar"), {"a.png": RED})
    Path("m.csv").write_text("image\nx.tar/a.png\n")
    said = {"x.tar/a.png": "is in the archive x.tar, which predict reads as a whole: name the archive"}
    assert {each.name: content(each).message for each in inputs("m.csv")} == said  # type: ignore[union-attr]
    listed = ImageSource(["-"], path_list=io.BytesIO(b"x.tar/a.png\n"))
    assert {each.name: content(each).message for each in listed} == said  # type: ignore[union-attr]
