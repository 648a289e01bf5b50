"""`facemon export-metrics` as its user runs it: what it prints, what it refuses, what promtool thinks of it."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from facemon import __version__
from tests.acceptance.exports import entered_runs, own_runs, values_of
from tests.conftest import RunFacemon
from tests.metrics.stores import logged_folder

COMMAND = Path(sys.executable).with_name("facemon")
NO_PROXY = {"no_proxy": "127.0.0.1"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a log of 50 images and a drift check."""
    return logged_folder(tmp_path)


def test_stdout(facemon: RunFacemon, folder: Path) -> None:
    outcome = facemon("export-metrics", cwd=folder)
    assert (outcome.returncode, outcome.stderr) == (0, "")
    values = values_of(outcome.stdout)
    assert values["images_processed_total", "ok"] == 40
    assert values["drift_score", "gender", "model", "faces@1"] == 0.25
    again = facemon("export-metrics", "-o", "-", cwd=folder).stdout
    assert [line for line in again.splitlines() if 'command="export-metrics"' not in line] == [
        line for line in outcome.stdout.splitlines() if 'command="export-metrics"' not in line
    ]


@pytest.mark.parametrize("export", ["all", "model", "drift"])
def test_the_first_export_tells_of_its_own_success_as_it_is_entered(
    facemon: RunFacemon, folder: Path, export: str
) -> None:
    before = time.time()
    told = values_of(facemon("export-metrics", "--export", export, cwd=folder).stdout)
    (entered,) = entered_runs(folder)
    assert entered.last_success is not None
    assert own_runs(told) == {
        "facemon_last_success_timestamp_seconds": entered.last_success / 1e6,
        "facemon_last_run_duration_seconds": entered.seconds,
    }
    assert before < entered.last_success / 1e6 < time.time()
    assert 0 < entered.seconds < time.time() - before
    assert told["facemon_build_info", __version__] == 1


@pytest.mark.parametrize(
    ("export", "has", "lacks"),
    [("model", "images_processed_total", "drift_score"), ("drift", "drift_score", "images_processed_total")],
)
def test_a_part(facemon: RunFacemon, folder: Path, export: str, has: str, lacks: str) -> None:
    text = facemon("export-metrics", "--export", export, cwd=folder).stdout
    assert (has in text, lacks in text, "facemon_source_up" in text) == (True, False, True)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--textfile", "facemon.txt"), 1, "hint: name it facemon.prom"),
        (("--textfile", "."), 1, "node-exporter takes only *.prom"),
        (("--textfile", "missing/facemon.prom"), 1, "cannot be written: there is no folder"),
        (("--textfile", "facemon.prom"), 1, "other users cannot read"),
        (("-o", "facemon.prom"), 2, "use --textfile PATH"),
        (("-o", "-", "--textfile", "facemon.prom"), 2, "exclude each other"),
        (("--textfile", "a.prom", "--pushgateway", "http://127.0.0.1:1"), 2, "exclude each other"),
        (("--textfile", "a.prom", "--job", "night"), 2, "--job needs --pushgateway"),
        (("--pushgateway", "http://127.0.0.1:port"), 2, "is not the address of a Pushgateway"),
        (("--pushgateway", "http://127.0.0.1:1", "--grouping", "job=a"), 2, "write --job NAME"),
        (("--pushgateway", "http://127.0.0.1:1", "--timeout", "soon"), 2, "Invalid value for '--timeout'"),
        (("--pushgateway", "http://127.0.0.1:1", "--delete", "--export", "all"), 2, "leave out --export"),
        (("--delete",), 2, "--delete needs --pushgateway"),
        (("--export", "nothing"), 2, "'all', 'model', 'drift'"),
    ],
)
def test_what_cannot_be_exported(
    facemon: RunFacemon, folder: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    folder.chmod(0o700)
    outcome = facemon("export-metrics", *arguments, cwd=folder)
    assert (outcome.returncode, said in outcome.stderr) == (code, True), outcome.stderr
    assert "unexpectedly" not in outcome.stderr
    assert sorted(p.name for p in folder.iterdir()) == [".facemon", "facemon.yaml"]


@pytest.mark.servers
@pytest.mark.parametrize("export", ["all", "model", "drift"])
def test_promtool_accepts_it(facemon: RunFacemon, servers: Path, folder: Path, export: str) -> None:
    facemon("export-metrics", cwd=folder)
    text = facemon("export-metrics", "--export", export, "-o", "-", cwd=folder).stdout
    command = [str(servers / "usr" / "bin" / "promtool"), "check", "metrics"]
    outcome = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert (outcome.returncode, outcome.stdout + outcome.stderr) == (0, "")
