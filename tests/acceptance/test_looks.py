"""A look changes nothing: whatever it compares, the store and what is exported are byte for byte what they were."""

import hashlib
import json
import os
import pty
import shutil
import sqlite3
import subprocess
import sys
from contextlib import chdir, closing
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from facemon import Monitor, Verdict
from tests.acceptance.tables import CONFIGURATION, write_table
from tests.conftest import RunFacemon
from tests.recent_hours import HOUR, hours_of_one_date

HOOK = 'drift: {cluster: none, on_drift: [sh, -c, "cat >> heard.jsonl"], evidently: {when: never}}\n'
NORMAL_AT = timedelta(days=5)
"""How long ago the reference was logged."""


def log(folder: Path, *, ago: timedelta, beards: float, seed: int, rows: int = 1_500) -> None:
    """Predictions of half an hour of one hour, made elsewhere, of which some have a source."""
    random, begin = np.random.default_rng(seed), hours_of_one_date(ago=ago)
    times = [begin + timedelta(seconds=index % 1_800) for index in range(rows)]
    table = pa.table(
        {
            "image": [f"{seed}-{index}.jpg" for index in range(rows)],
            "source": [("hall", "door")[index % 2] for index in range(rows)],
            "observed_at": pa.array(times, pa.timestamp("us", "UTC")),
            "beard": np.where(random.random(rows) < beards, "yes", "no"),
            "image_brightness": random.normal(0.5, 0.1, rows).clip(0, 1),
        }
    )
    with chdir(folder), Monitor("facemon.yaml") as monitor:
        monitor.log(table)


@pytest.fixture
def folder(tmp_path: Path, checked: Path) -> Path:
    """A copy of `checked`, for one test."""
    return shutil.copytree(checked, tmp_path / "copy")


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory, facemon: RunFacemon) -> Path:
    """A store with a reference, an older one and a day that drifted, checked as the night does; tables beside it."""
    tmp_path = tmp_path_factory.mktemp("checked")
    (tmp_path / "facemon.yaml").write_text(CONFIGURATION + HOOK)
    for name, beards in (("a", 0.3), ("b", 0.6)):
        write_table(tmp_path / f"{name}.csv", seed=1, beards=beards)
    log(tmp_path, ago=2 * NORMAL_AT, beards=0.3, seed=1)
    log(tmp_path, ago=NORMAL_AT, beards=0.3, seed=2)
    log(tmp_path, ago=timedelta(hours=2), beards=0.6, seed=3)
    for name, ago in (("older", 2 * NORMAL_AT), ("normal", NORMAL_AT)):
        begin = hours_of_one_date(ago=ago)
        window = ("--since", (begin - HOUR).isoformat(), "--until", (begin + 2 * HOUR).isoformat())
        made = facemon("-q", "reference", "set", *window, "--name", name, cwd=tmp_path)
        assert made.returncode == 0, made.stderr
    night = facemon("-q", "drift-check", cwd=tmp_path)
    assert (night.returncode, night.stderr) == (3, "")
    assert heard(tmp_path) == 1
    return tmp_path


def heard(folder: Path) -> int:
    path = folder / "heard.jsonl"
    return len(path.read_text().splitlines()) if path.exists() else 0


