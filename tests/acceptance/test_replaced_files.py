"""No command replaces a file that facemon did not write: a configuration, a model, a table of labels."""

from contextlib import chdir
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from facemon import Monitor
from facemon.errors import FacemonError
from tests.acceptance.test_looks import state
from tests.conftest import RunFacemon
from tests.every_command import single_commands

WRITING: dict[str, tuple[str, ...]] = {
    "report": ("-o", "--since", "2026-11-20", "--until", "2026-11-21"),
    "predict": ("-o", "a.png"),
    "log": ("-o",),
    "manifest": ("-o", "a.png"),
    "export-metrics": ("--textfile",),
    "config schema": ("-o",),
    "init": ("-o",),
}
"""Each command that writes a file of the user's choice: its option, and what else it needs."""
NAME_NO_FORMAT = ("", ".yaml", ".onnx", ".txt")
OTHERS = {
    "report": ("facemon.yaml", "m.onnx", "page.html", "link", ".facemon/ledger.sqlite"),
    "predict": ("facemon.yaml", "m.onnx", "labels.csv", "many.jsonl", "other.parquet", "link"),
    "log": ("facemon.yaml", "m.onnx", "labels.csv", "many.jsonl", "other.parquet", "link"),
    "manifest": ("other.parquet", "rows.parquet"),
    "export-metrics": ("other.prom",),
    "config schema": ("facemon.yaml", "m.onnx", "many.jsonl"),
    "init": ("facemon.yaml", "m.onnx"),
}
"""Files that the command did not write."""


@pytest.fixture
def folder(logged_copy: Path) -> Path:
    """A folder with a log and with files of other programs, which node-exporter can read."""
    folder = logged_copy
    (folder / "labels.csv").write_text("image,hair\na.png,a\n")
    (folder / "page.html").write_text("<!DOCTYPE html>\n<title>Our facemon report</title>\n")
    (folder / "other.prom").write_text("backup_age_seconds 5\n")
    (folder / "link").symlink_to("facemon.yaml")
    pa.parquet.write_table(pa.table({"image": ["a.png"], "label": ["a"]}), folder / "other.parquet")
    pa.parquet.write_table(pa.table({"run": ["r"], "ordinal": [0], "image": ["a.png"]}), folder / "rows.parquet")
    return folder


def line(command: str, name: str) -> list[str]:
    """The command that writes to a file."""
    option, *others = WRITING[command]
    takes_format = command in ("predict", "log") and Path(name).suffix in NAME_NO_FORMAT
    return [*command.split(), option, name, *others, *(("--format", "csv") if takes_format else ())]


def test_every_command_that_writes_a_file_is_tried() -> None:
    writing = {" ".join(words) for words, command in single_commands() for each in command.params if "-o" in each.opts}
    assert writing == set(WRITING) == set(OTHERS)


@pytest.mark.parametrize(("command", "name"), [(command, name) for command, names in OTHERS.items() for name in names])
def test_a_file_of_another_program_stays(facemon: RunFacemon, folder: Path, command: str, name: str) -> None:
    content, store = (folder / name).read_bytes(), state(folder)
    done = facemon(*line(command, name), cwd=folder)
    assert (done.returncode, done.stdout) == (1 if command == "export-metrics" else 2, "")
    assert name in done.stderr
    assert "hint: name a" in done.stderr
    assert ((folder / name).read_bytes(), (folder / "link").is_symlink()) == (content, True)
    if command != "export-metrics":  # which enters each run
        assert state(folder) == store


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl", "rows.parquet", "rows.txt"])
@pytest.mark.parametrize("command", ["predict", "log"])
def test_rows_take_the_place_of_rows(facemon: RunFacemon, folder: Path, command: str, name: str) -> None:
    for earlier in ("predict", "log"):
        (folder / name).unlink(missing_ok=True)
        assert facemon("-q", *line(earlier, name), cwd=folder).returncode == 0
        done = facemon("-q", *line(command, name), cwd=folder)
        assert done.returncode == 0, done.stderr
    (folder / name).write_bytes((folder / name).read_bytes()[:200])
    assert facemon("-q", *line(command, name), cwd=folder).returncode == 0, "a torn file can be replaced"


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (("predict", "rows.csv"), "rows.csv"),
        (("predict", "a.png", "./rows.csv"), "again.csv"),
        (("predict", "rows.csv", "--resume"), "hard.csv"),
        (("log", "--worst", "1", "--labels", "rows.csv"), "rows.csv"),
        (("log", "--worst", "1", "--labels", "again.csv"), "rows.csv"),
        (("init", "--force", "--model", "m.onnx"), "m.onnx"),
        (("init", "--force", "--model", "m.onnx", "--finder", "finder.onnx"), "finder.onnx"),
    ],
)
def test_what_a_command_reads_stays(facemon: RunFacemon, folder: Path, command: tuple[str, ...], name: str) -> None:
    """Rows are a manifest too, and true labels where a person has corrected them."""
    assert facemon("-q", "log", "-o", "rows.csv", cwd=folder).returncode == 0
    (folder / "again.csv").symlink_to("rows.csv")
    (folder / "hard.csv").hardlink_to(folder / "rows.csv")
    (folder / "finder.onnx").write_bytes((folder / "m.onnx").read_bytes())
    content, store = (folder / name).read_bytes(), state(folder)
    done = facemon(*command, "-o", name, cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: {name} is an input of this command, which must not be replaced\n  hint: name another file\n"
    )
    assert ((folder / name).read_bytes(), (folder / "again.csv").is_symlink(), state(folder)) == (content, True, store)


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("report", "page-of-ours.html"),
        ("manifest", "images.parquet"),
        ("export-metrics", "facemon.prom"),
        ("config schema", "schema.json"),
    ],
)
def test_a_result_takes_the_place_of_an_earlier_one(facemon: RunFacemon, folder: Path, command: str, name: str) -> None:
    (folder / name).touch()
    for _ in range(2):
        done = facemon("-q", *line(command, name), cwd=folder)
        assert done.returncode == 0, done.stderr


def test_from_python_too(folder: Path) -> None:
    content = (folder / "facemon.yaml").read_text()
    with chdir(folder), Monitor("facemon.yaml") as monitor:
        with pytest.raises(FacemonError, match="is not a page that facemon wrote"):
            monitor.report("facemon.yaml", since="2026-11-20", until="2026-11-21")
        with pytest.raises(FacemonError, match="is a folder"):
            monitor.report(folder, since="2026-11-20", until="2026-11-21")
    assert (folder / "facemon.yaml").read_text() == content


def test_a_page_is_refused_before_the_log_is_read(facemon: RunFacemon, folder: Path) -> None:
    nothing = ("--since", "2020-01-01", "--until", "2020-01-02")
    for name in (".facemon/page.html", "facemon.yaml", "/dev/null", "."):
        assert facemon("report", "-o", name, *nothing, cwd=folder).returncode == 2
    assert facemon("report", "-o", "page-of-ours.html", *nothing, cwd=folder).returncode == 1
