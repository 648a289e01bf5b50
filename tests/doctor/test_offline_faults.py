"""Faults of the configuration, the model, the store, references and checks: the doctor's first finding is the cause."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from facemon.store.ledger.opening import open_ledger
from facemon.store.shard_identity import ShardIdentity
from tests.conftest import RunFacemon
from tests.doctor.healthy import BATCHES, diagnosis, log_rows
from tests.store.sql import sql

pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True)
class Fault:
    """How the folder is broken, and what the doctor's first finding must be."""

    breaks: Callable[[Path], object]
    area: str
    what: str
    """An expression that the finding matches."""
    command: str
    """How the remedy begins."""


def configured(rest: str) -> Callable[[Path], object]:
    return lambda folder: (folder / "facemon.yaml").write_text((folder / "facemon.yaml").read_text() + rest)


def replaced(old: str, new: str) -> Callable[[Path], object]:
    def replace(folder: Path) -> None:
        text = (folder / "facemon.yaml").read_text()
        assert old in text
        (folder / "facemon.yaml").write_text(text.replace(old, new))

    return replace


def execute(statement: str) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        with open_ledger(folder / ".facemon") as ledger:
            sql(ledger).execute(statement)

    return run


def lose_a_file(folder: Path) -> None:
    next((folder / ".facemon" / "segments").rglob("*.parquet")).unlink()


def lose_a_reference(folder: Path) -> None:
    next((folder / ".facemon" / "references").glob("*.parquet")).unlink()


def damage_ledger(folder: Path) -> None:
    (folder / ".facemon" / "ledger.sqlite").write_bytes(b"nothing of the kind" * 400)


def deliver_two_of_three_shards(folder: Path) -> None:
    with open_ledger(folder / ".facemon") as ledger, ledger.writing():
        for shard in (1, 3):
            ledger.deliveries.enter(ShardIdentity("november", shard, 3, "job", f"digest-{shard}", "run", None))


def other_weights(folder: Path) -> None:
    digest = sha256((folder / "m.onnx").read_bytes()).hexdigest()
    wrong = digest[::-1]
    replaced("- path: m.onnx\n", f"- path: m.onnx\n      sha256: {wrong}\n")(folder)


FAULTS = {
    "a key that there is not": Fault(configured("dirft: {window: 24h}\n"), "configuration", "unknown key", "correct"),
    "an attribute that there is not": Fault(
        configured("tables: {columns: {hiar: frisur}}\n"),
        "configuration",
        "tables.columns.hiar may be a typo",
        "correct",
    ),
    "weights that are gone": Fault(lambda f: (f / "m.onnx").unlink(), "model", "m.onnx: .*no such file", "check path"),
    "weights with another hash": Fault(other_weights, "model", "not the file that the configuration means", "get the"),
    "a provider that there is not": Fault(
        configured("predict: {providers: [cuda]}\n"), "model", "no execution provider cuda", "install"
    ),
    "no store": Fault(
        configured("store: {path: elsewhere}\n"), "store", "there is no store in .*elsewhere", "facemon predict"
    ),
    "a damaged ledger": Fault(damage_ledger, "store", "ledger", ""),
    "an older store": Fault(
        execute("PRAGMA user_version = 7"), "store", "has version 7, and this facemon writes", "facemon store verify"
    ),
    "a file of the log is gone": Fault(lose_a_file, "store", "1 file of the log missing", "facemon store repair"),
    "the file of a reference is gone": Fault(
        lose_a_reference, "store", "1 file of references missing", "facemon reference rm quiet --force"
    ),
    "another mode": Fault(configured("store: {mode: group}\n"), "store", "permissions", "facemon store repair"),
    "a model without rows": Fault(
        replaced('version: "1"', 'version: "2"'), "store", r"no rows of small@2", "facemon predict"
    ),
    "shards that are missing": Fault(
        deliver_two_of_three_shards, "deliveries", "1 shard of a job not registered", "facemon store collect"
    ),
    "no such reference": Fault(
        configured("drift: {reference: spring}\n"), "reference", "no reference 'spring'", "choose one of: quiet"
    ),
    "a small reference": Fault(
        configured("drift: {min_rows: 100000}\n"), "reference", "too small", "facemon reference set --since"
    ),
    "no check of record": Fault(
        execute("DELETE FROM drift_checks"), "checks of record", "has never run", "facemon drift-check --check data"
    ),
    "a check of last week": Fault(
        execute("UPDATE drift_checks SET at = at - 4 * 86400 * 1000000"),
        "checks of record",
        "is stale",
        "facemon drift-check --check data",
    ),
    "no page": Fault(
        lambda f: (f / ".facemon/reports/latest.html").unlink(), "reports", "left no page", "facemon drift-check"
    ),
}


