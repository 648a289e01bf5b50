"""`facemon reference` as its user runs it: setting, showing and listing what is normal."""

import fcntl
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from facemon.store.ledger.opening import open_ledger
from tests.acceptance.tables import CONFIGURATION as TABLES
from tests.acceptance.tables import write_table
from tests.conftest import RunFacemon
from tests.metrics.stores import CONFIGURATION
from tests.store.log_rows import NOON, log_images
from tests.store.sql import sql

LATER = NOON + timedelta(hours=5)
WINDOW = ("--since", "2h", "--until", (NOON + timedelta(hours=1)).isoformat())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a configuration and a log of 200 images."""
    (tmp_path / "facemon.yaml").write_text(CONFIGURATION)
    with open_ledger(tmp_path / ".facemon", create=True) as ledger:
        log_images(ledger, 200, observed=NOON)
    return tmp_path


def facts(text: str) -> dict[str, str]:
    pairs = (line.split("  ", maxsplit=1) for line in text.splitlines())
    return {name: value.strip() for name, value in pairs}


def test_a_window_of_the_log(facemon: RunFacemon, folder: Path) -> None:
    made = facemon("reference", "set", *WINDOW, "--name", "summer", "--note", "after the repair", cwd=folder)
    assert (made.returncode, made.stdout) == (0, "")
    assert made.stderr.splitlines()[0] == "reference summer: 220 rows (predictions)"
    shown = facts(facemon("reference", "show", "summer", cwd=folder).stdout)
    assert (shown["name"], shown["kind"], shown["rows"], shown["from"]) == ("summer", "predictions", "220", "window")
    assert shown["window"] == "2026-11-22T11:00:00.000000Z to 2026-11-22T13:00:00.000000Z"
    assert (shown["model"], shown["note"], shown["given as"]) == ("faces@1", "after the repair", "-")
    assert Path(shown["file"]).is_file()
    assert facemon("reference", "show", cwd=folder).stdout == facemon("reference", "show", "summer", cwd=folder).stdout


def test_metrics_tell_since_when_a_reference_is_there(facemon: RunFacemon, folder: Path) -> None:
    success = 'facemon_last_success_timestamp_seconds{command="reference"}'
    assert success not in facemon("export-metrics", "-o", "-", cwd=folder).stdout
    assert facemon("reference", "set", *WINDOW, cwd=folder).returncode == 0
    assert success in facemon("export-metrics", "-o", "-", cwd=folder).stdout


def test_retention_does_not_take_a_reference_away(facemon: RunFacemon, folder: Path) -> None:
    facemon("reference", "set", *WINDOW, "--name", "summer", cwd=folder)
    with open_ledger(folder / ".facemon") as ledger:
        sql(ledger).execute("DELETE FROM segments")
    shown = facts(facemon("reference", "show", "summer", cwd=folder).stdout)
    assert Path(shown["file"]).stat().st_size > 1000


def test_the_newest_is_listed_first_and_is_the_default(facemon: RunFacemon, folder: Path) -> None:
    write_table(folder / "labels.csv", seed=1)
    assert facemon("reference", "set", *WINDOW, cwd=folder).returncode == 0
    assert facemon("reference", "set", "labels.csv", "--kind", "labels", "--name", "truth", cwd=folder).returncode == 0
    headings, newest, older = facemon("reference", "list", cwd=folder).stdout.splitlines()
    assert headings.split() == ["name", "kind", "rows", "model", "set", "at", "(UTC)", "note"]
    assert newest.split()[:4] == ["truth", "labels", "600", "-"]
    assert older.split()[1:4] == ["predictions", "220", "faces@1"]
    assert older.startswith("20"), "without --name it is named by when it was set"
    assert "truth" in facemon("reference", "show", cwd=folder).stdout
    (folder / "facemon.yaml").write_text(f"{CONFIGURATION}drift: {{reference: {older.split()[0]!r}}}\n")
    assert older.split()[0] in facemon("reference", "show", cwd=folder).stdout


def test_no_references(facemon: RunFacemon, folder: Path) -> None:
    listed = facemon("reference", "list", cwd=folder)
    assert (listed.returncode, listed.stdout) == (0, "name  kind  rows  model  set at (UTC)  note\n")
    shown = facemon("reference", "show", cwd=folder)
    assert (shown.returncode, "no reference has been set" in shown.stderr) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "name either a FILE or a window with --since"),
        (("a.csv", "--since", "1h"), 2, "name either a FILE or a window with --since"),
        ((*WINDOW, "--kind", "labels"), 2, "true labels come from a FILE"),
        (("--since", "1h", "--until", "2020-01-01"), 1, "the log has no rows of faces@1 between"),
        (("missing.csv",), 1, "no such file"),
        (("--since", "soon"), 2, "write a duration such as 24h, or a time"),
        ((*WINDOW, "--kind", "guesses"), 2, "'predictions', 'labels'"),
        ((*WINDOW, "--name", b"caf\xe9".decode("utf-8", "surrogateescape")), 2, "name caf\\xe9: is not UTF-8"),
    ],
)
def test_what_makes_no_reference(
    facemon: RunFacemon, folder: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    outcome = facemon("reference", "set", *arguments, cwd=folder)
    assert (outcome.returncode, said in outcome.stderr) == (code, True), outcome.stderr
    assert facemon("reference", "list", cwd=folder).stdout.count("\n") == 1
    assert list((folder / ".facemon" / "references").iterdir()) == []


def test_a_name_is_given_once(facemon: RunFacemon, folder: Path) -> None:
    assert facemon("reference", "set", *WINDOW, "--name", "summer", cwd=folder).returncode == 0
    again = facemon("reference", "set", *WINDOW, "--name", "summer", cwd=folder)
    assert (again.returncode, "there is a reference 'summer' already" in again.stderr) == (1, True)
    assert len(list((folder / ".facemon" / "references").iterdir())) == 1


def test_names_of_every_script(facemon: RunFacemon, folder: Path) -> None:
    assert facemon("reference", "set", *WINDOW, "--name", "été 夏", cwd=folder).returncode == 0
    assert "été 夏" in facemon("reference", "list", cwd=folder).stdout
    narrow = {"PYTHONIOENCODING": "ascii"}
    listed = facemon("reference", "list", cwd=folder, env=narrow)
    assert (listed.returncode, "\\xe9t\\xe9 \\u590f" in listed.stdout) == (0, True)


def test_another_run_holds_the_lock(facemon: RunFacemon, folder: Path) -> None:
    with (folder / ".facemon" / "locks" / "reference.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        outcome = facemon("reference", "set", *WINDOW, cwd=folder)
    assert (outcome.returncode, "another facemon reference is running" in outcome.stderr) == (75, True)


def test_a_table_tells_where_it_came_from(facemon: RunFacemon, folder: Path) -> None:
    (folder / "tables").mkdir()
    write_table(folder / "tables" / "été.csv", seed=1)
    assert facemon("reference", "set", "tables/été.csv", "--name", "truth", cwd=folder).returncode == 0
    shown = facts(facemon("reference", "show", "truth", cwd=folder).stdout)
    assert (shown["from"], shown["given as"], shown["window"]) == ("file", "tables/été.csv", "-")
    assert shown["set at"].startswith("20")
    Path(shown["file"]).unlink()
    assert facts(facemon("reference", "show", "truth", cwd=folder).stdout)["given as"] == "-"


def differences(facemon: RunFacemon, folder: Path, *names: str) -> dict[str, Any]:
    answer = facemon("reference", "diff", *names, "--format", "json", cwd=folder)
    assert (answer.returncode, answer.stderr) == (0, "")
    document: dict[str, Any] = json.loads(answer.stdout)
    assert document["schema"] == "facemon.reference_diff/1"
    return document


@pytest.fixture
def tables(facemon: RunFacemon, tmp_path: Path) -> Path:
    """A folder with two tables that are references."""
    (tmp_path / "facemon.yaml").write_text(TABLES)
    for name, seed, beards in (("spring", 1, 0.3), ("autumn", 2, 0.6)):
        write_table(tmp_path / f"{name}.csv", seed=seed, beards=beards)
        made = facemon("reference", "set", f"{name}.csv", "--name", name, "--note", f"all of {name}", cwd=tmp_path)
        assert made.returncode == 0, made.stderr
    return tmp_path


def test_how_two_tables_differ(facemon: RunFacemon, tables: Path) -> None:
    document = differences(facemon, tables, "spring", "autumn")
    first, second = document["columns"][:2]
    assert (first["column"], first["kind"], first["verdict"]) == ("beard", "categorical", "drift")
    assert (first["n_a"], first["n_b"], first["reason"]) == (600, 600, None)
    assert 0.2 < first["score"] < 0.4
    assert (second["column"], second["verdict"]) == ("brightness", "ok")
    assert set(first) == {"column", "kind", "score", "verdict", "n_a", "n_b", "reason"}
    a = document["a"] | {"set_at": None}
    assert a == {
        "name": "spring", "kind": "predictions", "rows": 600, "model": None, "from": "file", "given_as": "spring.csv",
        "since": None, "until": None, "set_at": None, "note": "all of spring",
    }  # fmt: skip
    assert (document["b"]["name"], document["b"]["note"]) == ("autumn", "all of autumn")
    checked = facemon(
        "drift-check", "--check", "model", "--reference", "spring", "--current", "autumn.csv", "--format", "json",
        cwd=tables,
    )  # fmt: skip
    (beard,) = json.loads(checked.stdout)["checks"]["model"]["columns"]
    assert first["score"] == beard["score"]


def test_the_text_shows_what_differs_and_the_largest_shift_first(facemon: RunFacemon, tables: Path) -> None:
    answer = facemon("reference", "diff", "spring", "autumn", cwd=tables)
    assert answer.returncode == 0
    about, columns = answer.stdout.split("\n\n")
    assert [line.split("  ")[0] for line in about.splitlines()] == ["what", "name", "given as", "set at", "note"]
    headings, first, second, *rest = columns.splitlines()
    assert headings.split("  ")[0] == "column"
    assert headings.endswith("rows of A  rows of B  why")
    assert first.split()[:3] == ["beard", "categorical", f"{100 * scores(facemon, tables)['beard']:.1f}"]
    assert second.split()[0] == "brightness"
    assert rest == []


def scores(facemon: RunFacemon, folder: Path) -> dict[str, float]:
    return {each["column"]: each["score"] for each in differences(facemon, folder, "spring", "autumn")["columns"]}


def test_a_reference_does_not_differ_from_itself(facemon: RunFacemon, tables: Path) -> None:
    assert {each["score"] for each in differences(facemon, tables, "spring", "spring")["columns"]} == {0}
    about = facemon("reference", "diff", "spring", "spring", cwd=tables).stdout.split("\n\n")[0]
    assert [line.split("  ")[0] for line in about.splitlines()] == ["what", "name"]


def test_a_window_and_another_and_a_table_of_the_log(facemon: RunFacemon, folder: Path) -> None:
    """In the log's bins the rows of a window, as a table, are the same."""
    with open_ledger(folder / ".facemon") as ledger:
        log_images(ledger, 100, observed=LATER, seed=5)
    later = ("--since", "2h", "--until", (LATER + timedelta(hours=1)).isoformat())
    for window, name in ((WINDOW, "summer"), (later, "winter")):
        assert facemon("reference", "set", *window, "--name", name, cwd=folder).returncode == 0
    kept = facts(facemon("reference", "show", "summer", cwd=folder).stdout)["file"]
    assert facemon("reference", "set", kept, "--name", "copy", cwd=folder).returncode == 0
    for names in (("summer", "copy"), ("copy", "summer")):
        document = differences(facemon, folder, *names)
        found = {each["column"]: (each["score"], each["n_a"], each["n_b"]) for each in document["columns"]}
        assert found["gender"] == found["age_confidence"] == (0, 180, 180)
        assert found["image_brightness"][0] == 0
        assert {document["a"]["from"], document["b"]["from"]} == {"window", "file"}
    document = differences(facemon, folder, "summer", "winter")
    assert document["a"]["since"] == "2026-11-22T11:00:00.000000Z"
    unscored = {each["column"] for each in document["columns"] if each["score"] is None}
    assert unscored == {"image_contrast", "image_sharpness", "image_saturation"}  # which these rows do not have
    ordered = [each["score"] for each in document["columns"] if each["score"] is not None]
    assert ordered == sorted(ordered, reverse=True)
    assert ordered[0] > 0


