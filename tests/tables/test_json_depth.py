"""JSON that is nested deeply is refused before pyarrow reads it, wherever its line ends are."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from facemon.errors import FacemonError
from facemon.tables.json_depth import refuse_deep
from facemon.tables.json_table import read_json

DEPTH = 30_000
NESTED = '{"a":' + "[" * DEPTH + "]" * DEPTH + "}"
GOOD = '{"a": 1, "b": "}{[["}'


@pytest.mark.parametrize(
    "text",
    [
        NESTED,
        NESTED[: DEPTH // 2],
        f"{GOOD}\n" * 100_000 + NESTED,
        NESTED.replace("[", "[\n"),
        '{"a":' * DEPTH + "1" + "}" * DEPTH,
        ('{"a":\n' * DEPTH + "1" + "}" * DEPTH).replace("\n", "\r\n"),
        "[" * DEPTH,
        '[{"a":' + "[" * DEPTH + "]" * DEPTH + "}]",
    ],
)
def test_deep_json_is_an_error(tmp_path: Path, text: str) -> None:
    file = tmp_path / "t.jsonl"
    file.write_text(text, newline="")
    with pytest.raises(FacemonError, match="is nested more than 500 levels deep"):
        read_json(file)


@pytest.mark.parametrize(
    "text",
    [
        f"{GOOD}\n" * 200_000,
        f"{GOOD}\r\n" * 100_000,
        json.dumps({"a": 1, "b": "[" * 20_000}) + "\n" + GOOD,
        json.dumps({"a": 1, "b": '\\"[' * 20_000}),
        "\n".join([json.dumps({"a": 1}, indent=2)] * 20_000),
        "\n \n".join([GOOD] * 10),
        '{"a": ' + "[" * 100 + "]" * 100 + ', "b": 1}\n',
    ],
)
def test_brackets_in_text_and_between_rows_do_not_count(tmp_path: Path, text: str) -> None:
    file = tmp_path / "t.jsonl"
    file.write_text(text, newline="")
    refuse_deep(file)
    assert read_json(file).num_rows > 0


def test_what_looks_like_rows_inside_a_list_is_not_json(tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    file.write_text(NESTED.replace("[", "[{}\n{"))
    with pytest.raises(pa.ArrowInvalid):
        read_json(file)