def test_nothing_is_wrong(facemon: RunFacemon, kept_healthy: Path) -> None:
    found = diagnosis(facemon, kept_healthy)
    assert found["findings"] == []
    assert [each["area"] for each in found["areas"] if not (each["ok"] or each["not_looked_at"])] == []


@pytest.mark.parametrize("name", FAULTS)
def test_the_first_finding_is_the_cause(facemon: RunFacemon, healthy: Path, name: str) -> None:
    fault = FAULTS[name]
    fault.breaks(healthy)
    first = diagnosis(facemon, healthy)["findings"][0]
    assert first["area"] == fault.area, first
    assert re.search(fault.what, first["what"]), first
    assert first["command"].startswith(fault.command), first


def test_rows_that_no_check_saw(facemon: RunFacemon, healthy: Path) -> None:
    log_rows(healthy, ago=timedelta(days=5), seed=9, rows=50)
    first = diagnosis(facemon, healthy)["findings"][0]
    assert (first["area"], first["what"]) == ("store", "50 rows were logged too late for any check of record")


def test_a_look_changes_nothing(facemon: RunFacemon, healthy: Path) -> None:
    def files() -> dict[str, tuple[bytes, int]]:
        paths = [path for path in healthy.rglob("*") if path.is_file() and path.suffix not in (".wal", ".shm")]
        return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in paths if "-" not in path.suffix}

    before = files()
    diagnosis(facemon, healthy)
    assert files() == before


def test_a_writer_is_not_hindered(facemon: RunFacemon, healthy: Path) -> None:
    """And a look does not wait for one."""
    with open_ledger(healthy / ".facemon") as ledger, ledger.writing():
        assert diagnosis(facemon, healthy)["findings"] == []


def test_formats(facemon: RunFacemon, healthy: Path) -> None:
    (healthy / "m.onnx").unlink()
    text = facemon("doctor", cwd=healthy)
    assert text.returncode == 3
    assert text.stdout.startswith("error: model:")
    assert "fix: check path in the model section" in " ".join(text.stdout.split())
    assert "\nok: store:" in text.stdout
    assert "\nnot looked at:" in text.stdout
    assert max(len(line) for line in text.stdout.splitlines() if " " in line.strip()) < 160
    page = facemon("doctor", "--format", "markdown", cwd=healthy)
    assert (page.returncode, page.stdout.splitlines()[:3]) == (3, ["# facemon doctor", "", "1 finding"])


def test_quiet_says_nothing_where_nothing_is_wrong(facemon: RunFacemon, kept_healthy: Path) -> None:
    outcome = facemon("-q", "doctor", cwd=kept_healthy)
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (0, "", "")


def test_where_values_came_from(facemon: RunFacemon, kept_healthy: Path) -> None:
    line = (kept_healthy / "facemon.yaml").read_text().splitlines().index(BATCHES.rstrip("\n")) + 1
    outcome = facemon("-v", "doctor", cwd=kept_healthy, env={"FACEMON_QUIET": "0"})
    assert f"stack.for: line {line} of " in " ".join(outcome.stdout.split())
    assert "FACEMON_QUIET: the environment" in outcome.stdout
