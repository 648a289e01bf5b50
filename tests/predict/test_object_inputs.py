"""Objects as inputs: which are taken, what manifests and lists may name, and what becomes of each kind of trouble."""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from facemon.domain.image_input import ImageInput
from facemon.errors import FacemonError
from facemon.object_storage.object_store import ObjectStores
from facemon.predict.fetching_ahead import fetched_ahead
from facemon.predict.image_source import ImageSource, ObservedFrom
from tests.object_storage.origin import MODIFIED, Fault, Origin, etag
from tests.object_storage.reached_storage import reached_origin

SECRET = "hunter2"


@pytest.fixture
def origin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Origin]:
    with reached_origin(monkeypatch) as origin:
        yield origin


def source(*paths: str, **options: Any) -> ImageSource:
    return ImageSource(paths, stores=ObjectStores(), **options)


def fetched(images: ImageSource) -> list[ImageInput]:
    return list(fetched_ahead(images, threading.Event()))


def outcomes(images: Sequence[ImageInput]) -> dict[str, bytes | str | None]:
    """Each image with its bytes, or with its error."""
    return {image.name: image.problem.code.value if image.problem else image.content for image in images}


def test_a_prefix_gives_what_a_folder_would_give(origin: Origin) -> None:
    origin.buckets["photos"] = {
        key: key.encode()
        for key in (
            "a/1.JPG", "a/b/2.png", "a/.hidden.jpg", "a/.thumbs/3.jpg", "a/@eaDir/4.jpg", "a/notes.txt", "a/README",
            "a/x.csv", "ab/5.jpg",
        )
    } | {"a/": b"", "a/b/": b"", "a": b"an object of the same name"}  # fmt: skip
    images = source("s3://photos/a/")
    assert outcomes(fetched(images)) == {"s3://photos/a/1.JPG": b"a/1.JPG", "s3://photos/a/b/2.png": b"a/b/2.png"}
    assert str(images.skipped).startswith("3 files are not images that can be read:")
    assert outcomes(fetched(source("s3://photos/a"))) == {"s3://photos/a": b"an object of the same name"}
    assert [image.ordinal for image in source("s3://photos", "s3://photos/ab")] == [0, 1, 2, 3]


def test_without_images_a_prefix_is_remembered(origin: Origin) -> None:
    origin.buckets["photos"] = {"a/notes.txt": b"x"}
    images = source("s3://photos/a/", "s3://photos/b/")
    assert fetched(images) == []
    assert images.empty_directories == ["s3://photos/a/", "s3://photos/b/"]


def test_nothing_is_fetched_to_name_the_images(origin: Origin) -> None:
    origin.buckets["photos"] = {f"{number:03}.jpg": b"x" for number in range(300)}
    origin.page_keys = 100
    assert len(list(source("s3://photos"))) == 300
    assert origin.asked == ["LIST photos/"] * 3


def test_trouble_with_one_object_is_its_own(origin: Origin) -> None:
    origin.buckets["photos"] = {f"{name}.jpg": name.encode() * 20 for name in "abcdef"}
    origin.faults = {
        "photos/b.jpg": Fault(403, "AccessDenied"), "photos/c.jpg": Fault(404, "NoSuchKey"),
        "photos/d.jpg": Fault(sent=3), "photos/e.jpg": Fault(503, "SlowDown"),
    }  # fmt: skip
    found = fetched(source("s3://photos/", max_bytes=20))
    assert list(outcomes(found).values()) == [b"a" * 20, "denied", "unreadable", "unreadable", "unreadable", b"f" * 20]
    messages = [image.problem.message for image in found if image.problem]
    assert [message.split(",")[0] for message in messages] == [
        "permission to read it is denied", "no such object", "the answer was cut off",
        "the storage answers with 503 (SlowDown)",
    ]  # fmt: skip


def test_what_is_too_large_is_not_asked_for(origin: Origin, tmp_path: Path) -> None:
    origin.buckets["photos"] = {"large.jpg": b"x" * 21, "small.jpg": b"x" * 20}
    too_large = "too_large"
    assert list(outcomes(fetched(source("s3://photos/", max_bytes=20))).values()) == [too_large, b"x" * 20]
    assert origin.asked == ["LIST photos/", "GET photos/small.jpg"]
    # Of a manifest only the head of the answer says how large an object is: its body is not read.
    origin.faults["photos/large.jpg"] = Fault(sent=0, stalls=True)
    (tmp_path / "m.csv").write_text("image\ns3://photos/large.jpg\n")
    (image,) = fetched(source(str(tmp_path / "m.csv"), max_bytes=20))
    assert image.problem is not None
    assert image.problem.message == "the file has 21 bytes; the limit is 20"


