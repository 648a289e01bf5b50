import json
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from facemon.config.drift import TablesConfig
from facemon.domain.image_input import ImageInput, ImageProblem
from facemon.domain.prediction import ErrorCode
from facemon.errors import FacemonError, UsageError
from facemon.model.decoding import read_image
from facemon.predict.image_source import ImageSource
from facemon.predict.manifest import Manifest

NIGHT = datetime(2026, 11, 23, 2, tzinfo=UTC)
ROWS: list[dict[str, Any]] = [
    {"image": "a.jpg", "source": "gate", "observed_at": "2026-11-23T02:00Z", "image_id": "007", "box": [1, 2, 30, 40]},
    {"image": "sub/b.jpg", "source": None, "observed_at": None, "image_id": None, "box": None},
]  # fmt: skip


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    """The same rows in the format that the suffix names."""
    match path.suffix:
        case ".csv":
            lines = [",".join(rows[0])]
            lines += [",".join("" if cell is None else json.dumps(str(cell)) for cell in row.values()) for row in rows]
            path.write_text("\n".join(lines) + "\n")
        case ".parquet":
            parquet.write_table(pa.Table.from_pylist(rows), path)
        case _:
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def inputs(*paths: Path, **options: Any) -> list[ImageInput]:
    return list(ImageSource([str(path) for path in paths], **options))


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".ndjson", ".parquet"])
def test_every_column_in_every_format(tmp_path: Path, suffix: str) -> None:
    first, second = inputs(write(tmp_path / f"m{suffix}", ROWS), source="door")
    assert (first.ordinal, first.name, first.path) == (0, "a.jpg", tmp_path / "a.jpg")
    assert (first.source, first.observed_at, first.id, first.box) == ("gate", NIGHT, "007", (1, 2, 30, 40))
    assert (second.ordinal, second.path) == (1, tmp_path / "sub" / "b.jpg")
    assert (second.source, second.observed_at, second.id, second.box) == ("door", None, None, None)
    assert first.problem is second.problem is None


@pytest.mark.parametrize("zone", ["UTC", None])
def test_times_may_have_nanoseconds(tmp_path: Path, zone: str | None) -> None:
    nanoseconds = int(NIGHT.timestamp()) * 10**9 + 123_456_789
    times = pa.array([nanoseconds, None], pa.int64()).cast(pa.timestamp("ns", zone))
    parquet.write_table(pa.table({"image": ["a.jpg", "b.jpg"], "observed_at": times}), tmp_path / "m.parquet")
    first, second = inputs(tmp_path / "m.parquet")
    assert (first.name, first.problem, second.name, second.observed_at) == ("a.jpg", None, "b.jpg", None)
    assert first.observed_at == NIGHT.replace(microsecond=123_456)


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_cells_that_pandas_leaves_empty_are_empty(tmp_path: Path, suffix: str) -> None:
    nan = float("nan")
    columns = ("source", "image_id", "box_left", "box_top", "box_right", "box_bottom")
    rows = [{"image": "a.jpg"} | dict.fromkeys(columns, 7.0), {"image": "b.jpg"} | dict.fromkeys(columns, nan)]
    if suffix == ".jsonl":
        rows[1] |= {"observed_at": nan, "box": nan}
    first, second = inputs(write(tmp_path / f"m{suffix}", rows))
    assert (first.source, first.id, first.box, first.problem) == ("7", "7", (7, 7, 7, 7), None)
    assert (second.source, second.id, second.box, second.observed_at, second.problem) == (None,) * 5


def test_columns_have_the_names_that_the_configuration_gives_them(tmp_path: Path) -> None:
    file = tmp_path / "m.csv"
    file.write_text(
        "filename,when,camera,nr,face_left,face_top,face_right,face_bottom\nx.png,2026-11-23T02:00:00,c,5,1,2,3,4\n"
    )
    tables = TablesConfig(image="filename", observed_at="when", source="camera", id="nr", box="face")
    (row,) = Manifest(str(file), tables)
    assert (row.name, row.observed_at, row.source, row.id, row.box) == ("x.png", NIGHT, "c", "5", (1, 2, 3, 4))


def test_a_column_called_path_will_do(tmp_path: Path) -> None:
    file = tmp_path / "m.csv"
    file.write_text("path\na.jpg\n")
    assert [row.name for row in Manifest(str(file), TablesConfig())] == ["a.jpg"]