def test_references_of_two_models(facemon: RunFacemon, folder: Path) -> None:
    """A column that one side lacks comes last, with the reason."""
    assert facemon("reference", "set", *WINDOW, "--name", "old", cwd=folder).returncode == 0
    newer = CONFIGURATION.replace('version: "1"\n  networks', 'version: "2"\n  networks')
    newer = newer.replace(
        "attributes:\n", "attributes:\n        - {name: hat, output: h, kind: binary, labels: [n, y]}\n"
    )
    (folder / "facemon.yaml").write_text(newer)
    logged = (
        "import facemon, datetime; facemon.Monitor().log("
        "[{'image': str(i), 'gender': 'male', 'hat': 'y'} for i in range(300)],"
        f"observed_at=datetime.datetime.fromisoformat('{LATER.isoformat()}'))"
    )
    assert subprocess.run([sys.executable, "-c", logged], cwd=folder, check=False).returncode == 0
    later = ("--since", "2h", "--until", (LATER + timedelta(hours=1)).isoformat())
    assert facemon("reference", "set", *later, "--name", "new", cwd=folder).returncode == 0
    document = differences(facemon, folder, "old", "new")
    assert (document["a"]["model"], document["b"]["model"]) == ("faces@1", "faces@2")
    columns = {each["column"]: each for each in document["columns"]}
    assert columns["gender"]["score"] > 0.3
    assert (columns["hat"]["score"], columns["hat"]["verdict"]) == (None, "not_compared")
    assert (columns["hat"]["n_a"], columns["hat"]["n_b"]) == (0, 300)
    assert "the reference has no such column" in columns["hat"]["reason"]
    known = [each["score"] is not None for each in document["columns"]]
    assert known == sorted(known, reverse=True)


