"""One camera of six goes dark and another falls silent: real servers tell the receivers of these cameras."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from facemon import Monitor
from tests.acceptance.rendered_servers import rendered_servers
from tests.conftest import RunFacemon
from tests.servers import Server, WebhookReceiver, query, wait_for_query

pytestmark = [pytest.mark.servers, pytest.mark.slow]

CAMERAS = [f"camera-{number}" for number in range(1, 7)]
DARK, SILENT = "camera-6", "camera-2"
ROWS = 300
CONFIGURATION = """\
version: 1
model: {{bundle: age-gender}}
prometheus:
  scrape_interval: 1s
  jobs: [exporter]
  targets: {{exporter: ["127.0.0.1:{exporter}"]}}
  alertmanagers: ["{alertmanager}"]
alerts: {{DriftDetected: {{for: 1s}}}}
alertmanager:
  receivers:
    - {{name: operators, webhook: [{{url: "{operators}"}}]}}
    - {{name: entrance, webhook: [{{url: "{entrance}"}}]}}
  routes:
    - {{match: {{source: camera-6}}, receiver: entrance}}
  group_wait: 0s
  group_interval: 1s
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two days of six cameras: on the last one a camera is dark since its fifth hour, and one has no images."""
    (tmp_path / "facemon.yaml").write_text("version: 1\nmodel: {bundle: age-gender}\n")
    now, rng = datetime.now(UTC), np.random.default_rng(0)
    monitor = Monitor(tmp_path / "facemon.yaml")
    for days_ago, cameras in ((3, CAMERAS), (1, [camera for camera in CAMERAS if camera != SILENT])):
        at = np.linspace(0, 23.5, ROWS)
        for camera in cameras:
            is_dark = (days_ago == 1) & (camera == DARK) & (at > 5)
            brightness = rng.normal(0.4 + 0.05 * CAMERAS.index(camera), 0.08, ROWS)
            begin = now - timedelta(days=days_ago)
            monitor.log(
                pa.table(
                    {
                        "image": [f"{days_ago}/{camera}/{each}" for each in range(ROWS)],
                        "source": [camera] * ROWS,
                        "observed_at": pa.array(
                            [begin + timedelta(hours=float(each)) for each in at], pa.timestamp("us", "UTC")
                        ),
                        "gender": np.where(rng.random(ROWS) < 0.5, "male", "female"),
                        "gender_confidence": 1 - rng.beta(1, 20, ROWS),
                        "image_brightness": np.where(is_dark, brightness / 5, brightness),
                    }
                )
            )
    return tmp_path


def alerts_of(receiver: WebhookReceiver) -> set[tuple[str, str]]:
    """Which alert fired for which camera."""
    return {
        (alert["labels"]["alertname"], alert["labels"].get("source", ""))
        for body in receiver.bodies
        for alert in body["alerts"]
        if alert["status"] == "firing"
    }


def verdicts(prometheus: Server) -> dict[str, float]:
    return {labels["source"]: value for labels, value in query(prometheus.url, 'drift_source_detected{check="data"}')}


def test_a_dark_camera_pages_its_receiver_and_a_silent_one_is_named(
    facemon: RunFacemon, newer_servers: Path, folder: Path
) -> None:
    since, until = (datetime.now(UTC) - timedelta(days=3, minutes=1)).isoformat(), timedelta(days=1, minutes=1)
    end = (datetime.fromisoformat(since) + until).isoformat()
    made = facemon("reference", "set", "--since", since, "--until", end, "--name", "normal", cwd=folder)
    assert made.returncode == 0, made.stderr
    with WebhookReceiver() as operators, WebhookReceiver() as entrance:
        urls = {"operators": operators.url, "entrance": entrance.url}
        with rendered_servers(facemon, newer_servers, folder, CONFIGURATION, urls) as prometheus:
            night = facemon("drift-check", "--check", "data", cwd=folder)
            assert night.returncode == 3, night.stdout + night.stderr
            assert f"source {DARK}: drift of image_brightness" in night.stdout
            assert f"source {SILENT}: silent" in night.stdout
            wait_for_query(prometheus.url, f'drift_source_detected{{source="{DARK}", check="data"}} == 1')
            wait_for_query(prometheus.url, f'drift_source_rows{{source="{SILENT}", check="data"}} == 0')
            entrance.wait_for(lambda _: ("SourceDrift", DARK) in alerts_of(entrance))
            operators.wait_for(lambda _: ("SourceSilent", SILENT) in alerts_of(operators))
            found = verdicts(prometheus)
    assert found == {camera: float(camera == DARK) for camera in CAMERAS if camera != SILENT}
    assert alerts_of(entrance) == {("SourceDrift", DARK)}
    assert {alert for alert, source in alerts_of(operators) if source} == {"SourceSilent"}
