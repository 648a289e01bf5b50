"""Grafana, by a stand-in that answers its documented JSON: nothing is wrong, then each trouble by its cause."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import RunFacemon
from tests.doctor.grafana_server import TOKEN, Grafana, grafana
from tests.doctor.healthy import diagnosis

pytestmark = pytest.mark.slow
UID = "facemon-prometheus"


@pytest.fixture
def served(facemon: RunFacemon, healthy: Path) -> Iterator[tuple[Path, Grafana]]:
    """A healthy folder with its stack rendered, and a Grafana that has read it."""
    (healthy / "token").write_text(f"{TOKEN}\n")
    assert facemon("render-config", cwd=healthy).returncode == 0
    with grafana(healthy) as server:
        yield healthy, server


@dataclass(frozen=True, slots=True)
class Fault:
    """What Grafana has otherwise, and the first finding."""

    breaks: Callable[[Grafana], object]
    what: str


FAULTS = {
    "no data source": Fault(lambda g: g.sources.clear(), "Grafana lacks the data source of the dashboards"),
    "another Prometheus": Fault(
        lambda g: g.sources[UID].update(url="http://elsewhere:9090"), "the data source queries another Prometheus"
    ),
    "Prometheus is not reached": Fault(
        lambda g: g.health.update(status="ERROR", message="connection refused"),
        "Grafana's data source cannot reach Prometheus",
    ),
    "a dashboard is missing": Fault(lambda g: g.dashboards.pop("facemon-ml-metrics"), "Grafana lacks 1 dashboard"),
    "a dashboard was edited": Fault(
        lambda g: g.dashboards["facemon-ml-metrics"].update(refresh="never"),
        "the dashboard ML Model Metrics is not the rendered one",
    ),
    "the database is locked": Fault(lambda g: setattr(g, "database", "failing"), "Grafana's database is unhealthy"),
}


def test_nothing_is_wrong(facemon: RunFacemon, served: tuple[Path, Grafana]) -> None:
    folder, server = served
    found = diagnosis(facemon, folder, "--grafana", server.url, "--grafana-token-file", "token")
    assert found["findings"] == []
    (area,) = [each for each in found["areas"] if each["area"] == "Grafana"]
    assert area["ok"]


@pytest.mark.parametrize("name", FAULTS)
def test_the_first_finding_is_the_cause(facemon: RunFacemon, served: tuple[Path, Grafana], name: str) -> None:
    folder, server = served
    FAULTS[name].breaks(server)
    first = diagnosis(facemon, folder, "--grafana", server.url, "--grafana-token-file", "token")["findings"][0]
    assert (first["area"], first["what"]) == ("Grafana", FAULTS[name].what), first
    assert first["command"]


def test_tokens(facemon: RunFacemon, served: tuple[Path, Grafana]) -> None:
    folder, server = served
    found = diagnosis(facemon, folder, "--grafana", server.url)
    assert found["findings"] == []
    assert [each for area in found["areas"] for each in area["not_looked_at"] if "--grafana-token-file" in each]
    (folder / "token").write_text("another")
    found = diagnosis(facemon, folder, "--grafana", server.url, "--grafana-token-file", "token")
    assert found["findings"][0]["what"] == "Grafana refuses the token"
    outcome = facemon("doctor", "--grafana-token-file", "token", cwd=folder)
    assert outcome.returncode == 2


def test_nobody_listens(facemon: RunFacemon, healthy: Path) -> None:
    first = diagnosis(facemon, healthy, "--grafana", "http://127.0.0.1:9")["findings"][0]
    assert first["what"].startswith("Grafana does not answer: http://127.0.0.1:9 cannot be reached")


@pytest.mark.parametrize("url", ["127.0.0.1:9090", "http://user:secret@localhost:9090", "ftp://localhost", "http://"])
def test_wrong_addresses(facemon: RunFacemon, healthy: Path, url: str) -> None:
    outcome = facemon("doctor", "--prometheus", url, cwd=healthy)
    assert outcome.returncode == 2
    assert "secret" not in outcome.stderr
    assert "--prometheus: " in outcome.stderr
