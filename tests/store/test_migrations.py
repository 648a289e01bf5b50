import re
import sqlite3
import subprocess
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from facemon.errors import FacemonError
from facemon.store.ledger.header import OLDEST_VERSION, STORE_VERSION
from facemon.store.ledger.migrations import MIGRATIONS
from facemon.store.ledger.opening import open_ledger
from facemon.store.named_reference import ReferenceSpreads
from facemon.store.references import list_references, reference_spreads
from facemon.store.store_clock import StoreClock
from tests.conftest import RunFacemon
from tests.store.kept_stores import NAMES, NEWEST, KeptStore, names_below
from tests.store.sql import sql
from tests.store.store_facts import facts

Sample = tuple[str, frozenset[tuple[str, str]]]
with_commands = pytest.mark.parametrize("kept_store", NEWEST, indirect=True)
WRITTEN_ANEW = {"facemon_build_info", "facemon_last_run_duration_seconds", "facemon_last_success_timestamp_seconds"}
"""The version, and gauges of the commands that a test runs itself."""


def test_steps_are_numbered_without_a_gap() -> None:
    assert [migration.to_version for migration in MIGRATIONS] == list(range(OLDEST_VERSION + 1, STORE_VERSION + 1))


def test_there_is_a_kept_store_of_each_version() -> None:
    for names in (NAMES, NEWEST):
        assert set(range(OLDEST_VERSION, STORE_VERSION)) <= {int(name.split("-")[1]) for name in names}


def schema_of(store: Path) -> dict[tuple[str, str], tuple[str, frozenset[str], str]]:
    """Each table and index: its kind of table, its columns in any order, and its key.

    An added column stands last in its table, wherever a new ledger has it.
    """
    found = {}
    with closing(sqlite3.connect(store / "ledger.sqlite")) as connection:
        for kind, name, text in connection.execute("SELECT type, name, sql FROM sqlite_schema WHERE sql NOT NULL"):
            columns = frozenset(
                str(column[1:6]) for column in connection.execute(f'PRAGMA table_info("{name}")').fetchall()
            )
            rowid = "without rowid" if re.search(r"WITHOUT\s+ROWID\s*$", text, re.IGNORECASE) else ""
            unique = " ".join(text.split()) if kind == "index" else rowid
            indexes = str(sorted(str(row[2:]) for row in connection.execute(f'PRAGMA index_list("{name}")')))
            found[kind, name] = (unique, columns, indexes)
    return found


def test_an_upgraded_store_has_the_tables_of_a_new_one(kept_store: KeptStore, tmp_path: Path) -> None:
    open_ledger(kept_store.store).close()
    open_ledger(tmp_path / "new", create=True).close()
    assert schema_of(kept_store.store) == schema_of(tmp_path / "new")


def assert_holds(now: Any, before: Any, place: str) -> None:
    """All that was there before is there, and equal; keys may have been added."""
    if isinstance(before, dict):
        assert before.keys() <= now.keys(), place
        for key, value in before.items():
            assert_holds(now[key], value, f"{place}.{key}")
    elif isinstance(before, list):
        assert len(now) == len(before), place
        for index, (each, value) in enumerate(zip(now, before, strict=True)):
            assert_holds(each, value, f"{place}[{index}]")
    elif isinstance(before, float):
        # Sums of floats are added up in another order.
        assert now == pytest.approx(before, rel=1e-12), place
    else:
        assert now == before, place


def test_an_upgrade_loses_nothing(kept_store: KeptStore) -> None:
    """Rows, totals, profiles, references with their files, the history, evaluations and runs, as told by old code."""
    before = dict(kept_store.facts)
    del before["exported"], before["version"]
    assert before["rows"]
    assert before["problems"] == []
    now = facts(kept_store.store)
    for part, value in before.items():
        assert_holds(now[part], value, part)


@pytest.mark.parametrize("kept_store", names_below(5), indirect=True)
def test_earlier_references_do_not_tell_how_much_their_hours_differ(kept_store: KeptStore) -> None:
    with open_ledger(kept_store.store) as ledger:
        references = list_references(ledger)
        assert [reference_spreads(ledger, reference) for reference in references] == [ReferenceSpreads()] * 2


