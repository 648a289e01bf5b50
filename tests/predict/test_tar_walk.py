"""The walk over a tar finds what Python's tarfile and GNU tar wrote, and no damage passes for the archive's end."""

import gzip
import io
import os
import subprocess
import tarfile
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.errors import FacemonError
from facemon.predict.tar_walk import TarWalk
from tests.predict.tar_files import member, tar_bytes

FORMATS = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)
NAMES = st.lists(
    st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=60),
    min_size=1, max_size=4,
).map("/".join)  # fmt: skip
MEMBERS = st.lists(st.tuples(NAMES, st.binary(max_size=1500)), min_size=1, max_size=6)
Found = list[tuple[str, bytes]]


def walked(content: bytes) -> Found:
    return list(walk(io.BytesIO(content)))


def walk(stream: io.BufferedIOBase) -> Iterator[tuple[str, bytes]]:
    archive = TarWalk(stream, "x.tar")  # type: ignore[arg-type]
    for each in archive:
        yield each.name, b"" if each.fault else archive.content(each)


def until_damage(content: bytes) -> tuple[Found, str | None]:
    found: Found = []
    try:
        for each in walk(io.BytesIO(content)):
            found.append(each)
    except FacemonError as error:
        return found, error.message
    return found, None


class Forward(io.BytesIO):
    """Bytes that cannot be moved back, as those of a compressed file should not be."""

    def seek(self, place: int, whence: int = 0) -> int:
        assert place >= self.tell()
        return super().seek(place, whence)


@given(members=MEMBERS, format_=st.sampled_from(FORMATS))
def test_what_tarfile_writes_is_found(members: Found, format_: int) -> None:
    try:
        content = tar_bytes(members, format_)
    except ValueError:  # ustar has no room for such a name
        return
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        expected = [(each.name, archive.extractfile(each).read()) for each in archive]  # type: ignore[union-attr]
    assert walked(content) == expected
    assert list(walk(Forward(content))) == expected


@pytest.mark.parametrize("format_", FORMATS)
def test_a_cut_anywhere_is_damage_and_what_came_before_is_a_beginning(format_: int) -> None:
    members = [("a/1.jpg", b"x" * 700), ("a/" + "n" * 90 + "é.jpg", b"y"), ("b/" + "m" * 200, b""), ("c", b"z" * 512)]
    members = [each for each in members if format_ != tarfile.USTAR_FORMAT or len(each[0]) < 99]
    content = tar_bytes(members, format_)
    end = len(content.rstrip(b"\0"))
    end += -end % 512
    whole = walked(content)
    for place in range(end + 512):
        found, said = until_damage(content[:place])
        assert said is not None, place
        assert found == whole[: len(found)], place
    assert walked(content[: end + 512]) == whole


def test_where_the_damage_is_is_said() -> None:
    content = bytearray(tar_bytes([("a.jpg", b"x" * 700), ("b.jpg", b"y"), ("c.jpg", b"z")], tarfile.GNU_FORMAT))
    content[1536 + 3] ^= 1
    found, said = until_damage(bytes(content))
    assert [name for name, _ in found] == ["a.jpg"]
    assert said == "x.tar: the archive is damaged at byte 1,536: a header cannot be read (bad checksum)"
    assert until_damage(bytes(content[:1100]))[1] == (
        "x.tar: the archive is damaged at byte 1,100: it ends within the member a.jpg"
    )
    assert until_damage(bytes(content[:1536]))[1] == (
        "x.tar: the archive is damaged at byte 1,536: its end mark is missing"
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "is empty"), (b"\x89PNG" + bytes(600), "is not a tar archive"), (b"abc", "is not a tar archive")],
)
def test_what_is_not_a_tar(content: bytes, said: str) -> None:
    with pytest.raises(FacemonError) as caught:
        TarWalk(io.BytesIO(content), "x.tar").require_tar()
    assert caught.value.message == f"x.tar: {said}"


def test_an_archive_of_nothing_is_whole_and_joined_archives_are_not() -> None:
    assert walked(tar_bytes({})) == []
    assert walked(bytes(512)) == []
    one = tar_bytes({"a.jpg": b"x"})
    found, said = until_damage(one + one)
    assert len(found) == 1
    assert said is not None
    assert "more follows the end of the archive" in said


def test_random_damage_is_told_or_changes_nothing_of_the_order() -> None:
    content = tar_bytes([(f"cam/{number}.jpg", b"x" * number * 100) for number in range(12)])
    whole = {name for name, _ in walked(content)}
    for seed in range(2000):
        random = Random(seed)
        damaged = bytearray(content)
        for _ in range(random.randrange(1, 6)):
            damaged[random.randrange(len(damaged))] = random.randrange(256)
        found, said = until_damage(bytes(damaged))
        if said is None:
            assert len(found) == len(whole)  # bytes of a member, or of a header that its checksum does not tell


def test_headers_of_any_size_are_not_held() -> None:
    """A tar of zeros compresses to little, and its extended header could fill the memory."""
    for type_ in (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK):
        header = member("x", 1 << 40, type_=type_).tobuf(tarfile.GNU_FORMAT)
        assert "an extended header has 1,099,511,627,776 bytes" in str(until_damage(header + bytes(4096))[1])
    chain = member("x", 0, type_=tarfile.XHDTYPE).tobuf() * 5000
    assert until_damage(chain + tar_bytes({"a": b"b"})) == ([("a", b"b")], None)


