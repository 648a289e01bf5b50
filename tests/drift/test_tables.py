import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from facemon.config.drift import DriftConfig, TablesConfig
from facemon.config.model import AttributeConfig
from facemon.drift.drift_check import run_checks
from facemon.drift.sample import Sample
from facemon.drift.table_sample import sampled_rows
from facemon.drift.tables import read_reference, read_sample
from facemon.errors import FacemonError
from facemon.tables.table_file import open_table
from facemon.values.drift_result import Check, ColumnResult, Side, Verdict
from facemon.values.profile import ColumnKind, add_profiles
from tests.drift.worlds import NOW, binary, numbers, single, yes_no

BEARD = binary("beard")
AGE = AttributeConfig(
    name="age", output="out", kind="ordinal", values=tuple(range(81)), bands={"young": (0, 30), "old": (30, 100)}
)
TABLES = TablesConfig()


def write(path: Path, columns: Mapping[str, object]) -> Path:
    table = pa.table(dict(columns))
    if path.suffix == ".parquet":
        pyarrow.parquet.write_table(table, path, row_group_size=300)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))
    else:
        pyarrow.csv.write_csv(table, path)
    return path


def check(
    reference: Path, current: Path, *attributes: AttributeConfig, tables: TablesConfig = TABLES, **settings: object
) -> dict[str, ColumnResult]:
    first, layout = read_reference(reference, attributes=attributes, tables=tables)
    second = read_sample(current, attributes=attributes, tables=tables, layout=layout)
    return compared(first, second, attributes, **settings)


def compared(
    first: Sample, second: Sample, attributes: Sequence[AttributeConfig], **settings: object
) -> dict[str, ColumnResult]:
    result = run_checks(
        first,
        second,
        checks=[Check.DATA, Check.MODEL],
        attributes=attributes,
        settings=DriftConfig.model_validate(settings),
        at=NOW,
        reference_side=Side(0),
        current_side=Side(0),
    )
    return {column.column: column for outcome in result.checks.values() for column in outcome.columns}


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_every_format_says_the_same(tmp_path: Path, suffix: str) -> None:
    rng = np.random.default_rng(61)
    sides = []
    for name, share, shift in (("before", 0.3, 0.0), ("after", 0.5, 1.0)):
        columns = {
            "image": [f"{at}.jpg" for at in range(600)],
            "beard": np.where(np.arange(600) < 600 * share, "yes", "no"),
            "width": rng.normal(shift, 1, 600),
            "place": np.where(rng.random(600) < 0.4, "in", "out"),
            "sunny": rng.random(600) < 0.4,
        }
        sides.append(write(tmp_path / f"{name}{suffix}", columns))
    found = check(sides[0], sides[1], BEARD)
    assert list(found) == ["width", "place", "sunny", "beard"]
    assert found["beard"].score == pytest.approx(0.2)
    assert {name: column.verdict for name, column in found.items()} == {
        "width": Verdict.DRIFT,
        "place": Verdict.OK,
        "sunny": Verdict.OK,
        "beard": Verdict.DRIFT,
    }


def test_what_blinds_evidently_is_seen(tmp_path: Path) -> None:
    rng = np.random.default_rng(62)
    normal, other = rng.normal(0, 1, 2000), rng.normal(0, 1, 2000)
    outlier = other + 3
    outlier[7] = 1e9
    infinite = other.copy()
    infinite[:400] = np.inf
    before = write(
        tmp_path / "before.parquet",
        dict.fromkeys(("missing", "outlier", "null", "infinite", "quiet"), normal) | {"constant": np.full(2000, 5.0)},
    )
    after = write(
        tmp_path / "after.parquet",
        {
            "missing": np.where(rng.random(2000) < 0.6, np.nan, other),
            "outlier": outlier,
            "null": pa.nulls(2000),
            "infinite": infinite,
            "quiet": other,
            "constant": np.full(2000, 5.001),
        },
    )
    found = check(before, after)
    assert {name for name, column in found.items() if column.verdict is Verdict.DRIFT} == set(found) - {"quiet"}
    assert found["missing"].score == pytest.approx(0.6, abs=0.04)
    assert found["null"].score == found["constant"].score == 1
    assert found["outlier"].score == pytest.approx(0.87, abs=0.03)


