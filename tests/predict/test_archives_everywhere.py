"""Archives in object storage, folders, lists and manifests: the images of a local archive, or the same error."""

import gzip
import io
import random
import threading
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.domain.image_input import ImageInput, ImageProblem
from facemon.errors import FacemonError
from facemon.local_path import file_url
from facemon.model.decoding import read_image
from facemon.object_storage.object_store import ObjectStores
from facemon.predict.fetching_ahead import fetched_ahead
from facemon.predict.image_source import ImageSource, ObservedFrom
from facemon.predict.object_blocks import BLOCK_BYTES, BLOCKS_AHEAD
from tests.object_storage.origin import Fault, Origin, etag, running_origin
from tests.object_storage.reached_storage import lead_to
from tests.patience import HANG_S
from tests.predict.tar_files import BLUE, GREEN, RED, tar_bytes, write_tar

LIMIT = 1 << 20
NAMES = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "a/", "b c/", ".hidden/", "../"]),
    st.text("ab.-é _%?#", min_size=1, max_size=4).filter(lambda name: name not in (".", "..")),
    st.sampled_from([".png", ".JPG", ".txt", ".json", ".cls"]),
)
JSON = [
    b'{"source": "gate"}',
    b'{"caption": "x"}',
    b'{"observed_at": "noon"}',
    b"{",
    b'{"image_id": "7", "box": [0, 0, 3, 3]}',
]
MEMBERS = st.lists(st.tuples(NAMES, st.sampled_from([RED, GREEN, b"", *JSON])), min_size=1, max_size=9)


@pytest.fixture(scope="module")
def running() -> Iterator[Origin]:
    with running_origin() as origin:
        yield origin


@pytest.fixture
def origin(running: Origin, monkeypatch: pytest.MonkeyPatch) -> Origin:
    lead_to(running.url, monkeypatch)
    running.buckets.clear()
    running.faults.clear()
    running.asked.clear()
    running.cut = lambda _: ""
    return running


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def source(*paths: str, **options: Any) -> ImageSource:
    return ImageSource(paths, stores=ObjectStores(), max_bytes=LIMIT, observed_at=ObservedFrom.MTIME, **options)


def seen(images: Iterable[ImageInput], path: str = "") -> tuple[list[tuple[Any, ...]], str]:
    """All that is known of each image before it is predicted, and the error that ends them."""
    found = []
    try:
        for each in images:
            content: bytes | str | ImageProblem | None = each.content
            if each.problem is not None:
                content = each.problem.message
            elif content is None:
                assert each.path is not None
                content = read_image(each.path, LIMIT, each.root, each.part)
            content = content.message if isinstance(content, ImageProblem) else content
            name = each.name.removeprefix(path)
            found.append((name, content, each.observed_at, each.source, each.id, each.box))
    except FacemonError as error:
        return found, error.message.removeprefix(path)
    return found, ""


