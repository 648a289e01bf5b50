"""Tables with odd cells end in a result or in an error that names the file, whatever their columns are called."""

from pathlib import Path
from random import Random

import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

from facemon.tables.attribute_cells import values_of
from tests.acceptance.small_model import write_small_model
from tests.conftest import RunFacemon

COUNT = 7
_COLUMNS = ("image", "hair", "image_id", "observed_at", "source", "x", "attributes", "box", "error")
_CELLS = [
    "1", '"a"', '"\\ud800"', "9" * 5000, "1e400", "NaN", "[]", "{}", "null", "true", "[[1]]", '{"a": {"b": 1}}',
    '"2026-11-29T00:00:00Z"', '"9999-12-31T23:59:59-14:00"', '"\\u0000"', "18446744073709551616", '"\u202e"',
]  # fmt: skip


def odd_table(random: Random) -> str:
    """Lines of JSON, or an array of objects."""
    columns = random.sample(_COLUMNS, random.randint(1, 5))
    rows = [
        "{" + ", ".join(f'"{column}": {random.choice(_CELLS)}' for column in columns) + "}"
        for _ in range(random.randint(1, 3))
    ]
    return "\n".join(rows) if random.random() < 0.5 else f"[{', '.join(rows)}]"


def test_no_table_is_more_than_a_command_bears(facemon: RunFacemon, tmp_path: Path) -> None:
    write_small_model(tmp_path)
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    facemon("predict", "a.png", "-q", cwd=tmp_path)
    texts = [odd_table(Random(f"17/{number}")) for number in range(COUNT)]
    for text in [*texts, '[{"hair": "9999-12-31T23:59:59-14:00"}]', '[{"source": {}}]']:
        (tmp_path / "t.json").write_text(text)
        for arguments in (["evaluate", "t.json"], ["drift-check", "--reference", "t.json", "--current", "t.json"]):
            answer = facemon(*arguments, cwd=tmp_path)
            assert "failed unexpectedly" not in answer.stderr, (arguments, text, answer.stderr)
            assert answer.returncode in (0, 1, 4), (arguments, text, answer.stderr)


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (pa.array([2**62, 0, None], pa.timestamp("us", "UTC")), ["17036-07-06 14:00:27.387904Z", "1970", None]),
        (pa.array([1, None], pa.timestamp("ns")), ["1970-01-01 00:00:00.000000001", None]),
        (pa.array([2**50], pa.timestamp("s")), ["<value out of range"]),
        (pa.array(["a", None]), ["a", None]),
    ],
)
def test_cells_that_python_cannot_hold_are_text(cells: pa.Array, values: list[str | None]) -> None:
    found = values_of(cells)
    assert len(found) == len(values)
    for value, expected in zip(found, values, strict=True):
        assert value == expected or str(value).startswith(str(expected))


def test_a_parquet_file_with_times_beyond_ours_is_compared(facemon: RunFacemon, tmp_path: Path) -> None:
    write_small_model(tmp_path)
    table = pa.table({"hair": pa.array([2**62] * 3, pa.timestamp("us", "UTC")), "x": [1, 2, 3]})
    parquet.write_table(table, tmp_path / "t.parquet")
    answer = facemon("drift-check", "--reference", "t.parquet", "--current", "t.parquet", cwd=tmp_path)
    assert "failed unexpectedly" not in answer.stderr