def test_a_difference_is_not_recorded(facemon: RunFacemon, tables: Path) -> None:
    def held() -> list[str]:
        """All but the counts of a table, which are kept for the next comparison."""
        with open_ledger(tables / ".facemon") as ledger:
            return [line for line in sql(ledger).iterdump() if "baseline_counts" not in line]

    before = held()
    differences(facemon, tables, "spring", "autumn")
    assert held() == before


def test_an_unknown_reference_has_no_difference(facemon: RunFacemon, tables: Path) -> None:
    for names in (("spring", "winter"), ("winter", "spring")):
        answer = facemon("reference", "diff", *names, cwd=tables)
        assert (answer.returncode, answer.stdout) == (2, "")
        assert "there is no reference 'winter'" in answer.stderr
        assert "choose one of: autumn, spring" in answer.stderr


@pytest.fixture
def today(tmp_path: Path) -> Path:
    """A folder with a log of 200 images of the last hours, of which a tenth has two faces and a fifth none."""
    (tmp_path / "facemon.yaml").write_text(CONFIGURATION)
    with open_ledger(tmp_path / ".facemon", create=True) as ledger:
        log_images(ledger, 200, observed=datetime.now(UTC) - timedelta(hours=2))
    return tmp_path


def test_setting_one_says_when_checks_can_decide(facemon: RunFacemon, today: Path) -> None:
    made = facemon("reference", "set", "--since", "24h", "--name", "summer", cwd=today)
    said = made.stderr.splitlines()[1:]
    assert all(line.startswith("  ") and len(line) < 80 for line in said)
    text = " ".join(" ".join(said).split())
    assert "images a day: 200, as logged lately" in text
    assert "data check: " in text
    assert "model check: never decides a threshold of 0.05 at 200 images a day: take " in text
    assert "model at present: 24h hold 180 rows, fewer than min_rows 200" in text
    quiet = facemon("-q", "reference", "set", "--since", "24h", "--name", "quiet", cwd=today)
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    shown = facts(facemon("reference", "show", "summer", cwd=today).stdout)
    assert shown["images a day"] == "200, as logged lately"
    assert shown["model at present"] == "24h hold 180 rows, fewer than min_rows 200"
    assert {"data check", "data at present", "model check"} <= set(shown)