@given(members=MEMBERS, suffix=st.sampled_from([".tar", ".tgz"]), cut=st.none() | st.integers(1, 9000))
def test_an_archive_gives_the_same_wherever_it_lies(
    members: list[tuple[str, bytes]],
    suffix: str,
    cut: int | None,
    running: Origin,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    whole = tar_bytes(members)[:cut]
    content = whole if suffix == ".tar" else gzip.compress(whole, mtime=0)
    place = tmp_path_factory.mktemp("archives")
    (place / f"x{suffix}").write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        lead_to(running.url, patch)
        patch.chdir(place)
        running.buckets["b"] = {f"x{suffix}": content}
        local, url, remote = f"x{suffix}", file_url(f"{place}/x{suffix}"), f"s3://b/x{suffix}"
        Path("m.csv").write_text(f"image\n{local}\n{remote}\n")
        expected = seen(opened(local), local)
        assert seen(opened(remote), remote) == expected
        named = seen(opened(url), url)
        # An address spells ? and other characters of a member's name as %3F, in messages too.
        plain = [tuple(unquote(cell) if isinstance(cell, str) else cell for cell in row[1:]) for row in named[0]]
        assert (plain, named[1]) == ([tuple(row[1:]) for row in expected[0]], expected[1])
        of_manifest, error = seen(source("m.csv"), local)
        assert of_manifest[: len(expected[0])] == expected[0]
        assert error == expected[1]
        assert len(of_manifest) == (1 if error else 2) * len(expected[0])


def opened(path: str) -> Iterator[ImageInput]:
    """The images of a path, of which the first one raises the error that the path is refused by."""
    yield from source(path)


def test_archives_give_their_images_in_a_folder_a_prefix_a_list_and_a_manifest(origin: Origin) -> None:
    files = {"a.png": RED, "b.tar": tar_bytes({"1.png": GREEN}), "c/d.TGZ": gzip.compress(tar_bytes({"2.png": BLUE}))}
    origin.buckets["b"] = {f"day/{name}": content for name, content in files.items()}
    for name, content in files.items():
        Path("day", name).parent.mkdir(parents=True, exist_ok=True)
        Path("day", name).write_bytes(content)
    names = ["a.png", "b.tar/1.png", "c/d.TGZ/2.png"]
    whole = f"file://{Path.cwd()}/day"
    for base in ("day", whole, "s3://b/day"):
        Path("m.csv").write_text("".join(["image\n", *(f"{base}/{name}\n" for name in files)]))
        lists = [f"{base}/".encode(), "\n".join(f"{base}/{name}" for name in files).encode()]
        sources = [source(base), source("m.csv"), *(source("-", path_list=io.BytesIO(each)) for each in lists)]
        for each in sources:
            assert [image.name for image in fetched(each)] == [f"{base}/{name}" for name in names]
            assert (each.skipped.total, each.empty_directories) == (0, [])
    origin.buckets["e"] = {"x.tar": tar_bytes({"1.txt": b""}), "day/x.tar": tar_bytes({"1.txt": b""})}
    for path in ("s3://e/x.tar", "s3://e/day/"):
        empty = source(path)
        assert (list(empty), empty.empty_directories) == ([], [path])


def fetched(images: ImageSource) -> list[ImageInput]:
    return list(fetched_ahead(images, threading.Event()))


def test_root_confines_archives_and_what_is_read_of_them_later() -> None:
    for place in ("in", "out"):
        Path(place).mkdir()
        write_tar(Path(place, "x.tar"), {"a.png": RED})
    Path("in/away.tar").symlink_to(Path("out/x.tar").absolute())
    Path("m.csv").write_text("image\nx.tar\n../out/x.tar\naway.tar\nd.tar\n")
    Path("in/d.tar").mkdir()
    found, error = seen(source("m.csv", root=Path("in")))
    assert ([(name, content) for name, content, *_ in found], error) == (
        [
            ("x.tar/a.png", RED), ("../out/x.tar", "lies outside --root in"), ("away.tar", "lies outside --root in"),
            ("d.tar", "is a directory"),
        ],
        "",
    )  # fmt: skip


def test_the_row_of_an_archive_says_what_its_own_files_do_not(origin: Origin) -> None:
    content = tar_bytes({"1.json": b'{"source": "gate"}', "1.png": RED, "2.png": GREEN})
    origin.buckets["b"] = {"x.tar": content}
    row = "s3://b/x.tar,door,2026-11-20T10:00:00Z"
    Path("m.csv").write_text(f"image,source,observed_at,etag,size\n{row},{etag(content)},{len(content)}\n")
    assert [(each.source, str(each.observed_at)) for each in source("m.csv")] == [
        ("gate", "2026-11-20 10:00:00+00:00"), ("door", "2026-11-20 10:00:00+00:00"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("columns", "cells", "said"),
    [
        ("etag", "0" * 32, "s3://b/x.tar: the object has the ETag"),
        ("size", "7", "s3://b/x.tar: the object has 10240 bytes"),
        ("image_id", "7", "s3://b/x.tar: its row gives image_id"),
        ("box_left,box_top,box_right,box_bottom", "1,2,3,4", "s3://b/x.tar: its row gives box"),
    ],
)
def test_a_row_that_does_not_fit_its_archive_ends_the_run(columns: str, cells: str, said: str, origin: Origin) -> None:
    origin.buckets["b"] = {"x.tar": tar_bytes({"1.png": RED})}
    Path("m.csv").write_text(f"image,{columns}\ns3://b/x.tar,{cells}\n")
    with pytest.raises(FacemonError, match=said):
        list(source("m.csv"))


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(404, "NoSuchKey"), "there is no such object"),
        (Fault(403, "AccessDenied"), "permission to read it is denied"),
        (Fault(400, "ExpiredToken"), "does not accept the credentials"),
        (Fault(sent=600), "the answer was cut off"),
    ],
)
def test_an_archive_that_cannot_be_had_ends_the_run(fault: Fault, said: str, origin: Origin) -> None:
    content = tar_bytes({"1.png": RED})
    origin.buckets["b"] = {"x.tar": content, "y.tar": content}
    origin.faults["b/y.tar"] = fault
    Path("m.csv").write_text("image\ns3://b/x.tar\ns3://b/y.tar\n")
    found, error = seen(source("m.csv"))
    assert [name for name, *_ in found] == ["s3://b/x.tar/1.png"]
    assert error.startswith("s3://b/y.tar: ")
    assert said in error