@pytest.mark.parametrize(
    ("suffix", "content"), [(".csv", "imge,x\na.jpg,1\n"), (".jsonl", '{"imge": "a.jpg", "x": 1}\n')]
)
def test_a_missing_column_is_said_with_those_that_are_there(tmp_path: Path, suffix: str, content: str) -> None:
    file = tmp_path / f"m{suffix}"
    file.write_text(content)
    with pytest.raises(FacemonError) as caught:
        ImageSource([str(file)])
    assert caught.value.message == (
        f"{file}: no column names the images: there is neither image nor path (did you mean imge?)"
    )
    assert caught.value.hint == "its columns are imge, x; name the right one with tables.image"


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_spaces_around_a_column_s_name_change_nothing(tmp_path: Path, suffix: str) -> None:
    rows = [{"image": "a.jpg", " source": " gate", "observed_at ": "2026-11-23T02:00Z", "image_id": " 7"}]
    file = write(tmp_path / f"m{suffix}", rows)
    (row,) = Manifest(str(file), TablesConfig())
    # The spaces of a header are of the whole column; those of other columns' cells are theirs.
    assert (row.source, row.observed_at, row.id) == ("gate", NIGHT, " 7")
    assert Manifest(str(file), TablesConfig()).unused_note is None


@pytest.mark.parametrize(
    ("header", "note"),
    [
        ("image,source,observed_at,image_id,box,etag,size", None),
        ("path,box_left,box_top,box_right,box_bottom", None),
        (",image", None),  # the row numbers of pandas
        ("image,path", "path"),
        ("image,sorce,observd_at", "sorce (did you mean source?), observd_at (did you mean observed_at?)"),
        ("image,Source", "Source (did you mean source?)"),
        ("image,source, source", " source"),
        ("image,name,side,gender", "name, side, gender"),
        ("image,a,b,c,d,e,f,g,h,sorce,i", "sorce (did you mean source?), a, b, c, d, e, f, g, and 2 more"),
    ],
)
def test_columns_that_nothing_uses(tmp_path: Path, header: str, note: str | None) -> None:
    file = tmp_path / "m.csv"
    file.write_text(f"{header}\n")
    assert Manifest(str(file), TablesConfig()).unused_note == (note and f"columns that are not used: {note}")


def test_the_column_of_another_role_is_not_offered_for_the_image(tmp_path: Path) -> None:
    file = tmp_path / "m.csv"
    for header, near in (("image_id,source", ""), ("IMAGE,image_id", " (did you mean IMAGE?)")):
        file.write_text(f"{header}\n")
        with pytest.raises(FacemonError) as caught:
            Manifest(str(file), TablesConfig())
        assert caught.value.message.endswith(f"there is neither image nor path{near}")


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"image": ""}, "image names no image"),
        ({"image": "a.jpg", "observed_at": "yesterday"}, "observed_at is 'yesterday', not a time such as"),
        ({"image": "a.jpg", "box": [5, 5, 1, 9]}, "box is empty"),
        ({"image": "a.jpg", "box": [5, 5, 9]}, "box is not a list of four numbers"),
        ({"image": "a.jpg", "box": "left"}, "box is not a list of four numbers"),
        ({"image": "a.jpg", "source": 1.5}, "source is 1.5, neither text nor a whole number"),
        ({"image": "a.jpg", "image_id": 1e300}, "image_id is 1e+300, neither text nor a whole number"),
    ],
)
def test_a_broken_line_is_an_error_row_between_its_neighbours(
    tmp_path: Path, cells: dict[str, Any], message: str
) -> None:
    file = tmp_path / "m.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in [ROWS[0], cells, ROWS[1]]) + "\n")
    found = inputs(file)
    assert [each.problem is None for each in found] == [True, False, True]
    problem = found[1].problem
    assert problem is not None
    assert problem.code is ErrorCode.UNREADABLE
    assert problem.message.startswith(f"line 2: {message}")


def test_lines_that_are_no_rows(tmp_path: Path) -> None:
    file = tmp_path / "m.csv"
    file.write_text("image,source\na.jpg,gate\nb.jpg\n\nc.jpg,gate\n")
    found = inputs(file)
    assert [each.name for each in found] == ["a.jpg", f"{file}:3", "c.jpg"]
    assert found[1].problem is not None
    assert found[1].problem.message == "line 3: has 1 cells under 2 columns"
    file = tmp_path / "m.jsonl"
    file.write_text('{"image": "a.jpg"}\nno json\n[1]\n')
    messages = [each.problem and each.problem.message for each in inputs(file)]
    assert messages == [None, "line 2: is not JSON", "line 3: is not a JSON object"]


