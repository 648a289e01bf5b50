"""`Monitor.set_reference` and `Monitor.check`: what they say of rows in memory is what the commands say of a file."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from PIL import Image

from facemon import DriftResult, Monitor, Verdict
from facemon.domain.drift_result import to_document
from facemon.errors import ExitCode, FacemonError, LockedError
from facemon.store.drift_results import drift_history
from facemon.store.ledger.opening import open_ledger
from facemon.store.process_lock import ProcessLock
from facemon.store.references import find_reference, reference_file
from tests.acceptance.small_model import CONFIG as SMALL_MODEL
from tests.conftest import RunFacemon
from tests.model.onnx_files import write_reducing_model
from tests.short_form import combinations
from tests.store.sql import sql

CONFIG = f"""\
{SMALL_MODEL}
tables:
  image: filename
  columns: {{hair: hair_code}}
  values: {{hair: {{0: a, 1: b}}}}
"""

COARSE = "drift: {data: {threshold: 0.2}, model: {threshold: 0.2}}\n"
"""Thresholds that a few hundred rows can clear."""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "facemon.yaml").write_text(CONFIG)
    return tmp_path / "facemon.yaml"


@pytest.fixture
def monitor(config: Path) -> Monitor:
    return Monitor(config)


def table_of(seed: int, *, rows: int = 600, hair: float = 0.4, brightness: float = 0.5) -> pa.Table:
    """Rows as somebody else keeps them: names of their own, sources, an identifier, a time, missing cells."""
    random = np.random.default_rng(seed)
    return pa.table(
        {
            "filename": [f"{index}.jpg" for index in range(rows)],
            "hair_code": (random.random(rows) < hair).astype(int),
            "hair_confidence": random.uniform(0.5, 1, rows).round(4),
            "source": [f"camera {index % 6}" if index % 50 else None for index in range(rows)],
            "brightness": random.normal(brightness, 0.1, rows).round(4),
            "lens": [("wide", "long", None)[index] for index in random.integers(0, 3, rows)],
            "ticket": range(rows),
            "taken": [datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=index) for index in range(rows)],
        }
    )


NORMAL, CHANGED = table_of(1), table_of(2, hair=0.75, brightness=0.58)


def comparable(document: dict[str, Any]) -> dict[str, Any]:
    """A document without what may differ: when it was made, by which options it is a look, and a file's name."""
    assert (document["recorded"], "not from the log" in document["not_recorded_because"]) == (False, True)
    current = {key: document["current"][key] for key in ("since", "until", "rows")}
    return document | {"at": None, "not_recorded_because": None, "current": current}


def checked_by_command(facemon: RunFacemon, folder: Path, file: str, *arguments: str) -> dict[str, Any]:
    answer = facemon("drift-check", "--current", file, "--format", "json", *arguments, cwd=folder)
    assert answer.returncode in (0, 3, 4), answer.stderr
    return comparable(json.loads(answer.stdout))


def as_mappings(table: pa.Table) -> Iterator[dict[str, Any]]:
    return iter(table.to_pylist())


def as_categories(table: pa.Table) -> Any:
    frame = table.to_pandas()
    return frame.assign(lens=frame["lens"].astype("category"), hair_code=frame["hair_code"].astype("category"))


def as_pieces(table: pa.Table) -> Iterator[Any]:
    """Three tables, the second a data frame; the last one lacks a value in every row of a column."""
    yield table.slice(0, 250)
    yield table.slice(250, 250).to_pandas()
    yield table.slice(500)


FORMS: tuple[Callable[[pa.Table], Any], ...] = (
    lambda table: table,
    pa.Table.to_pandas,
    as_categories,
    as_mappings,
    as_pieces,
)


