"""`facemon drift-check` on tables that somebody else's predictions are in; their columns are mapped by the YAML."""

import json
from pathlib import Path

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


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "verdict"), [("ignore", "not_compared"), ("numerical", "ok")])
def test_kinds_are_those_of_evidently_too(facemon: RunFacemon, folder: Path, kind: str, verdict: str) -> None:
    (folder / "facemon.yaml").write_text(f"{CONFIGURATION}  kinds: {{brightness: {kind}}}\n{ALWAYS}")
    tables = ("--reference", "normal.csv", "--current", "same.csv", "--format", "json")
    outcome = facemon("drift-check", *tables, cwd=folder)
    assert outcome.returncode in (0, 4), outcome.stderr
    checks = json.loads(outcome.stdout)["checks"]
    for check in ("data", "evidently"):
        (column,) = [each for each in checks[check]["columns"] if each["column"] == "brightness"]
        assert (column["verdict"], column["reason"] == "ignored by tables.kinds") == (verdict, kind == "ignore")


def test_a_table_against_itself(facemon: RunFacemon, folder: Path) -> None:
    tables = ("--reference", "normal.csv", "--current", "same.csv", "--data-threshold", "0.1")
    outcome = facemon("drift-check", "--check", "data", *tables, "--format", "json", cwd=folder)
    scores = {c["column"]: c["score"] for c in json.loads(outcome.stdout)["checks"]["data"]["columns"]}
    assert (outcome.returncode, scores["brightness"]) == (0, 0)


def test_true_labels_as_the_reference_are_told(facemon: RunFacemon, folder: Path) -> None:
    made = facemon("reference", "set", "normal.csv", "--kind", "labels", "--name", "truth", cwd=folder)
    assert (made.returncode, made.stderr) == (0, "reference truth: 600 rows (labels)\n")
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
        ("missing.csv", None, "there is no such file"),
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
