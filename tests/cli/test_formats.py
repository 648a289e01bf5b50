"""`--format` means the same in every command: how it is spelled, its default, what JSON is, and what contradicts."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.csv
import pyarrow.parquet
import pytest

from facemon.store.ledger.opening import open_ledger
from tests.conftest import RunFacemon
from tests.every_command import single_commands
from tests.metrics.stores import CONFIGURATION
from tests.store.log_rows import NOON, log_images

RESULTS = ("text", "json")
"""What every command that prints a result has; further ones follow in the order of letters."""
ROWS = ("table", "jsonl", "csv", "parquet")
FURTHER = {"drift-check": ("github", "junit", "markdown"), "doctor": ("markdown",), "config check": ("github",)}
OF_ROWS = {"predict", "log"}


def with_format() -> Iterator[tuple[str, Any]]:
    for words, command in single_commands():
        for option in command.params:
            if "--format" in option.opts:
                yield " ".join(words), option


FORMATS = dict(with_format())


def test_the_commands_that_have_it() -> None:
    assert FORMATS.keys() == {
        "predict", "log", "evaluate", "reference show", "reference diff", "drift-check", "store info", "store collect",
        "model check", "model show", "metrics", "explain", "doctor", "config check", "config show",
    }  # fmt: skip


@pytest.mark.parametrize("words", FORMATS)
def test_its_values_and_its_default(words: str) -> None:
    option = FORMATS[words]
    if words in OF_ROWS:
        assert (option.metavar, option.default) == ("|".join(ROWS), None)
        return
    values = [each.value for each in option.type_descriptor.annotation]
    assert tuple(values) == (*RESULTS, *FURTHER.get(words, ()))
    assert option.default == "text"
    assert list(FURTHER.get(words, ())) == sorted(FURTHER.get(words, ()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a log and a table of labels."""
    folder = tmp_path_factory.mktemp("formats")
    (folder / "facemon.yaml").write_text(CONFIGURATION)
    (folder / "labels.csv").write_text("image,gender\n1.jpg,male\n")
    with open_ledger(folder / ".facemon", create=True) as ledger:
        log_images(ledger, 30, observed=NOON)
    return folder


REQUIRED = {"evaluate": ("labels.csv",), "explain": ("DriftDetected",), "store collect": ("shared",)}


@pytest.mark.parametrize("words", FORMATS)
def test_a_format_that_is_not_there(facemon: RunFacemon, folder: Path, words: str) -> None:
    required = REQUIRED.get(words, ("x", "y") if words == "reference diff" else ())
    required = required or (("x",) if words in ("predict", "model check") else ())
    refused = facemon(*words.split(), *required, "--format", "xml", cwd=folder)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--format" in refused.stderr
    known = ROWS if words in OF_ROWS else RESULTS
    assert all(each in refused.stderr for each in known), refused.stderr


@pytest.mark.parametrize("words", ["store info", "metrics", "explain", "doctor", "config check", "config show"])
def test_json_is_one_document(facemon: RunFacemon, folder: Path, words: str) -> None:
    answer = facemon(*words.split(), *REQUIRED.get(words, ()), "--format", "json", cwd=folder)
    assert answer.returncode in (0, 3), answer.stderr
    assert isinstance(json.loads(answer.stdout), dict)


def test_rows_off_a_terminal_are_objects_each_on_a_line(facemon: RunFacemon, folder: Path) -> None:
    plain, asked = facemon("log", cwd=folder), facemon("log", "--format", "jsonl", cwd=folder)
    assert plain.stdout == asked.stdout
    rows = [json.loads(line) for line in plain.stdout.splitlines()]
    assert (len(rows), {type(row) for row in rows}) == (20, {dict})
    table = facemon("log", "--format", "table", cwd=folder)
    assert not table.stdout.startswith("{")


READERS = {"csv": pyarrow.csv.read_csv, "parquet": pyarrow.parquet.read_table}


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_the_suffix_chooses(facemon: RunFacemon, folder: Path, suffix: str) -> None:
    for given in ((), ("--format", suffix)):
        assert facemon("log", "-o", f"rows.{suffix}", *given, cwd=folder).returncode == 0
        assert READERS[suffix](folder / f"rows.{suffix}").num_rows == 33
    assert facemon("log", "-o", "rows.out", "--format", suffix, cwd=folder).returncode == 0
    assert READERS[suffix](folder / "rows.out").num_rows == 33


@pytest.mark.parametrize("line", ["log", "predict x"])
@pytest.mark.parametrize(("format_", "path"), [("csv", "new.parquet"), ("jsonl", "new.csv"), ("parquet", "new.ndjson")])
def test_a_format_that_contradicts_the_suffix_is_refused(
    facemon: RunFacemon, folder: Path, line: str, format_: str, path: str
) -> None:
    refused = facemon(*line.split(), "-o", path, "--format", format_, cwd=folder)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"--format {format_} and -o {path} contradict each other" in refused.stderr
    assert not (folder / path).exists()