@pytest.mark.parametrize(("form", "check"), combinations(FORMS, ["data", "model"]))
def test_the_command_says_the_same_of_a_file(
    monitor: Monitor, tmp_path: Path, facemon: RunFacemon, form: Callable[[pa.Table], Any], check: str
) -> None:
    pa.parquet.write_table(NORMAL, tmp_path / "normal.parquet")
    pa.parquet.write_table(CHANGED, tmp_path / "changed.parquet")
    monitor.set_reference(form(NORMAL), name="here")
    made = facemon("reference", "set", "normal.parquet", "--name", "there", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    told = checked_by_command(
        facemon, tmp_path, "changed.parquet", "--check", check, "--reference", "there", "--by", "source"
    )
    told["reference"]["name"] = "here"
    found = monitor.check(form(CHANGED), reference="here", checks=(check,), by_source=True)
    assert comparable(to_document(found)) == told
    assert told["verdict"] == "drift"
    assert len(told["sources"]) == 7


@pytest.mark.parametrize("has_sources", [True, False])
@pytest.mark.parametrize("by_source", [True, False])
def test_asked_by_source_rows_without_one_say_so(monitor: Monitor, *, has_sources: bool, by_source: bool) -> None:
    normal, changed = (each if has_sources else each.drop_columns(["source"]) for each in (NORMAL, CHANGED))
    monitor.set_reference(normal)
    result = monitor.check(changed, checks=["data"], by_source=by_source)
    told = [note for note in result.notes if note.startswith("No row names its source")]
    assert len(told) == (by_source and not has_sources)


def test_a_csv_says_the_same(monitor: Monitor, tmp_path: Path, facemon: RunFacemon) -> None:
    pa.csv.write_csv(CHANGED, tmp_path / "changed.csv")
    monitor.set_reference(NORMAL)
    told = checked_by_command(facemon, tmp_path, "changed.csv", "--check", "data")
    assert comparable(to_document(monitor.check(CHANGED, checks=["data"]))) == told


def test_which_columns_drifted(config: Path) -> None:
    config.write_text(CONFIG + COARSE)
    monitor = Monitor(config)
    monitor.set_reference(NORMAL, name="normal", kind="labels", note="a good day")
    result = monitor.check(CHANGED)
    assert isinstance(result, DriftResult)
    assert result.verdict is Verdict.DRIFT
    verdicts = {column.column: column.verdict for check in result.checks.values() for column in check.columns}
    assert verdicts == {
        "brightness": Verdict.DRIFT,
        "lens": Verdict.OK,
        "ticket": Verdict.NOT_COMPARED,
        "taken": Verdict.NOT_COMPARED,
        "hair": Verdict.DRIFT,
        "hair_confidence": Verdict.OK,
    }
    assert (result.reference.name, result.reference.kind, result.reference.rows) == ("normal", "labels", 600)
    assert (result.current.rows, result.model) == (600, "small@1")
    assert monitor.check(NORMAL).verdict is Verdict.OK
    assert monitor.check(CHANGED.slice(0, 50)).verdict is Verdict.UNDECIDED


def test_a_result_is_recorded_as_the_commands(monitor: Monitor, tmp_path: Path, facemon: RunFacemon) -> None:
    made = monitor.set_reference(NORMAL, name="normal", note="a good day")
    result = monitor.check(CHANGED, record=True)
    with open_ledger(tmp_path / ".facemon") as ledger:
        assert find_reference(ledger, None) == made
        assert pa.parquet.read_table(reference_file(ledger, made)).equals(NORMAL)
        assert list(drift_history(ledger)) == [result]
        drifted = {gauge.attribute for gauge in ledger.checks.gauges() if gauge.detected}
        runs = {run.command: run.last_success for run in ledger.commands.all()}
    assert drifted == {"brightness", "hair"}
    reports = tmp_path / ".facemon" / "reports"
    (page,) = reports.glob("drift-*.html")
    assert page.read_text() == (reports / "latest.html").read_text()
    assert "brightness" in page.read_text()
    assert set(runs) == {"reference", "drift-check"}
    assert None not in runs.values()
    history = facemon("drift-check", "--history", cwd=tmp_path).stdout.splitlines()
    assert history[1].split()[2:5] == ["drift", "normal", "600"]
    listed = facemon("reference", "list", cwd=tmp_path).stdout.splitlines()
    assert listed[1].split()[:4] == ["normal", "predictions", "600", "-"]
    assert listed[1].endswith("a good day")
    assert "facemon.Monitor" in facemon("reference", "show", cwd=tmp_path).stdout
    assert facemon("store", "verify", cwd=tmp_path).returncode == 0


def test_a_page_that_cannot_be_written_changes_no_verdict(monitor: Monitor, tmp_path: Path) -> None:
    monitor.set_reference(NORMAL, name="normal")
    reports = tmp_path / ".facemon" / "reports"
    shutil.rmtree(reports)
    reports.write_text("in the way")
    with pytest.warns(UserWarning, match="reports.*cannot be written") as warned:
        assert monitor.check(CHANGED, record=True).recorded
    assert {warning.filename for warning in warned} == {__file__}  # the line that called, not one of facemon's


def test_a_window_of_the_log_is_the_reference(monitor: Monitor, tmp_path: Path, facemon: RunFacemon) -> None:
    logged = [{"image": f"{index}", "hair": "ab"[index % 2], "hair_confidence": 0.9} for index in range(600)]
    monitor.log(logged, observed_at=datetime(2026, 11, 1, 12, tzinfo=UTC))
    window = ("--since", "2026-11-01", "--until", "2026-11-02")
    assert facemon("reference", "set", *window, "--name", "window", cwd=tmp_path).returncode == 0
    pa.parquet.write_table(CHANGED, tmp_path / "changed.parquet")
    (tmp_path / "facemon.yaml").write_text(CONFIG + "drift: {cluster: none, reference: window}\n")
    told = checked_by_command(facemon, tmp_path, "changed.parquet", "--check", "model")
    assert told["verdict"] == "drift"
    found = Monitor(tmp_path / "facemon.yaml").check(CHANGED, checks="model")
    assert comparable(to_document(found)) == told


def test_rows_that_predict_answered(config: Path, tmp_path: Path) -> None:
    config.write_text(CONFIG + COARSE)
    monitor = Monitor(config)
    write_reducing_model(tmp_path / "m.onnx", {"hair": [[9, 0], [0, 9], [0, 0]]})
    red, green = (Image.new("RGB", (8, 8), color) for color in ((255, 0, 0), (0, 255, 0)))
    monitor.set_reference(monitor.predict([red, green] * 150))
    assert monitor.check(monitor.predict([green, red] * 150)).verdict is Verdict.OK
    result = monitor.check(monitor.predict([green] * 250 + [b"no image"] * 50).to_pandas())
    columns = {column.column: column for check in result.checks.values() for column in check.columns}
    assert (columns["hair"].verdict, columns["hair"].n_current, columns["hair"].score) == (Verdict.DRIFT, 250, 0.5)
    assert columns["image_failed"].score == pytest.approx(50 / 300)


def test_without_a_reference(monitor: Monitor, tmp_path: Path) -> None:
    with pytest.raises(FacemonError, match="no reference has been set"):
        monitor.check(NORMAL)
    monitor.set_reference(NORMAL, name="spring")
    with pytest.raises(FacemonError, match="there is no reference 'summer'") as raised:
        monitor.check(NORMAL, reference="summer", record=True)
    assert raised.value.hint == "choose one of: spring"
    with open_ledger(tmp_path / ".facemon") as ledger:
        assert list(drift_history(ledger)) == []
        query = "SELECT exit_code FROM command_runs WHERE command = 'drift-check'"
        assert sql(ledger).execute(query).fetchone() == (ExitCode.USAGE,)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "there are no rows"),
        (NORMAL.slice(0, 0), "there are no rows"),
        ([1, 2], "row 0 is a int"),
        ([{"lens": "wide"}, {"lens": 5}], "the column lens holds values of several kinds"),
        (
            [pa.table({"lens": ["wide"]}), pa.table({"lens": [5]})],
            "the column lens holds string in table 0 and int64 in table 1",
        ),
        (pa.table([[1], [2]], names=["lens", "lens"]), "several columns are called 'lens'"),
        ([{"hair_code": "blond"}], "rows: column hair_code: no cell is a label of hair"),
    ],
)
def test_rows_that_cannot_be_compared(monitor: Monitor, rows: Any, said: str) -> None:
    monitor.set_reference(NORMAL)
    with pytest.raises(FacemonError, match=said):
        monitor.check(rows)