def test_the_plan_as_json(facemon: RunFacemon, today: Path) -> None:
    facemon("reference", "set", "--since", "24h", "--name", "summer", cwd=today)
    answer = facemon("reference", "show", "--format", "json", cwd=today)
    assert (answer.returncode, answer.stderr) == (0, "")
    document = json.loads(answer.stdout)
    assert (document["schema"], document["name"], document["rows"]) == ("facemon.reference/1", "summer", 220)
    assert Path(document["file"]).is_file()
    plan = document["plan"]
    assert (plan["images_per_day"], plan["window"], plan["widen_to"]) == (200, "24h", "14d")
    model = plan["checks"]["model"]
    assert (model["threshold"], model["rows"], model["reference_rows"], model["detects"]) == (0.05, 180, 180, None)
    assert model["days"] is None
    assert any(remedy["reference_days"] for remedy in model["remedies"])
    newer = CONFIGURATION.replace('version: "1"\n  networks', 'version: "2"\n  networks')
    (today / "newer.yaml").write_text(newer)
    others = facemon("-c", "newer.yaml", "reference", "show", "summer", "--format", "json", cwd=today)
    assert json.loads(others.stdout)["plan"] is None, "it holds predictions of another model"


def test_the_own_rate_of_an_old_reference(facemon: RunFacemon, today: Path) -> None:
    """Where the log is silent the reference's window tells how many images a day there were."""
    facemon("reference", "set", "--since", "24h", "--name", "summer", cwd=today)
    with open_ledger(today / ".facemon") as ledger:
        sql(ledger).execute("DELETE FROM profiles")
        sql(ledger).execute("DELETE FROM segments")
    shown = facts(facemon("reference", "show", "summer", cwd=today).stdout)
    assert shown["images a day"] == "200, as in the reference"


def test_a_table_without_a_log_has_a_plan_of_images(facemon: RunFacemon, tables: Path) -> None:
    plan = json.loads(facemon("reference", "show", "spring", "--format", "json", cwd=tables).stdout)["plan"]
    assert (plan["images_per_day"], plan["sources"]) == (None, None)
    assert plan["checks"]["model"]["days"] is None
    shown = facts(facemon("reference", "show", "spring", cwd=tables).stdout)
    assert shown["data check"].startswith("decides a threshold of 0.1 with about ")
    assert "images a day" not in shown


def test_an_empty_name_is_refused(facemon: RunFacemon, tmp_path: Path) -> None:
    answer = facemon("reference", "set", "--since", "24h", "--name", "", cwd=tmp_path)
    assert answer.returncode == 2
    assert answer.stderr == "error: --name is empty\n  hint: name the reference or leave the option out\n"
