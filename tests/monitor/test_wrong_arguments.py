"""What `facemon.Monitor` refuses before it reads or writes anything: each with a FacemonError that names the value."""

import inspect
import warnings
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

import facemon
from facemon import Monitor
from facemon.cli.main import run
from facemon.errors import FacemonError
from facemon.monitor.python_reporter import PythonReporter
from tests.acceptance.small_model import write_small_model

AN_HOUR, ROWS, LONE = "1h", pa.table({"lens": ["wide"]}), "a\udc80"
Call = Callable[[Any], Any]
ODD_TEXT: dict[str, Call] = {
    "source of predict": lambda monitor: monitor.predict([], source=LONE),
    "source of log": lambda monitor: monitor.log([], source=LONE),
    "name": lambda monitor: monitor.set_reference(ROWS, name=LONE),
    "note": lambda monitor: monitor.set_reference(ROWS, note="\ud800"),
    "name of a window": lambda monitor: monitor.set_reference_window(AN_HOUR, name=LONE),
    "note of a window": lambda monitor: monitor.set_reference_window(AN_HOUR, note=LONE),
    "name to describe": lambda monitor: monitor.describe_reference(LONE),
    "first": lambda monitor: monitor.compare_references(LONE, "b"),
    "second": lambda monitor: monitor.compare_references("a", LONE),
    "reference of check": lambda monitor: monitor.check(ROWS, reference=LONE),
    "reference": lambda monitor: monitor.check_window(AN_HOUR, reference=LONE),
    "source": lambda monitor: monitor.check_window(AN_HOUR, source=LONE),
    "model": lambda monitor: monitor.check_window(AN_HOUR, model=LONE),
    "column": lambda monitor: monitor.explain_check(LONE),
    "model to explain": lambda monitor: monitor.explain_check("hair", model=LONE),
    "name to explain": lambda monitor: monitor.explain(LONE),
    "model of evaluate": lambda monitor: monitor.evaluate("labels.csv", model=LONE),
    "name of a metric": lambda monitor: monitor.metric_values(LONE),
    "image of rows": lambda monitor: monitor.rows(image=LONE),
    "model of rows": lambda monitor: monitor.rows(model=LONE),
    "source of a report": lambda monitor: monitor.report(source=LONE),
    "model of a report": lambda monitor: monitor.report(model=LONE),
}
URLS: dict[str, Call] = {
    "labels": lambda monitor: monitor.evaluate("s3://bucket/x"),
    "labels as a path": lambda monitor: monitor.evaluate(Path("s3://bucket/x")),
    "reference": lambda monitor: monitor.check_window(AN_HOUR, reference=Path("s3://bucket/x")),
    "textfile": lambda monitor: monitor.export_metrics("s3://bucket/x"),
    "page of a report": lambda monitor: monitor.report("s3://bucket/x"),
    "folder of the stack": lambda monitor: monitor.render_config("s3://bucket/x"),
}
OTHERS: dict[str, tuple[Call, str]] = {
    "kind": (lambda monitor: monitor.set_reference(ROWS, kind="guesses"), "'guesses' .* predictions, labels"),
    "check": (lambda monitor: monitor.check_window(check="modle"), "'modle' .* all, data, model, evidently"),
    "check to explain": (lambda monitor: monitor.explain_check("hair", check="evidently"), "'evidently' .* model$"),
    "export": (lambda monitor: monitor.export_metrics(export="drfit"), "'drfit' .* all, model, drift"),
    "source of log": (lambda monitor: monitor.log([{"image": "a"}], source=7), "source is 7, not text"),
    "empty source of log": (lambda monitor: monitor.log([{"image": "a"}], source=" "), "source is empty"),
    "odd source of log": (
        lambda monitor: monitor.log([{"image": "a"}], source="a\n"),
        "source holds a control character",
    ),
    "long source of predict": (lambda monitor: monitor.predict([], source="a" * 5000), "source has 5,000 characters"),
    "part of the stack": (lambda monitor: monitor.render_config(only=["graphana"]), "'graphana'"),
    "purpose": (lambda monitor: monitor.render_config(purpose="nothing"), "'nothing' .* full, monitoring"),
    "no window": (lambda monitor: monitor.set_reference_window(None), "a window with --since"),
    "observed_at": (lambda monitor: monitor.log([], observed_at=date(2026, 11, 1)), "is not a datetime"),
}
WITHOUT_A_STORE: dict[str, Call] = {
    "references": lambda monitor: monitor.references(),
    "history": lambda monitor: monitor.history(),
    "export_metrics": lambda monitor: monitor.export_metrics(),
    "metric_values": lambda monitor: monitor.metric_values(),
    "store_info": lambda monitor: monitor.store_info(),
    "verify_store": lambda monitor: monitor.verify_store(),
}