def test_a_header_that_belongs_to_no_member() -> None:
    header = member("x", 0, type_=tarfile.XHDTYPE).tobuf()
    assert "no member follows an extended header" in str(until_damage(header + bytes(1024))[1])
    assert until_damage(member("x", 0, type_=tarfile.XGLTYPE).tobuf() + bytes(1024)) == ([], None)


@pytest.mark.parametrize(
    "record",
    [b"1" * 4000, b"9999 path=x\n", b"0 path=x\n", b"12 pathxxxx\n", b"-5 path=x\n", b"11 path=abcd", b"1_0 path=x\n"],
)
def test_an_extended_header_that_cannot_be_read(record: bytes) -> None:
    header = member("x", len(record), type_=tarfile.XHDTYPE).tobuf()
    content = header + record + bytes(-len(record) % 512) + tar_bytes({"a": b"b"})
    assert until_damage(content) == ([], "x.tar: the archive is damaged at byte 512: an extended header cannot be read")


@pytest.mark.parametrize("size", ["-1", "9" * 30, "1e3", "٣"])
def test_a_size_that_is_no_number_of_bytes(size: str) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        header = member("a.jpg")
        header.pax_headers = {"size": size}
        archive.addfile(header)
    assert "a size that is not a number of bytes" in str(until_damage(stream.getvalue())[1])


@pytest.mark.parametrize("size", [-1, 1 << 80])
def test_a_size_that_no_file_has(size: int) -> None:
    header = bytearray(member("a.jpg").tobuf())
    header[124:136] = (1 << 95 | size % (1 << 88) | (size < 0) * (0x7F << 88)).to_bytes(12, "big")
    header[148:156] = b"%06o\0 " % (256 + sum(header[:148]) + sum(header[156:]))
    assert "a header has a size of" in str(until_damage(bytes(header) + bytes(1024))[1])


def test_memory_does_not_follow_the_number_of_members(tmp_path: Path) -> None:
    peaks = []
    for count in (100, 3000):
        path = tmp_path / f"{count}.tar"
        path.write_bytes(b"".join(member(f"{number}.jpg").tobuf() for number in range(count)) + bytes(1024))
        with path.open("rb") as file:
            tracemalloc.start()
            assert sum(1 for _ in TarWalk(file, "x.tar")) == count
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[1] < 2 * peaks[0]


def gnu_tar(folder: Path, *arguments: str) -> bytes:
    return subprocess.run(["tar", "-c", *arguments], cwd=folder, check=True, capture_output=True).stdout


@pytest.mark.parametrize("options", [["--format=gnu"], ["--format=posix"], ["--format=ustar"], ["--format=v7"]])
def test_what_gnu_tar_writes(tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "cam").mkdir()
    long = "cam/" + "ä" * 40 + ".jpg"
    for name in ("cam/a.jpg", long):
        (tmp_path / name).write_text(name)
    (tmp_path / "cam/link.jpg").symlink_to("a.jpg")
    os.link(tmp_path / "cam/a.jpg", tmp_path / "cam/hard.jpg")
    if "v7" not in options[0]:
        os.mkfifo(tmp_path / "cam/pipe.jpg")
    content = gnu_tar(tmp_path, *options, "--sort=name", "cam")
    found = list(TarWalk(io.BytesIO(content), "x.tar"))
    odd = {each.name: each.fault.split(":")[0] for each in found if each.fault}
    expected = {"cam/hard.jpg": "is a hard link, which is not followed", "cam/link.jpg": "is a symbolic link, which"}
    expected |= {} if "v7" in options[0] else {"cam/pipe.jpg": "is a named pipe, not a file"}
    assert {name: said[: len(expected[name])] for name, said in odd.items()} == expected
    assert {name: data.decode() for name, data in walked(content) if name not in odd} == {
        name: name for name in ("cam/a.jpg", long)
    }


@pytest.mark.parametrize("format_", ["gnu", "posix --sparse-version=0.0", "posix --sparse-version=1.0"])
def test_sparse_files_are_named_and_the_walk_goes_on(tmp_path: Path, format_: str) -> None:
    with (tmp_path / "holes.jpg").open("wb") as file:
        for number in range(60):
            file.seek(number << 17)
            file.write(b"x" * 4096)
    (tmp_path / "z.jpg").write_text("whole")
    content = gnu_tar(tmp_path, "--sparse", *f"--format={format_}".split(), "holes.jpg", "z.jpg")
    sparse, whole = TarWalk(io.BytesIO(content), "x.tar")
    assert (sparse.name, whole.name, whole.fault) == ("holes.jpg", "z.jpg", None)
    assert str(sparse.fault).startswith("is stored as a sparse file")
    assert walked(content)[1] == ("z.jpg", b"whole")


def test_a_compressed_stream_is_read_once(tmp_path: Path) -> None:
    content = gzip.compress(tar_bytes([(f"{number}.jpg", bytes(512 * number)) for number in range(50)]))
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
        archive = TarWalk(stream, "x.tar.gz")  # type: ignore[arg-type]
        assert [len(archive.content(each)) for each in archive] == [512 * number for number in range(50)]