def test_a_reference_without_any_value(tmp_path: Path) -> None:
    before = write(tmp_path / "before.csv", {"width": pa.nulls(300, pa.float64()), "x": np.arange(300) % 7})
    after = write(tmp_path / "after.csv", {"width": np.arange(300.0) % 9, "x": np.arange(300) % 7})
    assert check(before, after)["width"].score == 1
    assert check(before, before)["width"].score == 0


def test_columns_are_mapped_to_attributes(tmp_path: Path) -> None:
    tables = TablesConfig(columns={"beard": "beard_binary"}, values={"beard": {0: "no", 1: "yes"}})
    path = write(
        tmp_path / "labels.csv",
        {"beard_binary": np.arange(500) % 2, "age": np.arange(500) % 60, "age_confidence": np.full(500, 0.9)},
    )
    sample = read_sample(path, attributes=[BEARD, AGE], tables=tables)
    assert dict(zip(sample.total.columns["beard"].labels, sample.total.columns["beard"].counts, strict=True)) == {
        "no": 250,
        "yes": 250,
    }
    assert sample.total.columns["age"].labels == ("old", "young")
    assert sample.total.columns["age_confidence"].kind is ColumnKind.CONFIDENCE
    rows = sampled_rows(path, attributes=[BEARD, AGE], tables=tables, most=100)
    assert rows.num_rows == 100
    assert set(rows.column("beard").to_pylist()) == {"no", "yes"}


def test_an_unknown_label_is_other_and_an_empty_cell_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("beard,n\n" + "yes,1\n" * 3 + ",1\n" * 2 + "maybe,1\n")
    column = read_sample(path, attributes=[BEARD], tables=TABLES).total.columns["beard"]
    assert dict(zip(column.labels, column.counts, strict=True)) == {"": 2, "other": 1, "yes": 3}


def test_cells_that_are_no_labels_need_a_mapping(tmp_path: Path) -> None:
    path = write(tmp_path / "labels.csv", {"beard": np.arange(300) % 2})
    with pytest.raises(FacemonError, match=r"no cell is a label of beard \(no, yes\); found 0, 1") as caught:
        read_sample(path, attributes=[BEARD], tables=TABLES)
    assert "tables.values.beard" in str(caught.value.hint)


def test_an_attribute_that_the_current_table_lacks_is_undecided(tmp_path: Path) -> None:
    before = write(tmp_path / "before.csv", {"beard": ["yes", "no"] * 200})
    after = write(tmp_path / "after.csv", {"bearded": ["yes", "no"] * 200})
    found = check(before, after, BEARD)
    assert found["beard"].verdict is Verdict.UNDECIDED
    assert found["beard"].reason == "the current data has no such column; the nearest are bearded"
    assert found["bearded"].verdict is Verdict.NOT_COMPARED


def test_labels_that_become_identifiers_are_not_reported_as_fine(tmp_path: Path) -> None:
    before = write(tmp_path / "before.csv", {"site": ["a", "b"] * 1500})
    after = write(tmp_path / "after.csv", {"site": [f"row {at}" for at in range(3000)]})
    found = check(before, after)["site"]
    assert found.verdict is Verdict.UNDECIDED
    assert found.reason == "it names single rows (an identifier) in the current data"
    assert check(after, before)["site"].verdict is Verdict.NOT_COMPARED