def state(folder: Path) -> dict[str, str]:
    """Every row of every table of the ledger, and every other file of the store."""
    store = folder / ".facemon"
    found = {
        str(path.relative_to(store)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(store.rglob("*"))
        if path.is_file() and not path.name.startswith("ledger.sqlite")
    }
    with closing(sqlite3.connect(store / "ledger.sqlite")) as connection:
        for (table,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
            rows = connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - its own name
            found[table] = hashlib.sha256(repr(sorted(map(repr, rows))).encode()).hexdigest()
    assert {"drift_results", "command_runs", "baseline_counts", "announced_drift"} <= found.keys()
    return found


def exported(facemon: RunFacemon, folder: Path) -> list[str]:
    """What a scrape would see of drift; the age of the export itself aside."""
    lines = facemon("export-metrics", "--export", "drift", cwd=folder).stdout.splitlines()
    return [line for line in lines if 'command="export-metrics"' not in line]


LOOKS: tuple[tuple[str, ...], ...] = (
    ("--no-record",),
    ("--since", "48h"),
    ("--since", "3h"),
    ("--until", "2026-11-20"),
    ("--source", "hall"),
    ("--model", "face-attributes@2025-01"),
    ("--reference", "older"),
    ("--reference", "a.csv"),
    ("--reference", "a.csv", "--current", "b.csv"),
    ("--reference", "normal", "--current", "b.csv"),
    ("--current", "b.csv"),
    ("--min-rows", "20"),
    ("--data-threshold", "0.9"),
    ("--check", "model", "--model-threshold", "0.9"),
    ("--explain", "beard"),
    ("--explain", "beard", "--now"),
    ("--explain", "beard", "--since", "48h"),
    ("--explain", "no-such-column"),
    ("--fail-on", "attribute=nothing", "--since", "48h"),
    ("--history",),
    ("--reference", "nowhere"),
    ("--current", "nowhere.csv"),
)


def test_no_look_changes_anything(facemon: RunFacemon, folder: Path) -> None:
    before, shown = state(folder), exported(facemon, folder)
    before = state(folder)  # the export has entered itself
    detected = [line.split()[1] for line in shown if line.startswith('drift_detected{attribute="beard"')]
    assert detected == ["1.0"]
    for options in LOOKS:
        outcome = facemon("drift-check", *options, cwd=folder)
        assert "unexpectedly" not in outcome.stderr
        assert state(folder) == before, options
    assert exported(facemon, folder) == shown
    assert heard(folder) == 1


def test_a_look_of_evidently_writes_nothing_either(facemon_with_evidently: RunFacemon, folder: Path) -> None:
    before = state(folder)
    tables = ("--reference", "a.csv", "--current", "b.csv")
    outcome = facemon_with_evidently("drift-check", "--check", "evidently", *tables, cwd=folder)
    assert outcome.returncode == 3, outcome.stderr
    assert state(folder) == before
    assert heard(folder) == 1


def test_rows_in_memory_are_a_look(folder: Path) -> None:
    rows = pa.table({"beard_binary": [0, 1] * 300, "brightness": np.linspace(0, 1, 600)})
    with chdir(folder):
        monitor = Monitor("facemon.yaml")
        monitor.set_reference(rows, name="rows")
        before = state(folder)
        result = monitor.check(rows)
        assert (result.recorded, result.not_recorded_because) == (False, "the current rows are not from the log")
        assert state(folder) == before
        assert monitor.check(rows, record=True).recorded
    assert state(folder) != before
    assert heard(folder) == 1  # a monitor never runs it


def test_a_store_that_is_not_there_is_not_made(facemon: RunFacemon, tmp_path: Path) -> None:
    write_table(tmp_path / "a.csv", seed=1)
    tables = ("--check", "data", "--reference", "a.csv", "--current", "a.csv")
    assert facemon("drift-check", *tables, cwd=tmp_path).returncode == 0
    assert not (tmp_path / ".facemon").exists()
    assert facemon("drift-check", *tables, "--record", cwd=tmp_path).returncode == 0
    assert (tmp_path / ".facemon" / "ledger.sqlite").exists()


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--since", "24h"),
        ("--check", "model"),
        ("--by", "source"),
        ("--check", "model", "--data-threshold", "0.9"),
        ("--reference", "normal"),
        ("--model", "face-attributes@2026-11"),
        ("--min-rows", "200", "--data-threshold", "0.1", "--model-threshold", "0.05"),
        ("--format", "junit", "--html", "--fail-on", "never", "--exit-zero"),
    ],
)
def test_what_the_night_may_say_is_of_record(facemon: RunFacemon, folder: Path, options: tuple[str, ...]) -> None:
    before = state(folder)
    outcome = facemon("-q", "drift-check", *options, cwd=folder)
    assert (outcome.returncode, outcome.stderr) == (0 if "--exit-zero" in options else 3, "")
    changed = {name for name, content in state(folder).items() if before.get(name) != content}
    assert {"drift_results", "command_runs"} <= changed
    assert heard(folder) == 1  # the drift is known


