"""What the JSON files beside the images of a tar say of them, in the layout of WebDataset."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.config.drift import TablesConfig
from facemon.domain.image_input import ImageInput
from facemon.errors import FacemonError
from facemon.predict.image_source import ImageSource
from facemon.predict.manifest_lines import LONGEST_LINE
from tests.predict.tar_files import GREEN, RED, tar_bytes, write_tar

TIME = "2026-11-20T10:00:00Z"
AT = datetime(2026, 11, 20, 10, tzinfo=UTC)
CELLS: dict[str, Any] = {"observed_at": TIME, "source": "gate", "image_id": 7, "box": [1, 2, 3, 4], "caption": "x"}
SAID = (AT, "gate", "7", (1, 2, 3, 4))
NOTHING = (None, None, None, None)
NONE_OF = "a .json beside an image may hold observed_at, source, image_id and box, and these hold none of them"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def source_of(*members: tuple[str, Any], tables: TablesConfig | None = None, path: str = "x.tar") -> ImageSource:
    """An archive of images, texts, and objects that become JSON."""
    packed = [(name, each if isinstance(each, bytes) else json.dumps(each).encode()) for name, each in members]
    write_tar(Path(path), packed)
    return ImageSource([path], tables=tables)


def said_of(image: ImageInput) -> tuple[Any, ...]:
    return image.observed_at, image.source, image.id, image.box


def errors(source: ImageSource) -> dict[str, str | None]:
    return {each.name: each.problem.message if each.problem else None for each in source}


@pytest.mark.parametrize("path", ["x.tar", "x.tar.gz"])
@pytest.mark.parametrize("order", [["jpg", "json"], ["json", "jpg"], ["cls", "json", "JPG"], ["png", "txt", "JSON"]])
def test_a_json_before_or_after_its_image_says_when_and_where_it_was_taken(order: list[str], path: str) -> None:
    members = [(f"cam/1.{suffix}", CELLS if suffix.lower() == "json" else RED) for suffix in order]
    first, other = source_of(*members, ("cam/2.jpg", GREEN), path=path)
    assert (said_of(first), said_of(other)) == (SAID, NOTHING)


def test_columns_have_the_names_that_manifests_have_and_four_sides_are_a_box() -> None:
    tables = TablesConfig(observed_at="taken", source="camera", id="key", box="face")
    sides = {"face_left": 1, "face_top": 2, "face_right": 3, "face_bottom": 4}
    described = {"taken": TIME, "camera": "gate", "key": "7"} | sides
    (image,) = source_of(("1.jpg", RED), ("1.json", described), tables=tables)
    assert said_of(image) == SAID


@pytest.mark.parametrize(
    ("described", "said"),
    [
        ({"observed_at": "noon"}, "observed_at is 'noon', not a time such as 2026-11-23T02:00:00Z"),
        ({"source": "x" * 300}, "source has 300 characters; at most 200 are kept"),
        ({"image_id": []}, "image_id is a list, neither text nor a whole number"),
        ({"box": [1, 2]}, "box is not a list of four numbers: left, top, right, bottom"),
        (b"{", "is not JSON"),
        (b"[1]", "is not a JSON object"),
        (b"[" * 100_000, "is nested too deeply"),
        (b'{"source": ' + b"9" * 5000 + b"}", "holds a number with too many digits"),
        (bytes(LONGEST_LINE + 1), f"is longer than {LONGEST_LINE:,} bytes"),
    ],
)
def test_a_json_with_a_fault_is_the_error_of_its_image(described: Any, said: str) -> None:
    found = errors(source_of(("c/1.json", described), ("c/1.jpg", RED), ("c/2.jpg", RED)))
    assert found == {"x.tar/c/1.jpg": f"1.json: {said}", "x.tar/c/2.jpg": None}


def test_the_same_faults_as_in_a_manifest() -> None:
    """A manifest of the same cells says the same, but for the place."""
    for cells in ({"observed_at": 7}, {"source": "a\x1bb"}, {"box": [3, 3, 1, 1]}, {"image_id": "x" * 2000}):
        Path("m.jsonl").write_text(json.dumps({"image": "1.jpg", **cells}))
        (of_manifest,) = ImageSource(["m.jsonl"])
        (of_tar,) = source_of(("1.jpg", RED), ("1.json", cells))
        assert of_manifest.problem is not None
        assert of_tar.problem is not None
        assert of_tar.problem.message.removeprefix("1.json") == of_manifest.problem.message.removeprefix("line 1")


def test_a_json_that_describes_no_image_is_an_error_in_its_place() -> None:
    """It is a row of a manifest without its image; images that were taken at another time would be logged as of now."""
    apart = errors(source_of(("1.jpg", RED), ("2.jpg", RED), ("1.json", CELLS), ("2.json", CELLS)))
    reason = "is beside no image of its name: the members of a sample must follow each other"
    assert apart == {"x.tar/1.jpg": None, "x.tar/2.jpg": None, "x.tar/1.json": reason, "x.tar/2.json": reason}
    dotted = errors(source_of(("a.1.jpg", RED), ("a.1.json", CELLS)))
    assert dotted == {
        "x.tar/a.1.json": "is not called a.json, so it belongs to no image", "x.tar/a.1.jpg": None
    }  # fmt: skip
    twice = errors(source_of(("1.json", CELLS), ("1.jpg", RED), ("1.json", CELLS)))
    assert twice == {"x.tar/1.jpg": "1.json: is there twice"}


def test_what_is_not_used_is_counted_and_said() -> None:
    source = source_of(
        ("1.jpg", RED), ("1.json", {"caption": "x"}), ("1.cls", b"3"), ("info.json", [1]), ("notes", b"x"),
        ("b.meta.json", {}), ("._1.jpg", b""),
    )  # fmt: skip
    assert errors(source) == {"x.tar/1.jpg": None}
    assert str(source.skipped) == (
        "5 files are not images that can be read: 3 .json, 1 .cls, 1 without an extension; "
        f"{NONE_OF}; labels in .cls are not read: facemon evaluate reads true labels from a table"
    )


def test_several_images_of_a_sample_share_what_is_said_but_a_box_is_of_one() -> None:
    cells = {name: CELLS[name] for name in ("observed_at", "source", "image_id")}
    both = list(source_of(("1.left.jpg", RED), ("1.json", cells), ("1.right.jpg", GREEN)))
    assert [said_of(each) for each in both] == [(*SAID[:3], None)] * 2
    boxes = errors(source_of(("1.left.jpg", RED), ("1.json", CELLS), ("1.right.jpg", GREEN)))
    assert set(boxes.values()) == {"1.json: gives a box, and there is more than one image of its name"}


def test_names_with_one_key_for_all_flow_and_a_json_that_comes_too_late_is_an_error() -> None:
    frames = [(f"frame.{number:06}.jpg", RED) for number in range(200)]
    assert [each.name for each in source_of(*frames)] == [f"x.tar/{name}" for name, _ in frames]
    late = errors(source_of(*frames, ("frame.json", {"source": "gate"})))
    assert {name for name, said in late.items() if said} == {"x.tar/frame.json"}
    assert late["x.tar/frame.json"] == "comes after 200 images of its name, too late for the first"
    early = list(source_of(("frame.json", {"source": "gate"}), *frames))
    assert {each.source for each in early} == {"gate"}


def test_a_text_in_another_encoding() -> None:
    described = '{"source": "béton"}'.encode("latin-1")
    assert errors(source_of(("1.jpg", RED), ("1.json", described))) == {
        "x.tar/1.jpg": "1.json: source is not UTF-8; tables.csv.encoding names another encoding"
    }
    tables = TablesConfig.model_validate({"csv": {"encoding": "latin-1"}})
    (image,) = source_of(("1.jpg", RED), ("1.json", described), tables=tables)
    assert image.source == "béton"
    (image,) = source_of(("1.jpg", RED), ("1.json", b"\xef\xbb\xbf" + b'{"source": "gate"}'))
    assert image.source == "gate"


@given(cut=st.floats(0, 1, exclude_max=True), first=st.sampled_from(["jpg", "json"]))
def test_an_image_of_a_cut_archive_has_what_its_json_says_or_is_not_given(cut: float, first: str) -> None:
    """So a run on a whole copy continues with the very next image."""
    second = {"jpg": "json", "json": "jpg"}[first]
    members = {
        f"{number}.{suffix}": RED if suffix == "jpg" else json.dumps({"source": f"s{number}"}).encode()
        for number in range(6)
        for suffix in (first, second)
    }
    archive = tar_bytes(members)
    content = archive[: int(len(archive.rstrip(b"\0")) * cut)]
    Path("cut.tar").write_bytes(content)
    seen: list[ImageInput] = []
    with pytest.raises(FacemonError, match=r"cut\.tar: "):
        seen.extend(ImageSource(["cut.tar"]))
    assert [each.source for each in seen] == [f"s{number}" for number in range(len(seen))]