def test_identifiers_times_and_nested_values_are_not_compared(tmp_path: Path) -> None:
    rows = 3000
    path = write(
        tmp_path / "odd.parquet",
        {
            "person": [f"person {at}" for at in range(rows)],
            "row": np.arange(rows),
            "taken": pa.array(np.arange(rows), pa.timestamp("s")),
            "box": [[1, 2]] * rows,
            "size": [str(at) if at % 50 else "unknown" for at in range(rows)],
            "n": np.arange(rows) % 5,
        },
    )
    found = check(path, path)
    verdicts = {name: column.verdict for name, column in found.items()}
    assert [verdicts[name] for name in ("person", "row", "taken", "box")] == [Verdict.NOT_COMPARED] * 4
    assert (verdicts["size"], found["size"].reason) == (
        Verdict.UNDECIDED,
        "it mixes numbers and text in the reference",
    )
    assert verdicts["n"] is Verdict.OK


def test_numbers_that_became_text_are_undecided(tmp_path: Path) -> None:
    before = write(tmp_path / "before.csv", {"width": np.arange(400) % 9})
    after = write(tmp_path / "after.csv", {"width": [str(at % 9) if at % 5 else "bad" for at in range(400)]})
    assert check(before, after)["width"].reason == "numbers in the reference, labels in the current data"


def test_a_source_column_makes_clusters(tmp_path: Path) -> None:
    columns = {"beard": ["yes", "no"] * 600, "source": [f"camera {at % 6}" for at in range(1200)]}
    path = write(tmp_path / "sources.csv", columns)
    found = check(path, path, BEARD)
    assert (found["beard"].test, found["beard"].verdict) == ("paired t over 6 sources", Verdict.OK)
    assert "source" not in found
    sample = read_sample(path, attributes=[BEARD], tables=TABLES)
    assert sample.total == add_profiles(sample.by_source.values())
    assert len(sample.by_source) == 6


def test_thousands_of_sources_are_merged_into_the_same_buckets(tmp_path: Path) -> None:
    columns = {"beard": ["yes", "no"] * 1500, "source": [f"person {at // 2}" for at in range(3000)]}
    before = write(tmp_path / "before.parquet", columns)
    after = write(tmp_path / "after.parquet", {name: cells[:2000] for name, cells in columns.items()})
    found = check(before, after, BEARD)
    assert found["beard"].test == "paired t over 64 buckets of sources"


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_one_source_of_thousands_is_counted_alone(tmp_path: Path, suffix: str) -> None:
    columns = {
        "beard": ["yes"] * 4 + ["no"] * 2996,
        "source": [f"person {at // 2}" for at in range(3000)],
        "image": [f"{at}.jpg" for at in range(3000)],
    }
    path = write(tmp_path / f"people{suffix}", columns)
    everybody = read_sample(path, attributes=[BEARD], tables=TABLES)
    assert (everybody.bucketed, everybody.rows) == (True, 3000)
    for source, labels in (("person 1", ("yes",)), ("person 2", ("no",))):
        sample = read_sample(path, attributes=[BEARD], tables=TABLES, source=source)
        assert sample.of_source(source).rows == 2
        assert sample.of_source(source).total.columns["beard"].labels == labels
    assert read_sample(path, attributes=[BEARD], tables=TABLES, source="nobody").of_source("nobody").rows == 0


def test_the_column_of_sources_may_be_called_otherwise(tmp_path: Path) -> None:
    columns = {"beard": ["yes", "no"] * 600, "place": [f"camera {at % 6}" for at in range(1200)]}
    path = write(tmp_path / "places.csv", columns)
    found = check(path, path, BEARD, tables=TablesConfig(source="place"))
    assert (found["beard"].test, set(found)) == ("paired t over 6 sources", {"beard"})