@pytest.mark.parametrize("kept_store", ["version-2-82ff0f4"], indirect=True)
def test_drift_that_was_announced_under_two_old_keys_is_announced_once(kept_store: KeptStore) -> None:
    """Of one source by `drift-check --source`, and by `--by source`."""
    keys = ["a", "by source: a", "by source: ", ""]
    with closing(sqlite3.connect(kept_store.store / "ledger.sqlite")) as connection:
        connection.execute("DELETE FROM announced_drift")
        connection.executemany(
            "INSERT INTO announced_drift VALUES ('small@1', ?, 'model', 'hair')", [(key,) for key in keys]
        )
        connection.commit()
    with open_ledger(kept_store.store) as ledger:
        announced = ledger.checks.announced()
    assert sorted((each.source, each.check, each.column) for each in announced) == [
        (source, "model", "hair") for source in ('""', '"a"', "null")
    ]


def samples_of(text: str) -> dict[Sample, float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name not in WRITTEN_ANEW
    }


@with_commands
def test_the_exported_metrics_go_on(kept_store: KeptStore, facemon: RunFacemon) -> None:
    outcome = facemon("export-metrics", "-o", "-", cwd=kept_store.folder)
    assert outcome.returncode == 0, outcome.stderr
    before, now = samples_of(kept_store.facts["exported"]), samples_of(outcome.stdout)
    found: Counter[Sample] = Counter()
    for (name, labels), value in now.items():
        of_all_models = frozenset(label for label in labels if label[0] != "model")
        found[name, labels if (name, labels) in before else of_all_models] += value  # type: ignore[assignment]
    assert {key: found.get(key) for key in before} == pytest.approx(before, rel=1e-12)


@pytest.mark.parametrize("kept_store", [NEWEST[0], NEWEST[-1]], indirect=True)
def test_a_command_tells_of_the_upgrade_once(kept_store: KeptStore, facemon: RunFacemon) -> None:
    told = [facemon("store", "verify", cwd=kept_store.folder) for _ in range(2)]
    assert [outcome.returncode for outcome in told] == [0, 0], told
    is_older = kept_store.version < STORE_VERSION
    said = f"store {kept_store.store} upgraded from version {kept_store.version} to {STORE_VERSION}; "
    assert told[0].stderr.startswith(said) == is_older
    assert len(told[0].stderr.splitlines()) == is_older
    assert told[1].stderr == ""


@pytest.mark.parametrize("kept_store", NEWEST[:1], indirect=True)
def test_quiet_commands_upgrade_in_silence(kept_store: KeptStore, facemon: RunFacemon) -> None:
    # More than a year after its last stamp, the clock would be doubted aloud.
    StoreClock(kept_store.store, None).accept()
    outcome = facemon("-q", "store", "compact", cwd=kept_store.folder)
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (0, "", "")
    assert facemon("store", "verify", cwd=kept_store.folder).returncode == 0


def test_the_ledger_is_kept_as_it_was(kept_store: KeptStore) -> None:
    """Who puts it back has the old store again, for the code that made it."""
    if kept_store.version == STORE_VERSION:
        pytest.skip("needs no upgrade")
    schema = schema_of(kept_store.store)
    with closing(sqlite3.connect(kept_store.store / "ledger.sqlite")) as connection:
        before = list(connection.iterdump())
    open_ledger(kept_store.store).close()
    kept = kept_store.store / f"ledger.v{kept_store.version}.sqlite"
    with closing(sqlite3.connect(kept)) as connection:
        assert list(connection.iterdump()) == before
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    kept.rename(kept_store.store / "ledger.sqlite")
    assert schema_of(kept_store.store) == schema
    with open_ledger(kept_store.store, upgrade=False) as ledger:
        assert ledger.version == kept_store.version


