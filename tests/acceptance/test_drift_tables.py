"""`facemon drift-check` on tables that somebody else's predictions are in; their columns are mapped by the YAML."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from tests.acceptance.tables import CONFIGURATION, write_table
from tests.conftest import RunFacemon

ALWAYS = "drift: {evidently: {when: always}}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "facemon.yaml").write_text(CONFIGURATION)
    write_table(tmp_path / "normal.csv", seed=1)
    write_table(tmp_path / "bearded.csv", seed=2, beards=0.6)
    write_table(tmp_path / "same.csv", seed=1)
    return tmp_path


def test_two_tables(facemon: RunFacemon, folder: Path) -> None:
    tables = ("--reference", "normal.csv", "--current", "bearded.csv", "--format", "json")
    outcome = facemon("drift-check", "--check", "model", *tables, cwd=folder)
    assert outcome.returncode == 3, outcome.stderr
    document = json.loads(outcome.stdout)
    (beard,) = document["checks"]["model"]["columns"]
    assert (beard["column"], beard["verdict"], beard["n_reference"]) == ("beard", "drift", 600)
    assert 0.2 < beard["score"] < 0.4
    assert document["reference"]["kind"] == "predictions"
    data = facemon("drift-check", "--check", "data", *tables, cwd=folder)
    columns = {c["column"] for c in json.loads(data.stdout)["checks"]["data"]["columns"]}
    assert "brightness" in columns
    assert "beard_binary" not in columns
    assert "beard" not in columns


def test_drift_of_another_column_lets_no_missing_attribute_pass(facemon: RunFacemon, folder: Path) -> None:
    (folder / "facemon.yaml").write_text(f"{CONFIGURATION}{ALWAYS.replace('always', 'never')}")
    write_table(folder / "dark.csv", seed=2, brightness=0.3)
    lines = (folder / "dark.csv").read_text().splitlines()
    (folder / "no-beards.csv").write_text("\n".join(",".join(line.split(",")[::2]) for line in lines))
    tables = ("--reference", "normal.csv", "--current", "no-beards.csv")
    for check, fail_on, code in (("all", "any", 3), ("all", "attribute=beard", 4), ("model", "attribute=beard", 4)):
        outcome = facemon("-q", "drift-check", "--check", check, *tables, "--fail-on", fail_on, cwd=folder)
        assert outcome.returncode == code, outcome.stdout + outcome.stderr


@pytest.mark.slow
def test_kinds_are_those_of_evidently_too(facemon_with_evidently: RunFacemon, folder: Path) -> None:
    kinds = "kinds: {brightness: ignore, width: numerical}"
    (folder / "facemon.yaml").write_text(f"{CONFIGURATION}  {kinds}\n{ALWAYS}")
    for name in ("normal.csv", "same.csv"):
        heading, *rows = (folder / name).read_text().splitlines()
        wider = [f"{heading},width", *(f"{row},{at % 2}" for at, row in enumerate(rows))]
        (folder / name).write_text("\n".join(wider))
    tables = ("--reference", "normal.csv", "--current", "same.csv", "--format", "json")
    outcome = facemon_with_evidently("drift-check", *tables, cwd=folder)
    assert outcome.returncode in (0, 4), outcome.stderr
    checks = json.loads(outcome.stdout)["checks"]
    for check in ("data", "evidently"):
        found = {column["column"]: column for column in checks[check]["columns"]}
        brightness, width = found["brightness"], found["width"]
        assert (brightness["verdict"], brightness["reason"]) == ("not_compared", "ignored by tables.kinds")
        assert (width["verdict"], width["kind"], width["reason"]) == ("ok", "number", None)


def test_a_table_against_itself(facemon: RunFacemon, folder: Path) -> None:
    tables = ("--reference", "normal.csv", "--current", "same.csv", "--data-threshold", "0.1")
    outcome = facemon("drift-check", "--check", "data", *tables, "--format", "json", cwd=folder)
    scores = {c["column"]: c["score"] for c in json.loads(outcome.stdout)["checks"]["data"]["columns"]}
    assert (outcome.returncode, scores["brightness"]) == (0, 0)


@pytest.mark.parametrize("format_", ["text", "markdown"])
def test_an_only_source_is_not_shown_twice(facemon: RunFacemon, folder: Path, format_: str) -> None:
    for name in ("normal.csv", "bearded.csv"):
        heading, *rows = (folder / name).read_text().splitlines()
        (folder / name).write_text("\n".join([f"{heading},source", *(f"{row},gate" for row in rows)]))
    tables = ("--check", "model", "--reference", "normal.csv", "--current", "bearded.csv")
    outcome = facemon("-q", "drift-check", *tables, "--by", "source", "--format", format_, cwd=folder)
    assert outcome.returncode == 3, outcome.stderr
    assert outcome.stdout.count("source gate: drift of beard (600 rows, 600 in the reference)") == 1
    assert outcome.stdout.count("600 / 600") == 1


def test_true_labels_as_the_reference_are_told(facemon: RunFacemon, folder: Path) -> None:
    made = facemon("reference", "set", "normal.csv", "--kind", "labels", "--name", "truth", cwd=folder)
    assert (made.returncode, made.stderr.splitlines()[0]) == (0, "reference truth: 600 rows (labels)")
    outcome = facemon("drift-check", "--check", "model", "--current", "bearded.csv", cwd=folder)
    assert outcome.returncode == 3
    assert "The reference holds true labels, so the model's own bias counts as drift." in outcome.stdout
    document = json.loads(
        facemon(
            "drift-check", "--check", "model", "--current", "bearded.csv", "--format", "json", cwd=folder
        ).stdout
    )  # fmt: skip
    assert (document["reference"]["name"], document["reference"]["kind"]) == ("truth", "labels")
    # The table is kept: the file may go.
    (folder / "normal.csv").unlink()
    assert facemon("drift-check", "--check", "model", "--current", "bearded.csv", cwd=folder).returncode == 3


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("missing.csv", None, "no such file"),
        ("empty.csv", "", "empty.csv"),
        ("notes.txt", "nothing\n", "notes.txt"),
        ("headings.csv", "filename,beard_binary\n", "headings.csv"),
        ("broken.parquet", "no parquet at all", "broken.parquet"),
    ],
)
def test_a_table_that_is_none(facemon: RunFacemon, folder: Path, name: str, content: str | None, said: str) -> None:
    if content is not None:
        (folder / name).write_text(content)
    for arguments in (
        ("--reference", "normal.csv", "--current", name),
        ("--reference", f"./{name}", "--current", "same.csv"),
    ):
        if content is None and arguments[1] != "normal.csv":
            continue
        outcome = facemon("drift-check", "--check", "model", *arguments, cwd=folder)
        assert outcome.returncode == 1, outcome.stderr
        assert said in outcome.stderr
        assert "unexpectedly" not in outcome.stderr


def test_a_configured_column_that_the_current_table_lacks_is_undecided(facemon: RunFacemon, folder: Path) -> None:
    (folder / "other.csv").write_text("filename,brightness\n" + "".join(f"{n}.jpg,0.5\n" for n in range(300)))
    tables = ("--reference", "normal.csv", "--current", "other.csv")
    outcome = facemon("drift-check", "--check", "model", *tables, cwd=folder)
    assert outcome.returncode == 4, outcome.stdout
    assert "beard" in outcome.stdout


def test_a_folder_that_cannot_be_written(facemon: RunFacemon, folder: Path) -> None:
    """A result that counts is entered in a store; where none can be made, that is said before anything is computed."""
    (folder / ".facemon").write_text("in the way\n")
    check = ("drift-check", "--check", "data", "--reference", "normal.csv", "--current", "same.csv")
    outcome = facemon(*check, "--record", cwd=folder)
    assert outcome.returncode == 1
    assert "no store can be made" in outcome.stderr
    assert (folder / ".facemon").read_text() == "in the way\n"
    assert facemon(*check, cwd=folder).returncode == 0


EXPORT = """\
tables:
  csv: {encoding: latin-1, decimal: ","}
  kinds: {gain: numerical}
