"""`facemon reference rm` as its user runs it: what it refuses, what it leaves, and what is said of what is gone."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from facemon.store.ledger.opening import open_ledger
from tests.conftest import RunFacemon
from tests.metrics.stores import CONFIGURATION
from tests.store.log_rows import log_images
from tests.store.sql import sql

DAY = timedelta(days=1)


@pytest.fixture
def folder(facemon: RunFacemon, tmp_path: Path) -> Path:
    """A folder with a log of two days, three references, and a recorded check with the newest of them."""
    (tmp_path / "facemon.yaml").write_text(CONFIGURATION)
    now = datetime.now(UTC)
    with open_ledger(tmp_path / ".facemon", create=True) as ledger:
        log_images(ledger, 600, observed=now - 2 * DAY, spread=2 * DAY)
    since, until = (now - 2 * DAY).isoformat(), (now - DAY).isoformat()
    for name in ("spring", "summer", "autumn"):
        made = facemon("reference", "set", "--since", since, "--until", until, "--name", name, cwd=tmp_path)
        assert made.returncode == 0, made.stderr
    assert facemon("drift-check", "-q", cwd=tmp_path).returncode in (0, 3, 4)
    return tmp_path


def names(facemon: RunFacemon, folder: Path) -> list[str]:
    return [line.split()[0] for line in facemon("reference", "list", cwd=folder).stdout.splitlines()[1:]]


def drift_metrics(facemon: RunFacemon, folder: Path) -> list[str]:
    """The gauges of drift: of all else the times of commands change."""
    lines = facemon("export-metrics", "--export", "drift", cwd=folder).stdout.splitlines()
    found = [line for line in lines if not line.startswith(("#", "facemon_"))]
    assert found
    return found


def test_an_older_one_goes_at_once(facemon: RunFacemon, folder: Path) -> None:
    gone = facemon("reference", "rm", "spring", cwd=folder)
    assert (gone.returncode, gone.stdout) == (0, "")
    assert gone.stderr.startswith("removed reference spring: ")
    assert names(facemon, folder) == ["autumn", "summer"]
    again = facemon("reference", "rm", "spring", cwd=folder)
    assert again.returncode == 2
    assert f"reference 'spring' was removed on {datetime.now(UTC):%Y-%m-}" in again.stderr
    assert "choose one of: autumn, summer" in again.stderr
    assert facemon("store", "verify", cwd=folder).returncode == 0
    assert facemon("-q", "reference", "rm", "summer", cwd=folder).stderr == ""


def test_the_one_that_checks_compare_with_needs_force(facemon: RunFacemon, folder: Path) -> None:
    refused = facemon("reference", "rm", "spring", "autumn", cwd=folder)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "nothing was removed: 'autumn' is used by checks of faces@1" in refused.stderr
    assert "--force" in refused.stderr
    assert names(facemon, folder) == ["autumn", "summer", "spring"], "all or none"
    forced = facemon("reference", "rm", "spring", "autumn", "--force", cwd=folder)
    assert forced.returncode == 0
    assert "checks of faces@1 now compare with 'summer'" in forced.stderr
    assert names(facemon, folder) == ["summer"]
    last = facemon("reference", "rm", "summer", "--force", cwd=folder)
    assert "checks of faces@1 fail until there is another: facemon reference set --since 24h" in last.stderr
    assert facemon("drift-check", cwd=folder).returncode == 1
    assert "no reference has been set" in facemon("reference", "show", cwd=folder).stderr
    assert facemon("doctor", cwd=folder).returncode == 3


def test_the_one_of_the_last_check_needs_force_though_another_was_set(facemon: RunFacemon, folder: Path) -> None:
    assert facemon("reference", "set", "--since", "40h", "--name", "winter", cwd=folder).returncode == 0
    refused = facemon("reference", "rm", "autumn", cwd=folder)
    assert (refused.returncode, "'autumn' is used by the last check of faces@1" in refused.stderr) == (2, True)


def test_the_configured_one_needs_force(facemon: RunFacemon, folder: Path) -> None:
    (folder / "facemon.yaml").write_text(f"{CONFIGURATION}drift: {{reference: spring}}\n")
    refused = facemon("reference", "rm", "spring", cwd=folder)
    assert (refused.returncode, "'spring' is used by the configuration (drift.reference)" in refused.stderr) == (
        2,
        True,
    )
    assert "hint: name another one there first; or add --force" in refused.stderr
    forced = facemon("reference", "rm", "spring", "--force", cwd=folder)
    assert "drift.reference names 'spring': checks fail until the configuration is changed" in forced.stderr
    checked = facemon("drift-check", cwd=folder)
    assert (checked.returncode, "reference 'spring' was removed on" in checked.stderr) == (2, True)


@pytest.mark.parametrize(
    ("given", "said", "hint"),
    [
        (("sprung",), "there is no reference 'sprung'", "did you mean spring? choose one of: autumn, summer, spring"),
        (("spring", "x", "autum"), "'x'; there is no reference 'autum'", "did you mean autumn?"),
    ],
)
def test_unknown_names_remove_nothing(
    facemon: RunFacemon, folder: Path, given: tuple[str, ...], said: str, hint: str
) -> None:
    answer = facemon("reference", "rm", *given, "--force", cwd=folder)
    assert (answer.returncode, said in answer.stderr, hint in answer.stderr) == (2, True, True), answer.stderr
    assert len(names(facemon, folder)) == 3


def test_every_command_says_of_a_removed_one_that_it_was_removed(facemon: RunFacemon, folder: Path) -> None:
    assert facemon("reference", "rm", "spring", cwd=folder).returncode == 0
    for line in (
        ("reference", "show", "spring"), ("reference", "diff", "spring", "autumn"), ("reference", "rm", "spring"),
        ("drift-check", "--reference", "spring"),
    ):  # fmt: skip
        answer = facemon(*line, cwd=folder)
        assert (answer.returncode, "reference 'spring' was removed on" in answer.stderr) == (2, True), line


def test_what_earlier_checks_found_can_still_be_read(facemon: RunFacemon, folder: Path) -> None:
    before = json.loads(facemon("drift-check", "--history", "--format", "json", cwd=folder).stdout)
    metrics = drift_metrics(facemon, folder)
    assert facemon("reference", "rm", "autumn", "--force", cwd=folder).returncode == 0
    assert json.loads(facemon("drift-check", "--history", "--format", "json", cwd=folder).stdout) == before
    today = f"{datetime.now(UTC):%Y-%m-}"
    assert f"autumn (removed {today}" in facemon("drift-check", "--history", cwd=folder).stdout
    assert drift_metrics(facemon, folder) == metrics
    explained = facemon("drift-check", "--explain", "gender", cwd=folder)
    assert "from the recorded result alone: reference 'autumn' was removed on" in explained.stderr
    assert facemon("report", "-o", "page.html", cwd=folder).returncode == 0
    page = (folder / "page.html").read_text()
    assert page.count(f"removed {today}") >= 2, "in the marks, and beside the check"
    assert facemon("reference", "set", "--since", "40h", "--name", "autumn", cwd=folder).returncode == 0
    assert facemon("drift-check", "-q", cwd=folder).returncode in (0, 3, 4)
    newest, first = facemon("drift-check", "--history", cwd=folder).stdout.splitlines()[1:]
    assert ("removed" in newest, "removed" in first) == (False, True)


def test_of_removals_at_once_one_succeeds(facemon_anew: RunFacemon, folder: Path) -> None:
    with ThreadPoolExecutor(4) as several:
        runs = list(several.map(lambda _: facemon_anew("reference", "rm", "spring", "summer", cwd=folder), range(4)))
    assert sorted(run.returncode for run in runs) == [0, 2, 2, 2], [run.stderr for run in runs]
    with open_ledger(folder / ".facemon") as ledger:
        assert sorted(each.name for each in ledger.references.removed()) == ["spring", "summer"]
        assert sql(ledger).execute("SELECT count(*) FROM discards").fetchone() == (2,)


def test_a_backup_has_what_its_ledger_names(facemon: RunFacemon, folder: Path) -> None:
    assert facemon("store", "backup", "before.tar", cwd=folder).returncode == 0
    assert facemon("reference", "rm", "spring", cwd=folder).returncode == 0
    assert facemon("store", "backup", "after.tar", cwd=folder).returncode == 0
    (folder / ".facemon").rename(folder / "moved")
    for archive, known in (("after.tar", 2), ("before.tar", 3)):
        assert facemon("store", "recover", archive, cwd=folder).returncode == 0
        assert len(names(facemon, folder)) == known
        assert facemon("reference", "diff", "summer", "autumn", cwd=folder).returncode == 0
        (folder / ".facemon").rename(folder / archive.removesuffix(".tar"))