def test_an_answer_that_has_waited_long_for_room_is_asked_for_anew(
    origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As behind a pager that is not scrolled, or a run that is stopped for a while."""
    monkeypatch.setattr("facemon.predict.object_image._LONGEST_WAIT_S", 0.5)
    monkeypatch.setenv("AWS_TIMEOUT", "1s")
    origin.buckets["photos"] = {"a.jpg": b"x" * 2**24}
    (image,) = source("s3://photos/a.jpg")
    assert image.fetch is not None
    origin.asked.clear()
    fetched = image.fetch(lambda _: time.sleep(1.5))
    assert (fetched.problem, len(fetched.content)) == (None, 2**24)
    assert origin.asked == ["GET photos/a.jpg"] * 2


ROWS: list[dict[str, Any]] = [
    {"image": "s3://photos/a.jpg", "etag": etag(b"aaa"), "size": 3},
    {"image": "s3://photos/a.jpg", "etag": f'"{etag(b"aaa")}"', "size": None},
    {"image": "s3://photos/a.jpg", "etag": None, "size": None},
    {"image": "s3://photos/a.jpg", "etag": etag(b"bbb"), "size": 3},
    {"image": "s3://photos/a.jpg", "etag": None, "size": 4},
    {"image": "s3://photos/none.jpg", "etag": None, "size": None},
    {"image": "s3://photos/", "etag": None, "size": None},
    {"image": "https://host/a.jpg", "etag": None, "size": None},
    {"image": "s3://photos/a//b.jpg", "etag": None, "size": None},
    {"image": "local.jpg", "etag": "whatever", "size": 99},
]
EXPECTED = [b"aaa", b"aaa", b"aaa", "changed", "changed", "unreadable", "unreadable", "unreadable", "unreadable", None]


def write_manifest(file: Path) -> None:
    table = pa.Table.from_pylist(ROWS)
    if file.suffix == ".parquet":
        parquet.write_table(table, file)
    elif file.suffix == ".csv":
        lines = [
            "image,etag,size",
            *(",".join("" if cell is None else str(cell).replace('"', "") for cell in row.values()) for row in ROWS),
        ]
        file.write_text("\n".join(lines))
    else:
        file.write_text("\n".join(json.dumps(row) for row in ROWS))


@pytest.mark.parametrize("name", ["m.csv", "m.jsonl", "m.parquet"])
def test_a_manifest_of_each_format_names_objects_and_what_they_were(name: str, origin: Origin, tmp_path: Path) -> None:
    origin.buckets["photos"] = {"a.jpg": b"aaa"}
    write_manifest(tmp_path / name)
    found = fetched(source(str(tmp_path / name)))
    assert [image.problem.code.value if image.problem else image.content for image in found] == EXPECTED
    assert [image.name for image in found] == [row["image"] for row in ROWS]
    assert found[-1].path == tmp_path / "local.jpg"
    changed = [image.problem.message for image in found if image.problem and image.problem.code == "changed"]
    assert changed == [
        f"the object has the ETag {etag(b'aaa')}, the manifest says {etag(b'bbb')}",
        "the object has 3 bytes, the manifest says 4",
    ]


def test_a_size_that_is_no_number_is_the_fault_of_its_row_and_of_no_local_file(tmp_path: Path) -> None:
    (tmp_path / "m.jsonl").write_text(
        '{"image": "s3://photos/a.jpg", "size": "large"}\n{"image": "a.jpg", "size": "large"}\n'
        '{"image": "s3://photos/a.jpg", "size": 12.0}\n{"image": "s3://photos/a.jpg", "size": true}\n'
        '{"image": "s3://photos/a.jpg", "size": 12.5}\n'
    )
    problems = [image.problem and image.problem.message for image in source(str(tmp_path / "m.jsonl"))]
    assert [problem is None for problem in problems] == [False, True, True, False, False]
    assert "size is 'large', not a number of bytes; tables.size names another column" in str(problems[0])


def test_a_root_confines_what_a_manifest_or_a_list_names(origin: Origin, tmp_path: Path) -> None:
    origin.buckets["photos"] = {"a.jpg": b"aaa"}
    (tmp_path / "in").mkdir()
    (tmp_path / "m.csv").write_text(f"image\ns3://photos/a.jpg\nfile://{tmp_path}/in/a.jpg\nfile:///etc/passwd\n")
    for images in (
        source(str(tmp_path / "m.csv"), root=tmp_path / "in"),
        source("-", root=tmp_path / "in", path_list=BytesIO((tmp_path / "m.csv").read_bytes()[6:])),
    ):
        found = fetched(images)
        assert [image.problem.code.value if image.problem else None for image in found] == ["denied", None, None]
        assert [image.root for image in found[1:]] == [tmp_path / "in"] * 2
    assert origin.asked == []


def test_a_list_names_objects_prefixes_and_files(origin: Origin, tmp_path: Path) -> None:
    origin.buckets["photos"] = {"a/1.jpg": b"1", "a/2.jpg": b"2", "b.jpg": b"b"}
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "c d.jpg").touch()
    lines = f"s3://photos/a/\ns3://photos/b.jpg\nfile://{tmp_path}/f\ngs://\ns3://no-such-bucket/x/\n"
    found = fetched(source("-", path_list=BytesIO(lines.encode())))
    assert outcomes(found) == {
        "s3://photos/a/1.jpg": b"1", "s3://photos/a/2.jpg": b"2", "s3://photos/b.jpg": b"b",
        f"file://{tmp_path}/f/c%20d.jpg": None, "gs://": "unreadable", "s3://no-such-bucket/x/": "unreadable",
    }  # fmt: skip
    assert found[3].path == tmp_path / "f" / "c d.jpg"


def test_a_listing_that_ends_early_is_no_smaller_run(origin: Origin) -> None:
    origin.buckets["photos"] = {f"{number:03}.jpg": b"x" for number in range(2500)}
    stream = iter(source("s3://photos/"))
    next(stream)
    origin.faults["photos"] = Fault(403, "AccessDenied")
    with pytest.raises(FacemonError, match=r"^s3://photos/: permission to read it is denied"):
        list(stream)


def test_times_of_change_date_objects_where_they_are_asked_for(origin: Origin) -> None:
    origin.buckets["photos"] = {"a.jpg": b"1"}
    for observed, found in ((ObservedFrom.MTIME, MODIFIED), (None, None), (ObservedFrom.EXIF, None)):
        (image,) = fetched(source("s3://photos/a.jpg", observed_at=observed))
        assert image.observed_at == found


def test_a_secret_in_an_address_is_never_a_name(origin: Origin, tmp_path: Path) -> None:
    addresses = (
        f"s3://AKIA:{SECRET}@photos/a.jpg", f"s3://photos/a.jpg?X-Amz-Signature={SECRET}",
        f"https://host/a.jpg?sig={SECRET}", f"https://me:{SECRET}@host/a.jpg", f"s3://AKIA:a/{SECRET}@photos/a.jpg",
    )  # fmt: skip
    (tmp_path / "m.csv").write_text("\n".join(["image", *addresses]))
    for stores in (ObjectStores(), None):
        found = list(ImageSource([str(tmp_path / "m.csv")], stores=stores))
        assert len(found) == len(addresses)
        assert SECRET not in str(found)
        assert all(image.problem for image in found)
    assert origin.asked == []


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("file:///data/a%20b.jpg", "/data/a b.jpg"),
        ("file:///data/a b.jpg", "/data/a b.jpg"),
        ("FILE://localhost/data/a.jpg", "/data/a.jpg"),
        ("file:///data/caf%E9.jpg", "/data/caf\udce9.jpg"),
    ],
)
def test_an_address_of_a_file_is_its_path(address: str, path: str) -> None:
    (image,) = source(address)
    assert image.path == Path(path)
    assert image.name == address


def test_a_folder_s_address_names_its_images_by_addresses(tmp_path: Path) -> None:
    for name in ("b c.jpg", "a.png", "notes.txt", "é#?.jpg"):
        (tmp_path / name).write_bytes(name.encode())
    images = source(f"file://{tmp_path}")
    found = list(images)
    assert [image.path for image in found] == [tmp_path / name for name in ("a.png", "b c.jpg", "é#?.jpg")]
    assert [image.name.removeprefix(f"file://{tmp_path}/") for image in found] == [
        "a.png", "b%20c.jpg", "%C3%A9%23%3F.jpg",
    ]  # fmt: skip
    assert [image.path for image in source(*(image.name for image in found))] == [image.path for image in found]
    assert images.skipped.total == 1
