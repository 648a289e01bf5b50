"""Proves that the servers which other tests rely on are real and do what they are for."""

import json
import os
import urllib.request
from pathlib import Path

import pytest

from tests.patience import HANG_S
from tests.servers import (
    ServerError,
    WebhookReceiver,
    amtool,
    promtool,
    query,
    run_alertmanager,
    run_node_exporter,
    run_prometheus,
    run_pushgateway,
    wait_for_query,
)

pytestmark = pytest.mark.servers

ROUTE_TO_WEBHOOK = """\
route: {{receiver: hook, group_wait: 100ms, group_by: [alertname]}}
receivers:
  - name: hook
    webhook_configs:
      - url: {url}
"""


def scrape_config(folder: Path, *targets: str) -> Path:
    jobs = [
        {"job_name": "node", "static_configs": [{"targets": [target.removeprefix("http://") for target in targets]}]}
    ]
    path = folder / "prometheus.yml"
    # JSON is YAML.
    path.write_text(
        json.dumps({"global": {"scrape_interval": "200ms", "scrape_timeout": "200ms"}, "scrape_configs": jobs})
    )
    return path


def send(url: str, body: bytes, content_type: str) -> int:
    request = urllib.request.Request(url, data=body, headers={"Content-Type": content_type}, method="POST")
    with urllib.request.urlopen(request, timeout=HANG_S) as answer:
        status: int = answer.status
        return status


def process_is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_prometheus_scrapes_the_textfile_of_a_node_exporter(each_generation: Path, tmp_path: Path) -> None:
    textfiles = tmp_path / "textfiles"
    textfiles.mkdir()
    (textfiles / "drift.prom").write_text('drift_score{attribute="Smiling"} 0.25\n')
    with (
        run_node_exporter(each_generation, textfiles, tmp_path) as node,
        run_prometheus(each_generation, scrape_config(tmp_path, node.url), tmp_path) as prometheus,
    ):
        [(labels, value)] = wait_for_query(prometheus.url, 'drift_score{attribute="Smiling"}')
        assert labels["job"] == "node"
        assert value == 0.25
        [(_, up)] = query(prometheus.url, "up")
        assert up == 1
        assert query(prometheus.url, "scalar(up) + 1") == [({}, 2.0)]
        assert query(prometheus.url, "absent_metric") == []
        with pytest.raises(ValueError, match="parse error"):
            query(prometheus.url, "sum(")
    assert process_is_gone(node.process.pid)
    assert process_is_gone(prometheus.process.pid)


def test_alertmanager_routes_an_alert_to_the_webhook(each_generation: Path, tmp_path: Path) -> None:
    config = tmp_path / "alertmanager.yml"
    with WebhookReceiver() as hook:
        config.write_text(ROUTE_TO_WEBHOOK.format(url=hook.url))
        with run_alertmanager(each_generation, config, tmp_path) as alertmanager:
            alerts = [{"labels": {"alertname": "DriftDetected", "attribute": "Smiling"}}]
            assert send(f"{alertmanager.url}/api/v2/alerts", json.dumps(alerts).encode(), "application/json") == 200
            body = hook.wait_for(lambda body: body["status"] == "firing")
        assert [alert["labels"]["attribute"] for alert in body["alerts"]] == ["Smiling"]
        assert hook.bodies == [body]


def test_the_webhook_says_what_came_instead(tmp_path: Path) -> None:
    with WebhookReceiver() as hook:
        send(hook.url, b'{"status": "resolved"}', "application/json")
        with pytest.raises(TimeoutError, match="resolved"):
            hook.wait_for(lambda body: body["status"] == "firing", timeout_s=0.1)


def test_pushgateway_accepts_a_push(each_generation: Path, tmp_path: Path) -> None:
    with run_pushgateway(each_generation, tmp_path) as gateway:
        assert send(f"{gateway.url}/metrics/job/facemon", b"drift_score 0.25\n", "text/plain") == 200
        with urllib.request.urlopen(f"{gateway.url}/metrics", timeout=HANG_S) as answer:
            assert 'drift_score{instance="",job="facemon"} 0.25' in answer.read().decode()


def test_a_server_that_cannot_start_shows_its_log_at_once(servers: Path, tmp_path: Path) -> None:
    config = tmp_path / "prometheus.yml"
    config.write_text("no_such_key: 1\n")
    with pytest.raises(ServerError, match="field no_such_key not found"), run_prometheus(servers, config, tmp_path):
        pass


def test_a_failing_test_shows_the_log(servers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def failing() -> None:
        with run_pushgateway(servers, tmp_path):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()
    assert "starting pushgateway" in capsys.readouterr().err


def test_the_tools_check_files(each_generation: Path, tmp_path: Path) -> None:
    config = tmp_path / "alertmanager.yml"
    config.write_text(ROUTE_TO_WEBHOOK.format(url="http://127.0.0.1:1/"))
    assert "SUCCESS" in amtool(each_generation, "check-config", config).stdout
    assert promtool(each_generation, "check", "config", config).returncode == 1
    assert promtool(each_generation, "check", "config", scrape_config(tmp_path, "127.0.0.1:1")).returncode == 0


def test_photographs_are_real_pictures(photographs: Path, astronaut: Path) -> None:
    assert (photographs / "obama.jpg").read_bytes().startswith(b"\xff\xd8")
    assert astronaut.read_bytes().startswith(b"\x89PNG")
