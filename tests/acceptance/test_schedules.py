"""What is rendered for the clock, run with the real command: the crontab's line and the workflow's steps."""

import os
import subprocess
import sys
from contextlib import chdir
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from facemon.monitor.monitor import Monitor
from tests.acceptance.tables import CONFIGURATION
from tests.conftest import RunFacemon
from tests.render.crontab_reader import read
from tests.render.github_runner import Runner
from tests.render.unit_reader import unit_value, unit_words

FACEMON = Path(sys.executable).with_name("facemon")
OF_THIS_RUN = {
    name: value for name, value in os.environ.items() if name in ("PYTHONPATH", "LD_PRELOAD", "CLOCK_OFFSET")
}
"""For a facemon that is not the installed one, and another time; nothing else reaches what is started by the clock."""
CONFIG = f"""\
{CONFIGURATION}
drift: {{window: 1h, cluster: none, min_rows: 100, model: {{threshold: 0.2}}, evidently: {{when: never}}}}
schedule:
  targets: [cron, systemd, github]
  command: {FACEMON}
"""

SANDBOX = """\
mount --make-rprivate / && mount --bind "$STORE" "$STORE" && mount -t tmpfs tmpfs "$TMPDIR" || exit 99
mount -o remount,bind,ro / && mount -o remount,bind,rw "$STORE" || exit 99
if touch "$FOLDER/written" 2> /dev/null; then exit 99; fi
exec "$@"
"""
"""The unit's ProtectSystem, ReadWritePaths and PrivateTmp by hand; 99 where this machine does not let us."""


def log(folder: Path, begin: datetime, *, beards: float, rows: int) -> None:
    """Half an hour of predictions."""
    rng = np.random.default_rng(rows)
    observed = [begin + timedelta(minutes=30) * share for share in rng.random(rows)]
    table = pa.table(
        {
            "image": [f"{begin:%d%H%M}-{number}.jpg" for number in range(rows)],
            "observed_at": pa.array(observed, pa.timestamp("us", "UTC")),
            "beard": np.where(np.arange(rows) < rows * beards, "yes", "no"),
        }
    )
    with chdir(folder), Monitor("facemon.yaml") as monitor:
        monitor.log(table)


@pytest.fixture
def folder(facemon: RunFacemon, tmp_path: Path) -> Path:
    """A folder with an odd name, a log, a reference of two days ago, and the rendered schedules."""
    folder = tmp_path / """a "b" 'c' 50% $HOME ${{ github.token }}"""
    folder.mkdir()
    (folder / "facemon.yaml").write_text(CONFIG)
    begin = datetime.now(UTC) - timedelta(days=2)
    log(folder, begin, beards=0.3, rows=600)
    window = ("--since", begin.isoformat(), "--until", (begin + timedelta(hours=1)).isoformat())
    assert facemon("reference", "set", *window, cwd=folder).returncode == 0
    assert facemon("render-config", "--only", "schedules", cwd=folder).returncode == 0
    return folder


def now(folder: Path, *, beards: float, rows: int) -> None:
    log(folder, datetime.now(UTC) - timedelta(minutes=31), beards=beards, rows=rows)


def runner_of(folder: Path) -> tuple[Runner, str]:
    place = folder.parent / "runner"
    place.mkdir()
    return Runner(place, place / "bin", OF_THIS_RUN), (folder / ".github/workflows/monitoring.yml").read_text()


@pytest.mark.slow
@pytest.mark.parametrize(("beards", "rows", "code", "verdict"), [(0.3, 600, 0, "ok"), (0.3, 20, 4, "undecided")])
def test_the_workflow_keeps_the_report_of_every_answer(
    folder: Path, beards: float, rows: int, code: int, verdict: str
) -> None:
    now(folder, beards=beards, rows=rows)
    runner, workflow = runner_of(folder)
    ended, outputs = runner.run(workflow)
    assert (ended, outputs["code"], outputs["verdict"]) == (0, str(code), verdict)
    assert runner.kept()["drift.html"].startswith("<!DOCTYPE html>")
    assert runner.calls() == []


@pytest.mark.slow
def test_the_workflow_tells_of_drift_in_one_issue(folder: Path) -> None:
    now(folder, beards=0.8, rows=600)
    runner, workflow = runner_of(folder)
    for _ in range(2):
        assert runner.run(workflow)[1]["drifted"] == "beard"
    assert runner.calls() == ["issue list", "label create", "issue create", "issue list", "issue comment"]
    assert "| model | beard | **drift** |" in (runner.folder / "body.md").read_text()
    assert (runner.folder / "title").read_text() == "Drift of face-attributes@2026-11"


@pytest.mark.slow
def test_the_workflow_fails_where_the_check_has_no_answer(folder: Path) -> None:
    (folder / "facemon.yaml").write_text(CONFIG.replace("window: 1h", "window: 1y"))
    runner, workflow = runner_of(folder)
    assert runner.run(workflow)[0] == 2
    (folder / "facemon.yaml").write_text(CONFIG.replace("drift: {", "drift: {reference: winter, "))
    assert runner.run(workflow)[0] == 2
    assert (runner.calls(), runner.kept()) == ([], {})


@pytest.mark.slow
@pytest.mark.parametrize(("beards", "code", "said"), [(0.3, 0, ""), (0.8, 3, "Drift. ")])
def test_cron_mails_only_trouble(folder: Path, beards: float, code: int, said: str) -> None:
    now(folder, beards=beards, rows=600)
    cron = read((folder / "schedules/cron/facemon").read_text())
    environment = {"HOME": os.devnull, **cron.variables, **OF_THIS_RUN}
    outcome = subprocess.run(
        [cron.variables["SHELL"], "-c", cron.command],
        env=environment,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (outcome.returncode, outcome.stderr) == (code, ""), outcome.stdout
    assert outcome.stdout.startswith(said)
    assert bool(outcome.stdout) == bool(said)


@pytest.mark.slow
def test_the_check_needs_no_more_rights_than_the_unit_gives(folder: Path) -> None:
    now(folder, beards=0.8, rows=600)
    unit = (folder / "schedules/systemd/facemon-drift-check.service").read_text()
    command, *arguments = unit_words(unit_value(unit, "ExecStart"))
    (store,) = unit_words(unit_value(unit, "ReadWritePaths"))
    assert "PrivateNetwork=true" in unit
    private = folder / "private"
    private.mkdir()
    places = {"FOLDER": str(folder), "STORE": store.removeprefix("-"), "TMPDIR": str(private)}
    outcome = subprocess.run(
        ["unshare", "--mount", "--net", "bash", "-c", SANDBOX, "unit", command.removeprefix(":"), *arguments],
        env={"PATH": os.environ["PATH"], "HOME": os.devnull, **places, **OF_THIS_RUN},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    if outcome.returncode == 99 or outcome.stderr.startswith("unshare: "):
        pytest.skip(f"this user may not make a sandbox: {outcome.stderr}")
    assert outcome.returncode == 3, outcome.stderr
    assert outcome.stdout.startswith("Drift. ")