def test_faces_of_one_image_share_it(tmp_path: Path) -> None:
    path = write(
        tmp_path / "faces.csv", {"image": [f"{at // 4}.jpg" for at in range(800)], "beard": ["yes", "no"] * 400}
    )
    total = read_sample(path, attributes=[BEARD], tables=TABLES).total
    assert (total.faces, total.squares) == (800, 200 * 16)


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_faces_of_one_image_share_it_within_each_source(tmp_path: Path, suffix: str) -> None:
    """Faces of an image need not stand together, and one image may be seen from two sources."""
    rng = np.random.default_rng(64)
    images = rng.choice(np.array([*map(str, range(700)), *[None] * 70]), 3000)
    sources = rng.choice(np.array(["a", "b", None]), 3000)
    columns = {"image": images, "source": sources, "beard": ["yes", "no"] * 1500}
    sample = read_sample(write(tmp_path / f"rows{suffix}", columns), attributes=[BEARD], tables=TABLES)
    for source in ("a", "b", None):
        own = [image for image, place in zip(images, sources, strict=True) if place == source]
        counts = Counter(own)
        nameless = counts.pop(None)
        alone = write(tmp_path / f"alone{suffix}", {"image": own, "beard": (["yes", "no"] * len(own))[: len(own)]})
        for part in (sample.of_source(source).total, read_sample(alone, attributes=[BEARD], tables=TABLES).total):
            assert (part.faces, part.squares) == (len(own), sum(count**2 for count in counts.values()) + nameless)