def test_a_look_says_so_where_no_person_reads_it(facemon: RunFacemon, folder: Path) -> None:
    options = ("--check", "model", "--since", "48h", "--format", "json")
    outcome = facemon("-q", "drift-check", *options, cwd=folder)
    reason = "--since differs from drift.window"
    assert outcome.stderr == f"not recorded: {reason}; add --record\n"
    document = json.loads(outcome.stdout)
    assert (document["recorded"], document["not_recorded_because"]) == (False, reason)
    asked = facemon("-q", "drift-check", "--check", "model", "--no-record", "--format", "json", cwd=folder)
    assert (asked.stderr, json.loads(asked.stdout)["not_recorded_because"]) == ("", "--no-record")
    recorded = facemon("-q", "drift-check", *options, "--record", cwd=folder)
    assert (recorded.stderr, json.loads(recorded.stdout)["recorded"]) == ("", True)
    newest = facemon("drift-check", "--history", "--format", "json", cwd=folder).stdout.splitlines()[0]
    assert json.loads(newest) == json.loads(recorded.stdout)


def test_a_person_at_a_terminal_is_not_told(folder: Path) -> None:
    parent, child = pty.openpty()
    command: list[str | Path] = [
        Path(sys.executable).with_name("facemon"),
        "drift-check",
        "--check",
        "model",
        "--since",
        "48h",
    ]
    outcome = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=False, check=False,
                             stdout=subprocess.DEVNULL, stderr=child)  # fmt: skip
    os.close(child)
    assert outcome.returncode == 3
    with os.fdopen(parent, "rb") as terminal, pytest.raises(OSError, match="Input/output error"):
        assert terminal.read() == b""


def test_a_look_counts_with_record_and_its_hook_runs(facemon: RunFacemon, folder: Path) -> None:
    tables = ("--check", "model", "--reference", "a.csv", "--current", "b.csv")
    assert facemon("drift-check", *tables, cwd=folder).returncode == 3
    assert heard(folder) == 1
    assert facemon("drift-check", *tables, "--record", cwd=folder).returncode == 3
    assert heard(folder) == 2


def test_evidently_alone_enters_the_history_only(facemon_with_evidently: RunFacemon, folder: Path) -> None:
    before, shown = state(folder), exported(facemon_with_evidently, folder)
    before = state(folder)
    outcome = facemon_with_evidently("-q", "drift-check", "--check", "evidently", cwd=folder)
    assert outcome.returncode in (0, 3), outcome.stderr
    changed = {name for name, content in state(folder).items() if before.get(name) != content}
    assert {name for name in changed if not name.startswith("reports/")} == {"drift_results"}
    assert exported(facemon_with_evidently, folder) == shown
    assert heard(folder) == 1


def test_explain_is_about_the_last_check_of_record(facemon: RunFacemon, folder: Path) -> None:
    night = json.loads(facemon("drift-check", "--history", "--format", "json", cwd=folder).stdout.splitlines()[0])
    beard = night["checks"]["model"]["columns"][0]
    explain = ("drift-check", "--explain", "beard", "--format", "json")
    answer = facemon(*explain, cwd=folder)
    assert (answer.returncode, answer.stderr) == (3, "")
    document = json.loads(answer.stdout.splitlines()[0])
    assert (document["at"], document["recorded"], document["score"]) == (night["at"], True, beard["score"])
    assert [group["group"] for group in document["groups"]] == ["no", "yes"]
    # More rows have come, and the present is quiet: what the night found stays what it found.
    log(folder, ago=timedelta(hours=1), beards=0.3, seed=4, rows=12_000)
    again = json.loads(facemon(*explain, cwd=folder).stdout.splitlines()[0])
    assert {key: again[key] for key in again if key != "groups"} == {
        key: document[key] for key in document if key != "groups"
    }
    now = json.loads(facemon(*explain, "--now", cwd=folder).stdout.splitlines()[0])
    assert (now["recorded"], now["score"] < beard["score"] / 2) == (False, True)
    text = facemon("drift-check", "--explain", "beard", cwd=folder)
    assert f"  check of record of {night['at'][:10]}" in text.stdout