@pytest.fixture
def monitor(tmp_path: Path) -> Monitor:
    write_small_model(tmp_path)
    return Monitor(tmp_path / "facemon.yaml")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        *(pytest.param(call, "is not UTF-8", id=what) for what, call in ODD_TEXT.items()),
        *(pytest.param(call, r"^s3://bucket/x: is a URL", id=f"url {what}") for what, call in URLS.items()),
        *(pytest.param(call, said, id=f"other {what}") for what, (call, said) in OTHERS.items()),
        *(pytest.param(call, "no store", id=f"no store {what}") for what, call in WITHOUT_A_STORE.items()),
    ],
)
def test_it_is_refused_before_there_is_a_store(monitor: Monitor, tmp_path: Path, call: Call, said: str) -> None:
    with pytest.raises(FacemonError, match=said):
        call(monitor)
    assert not (tmp_path / ".facemon").exists()


def test_an_address_that_is_refused_leaves_its_secret_out_of_the_rows(monitor: Monitor) -> None:
    addresses = ["https://me:hunter2@host/a.jpg", ("https://host/a.jpg?sig=hunter2", b"no image"), "s3://bucket/a.jpg"]
    rows = monitor.predict(addresses).to_pylist()
    assert [row["image"] for row in rows] == ["https://host/a.jpg", "https://host/a.jpg", "s3://bucket/a.jpg"]
    assert "hunter2" not in str(rows)


def test_every_text_and_path_is_among_the_calls() -> None:
    """A new parameter of a text needs a line above, whatever method has it."""
    texts = {
        (name, parameter.name)
        for name, method in inspect.getmembers(Monitor, inspect.isfunction)
        if not name.startswith("_")
        for parameter in inspect.signature(method).parameters.values()
        if parameter.annotation in (str, str | None, Path | str | None)
    }
    assert len(texts) == len(ODD_TEXT) + 2  # the textfile and the page, which are paths alone


def test_a_store_that_cannot_be_read_has_no_values(monitor: Monitor, tmp_path: Path) -> None:
    (tmp_path / ".facemon").mkdir()
    (tmp_path / ".facemon" / "ledger.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(FacemonError):
        monitor.metric_values()


def test_a_warning_names_the_line_of_a_package_whose_name_begins_like_ours() -> None:
    neighbour = Path(facemon.__file__).parent.with_name("facemon_plugin") / "nightly.py"
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        exec(compile("reporter.warn('x')", str(neighbour), "exec"), {"reporter": PythonReporter()})  # noqa: S102
    assert [warning.filename for warning in warned] == [str(neighbour)]


def test_refused_rows_leave_a_store_as_it_was(
    monitor: Monitor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a command enters in the store that it failed: a program has the error."""
    monkeypatch.chdir(tmp_path)
    refused = pa.table({"hash": [b"1", b"2"]})
    with pytest.raises(FacemonError, match="column hash"):
        monitor.set_reference(refused)
    assert not (tmp_path / ".facemon").exists()
    monitor.log([{"image": "a.jpg", "hair": "a"}], observed_at=datetime(2026, 11, 1, tzinfo=UTC))
    before = monitor.export_metrics()
    with pytest.raises(FacemonError, match="column hash"):
        monitor.set_reference(refused)
    assert 'command="reference"' not in before + monitor.export_metrics()
    pa.parquet.write_table(refused, "refused.parquet")
    assert run(["reference", "set", "refused.parquet"]) == 1
    assert 'command="reference"' in monitor.export_metrics()
