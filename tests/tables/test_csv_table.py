"""CSV files as they are written in many places: read, or an error that names the key to set."""

import gzip
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.errors import FacemonError
from facemon.tables.csv_notation import CsvNotation, read_head
from facemon.tables.table_file import open_table

CITIES = ["Zürich", "Ulm", "Malmö", "Paris, France", 'the "City"', "two\nlines"]


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def csv_of(rows: list[list[str]], delimiter: str, end: str = "\n") -> str:
    return "".join(delimiter.join('"' + cell.replace('"', '""') + '"' for cell in row) + end for row in rows)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize(("name", "delimiter"), [("a.csv", ","), ("a.csv", ";"), ("a.csv", "\t"), ("a.tsv", "\t")])
def test_what_is_plain_needs_no_key(tmp_path: Path, name: str, delimiter: str, mark: str, end: str) -> None:
    rows = [["city", "n"], *([city, str(at)] for at, city in enumerate(CITIES))]
    path = written(tmp_path / name, mark + csv_of(rows, delimiter, end))
    table = open_table(path).read()
    assert table.column_names == ["city", "n"]
    assert [city.replace("\r\n", "\n") for city in table["city"].to_pylist()] == CITIES
    assert table["n"].type == pa.int64()


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-16-le", "utf-32", "mac-roman", "cp037"])
@pytest.mark.parametrize("rows", [30, 40_000])
def test_any_encoding_that_is_told(tmp_path: Path, encoding: str, rows: int) -> None:
    """In multi-byte encodings characters are cut by the ends of blocks; in EBCDIC even commas are other bytes."""
    cities = [CITIES[at % 2] * (1 + at % 3) for at in range(rows)]
    path = written(
        tmp_path / "a.csv", "city;n\n" + "".join(f"{city};{at}\n" for at, city in enumerate(cities)), encoding
    )
    table = open_table(path, CsvNotation(encoding=encoding)).read()
    assert table["city"].to_pylist() == cities
    assert table["n"].to_pylist() == list(range(rows))


@pytest.mark.parametrize(("fault", "line"), [(0, 1), (2, 3), (150_000, 150_001)])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_what_is_not_utf8_is_said_with_its_place(tmp_path: Path, fault: int, line: int, suffix: str) -> None:
    lines = [b"city,number of the row", *(b"Z\xc3\xbcrich,%d" % at for at in range(1, 160_000))]
    lines[fault] = lines[fault].replace(b"Z", b"\xdc").replace(b"number", b"numb\xe9r")
    content = b"\n".join(lines)
    path = tmp_path / f"a.csv{suffix}"
    path.write_bytes(gzip.compress(content) if suffix else content)
    offset = min(content.find(byte) for byte in (b"\xdc", b"\xe9") if byte in content)
    with pytest.raises(FacemonError, match=rf"a\.csv{suffix}: line {line} is not UTF-8 \(byte {offset:,} ") as caught:
        open_table(path)
    assert "tables.csv.encoding: latin-1" in str(caught.value.hint)
    assert open_table(path, CsvNotation(encoding="latin-1")).rows == 159_999


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_recognised_and_still_not_guessed(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path / "a.csv", "city,n\nUlm,1\n", encoding)
    with pytest.raises(FacemonError, match="seems to be UTF-16") as caught:
        open_table(path)
    assert "tables.csv.encoding: utf-16" in str(caught.value.hint)


def test_a_mark_of_utf8_is_worth_more_than_the_key(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "city,n\nZürich,1\n", "utf-8-sig")
    assert open_table(path, CsvNotation(encoding="latin-1")).read()["city"].to_pylist() == ["Zürich"]


@pytest.mark.parametrize("encoding", ["nonsense", "rot13", "base64", "undefined"])
def test_what_is_no_encoding(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path / "a.csv", "city,n\nUlm,1\n")
    with pytest.raises(FacemonError, match=f"tables.csv.encoding: '{encoding}' names no encoding of text") as caught:
        open_table(path, CsvNotation(encoding=encoding))
    assert "latin-1" in str(caught.value.hint)


def test_the_wrong_encoding_is_said(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "city,n\n" + "Zürich,1\n" * 200_000)
    with pytest.raises(FacemonError, match="cannot be read as ascii") as caught:
        open_table(path, CsvNotation(encoding="ascii"))
    assert "tables.csv.encoding" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("name", "text", "key"),
    [
        ("a.csv", "a;b,c\n1;2,3\n", '"," or ";"'),
        ("a.csv", "a;b\tc\n1;2\t3\n", r'";" or "\\t"'),
        ("a.csv", "a|b|c\n1|2|3\n", '"|"'),
        ("a.csv", "width height\n1 2\n3 4\n", '" "'),
        ("a.csv", "a:b\n1:2\n3:4\n", '":"'),
        ("a.tsv", "a,b\n1,2\n", '","'),
    ],
)
def test_a_delimiter_that_is_not_plain_is_asked_for(tmp_path: Path, name: str, text: str, key: str) -> None:
    path = written(tmp_path / name, text)
    with pytest.raises(FacemonError, match=name) as caught:
        open_table(path)
    assert caught.value.hint == f"set tables.csv.delimiter: {key}".replace("\\\\", "\\")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('"a;b","c\td"\n1,2\n', ["a;b", "c\td"]),
        ('"one, two";b\n1;2\n', ["one, two", "b"]),
        ('"split\nheader",b;c"\n1,2\n'.replace(';c"', ""), ["split\nheader", "b"]),
        ("my picture\na b.jpg\nc.jpg\n", ["my picture"]),
        ("image\na.jpg\n", ["image"]),
        ("\n\na,b\n1,2\n", ["a", "b"]),
        ("sep=;\na;b,c\n1;2\n", ["a", "b,c"]),
        (",a\n0,1\n", ["", "a"]),
    ],
)
def test_headers(tmp_path: Path, text: str, names: list[str]) -> None:
    assert open_table(written(tmp_path / "a.csv", text)).read().column_names == names


def test_a_delimiter_that_is_told(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "a|b,c\n1|2\n")
    assert open_table(path, CsvNotation(delimiter="|")).read().to_pylist() == [{"a": 1, "b,c": 2}]


@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), min_size=1), min_size=2, unique=True),
    st.sampled_from(",;\t"),
)
def test_any_quoted_header_shows_its_delimiter(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], sign: str
) -> None:
    path = written(tmp_path_factory.mktemp("head") / "a.csv", csv_of([names, ["1"] * len(names)], sign))
    assert read_head(path, CsvNotation()).delimiter == sign


@pytest.mark.parametrize("long", [1, 5_000_000])
def test_quoted_newlines_at_any_size(tmp_path: Path, long: int) -> None:
    """The file is larger than a block, so that blocks end inside cells; one cell may be larger than a block itself."""
    cells = [f'line {at}\n\n"quoted", {at}\r\nend' for at in range(60_000)]
    cells[40_000] += "\n" * long
    path = written(
        tmp_path / "a.csv", csv_of([["n", "text"], *([str(at), cell] for at, cell in enumerate(cells))], ",")
    )
    table = open_table(path).read()
    assert table["text"].to_pylist() == cells
    assert table["n"].to_pylist() == list(range(60_000))


def test_a_decimal_comma(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", 'a;b\n1,5;"2,25"\n-0,5;3\n')
    assert open_table(path, CsvNotation(decimal=",")).read().to_pylist() == [{"a": 1.5, "b": 2.25}, {"a": -0.5, "b": 3}]