def test_explain_without_the_rows_is_from_the_result(facemon: RunFacemon, folder: Path) -> None:
    with closing(sqlite3.connect(folder / ".facemon" / "ledger.sqlite")) as connection, connection:
        ((entry, text),) = connection.execute("SELECT id, document FROM drift_results")
        document = json.loads(text)
        for end, day in (("since", "01"), ("until", "02")):
            document["current"][end] = f"2026-01-{day}T00:00:00.000000Z"  # long pruned
        connection.execute("UPDATE drift_results SET document = ? WHERE id = ?", (json.dumps(document), entry))
    answer = facemon("drift-check", "--explain", "beard", "--format", "json", cwd=folder)
    assert answer.returncode == 3
    assert answer.stderr == "explained from the recorded result alone: the log holds 0 of its 1,500 rows now\n"
    explained = json.loads(answer.stdout.splitlines()[0])
    assert (explained["verdict"], explained["groups"]) == ("drift", [])


def test_explain_before_any_check_of_record(facemon: RunFacemon, tmp_path: Path) -> None:
    (tmp_path / "facemon.yaml").write_text(CONFIGURATION)
    answer = facemon("drift-check", "--explain", "beard", cwd=tmp_path)
    assert answer.returncode == 1
    assert f"there is no store in {tmp_path / '.facemon'}" in answer.stderr
    assert not (tmp_path / ".facemon").exists()
    write_table(tmp_path / "a.csv", seed=1)
    assert facemon("reference", "set", "a.csv", cwd=tmp_path).returncode == 0
    answer = facemon("drift-check", "--explain", "beard", cwd=tmp_path)
    assert answer.returncode == 1
    assert "no check of record of face-attributes@2026-11 has run yet" in answer.stderr
    assert "facemon drift-check makes one; add --now" in answer.stderr


def test_a_reference_is_a_name_first(facemon: RunFacemon, folder: Path) -> None:
    """A folder or file that is called like a reference does not hide it; `./` reaches the file."""
    check = ("drift-check", "--check", "model", "--reference")

    def rows_of(reference: str) -> tuple[str | None, int]:
        answer = facemon(*check, reference, "--format", "json", cwd=folder)
        assert answer.returncode in (0, 3, 4), answer.stderr
        side = json.loads(answer.stdout)["reference"]
        return side["name"], side["rows"]

    assert rows_of("a.csv") == ("a.csv", 600)
    (folder / "normal").mkdir()
    assert rows_of("normal") == ("normal", 1_500)
    pa.parquet.write_table(pa.table({"beard_binary": [0, 1] * 150}), folder / "normal" / "part.parquet")
    assert rows_of("./normal") == ("normal", 300)
    neither = facemon(*check, "summer", cwd=folder)
    assert (neither.returncode, neither.stdout) == (2, "")
    assert "--reference summer: there is neither a reference nor a file of that name" in neither.stderr
    assert "hint: choose one of: normal, older" in neither.stderr


def test_a_hook_runs_for_a_check_of_record_alone(facemon: RunFacemon, folder: Path) -> None:
    (folder / "heard.jsonl").unlink()
    log(folder, ago=timedelta(hours=1), beards=0.3, seed=5, rows=60_000)
    assert facemon("-q", "drift-check", "--check", "model", cwd=folder).returncode in (0, 4)
    log(folder, ago=timedelta(minutes=40), beards=1.0, seed=6, rows=60_000)
    assert facemon("-q", "drift-check", "--check", "model", "--no-record", cwd=folder).returncode == 3
    assert heard(folder) == 0
    assert facemon("-q", "drift-check", "--check", "model", cwd=folder).returncode == 3


def test_the_verdict_of_a_look_is_the_same(facemon: RunFacemon, folder: Path) -> None:
    def document(*options: str) -> dict[str, object]:
        return json.loads(facemon("drift-check", "--format", "json", *options, cwd=folder).stdout)  # type: ignore[no-any-return]

    look, counted = document("--no-record"), document()
    assert look["verdict"] == Verdict.DRIFT
    for result in (look, counted):
        for side in ("current", "reference"):
            assert isinstance(result[side], dict)
    assert look["checks"] == counted["checks"]
