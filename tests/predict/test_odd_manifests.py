"""Each line of a manifest or a list becomes a row or an error row, and the run goes on; 1,000 in `make prove`."""

import io
import json
import time
from pathlib import Path

import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

from facemon.config.drift import TablesConfig
from facemon.errors import FacemonError
from facemon.predict.image_source import ImageSource
from facemon.predict.manifest import Manifest
from facemon.predict.manifest_cells import LONGEST_NAME
from tests.acceptance.small_model import write_small_model
from tests.conftest import RunFacemon
from tests.fuzz.odd_manifests import inputs_of, lost_lines, sampled

SEED = 17
COUNT = 150


def test_odd_lines_lose_no_good_one_and_every_input_is_text(tmp_path: Path) -> None:
    for manifest in sampled(COUNT, SEED):
        inputs = inputs_of(manifest, tmp_path)
        if inputs is None:  # its lines cannot be told from each other before the whole is decoded
            assert manifest.encoding == "iso2022_jp", manifest.name
            continue
        assert lost_lines(manifest, inputs) == [], manifest
        for each in inputs:
            for text in (each.name, each.source or "", each.id or "", each.problem.message if each.problem else ""):
                text.encode()
                assert len(text) <= LONGEST_NAME + 100


def test_odd_manifests_through_the_command(facemon: RunFacemon, tmp_path: Path) -> None:
    write_small_model(tmp_path)
    Image.new("RGB", (8, 8)).save(tmp_path / "good-0.jpg")
    manifests = [manifest for manifest in sampled(60, SEED) if manifest.encoding is None]
    expected = sum(len(inputs_of(manifest, tmp_path) or []) for manifest in manifests)
    names = [manifest.name for manifest in manifests]
    answer = facemon("predict", *names, "--max-failures", "100%", cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    rows = [json.loads(line) for line in answer.stdout.splitlines()]
    assert len(rows) == expected
    assert sum(row["error"] is None for row in rows) == len(manifests)
    verified = facemon("store", "verify", cwd=tmp_path)
    assert verified.returncode == 0
    assert f"ok: {expected} rows" in verified.stdout


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'"a.jpg,gate', "a quotation mark is not closed"),
        (b'"a"b.jpg,gate', "text follows a quotation mark, or a quotation mark is not closed"),
        (b"a.jpg," + b"x" * 200_000, "has a cell of more than 131,072 characters, or a quotation mark is not closed"),
        (b"a.jpg,b\xe9ton", "source is not UTF-8; tables.csv.encoding names another encoding"),
        (b"a.jpg," + b"x" * 300, "source has 300 characters; at most 200 are kept"),
        (b"a.jpg,a\x1bb", "source holds a control character"),
        (b"x" * 5000 + b",gate", "image has 5,000 characters; a path has at most 4,096"),
    ],
)
def test_an_odd_line_of_csv_says_what_is_wrong(tmp_path: Path, line: bytes, message: str) -> None:
    (tmp_path / "m.csv").write_bytes(b"image,source\nfirst.jpg,gate\n" + line + b"\nlast.jpg,gate\n")
    first, odd, last = ImageSource([str(tmp_path / "m.csv")])
    assert (first.problem, last.problem) == (None, None)
    assert (first.name, last.name) == ("first.jpg", "last.jpg")
    assert odd.problem is not None
    assert odd.problem.message == f"line 3: {message}"


def test_a_line_that_is_too_long_is_skipped_without_being_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facemon.predict.manifest_lines.LONGEST_LINE", 50)
    for name, good in (("m.csv", "good.jpg"), ("m.jsonl", '{"image": "good.jpg"}')):
        head = "image\n" if name == "m.csv" else ""
        (tmp_path / name).write_text(f"{head}{good}\n{'x' * 170}\n{good}\n")
        first, odd, last = ImageSource([str(tmp_path / name)])
        assert (first.name, last.name) == ("good.jpg", "good.jpg")
        assert odd.problem is not None
        assert "is longer than" in odd.problem.message


def test_open_quotation_marks_on_every_line_take_no_more_than_linear_time(tmp_path: Path) -> None:
    def seconds(lines: int) -> float:
        (tmp_path / "m.csv").write_text("image\n" + '"x\ny\n' * lines)
        began = time.process_time()
        assert sum(1 for _ in Manifest(str(tmp_path / "m.csv"), TablesConfig())) > lines
        return time.process_time() - began

    seconds(100)
    # Eight times as long, if it is linear; 64 times, if each line is read again for each before it.
    assert seconds(8000) < 32 * min(seconds(1000) for _ in range(3))


def test_lines_that_are_not_utf8_are_read_in_the_configured_encoding(tmp_path: Path) -> None:
    tables = TablesConfig.model_validate({"csv": {"encoding": "cp1252"}})
    rows = ["image,source", "\u00e4.jpg,Z\u00fcrich"]
    (tmp_path / "m.csv").write_bytes(rows[0].encode() + b"\n" + rows[1].encode() + b"\n" + rows[1].encode("cp1252"))
    (tmp_path / "m.jsonl").write_bytes('{"image": "\u00e4.jpg", "source": "Z\u00fcrich"}'.encode("cp1252"))
    found = list(ImageSource([str(tmp_path / "m.csv"), str(tmp_path / "m.jsonl")], tables=tables))
    assert [(each.name, each.source, each.problem) for each in found] == [("\u00e4.jpg", "Z\u00fcrich", None)] * 3


def test_a_list_names_bytes_first_and_the_configured_encoding_second(tmp_path: Path) -> None:
    tables = TablesConfig.model_validate({"csv": {"encoding": "latin-1"}})
    (tmp_path / "\u00fc.jpg").touch()
    raw = bytes(tmp_path) + b"/\xe9.jpg"
    Path(raw.decode("utf-8", "surrogateescape")).touch()
    listed = raw + b"\n" + bytes(tmp_path) + b"/\xfc.jpg\n" + b"x" * 9000 + b"\nlast.jpg"
    found = list(ImageSource(["-"], path_list=io.BytesIO(listed), tables=tables))
    assert [each.name for each in found] == [f"{tmp_path}/\\xe9.jpg", f"{tmp_path}/\u00fc.jpg", "-:3", "last.jpg"]
    assert [each.path is not None and each.path.exists() for each in found] == [True, True, False, False]
    assert found[2].problem is not None
    assert found[2].problem.message == "line 3: is longer than any path"


def test_cells_of_parquet_that_python_cannot_hold_are_their_rows_fault(tmp_path: Path) -> None:
    names = pa.array([b"a.jpg", b"\xe9.jpg", b"c.jpg"]).cast(pa.large_binary()).view(pa.large_string())
    times = pa.array([0, 0, 2**62], pa.timestamp("us", "UTC"))
    table = pa.table({"image": names, "observed_at": times})
    parquet.write_table(table, tmp_path / "m.parquet")
    found = list(ImageSource([str(tmp_path / "m.parquet")]))
    assert [each.problem is None for each in found] == [True, True, False]
    assert [each.name for each in found] == ["a.jpg", "\\xe9.jpg", f"{tmp_path}/m.parquet:3"]


def test_a_header_that_cannot_be_read_and_a_pipe_are_refused(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text('"image\na.jpg\n')
    with pytest.raises(FacemonError, match="the header line a quotation mark is not closed"):
        ImageSource([str(tmp_path / "m.csv")])
