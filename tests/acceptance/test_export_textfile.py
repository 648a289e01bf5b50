"""`facemon export-metrics --textfile`: a file that a real node-exporter reads, and that stays when an export fails."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from facemon.errors import ExitCode
from facemon.store.layout import LEDGER_NAME
from facemon.store.ledger.opening import open_ledger
from facemon.store.recorded_commands import record_command
from tests.acceptance.exports import entered_runs, scrape
from tests.conftest import RunFacemon
from tests.metrics.stores import AT, logged_folder
from tests.servers import run_node_exporter
from tests.store.sql import sql

COMMAND = Path(sys.executable).with_name("facemon")
NO_PROXY = {"no_proxy": "127.0.0.1"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a log of 50 images and a drift check."""
    return logged_folder(tmp_path)


def test_a_store_that_breaks_leaves_the_old_textfile(facemon: RunFacemon, folder: Path, open_folder: Path) -> None:
    path = open_folder / "facemon.prom"
    made = facemon("export-metrics", "--textfile", path, cwd=folder)
    assert (made.returncode, made.stdout, made.stderr) == (0, "", f"wrote {path}\n")
    assert path.stat().st_mode & 0o777 == 0o644
    before = path.read_text()
    (folder / ".facemon" / LEDGER_NAME).write_bytes(b"no database" * 500)
    outcome = facemon("export-metrics", "--textfile", path, cwd=folder)
    assert (outcome.returncode, "is damaged" in outcome.stderr) == (1, True)
    assert path.read_text() == before
    assert list(open_folder.iterdir()) == [path]


def test_a_success_that_cannot_be_entered_leaves_the_old_textfile(folder: Path, open_folder: Path) -> None:
    path = open_folder / "facemon.prom"
    path.write_text('facemon_build_info{version="0.1.0"} 1.0\n')
    with open_ledger(folder / ".facemon") as ledger:
        # A write-ahead log beyond the limit that is set below: as on a full disk, nothing can be added to it.
        sql(ledger).execute("PRAGMA wal_autocheckpoint = 0")
        for seconds in range(40):
            record_command(ledger, "predict", AT, float(seconds), ExitCode.OK)
        outcome = subprocess.run(
            [COMMAND, "export-metrics", "--textfile", path],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000)),
        )
    assert outcome.returncode == 1, outcome.stderr
    assert f"the store in {folder / '.facemon'} failed" in outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert path.read_text() == 'facemon_build_info{version="0.1.0"} 1.0\n'
    assert list(open_folder.iterdir()) == [path]
    assert entered_runs(folder) == []


def test_a_textfile_that_cannot_be_put_in_place_is_no_success(folder: Path, open_folder: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root makes a file that its own user may not replace")
    path = open_folder / "facemon.prom"
    path.write_text('facemon_build_info{version="0.1.0"} 1.0\n')
    subprocess.run(["chattr", "+i", path], check=False, capture_output=True)
    try:
        outcome = subprocess.run(
            [COMMAND, "export-metrics", "--textfile", path], cwd=folder, capture_output=True, text=True, check=False
        )
    finally:
        changed = subprocess.run(["chattr", "-i", path], check=False, capture_output=True)
    if changed.returncode != 0:
        pytest.skip("this file system knows no immutable files")
    assert outcome.returncode == 1, outcome.stderr
    assert "cannot be written: Operation not permitted" in outcome.stderr
    assert path.read_text() == 'facemon_build_info{version="0.1.0"} 1.0\n'
    assert list(open_folder.iterdir()) == [path]
    (entered,) = entered_runs(folder)
    assert entered.last_success is None


@pytest.mark.servers
def test_node_exporter_reads_the_textfile(facemon: RunFacemon, servers: Path, folder: Path, open_folder: Path) -> None:
    textfiles = open_folder / "textfiles"
    textfiles.mkdir(mode=0o755)
    assert facemon("export-metrics", "--textfile", textfiles / "facemon.prom", cwd=folder).returncode == 0
    with run_node_exporter(servers, textfiles, folder) as server:
        text = scrape(server.url)
    assert "node_textfile_scrape_error 0" in text
    assert 'images_processed_total{status="ok"} 40' in text
    assert 'drift_score{attribute="gender",check="model",model="faces@1"} 0.25' in text
    assert 'model_confidence_score_bucket{attribute="gender",model="faces@1",le="+Inf"} 45' in text
    assert 'facemon_last_success_timestamp_seconds{command="export-metrics"}' in text


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_another_user_reads_what_was_written_and_could_not_what_was_refused(
    facemon: RunFacemon, folder: Path, open_folder: Path
) -> None:
    path = open_folder / "a" / "facemon.prom"
    path.parent.mkdir()
    assert facemon("export-metrics", "--textfile", path, cwd=folder).returncode == 0
    as_nobody = [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "sh",
        "-c",
        f"ls {path.parent}; cat {path}",
    ]
    assert subprocess.run(as_nobody, capture_output=True, text=True, check=True).stdout.startswith("facemon.prom\n#")
    for closed in (path.parent, open_folder):
        closed.chmod(0o700)
        assert facemon("export-metrics", "--textfile", path, cwd=folder).returncode == 1
        assert subprocess.run(as_nobody, capture_output=True, check=False).returncode != 0
        closed.chmod(0o755)