"""


def write_export(path: Path, cities: tuple[str, str], start: int, gain: float) -> None:
    """A table as people make it: Latin-1, decimal commas in one column, points and percent signs in another."""
    rows = [f"{cities[at % 2]};{at % 3};{start + at},{at % 100:02};{at / 7 + gain:.4f}%\n" for at in range(1000)]
    path.write_bytes(("city;w;amount;gain\n" + "".join(rows)).encode("latin-1"))


@pytest.mark.parametrize("quiet", [(), ("-q",)])
def test_an_export_in_another_notation_is_an_error_until_it_is_told(
    facemon: RunFacemon, tmp_path: Path, quiet: tuple[str, ...]
) -> None:
    write_export(tmp_path / "a.csv", ("München", "Ulm"), 1000, 0)
    write_export(tmp_path / "b.csv", ("Paris", "Rome"), 90_000, 900)
    check = ("drift-check", "--check", "data", "--current", "b.csv", "--reference")
    keys = ("csv: {encoding: latin-1}", 'csv: {encoding: latin-1, decimal: ","}')
    said = ("set tables.csv.encoding: latin-1", 'set tables.csv.decimal: ","', "tables.kinds: {gain: numerical}")
    for configuration, hint in zip(("", *(f"tables:\n  {key}\n" for key in keys)), said, strict=True):
        (tmp_path / "facemon.yaml").write_text("version: 1\nmodel: {bundle: age-gender}\n" + configuration)
        for command in ((*check, "a.csv"), ("reference", "set", "a.csv", "--name", "spring")):
            answer = facemon(*quiet, *command, cwd=tmp_path)
            assert (answer.returncode, answer.stdout) == (1, "")
            assert "a.csv: " in answer.stderr
            assert hint in answer.stderr
    (tmp_path / "facemon.yaml").write_text("version: 1\nmodel: {bundle: age-gender}\n" + EXPORT)
    made = facemon("reference", "set", "a.csv", "--name", "spring", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    for reference in ("a.csv", "spring"):
        answer = facemon(*quiet, *check, reference, "--format", "json", cwd=tmp_path)
        assert answer.returncode == 3, answer.stderr
        found = {c["column"]: c for c in json.loads(answer.stdout)["checks"]["data"]["columns"]}
        assert {name: column["verdict"] for name, column in found.items()} == {
            "city": "drift", "w": "ok", "amount": "drift", "gain": "drift",
        }  # fmt: skip
        assert found["gain"]["kind"] == found["amount"]["kind"] == "number"


def test_a_partitioned_directory(facemon: RunFacemon, tmp_path: Path) -> None:
    (tmp_path / "facemon.yaml").write_text("version: 1\nmodel: {bundle: age-gender}\n")
    for name, kinds in (("before", ["a", "b"] * 300), ("after", ["a"] * 600), ("lasting", ["a", "b"] * 300)):
        table = pa.table({"kind": kinds, "w": [(at * 37) % 101 / 7 for at in range(600)]})
        pa.parquet.write_to_dataset(table, tmp_path / name, partition_cols=["kind"])
        (tmp_path / name / "_temporary").mkdir()
        pa.parquet.write_table(pa.table({"kind": ["z"] * 600}), tmp_path / name / "_temporary" / "part-0.parquet")
    for current, code in (("after", 3), ("lasting", 0)):
        tables = ("--reference", "before", "--current", current, "--format", "json")
        answer = facemon("drift-check", "--check", "data", *tables, cwd=tmp_path)
        assert answer.returncode == code, answer.stderr
        document = json.loads(answer.stdout)
        assert document["current"]["rows"] == 600
        assert {column["column"] for column in document["checks"]["data"]["columns"]} == {"kind", "w"}
