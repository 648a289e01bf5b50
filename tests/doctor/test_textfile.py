"""The textfile as node-exporter sees it: the doctor's finding is the cause, and node-exporter agrees."""

import os
import re
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import RunFacemon
from tests.doctor.healthy import diagnosis
from tests.servers import run_node_exporter

pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True)
class Fault:
    """What is done to a textfile that was exported, the first finding, and whether node-exporter tells of an error."""

    breaks: Callable[[Path], object]
    what: str
    is_scrape_error: bool = False


def age(path: Path) -> None:
    before = time.time() - 5 * 3_600
    os.utime(path, (before, before))


FAULTS = {
    "gone": Fault(lambda path: path.unlink(), "there is no textfile"),
    "old": Fault(age, "the textfile is old"),
    "not whole": Fault(lambda path: path.write_text('drift_score{attribute="ha'), "refuses a textfile", True),
    "with timestamps": Fault(
        lambda path: path.write_text("drift_score 0.2 1700000000000\n"), "refuses a textfile", True
    ),
    "closed": Fault(lambda path: path.chmod(0o600), "no permission to read the textfile"),
    "in a closed folder": Fault(lambda path: path.parent.chmod(0o700), "node-exporter could not read"),
    "doubled": Fault(
        lambda path: path.with_name("older.prom").write_text(path.read_text()), "has the series .* already"
    ),
    "beside another that is broken": Fault(
        lambda path: path.with_name("other.prom").write_text("backup{\n"), "refuses a textfile", True
    ),
}


@pytest.fixture
def exported(facemon: RunFacemon, healthy: Path, open_folder: Path) -> Path:
    """A textfile of the healthy store, as the schedule exports it."""
    path = open_folder / "facemon.prom"
    schedule = f"schedule: {{targets: [cron], export: {{textfile: {path}}}}}\n"
    (healthy / "facemon.yaml").write_text((healthy / "facemon.yaml").read_text() + schedule)
    outcome = facemon("-q", "export-metrics", "--textfile", path, cwd=healthy)
    assert outcome.returncode == 0, outcome.stderr
    return path


def test_nothing_is_wrong(facemon: RunFacemon, healthy: Path, exported: Path) -> None:
    found = diagnosis(facemon, healthy)
    assert found["findings"] == []
    (area,) = [each for each in found["areas"] if each["area"] == "textfile"]
    assert area["looked_at"] == f"{exported}, written just now"


@pytest.mark.parametrize("name", FAULTS)
def test_the_first_finding_is_the_cause(facemon: RunFacemon, healthy: Path, exported: Path, name: str) -> None:
    fault = FAULTS[name]
    fault.breaks(exported)
    first = diagnosis(facemon, healthy)["findings"][0]
    assert first["area"] == "textfile", first
    assert re.search(fault.what, first["what"]), first
    assert first["command"], first


@pytest.mark.servers
@pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if fault.is_scrape_error])
def test_node_exporter_agrees(servers: Path, exported: Path, tmp_path: Path, name: str) -> None:
    FAULTS[name].breaks(exported)
    (tmp_path / "node").mkdir()
    with (
        run_node_exporter(servers, exported.parent, tmp_path / "node") as node,
        urllib.request.urlopen(f"{node.url}/metrics") as answer,
    ):
        assert b"\nnode_textfile_scrape_error 1\n" in answer.read()
