"""From photographs to a firing alert and back, real at every joint: Prometheus, Alertmanager, a receiver."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.camera import DAY_THREE, DAY_TWO, IMAGES, window
from tests.acceptance.rendered_servers import rendered_servers
from tests.conftest import RunFacemon
from tests.servers import (
    WebhookReceiver,
    amtool,
    promtool,
    query,
    wait_for_query,
)
from tests.short_form import some_of

pytestmark = [pytest.mark.servers, pytest.mark.slow, pytest.mark.long_proof]

CONFIGURATION = """\
version: 1
model: {{bundle: age-gender}}
drift: {{data: {{threshold: 0.2}}}}
prometheus:
  scrape_interval: 1s
  jobs: [exporter]
  targets: {{exporter: ["127.0.0.1:{exporter}"]}}
  alertmanagers: ["{alertmanager}"]
alerts:
  DriftDetected: {{for: 1s}}
alertmanager:
  receivers: [{{name: operators, webhook: [{{url: "{webhook}"}}]}}]
  group_wait: 0s
  group_interval: 1s
"""


def brightness_alert(status: str) -> Any:
    def matches(body: dict[str, Any]) -> bool:
        return any(
            alert["status"] == status
            and alert["labels"]["alertname"] == "DriftDetected"
            and alert["labels"]["attribute"] == "image_brightness"
            for alert in body["alerts"]
        )

    return matches


def check(facemon: RunFacemon, folder: Path, day: Any) -> int:
    return facemon("drift-check", "--record", "--check", "data", *window(day), cwd=folder).returncode


def test_drift_fires_is_routed_and_resolves(
    facemon: RunFacemon, servers: Path, three_days: Path, tmp_path: Path, at_length: bool
) -> None:
    shutil.copytree(three_days / "after-two", tmp_path / ".facemon")
    assert check(facemon, tmp_path, DAY_TWO) == 3

    with WebhookReceiver() as receiver:
        urls = {"webhook": receiver.url}
        with rendered_servers(facemon, servers, tmp_path, CONFIGURATION, urls) as prometheus:
            everything_rendered_is_accepted(servers, tmp_path / "monitoring", at_length)
            (score,) = wait_for_query(prometheus.url, 'drift_score{attribute="image_brightness",check="data"}')
            assert score[1] > 0.9
            fired = receiver.wait_for(brightness_alert("firing"))
            assert fired["receiver"] == "operators"
            assert query(prometheus.url, "sum(model_predictions_total)")[0][1] > 0

            # The camera is repaired.
            assert (
                facemon("predict", "-q", three_days / "three", "--observed-at", "mtime", cwd=tmp_path).returncode == 0
            )
            assert check(facemon, tmp_path, DAY_THREE) == 0
            resolved = receiver.wait_for(brightness_alert("resolved"))
            assert resolved["status"] in ("resolved", "firing")  # others of its group may fire on
            images = query(prometheus.url, 'sum(images_processed_total{status=~"ok|no_face"})')
            assert images[0][1] == 3 * IMAGES


def everything_rendered_is_accepted(servers: Path, stack: Path, at_length: bool) -> None:
    rule_tests = sorted(stack.glob("prometheus/tests/*.yml"))
    rules = [str(stack / "prometheus" / name) for name in ("alert_rules.yml", "recording_rules.yml")]
    for outcome in (
        promtool(servers, "check", "config", str(stack / "prometheus" / "prometheus.yml")),
        promtool(servers, "check", "rules", *rules),
        promtool(servers, "test", "rules", *some_of(rule_tests, len(rule_tests), at_length)),
        amtool(servers, "check-config", str(stack / "alertmanager" / "alertmanager.yml")),
    ):
        assert outcome.returncode == 0, outcome.stdout + outcome.stderr
