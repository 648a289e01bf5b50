from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from facemon.config.drift import TablesConfig
from facemon.domain.drift_result import Verdict
from facemon.domain.profile import add_profiles
from facemon.drift.table_sample import sampled_rows
from facemon.drift.tables import read_reference, read_sample
from tests.drift.table_files import BEARD, TABLES, check, compared, write


def test_a_source_column_makes_clusters(tmp_path: Path) -> None:
    columns = {"beard": ["yes", "no"] * 600, "source": [f"camera {at % 6}" for at in range(1200)]}
    path = write(tmp_path / "sources.csv", columns)
    found = check(path, path, BEARD)
    assert (found["beard"].test, found["beard"].verdict) == ("Cochran-Mantel-Haenszel over 6 sources", Verdict.OK)
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


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl", "rows.parquet", "rows"])
@pytest.mark.parametrize("sources", [["01", "1"], ["7", "gate"], ["2026-11-28", "2026-11-29"], ["1e3", "1000"]])
def test_a_source_is_named_as_it_is_written(tmp_path: Path, name: str, sources: list[str]) -> None:
    path = tmp_path / name
    if path.suffix:
        write(path, {"beard": ["yes", "no"] * 2, "source": sources * 2})
    else:
        path.mkdir()
        for source in sources:
            write(path / f"{source}.csv", {"beard": ["yes", "no"], "source": [source] * 2})
    sample = read_sample(path, attributes=[BEARD], tables=TABLES)
    assert {source: profile.faces for source, profile in sample.by_source.items()} == dict.fromkeys(sources, 2)


@pytest.mark.parametrize(
    ("cells", "sources"), [("7.0 8.0", {"7", "8", None}), ("1.0 1.5", {"1.0", "1.5", None}), ("", {None})]
)
def test_whole_numbers_that_pandas_writes_beside_missing_ones(tmp_path: Path, cells: str, sources: set[str]) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("beard,source\n" + "".join(f"yes,{cell}\n" for cell in (*cells.split(), "")))
    assert set(read_sample(path, attributes=[BEARD], tables=TABLES).by_source) == sources


@pytest.mark.parametrize("type_", [pa.string(), pa.int64(), pa.float64()])
def test_a_sample_of_a_source_that_is_a_number(tmp_path: Path, type_: pa.DataType) -> None:
    columns = {"source": pa.array([7, 8, None] * 100).cast(type_), "n": np.arange(300)}
    path = write(tmp_path / "rows.parquet", columns)
    rows = sampled_rows(path, attributes=[], tables=TABLES, most=200, source="8")
    assert rows["n"].to_pylist() == list(range(1, 300, 3))


def test_the_column_of_sources_may_be_called_otherwise(tmp_path: Path) -> None:
    columns = {"beard": ["yes", "no"] * 600, "place": [f"camera {at % 6}" for at in range(1200)]}
    path = write(tmp_path / "places.csv", columns)
    found = check(path, path, BEARD, tables=TablesConfig(source="place"))
    assert (found["beard"].test, set(found)) == ("Cochran-Mantel-Haenszel over 6 sources", {"beard"})


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


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_images_of_one_name_in_a_file_of_the_log(tmp_path: Path, suffix: str) -> None:
    """A camera that writes latest.jpg over sends another image each time, with two faces here."""
    columns = {
        "image": ["latest.jpg"] * 600, "face": [0, 1] * 300, "source": ["gate"] * 600,
        "beard": ["yes", "no"] * 300, "predicted_at": ["2026-11-23T00:00:00Z"] * 600,
        "error": [*[None] * 599, "no_face"],
    }  # fmt: skip
    times = [f"2026-11-22T{at // 120:02}:{at // 2 % 60:02}:00Z" for at in range(600)]
    for told in ({"observed_at": times}, {"image_sha256": times}, {"image_id": [at // 2 for at in range(600)]}, {}):
        path = write(tmp_path / f"rows{suffix}", columns | told)
        total = read_sample(path, attributes=[BEARD], tables=TABLES).total
        assert (total.faces, total.squares) == (599, 299 * 4 + 1 if told else 599 * 599)


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
