"""`facemon reference` as its user runs it: setting, showing and listing what is normal."""

import fcntl
from datetime import timedelta
from pathlib import Path

import pytest

from facemon.store.ledger import Ledger
from tests.acceptance.tables import write_table
from tests.conftest import RunFacemon
from tests.metrics.stores import CONFIGURATION
from tests.store.log_rows import NOON, log_images

WINDOW = ("--since", "2h", "--until", (NOON + timedelta(hours=1)).isoformat())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a configuration and a log of 200 images."""
    (tmp_path / "facemon.yaml").write_text(CONFIGURATION)
    with Ledger.open(tmp_path / ".facemon", create=True) as ledger:
        log_images(ledger, 200, observed=NOON)
    return tmp_path


def facts(text: str) -> dict[str, str]:
    pairs = (line.split("  ", maxsplit=1) for line in text.splitlines())
    return {name: value.strip() for name, value in pairs}


def test_a_window_of_the_log(facemon: RunFacemon, folder: Path) -> None:
    made = facemon("reference", "set", *WINDOW, "--name", "summer", "--note", "after the repair", cwd=folder)
    assert (made.returncode, made.stdout, made.stderr) == (0, "", "reference summer: 220 rows (predictions)\n")
    shown = facts(facemon("reference", "show", "summer", cwd=folder).stdout)
    assert (shown["name"], shown["kind"], shown["rows"], shown["from"]) == ("summer", "predictions", "220", "window")
    assert shown["window"] == "2026-11-22T11:00:00.000000Z to 2026-11-22T13:00:00.000000Z"
    assert (shown["model"], shown["note"]) == ("faces@1", "after the repair")
    assert Path(shown["file"]).is_file()
    assert facemon("reference", "show", cwd=folder).stdout == facemon("reference", "show", "summer", cwd=folder).stdout


def test_retention_does_not_take_a_reference_away(facemon: RunFacemon, folder: Path) -> None:
    facemon("reference", "set", *WINDOW, "--name", "summer", cwd=folder)
    with Ledger.open(folder / ".facemon") as ledger:
        ledger.connection.execute("DELETE FROM segments")
    shown = facts(facemon("reference", "show", "summer", cwd=folder).stdout)
    assert Path(shown["file"]).stat().st_size > 1000


def test_the_newest_is_listed_first_and_is_the_default(facemon: RunFacemon, folder: Path) -> None:
    write_table(folder / "labels.csv", seed=1)
    assert facemon("reference", "set", *WINDOW, cwd=folder).returncode == 0
    assert facemon("reference", "set", "labels.csv", "--kind", "labels", "--name", "truth", cwd=folder).returncode == 0
    headings, newest, older = facemon("reference", "list", cwd=folder).stdout.splitlines()
    assert headings.split() == ["name", "kind", "rows", "model", "set", "at", "note"]
    assert newest.split()[:4] == ["truth", "labels", "600", "-"]
    assert older.split()[1:4] == ["predictions", "220", "faces@1"]
    assert older.startswith("20"), "without --name it is named by when it was set"
    assert "truth" in facemon("reference", "show", cwd=folder).stdout
    (folder / "facemon.yaml").write_text(f"{CONFIGURATION}drift: {{reference: {older.split()[0]!r}}}\n")
    assert older.split()[0] in facemon("reference", "show", cwd=folder).stdout


def test_no_references(facemon: RunFacemon, folder: Path) -> None:
    listed = facemon("reference", "list", cwd=folder)
    assert (listed.returncode, listed.stdout) == (0, "name  kind  rows  model  set at  note\n")
    shown = facemon("reference", "show", cwd=folder)
    assert (shown.returncode, "nobody has said what is normal" in shown.stderr) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "name either a FILE or a window with --since"),
        (("a.csv", "--since", "1h"), 2, "name either a FILE or a window with --since"),
        ((*WINDOW, "--kind", "labels"), 2, "true labels come from a FILE"),
        (("--since", "1h", "--until", "2020-01-01"), 1, "the log has no rows of faces@1 between"),
        (("missing.csv",), 1, "there is no such file"),
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