def large(blocks: int) -> bytes:
    """A tar of so many blocks, of members that lie across their borders."""
    rng = random.Random(8)
    return tar_bytes({f"{number:03}.png": rng.randbytes(LIMIT * 3 // 4) for number in range(blocks * 8 // 3)})


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz"])
def test_few_blocks_are_held_however_large_the_archive_is(suffix: str, origin: Origin) -> None:
    whole = large(12)
    Path("x.tar").write_bytes(whole)
    content = whole if suffix == ".tar" else gzip.compress(whole, 1)
    origin.buckets["b"] = {f"x{suffix}": content}
    images = iter(source(f"s3://b/x{suffix}"))
    first = list(islice(images, 2))
    assert len(origin.asked) <= 1 + 1 + BLOCKS_AHEAD + 1
    expected = seen(source("x.tar"), "x.tar")
    assert [(each.name, each.content) for each in [*first, *images]] == [
        (f"s3://b/x{suffix}{name}", content) for name, content, *_ in expected[0]
    ]
    # One request says what it is, and each block takes one.
    assert len(origin.asked) == 1 + -(-len(content) // BLOCK_BYTES)


@pytest.mark.parametrize("is_told", [True, False])
def test_an_archive_that_changes_while_it_is_read_ends_the_run(is_told: bool, origin: Origin) -> None:
    origin.buckets["b"] = {"x.tar": large(12)}
    origin.keeps_conditions = is_told
    images = iter(source("s3://b/x.tar"))
    next(images)
    origin.buckets["b"]["x.tar"] = large(12)[::-1]
    with pytest.raises(FacemonError, match=r"s3://b/x\.tar: the object was changed while it was read"):
        list(images)
    origin.keeps_conditions = True


def test_a_run_that_is_to_stop_does_not_wait_for_an_archive(origin: Origin) -> None:
    origin.buckets["b"] = {"x.tar": large(2)}
    origin.faults["b/x.tar"] = Fault(sent=9, stalls=True)
    stop = threading.Event()
    images = iter(source("s3://b/x.tar", stop=stop))
    stop.set()
    assert list(images) == []


def test_members_beyond_the_limit_are_not_read(origin: Origin) -> None:
    origin.buckets["b"] = {"x.tar": tar_bytes({"a.png": bytes(LIMIT + 1), "b.png": RED})}
    assert [(each.content, each.problem and each.problem.message) for each in source("s3://b/x.tar")] == [
        (None, f"the file has {LIMIT + 1} bytes; the limit is {LIMIT}"), (RED, None),
    ]  # fmt: skip


def test_members_that_are_passed_over_do_not_hold_up_what_follows(origin: Origin) -> None:
    large = bytes((BLOCKS_AHEAD + 2) * BLOCK_BYTES)
    members = {name: content for number in range(4) for name, content in
               ((f"{number}.png", RED), (f"{number}.mp4", large))}  # fmt: skip
    origin.buckets["b"] = {"x.tar": tar_bytes({**members, "4.png": RED})}
    found: list[str] = []
    reading = threading.Thread(target=lambda: found.extend(each.name for each in source("s3://b/x.tar")), daemon=True)
    reading.start()
    reading.join(HANG_S)
    assert found == [f"s3://b/x.tar/{number}.png" for number in range(5)]