@pytest.mark.slow
@with_commands
def test_an_upgraded_store_is_used_as_before(kept_store: KeptStore, facemon: RunFacemon) -> None:
    """The run that was left is there to be seen, images are predicted, references compared, labels evaluated."""
    folder = kept_store.folder
    runs: list[tuple[list[str], set[int]]] = [
        (["-q", "predict", "tuesday", "--source", "west", "--observed-at", "2026-11-23T10:00:00Z"], {0}),
        (["-q", "predict", "broken", "--observed-at", "2026-11-23T10:40:00Z"], {0, 1}),
        (["drift-check", "--reference", "window", "--since", "2026-11-23T00:00:00Z", "--until", "2026-11-24T00:00:00Z",
          "--check", "model"], {0, 3, 4}),
        (["drift-check", "--history"], {0}),
        (["reference", "diff", "window", "table"], {0, 3, 4}),
        (["evaluate", "labels.csv"], {0}),
        (["store", "compact"], {0}),
        (["store", "verify"], {0}),
    ]  # fmt: skip
    for arguments, codes in runs:
        outcome = facemon(*arguments, cwd=folder)
        assert outcome.returncode in codes, (arguments, outcome)
    with open_ledger(kept_store.store) as ledger:
        assert sql(ledger).execute("SELECT count(DISTINCT image) FROM labelled_images").fetchone() == (60,)


@with_commands
def test_looking_at_an_older_store_does_not_change_it(kept_store: KeptStore, facemon: RunFacemon) -> None:
    before = contents(kept_store.store)
    outcome = facemon("store", "info", "--json", cwd=kept_store.folder)
    assert outcome.returncode == 0, outcome.stderr
    assert f'"version": {kept_store.version}' in outcome.stdout
    is_older = kept_store.version < STORE_VERSION
    assert ("facemon store backup FILE" in outcome.stderr) == is_older
    assert contents(kept_store.store) == before


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


NEWER = (
    ("store", "backup", "../saved.tar"), ("predict", "monday", "--resume"), ("drift-check", "--history"),
    ("evaluate", "labels.csv"), ("metrics",), ("serve", "--listen", "127.0.0.1:0"),
)  # fmt: skip
"""Beside those of tests/acceptance/test_store.py."""


@pytest.mark.parametrize("arguments", NEWER, ids=" ".join)
@pytest.mark.parametrize("kept_store", NAMES[-1:], indirect=True)
def test_a_newer_store_is_refused_untouched(
    kept_store: KeptStore, facemon: RunFacemon, arguments: tuple[str, ...]
) -> None:
    open_ledger(kept_store.store).close()
    with closing(sqlite3.connect(kept_store.store / "ledger.sqlite")) as connection:
        connection.execute(f"PRAGMA user_version = {STORE_VERSION + 1}")
    before = contents(kept_store.folder)
    outcome: subprocess.CompletedProcess[str] = facemon(*arguments, cwd=kept_store.folder)
    assert outcome.returncode == 1
    assert f"has version {STORE_VERSION + 1}; this facemon" in outcome.stderr
    assert f"reads versions {OLDEST_VERSION} to {STORE_VERSION}" in outcome.stderr
    assert "hint: install the newer facemon" in outcome.stderr
    assert contents(kept_store.folder) == before


@pytest.mark.parametrize("kept_store", NAMES[-1:], indirect=True)
def test_a_newer_version_that_only_the_write_ahead_log_knows_is_refused(kept_store: KeptStore) -> None:
    """As when a newer facemon has just upgraded the store, and another process holds an older state of it."""
    open_ledger(kept_store.store).close()
    with closing(sqlite3.connect(kept_store.store / "ledger.sqlite", isolation_level=None)) as connection:
        connection.execute(f"PRAGMA user_version = {STORE_VERSION + 1}")
        header = (kept_store.store / "ledger.sqlite").read_bytes()[60:64]
        assert int.from_bytes(header) < STORE_VERSION + 1
        with pytest.raises(FacemonError, match=f"has version {STORE_VERSION + 1};"):
            open_ledger(kept_store.store)


@pytest.mark.parametrize("kept_store", NAMES[-1:], indirect=True)
def test_a_ledger_that_is_upgraded_while_it_is_open_is_used_no_more(kept_store: KeptStore) -> None:
    with open_ledger(kept_store.store) as ledger:
        with closing(sqlite3.connect(kept_store.store / "ledger.sqlite", isolation_level=None)) as newer:
            newer.execute(f"PRAGMA user_version = {STORE_VERSION + 1}")
        for transaction in (ledger.reading, ledger.writing):
            with pytest.raises(FacemonError, match="upgraded from version"), transaction():
                sql(ledger).execute("DELETE FROM drift_results")
    with closing(sqlite3.connect(kept_store.store / "ledger.sqlite")) as connection:
        assert connection.execute("SELECT count(*) FROM drift_results").fetchone() == (2,)