def test_an_image_is_one_in_all_files_of_a_directory(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    for part in range(3):
        columns = {"image": [f"{at + part}.jpg" for at in range(200)], "source": ["a", "b"] * 100, "n": [1.0] * 200}
        write(tmp_path / "parts" / f"{part}.parquet", columns)
    sample = read_sample(tmp_path / "parts", attributes=[], tables=TABLES)
    # Each file begins one image later, so that neighbours see most images from different sources.
    counts = Counter((at + part, "ab"[at % 2]) for part in range(3) for at in range(200))
    for source in "ab":
        expected = sum(count**2 for (_, place), count in counts.items() if place == source)
        assert sample.by_source[source].squares == expected


def test_faces_without_the_name_of_an_image_are_images_of_their_own(tmp_path: Path) -> None:
    columns = {"image": pa.nulls(300), "source": ["a", "b", None] * 100, "beard": ["yes", "no"] * 150}
    sample = read_sample(write(tmp_path / "rows.parquet", columns), attributes=[BEARD], tables=TABLES)
    assert [part.squares for part in sample.by_source.values()] == [100, 100, 100]


def test_equal_faces_of_an_image_do_not_pass_for_drift_of_their_source(tmp_path: Path) -> None:
    """Two cameras, 100 images of 20 faces that are all alike: 60 and 40 of them with a beard."""
    sides = []
    for name, bearded in (("before", 60), ("after", 40)):
        image = np.repeat(np.arange(200), 20)
        columns = {
            "image": [f"{at}.jpg" for at in image],
            "source": [f"camera {at % 2}" for at in image],
            "beard": np.where(image // 2 < bearded, "yes", "no"),
        }
        sides.append(write(tmp_path / f"{name}.parquet", columns))
    reference, layout = read_reference(sides[0], attributes=[BEARD], tables=TABLES)
    current = read_sample(sides[1], attributes=[BEARD], tables=TABLES, layout=layout)
    for source in ("camera 0", "camera 1"):
        found = compared(reference.of_source(source), current.of_source(source), [BEARD])["beard"]
        assert found.p_value == pytest.approx(0.005, abs=0.003)


KINDS = TablesConfig(kinds={"site": "categorical", "flag": "categorical", "width": "numerical", "row": "ignore"})


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_columns_are_of_the_kinds_that_were_declared(tmp_path: Path, suffix: str) -> None:
    """Site 7 becomes site 30; among the widths are cells that are no numbers, and later more of them."""
    rows = np.arange(2000)
    sides = []
    for name, site, gaps in (("before", 7, 0.1), ("after", 30, 0.4)):
        widths = [f"{at % 97 / 10}" if at >= 2000 * gaps else "bad" for at in range(2000)]
        columns = {"site": np.where(rows % 2, site, 8), "flag": rows % 2, "width": widths, "row": rows}
        sides.append(write(tmp_path / f"{name}{suffix}", columns))
    found = check(sides[0], sides[1], tables=KINDS)
    kinds = {name: (column.kind, column.verdict) for name, column in found.items()}
    assert kinds == {
        "site": ("categorical", Verdict.DRIFT),
        "flag": ("categorical", Verdict.OK),
        "width": ("number", Verdict.DRIFT),
        "row": ("categorical", Verdict.NOT_COMPARED),
    }
    assert [found[name].score for name in ("site", "width")] == pytest.approx([0.5, 0.3])
    assert found["row"].reason == "ignored by tables.kinds"
    sampled = sampled_rows(sides[0], attributes=[], tables=KINDS, most=100)
    assert [sampled.schema.field(name).type for name in ("site", "flag", "width")] == [
        pa.string(), pa.string(), pa.float64(),
    ]  # fmt: skip
    assert set(sampled["site"].to_pylist()) == {"7", "8"}
    assert sampled["width"].null_count == sum(at < 200 for at in sampled["row"].to_pylist())


def test_a_declared_kind_holds_whatever_the_file_made_of_the_cells(tmp_path: Path) -> None:
    """Empty cells turn whole numbers into floats, and a stray word turns a column into text."""
    before = write(tmp_path / "before.parquet", {"site": np.arange(600) % 3, "width": np.arange(600) % 7})
    floats = [float(at % 3) if at >= 6 else None for at in range(600)]
    texts = [str(at % 7) if at >= 7 else "?" for at in range(600)]
    after = write(tmp_path / "after.parquet", {"site": floats, "width": texts})
    found = check(before, after, tables=KINDS)
    assert {name: column.score for name, column in found.items()} == {
        "site": pytest.approx(0.01),
        "width": pytest.approx(7 / 600),
    }


@pytest.mark.parametrize(
    ("cells", "kind", "reason"),
    [
        ([f"name {at}" for at in range(3000)], "categorical", "it has more than 1,000 labels"),
        (list(range(3000)), "categorical", "it has more than 1,000 labels"),
        (["a", "b", ""] * 1000, "numerical", "it holds no numbers"),
        ([[1, 2]] * 3000, "categorical", "it holds list<element: int64>, no labels"),
        ([datetime(2026, 1, 1)] * 3000, "numerical", "it holds timestamp[us], no numbers"),  # noqa: DTZ001
    ],
)
def test_a_column_that_is_not_what_was_declared_is_undecided(
    tmp_path: Path, cells: Sequence[object], kind: str, reason: str
) -> None:
    path = write(tmp_path / "table.parquet", {"x": pa.array(cells)})
    found = check(path, path, tables=TablesConfig.model_validate({"kinds": {"x": kind}}))["x"]
    assert (found.verdict, found.reason) == (Verdict.UNDECIDED, f"{reason} in the reference")
    assert sampled_rows(path, attributes=[], tables=TablesConfig(kinds={"x": "ignore"}), most=9).num_rows == 9


def test_what_would_pass_for_an_identifier_is_compared_where_it_is_declared(tmp_path: Path) -> None:
    before = write(tmp_path / "before.csv", {"n": np.arange(900), "site": [f"site {at}" for at in range(900)]})
    after = write(tmp_path / "after.csv", {"n": np.arange(900) + 450, "site": [f"site {at}" for at in range(900)]})
    declared = TablesConfig(kinds={"n": "numerical", "site": "categorical"})
    assert {column.verdict for column in check(before, after).values()} == {Verdict.NOT_COMPARED}
    found = check(before, after, tables=declared)
    assert found["n"].verdict is Verdict.DRIFT
    assert found["n"].score == pytest.approx(0.5, abs=0.01)
    assert found["site"].score == 0


@pytest.mark.parametrize("kind", [None, "numerical", "categorical"])
def test_numbers_that_the_reference_lacks_altogether(tmp_path: Path, kind: str | None) -> None:
    tables = TablesConfig.model_validate({"kinds": {"width": kind} if kind else {}})
    before = write(tmp_path / "before.parquet", {"width": pa.nulls(300, pa.float64())})
    after = write(tmp_path / "after.parquet", {"width": np.arange(300.0) % 9})
    assert check(before, after, tables=tables)["width"].score == 1
    assert check(before, before, tables=tables)["width"].score == 0


def test_the_order_of_rows_changes_nothing(tmp_path: Path) -> None:
    rng = np.random.default_rng(63)
    columns = {"beard": rng.choice(["yes", "no"], 1000), "width": rng.normal(0, 1, 1000)}
    order = rng.permutation(1000)
    before = write(tmp_path / "before.parquet", columns)
    after = write(tmp_path / "after.parquet", {name: cells[order] for name, cells in columns.items()})
    found = check(before, after, BEARD)
    assert [column.score for column in found.values()] == [0, 0]


def test_a_directory_of_parquet_is_one_table(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    for part in range(3):
        write(tmp_path / "parts" / f"{part}.parquet", {"beard": ["yes", "no"] * 100})
    assert read_sample(tmp_path / "parts", attributes=[BEARD], tables=TABLES).rows == 600


def test_a_table_of_labels_against_the_log(tmp_path: Path) -> None:
    path = write(tmp_path / "labels.csv", {"beard": ["yes", "no"] * 300, "photographer": ["a"] * 600})
    reference = read_sample(path, attributes=[BEARD], tables=TABLES)
    current = single(beard=yes_no(400, 500), beard_confidence=numbers(np.full(500, 0.9), ColumnKind.CONFIDENCE))
    found = compared(reference, current, [BEARD])
    assert found["beard"].verdict is Verdict.DRIFT
    assert found["beard_confidence"].verdict is Verdict.NOT_COMPARED
    assert "photographer" not in found


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gone.csv", None, "there is no such file"),
        ("empty.csv", b"", "the file holds no rows"),
        ("head.csv", b"beard,age\n", "the file holds no rows"),
        ("torn.csv", b"a,b\n1,2\n1,2,3\n", "cannot be read: .*Expected 2 columns, got 3"),
        ("bad.parquet", b"PAR1 not really", "cannot be read"),
        ("bad.jsonl", b'{"a": 1}\n{"a": \n', "cannot be read"),
        ("mixed.jsonl", b'{"a": 1}\n{"a": "x"}\n', "cannot be read"),
        ("rows.xlsx", b"x", "the suffix says nothing"),
        ("twice.csv", b"a,a\n1,2\n", "several columns are called 'a'"),
    ],
)
def test_bad_files_are_clear_errors(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(FacemonError, match=message) as caught:
        read_sample(tmp_path / name, attributes=[BEARD], tables=TABLES)
    assert caught.value.hint


def test_a_directory_without_parquet_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FacemonError, match=r"holds no \.parquet file"):
        read_sample(tmp_path, attributes=[BEARD], tables=TABLES)


def test_one_row_is_undecided(tmp_path: Path) -> None:
    before = write(tmp_path / "before.csv", {"beard": ["yes", "no"] * 200, "width": np.arange(400.0) % 3})
    after = write(tmp_path / "after.csv", {"beard": ["yes"], "width": [1.0]})
    assert {column.verdict for column in check(before, after, BEARD).values()} == {Verdict.UNDECIDED}


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_a_whole_table_has_plain_columns(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"table{suffix}", {"beard": ["yes", "no"] * 200, "n": np.arange(400)})
    table = open_table(path).read()
    assert (table.schema.field("beard").type, table.num_rows) == (pa.string(), 400)


def test_a_sample_of_one_source(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.parquet", {"source": ["a", "b", None, "b"] * 300, "n": np.arange(1200)})
    rows = sampled_rows(path, attributes=[], tables=TABLES, most=100, source="b")
    assert rows.num_rows == 100
    assert all(number % 2 == 1 for number in rows["n"].to_pylist())
    assert sampled_rows(path, attributes=[], tables=TABLES, most=100, source="c").num_rows == 0