@pytest.mark.parametrize(
    ("column", "cell", "key"),
    [("filename", {"bytes": b"", "path": "a.jpg"}, "tables.image"), ("source", ["gate"], "tables.source")],
)
def test_columns_that_hold_no_names(monitor: Monitor, column: str, cell: object, key: str) -> None:
    rows = pa.table({"lens": ["wide"], column: [cell]})
    with pytest.raises(FacemonError, match=f"the column {column} holds .*, not names of") as raised:
        monitor.set_reference(rows)
    assert raised.value.hint == f"name another column with {key}, or rename this one"
    monitor.set_reference(NORMAL)
    with pytest.raises(FacemonError, match=f"rows: the column {column} holds .*, not names of"):
        monitor.check(rows)


def test_a_frame_that_is_no_table(monitor: Monitor) -> None:
    pandas = pytest.importorskip("pandas")
    with pytest.raises(FacemonError, match="the column lens holds cells of the type object"):
        monitor.set_reference(pandas.DataFrame({"lens": ["wide", object()]}))
    with pytest.raises(FacemonError, match="several columns are called 'lens'"):
        monitor.set_reference(pandas.DataFrame([[1, 2]], columns=["lens", "lens"]))


def test_wrong_arguments(monitor: Monitor, tmp_path: Path) -> None:
    with pytest.raises(FacemonError, match="kind 'guesses' is not one of predictions, labels"):
        monitor.set_reference(NORMAL, kind="guesses")  # type: ignore[arg-type]
    for checks in (["evidently"], "all", ["data", "modle"]):
        with pytest.raises(FacemonError, match="there is no check"):
            monitor.check(NORMAL, checks=checks)
    with pytest.raises(FacemonError, match="no check is asked for"):
        monitor.check(NORMAL, checks=())
    assert not (tmp_path / ".facemon").exists()
    monitor.set_reference(NORMAL, name="normal")
    with pytest.raises(FacemonError, match="there is a reference 'normal' already"):
        monitor.set_reference(CHANGED, name="normal")


def test_another_process_holds_the_lock(monitor: Monitor, tmp_path: Path) -> None:
    monitor.set_reference(NORMAL)
    folder = tmp_path / ".facemon"
    with ProcessLock.for_command(folder, "drift-check"):
        assert monitor.check(CHANGED).verdict is Verdict.DRIFT  # a look takes no lock
        with pytest.raises(LockedError, match="another facemon drift-check is running"):
            monitor.check(CHANGED, record=True)
    with (
        ProcessLock.for_command(folder, "reference"),
        pytest.raises(LockedError, match="another facemon reference is running"),
    ):
        monitor.set_reference(CHANGED)
    with open_ledger(folder) as ledger:
        assert list(drift_history(ledger)) == []


def test_values_are_found_where_monitor_is() -> None:
    program = "import facemon, sys; facemon.Verdict, facemon.DriftResult; print('pyarrow' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"