def test_a_damaged_file_is_said_by_name(tmp_path: Path) -> None:
    file = write(tmp_path / "m.parquet", ROWS)
    file.write_bytes(file.read_bytes()[:-8])
    with pytest.raises(FacemonError, match=r"m\.parquet: the manifest cannot be read"):
        ImageSource([str(file)])
    with pytest.raises(FacemonError, match=r"none\.csv: the manifest cannot be read: No such file"):
        ImageSource([str(tmp_path / "none.csv")])


def test_what_leaves_the_root_is_denied_and_never_read(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "in").mkdir(parents=True)
    (tmp_path / "secret.jpg").touch()
    (root / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    (root / "in" / "a.jpg").touch()
    file = tmp_path / "m.csv"
    names = ["in/a.jpg", "../secret.jpg", str(tmp_path / "secret.jpg"), "link.jpg", str(root / "in" / "a.jpg")]
    file.write_text("image\n" + "\n".join(names) + "\n")
    read = [read_image(each.path, 100, each.root) for each in inputs(file, root=root) if each.path is not None]
    codes = [each.code if isinstance(each, ImageProblem) else each for each in read]
    assert codes == [b"", ErrorCode.DENIED, ErrorCode.DENIED, ErrorCode.DENIED, b""]
    assert isinstance(read[1], ImageProblem)
    assert read[1].message == f"lies outside --root {root}"
    assert [each.root for each in inputs(file)] == [None] * 5


def test_a_root_without_a_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--root confines"):
        ImageSource(["a.jpg"], root=tmp_path)


def test_an_empty_manifest_is_told_like_an_empty_directory(tmp_path: Path) -> None:
    for name, content in (("m.csv", "image\n"), ("m.jsonl", "")):
        (tmp_path / name).write_text(content)
        source = ImageSource([str(tmp_path / name)])
        assert list(source) == []
        assert source.empty_directories == [str(tmp_path / name)]


def bytes_read() -> int:
    """What this process has read so far, by the system's account."""
    return int(Path("/proc/self/io").read_text().split()[1])


LINES = 140_000
"""Far more than are read at once."""


def test_lines_are_read_as_they_are_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "m.csv"
    with file.open("w") as lines:
        lines.write("image,source\n")
        lines.writelines(f"{number:07}.jpg,gate\n" for number in range(LINES))
    before = bytes_read()
    first = list(islice(ImageSource([str(file)]), 5))
    # Its beginning, which tells how it is written, and a piece of its lines.
    assert bytes_read() - before < file.stat().st_size / 2
    assert [each.ordinal for each in first] == list(range(5))
    assert sum(1 for _ in ImageSource([str(file)])) == LINES


@pytest.mark.parametrize(
    ("name", "text", "encoding", "tables"),
    [
        ("m.csv", "image;image_id\nä.jpg;7\n", "utf-8", {}),
        ("m.tsv", "image\timage_id\nä.jpg\t7\n", "utf-8-sig", {}),
        ("m.csv", "sep=;\nimage;image_id\nä.jpg;7\n", "utf-8", {}),
        ("m.csv.gz", "image,image_id\nä.jpg,7\n", "utf-8", {}),
        ("m.csv.zst", "image,image_id\nä.jpg,7\n", "utf-8", {}),
        ("m.jsonl.gz", '{"image": "ä.jpg", "image_id": 7}\n', "utf-8", {}),
        ("m.csv", "image|image_id\nä.jpg|7\n", "latin-1", {"encoding": "latin-1", "delimiter": "|"}),
        ("m.csv", "image,image_id\nä.jpg,7\n", "utf-16", {"encoding": "utf-16"}),
    ],
)
def test_manifests_are_written_as_tables_are(
    tmp_path: Path, name: str, text: str, encoding: str, tables: dict[str, str]
) -> None:
    with pa.output_stream(str(tmp_path / name), compression="detect") as file:
        file.write(text.encode(encoding))
    settings = TablesConfig.model_validate({"csv": tables})
    (found,) = ImageSource([str(tmp_path / name)], tables=settings)
    assert (found.name, found.path, found.id) == ("ä.jpg", tmp_path / "ä.jpg", "7")


def test_a_manifest_whose_notation_is_not_plain_names_the_key(tmp_path: Path) -> None:
    for text, encoding, key in (("image\n", "utf-16", "encoding"), ("image;a,b\n", "utf-8", "delimiter")):
        (tmp_path / "m.csv").write_bytes(text.encode(encoding))
        with pytest.raises(FacemonError) as caught:
            ImageSource([str(tmp_path / "m.csv")])
        assert f"tables.csv.{key}" in str(caught.value.hint)
