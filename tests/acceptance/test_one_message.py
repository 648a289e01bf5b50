"""Eight cameras in two buildings, a team each, and 40 columns: one incident is one message, and one for its end.

Real servers, the rendered configuration with its default grouping: what each team gets is counted to the last message.
"""

import subprocess
import sys
import time
from contextlib import ExitStack
from email.message import EmailMessage
from functools import partial
from pathlib import Path

import pytest

from tests.incident_pages import served_page
from tests.mail_sink import MailSink
from tests.servers import Body, WebhookReceiver, run_alertmanager, run_prometheus

pytestmark = [pytest.mark.servers, pytest.mark.slow, pytest.mark.long_proof]

COMMAND = Path(sys.executable).with_name("facemon")
INTERVAL_S = 1
"""Alertmanager's group interval."""
NORTH, SOUTH = ([f"camera-{number}" for number in numbers] for numbers in (range(1, 5), range(5, 9)))
CONFIGURATION = """\
version: 1
model: {{bundle: age-gender}}
prometheus:
  scrape_interval: 500ms
  rate_window: 2s
  jobs: [exporter]
  targets: {{exporter: ["{exporter}"]}}
  alertmanagers: [{alertmanagers}]
alerts: {{DriftDetected: {{for: 2s}}}}
alertmanager:
  target_version: "0.25"
  smtp: {{smarthost: "{mail}", from: facemon@example.com, require_tls: false}}
  receivers:
    - {{name: models, email: [{{to: models@example.com}}]}}
    - {{name: north, webhook: [{{url: "{north}"}}]}}
    - {{name: south, webhook: [{{url: "{south}"}}]}}
  routes:
    - {{match: {{source: {cameras_north}}}, receiver: north}}
    - {{match: {{source: {cameras_south}}}, receiver: south}}
  group_wait: 2s
  group_interval: {interval}s
"""


class Page:
    """The exporter's metrics: camera-3 is dark and camera-7 silent while `bad`."""

    bad = False

    def text(self) -> str:
        bad, now = self.bad, time.time()
        lines = [
            'images_processed_total{status="ok"} 1000',
            *(f'drift_decided_timestamp_seconds{{check="{check}",model="m@1"}} {now}' for check in ("data", "model")),
            *(f'drift_check_timestamp_seconds{{check="{check}",model="m@1"}} {now}' for check in ("data", "model")),
        ]
        for number in range(40):
            column = f'attribute="column {number}",check="{"model" if number % 2 else "data"}",model="m@1"'
            score = 0.5 + number / 1000 if bad else 0
            lines += [f"drift_score{{{column}}} {score}", f"drift_p_value{{{column}}} 0.0001"]
            lines += [f"drift_detected{{{column}}} {int(bad)}", f"drift_undecided{{{column}}} 0"]
        for source in NORTH + SOUTH:
            for check in ("data", "model"):
                labels = f'check="{check}",model="m@1",source="{source}"'
                lines.append(f"drift_source_detected{{{labels}}} {int(bad and source == 'camera-3')}")
                lines.append(f"drift_source_rows{{{labels}}} {0 if bad and source == 'camera-7' else 400}")
        return "".join(f"{line}\n" for line in lines)


def rendered(folder: Path, **settings: object) -> None:
    text = CONFIGURATION.format(cameras_north=NORTH, cameras_south=SOUTH, interval=INTERVAL_S, **settings)
    (folder / "facemon.yaml").write_text(text, encoding="utf-8")
    subprocess.run([COMMAND, "-q", "render-config"], cwd=folder, check=True, capture_output=True, text=True)


def titled(beginning: str, message: EmailMessage) -> bool:
    return str(message["Subject"]).startswith(beginning)


def of_status(status: str, body: Body) -> bool:
    return str(body["status"]) == status


def test_one_incident_is_one_message_to_each_team_and_one_for_its_end(each_generation: Path, tmp_path: Path) -> None:
    page = Page()
    with ExitStack() as stack:
        mail = stack.enter_context(MailSink())
        north, south = stack.enter_context(WebhookReceiver()), stack.enter_context(WebhookReceiver())
        places = {
            "exporter": stack.enter_context(served_page(page.text)),
            "mail": mail.address,
            "north": north.url,
            "south": south.url,
        }
        rendered(tmp_path, **places, alertmanagers="")
        routes = tmp_path / "monitoring/alertmanager/alertmanager.yml"
        links = ("--web.external-url=https://alerts.example.com/am", "--web.route-prefix=/")
        alertmanager = stack.enter_context(run_alertmanager(each_generation, routes, tmp_path, extra_args=links))
        rendered(tmp_path, **places, alertmanagers=f'"{alertmanager.url.removeprefix("http://")}"')
        links = ("--web.external-url=https://metrics.example.com/prom", "--web.route-prefix=/")
        file = tmp_path / "monitoring/prometheus/prometheus.yml"
        stack.enter_context(run_prometheus(each_generation, file, tmp_path, extra_args=links))
        for status in ("firing", "resolved"):
            page.bad = status == "firing"
            mail.wait_for(partial(titled, f"[{status.upper()}"))
            for hook in (north, south):
                hook.wait_for(partial(of_status, status))
            time.sleep(2 * INTERVAL_S)  # by when Alertmanager would have told of anything else
        subjects = [message["Subject"] for message in mail.arrived]
        bodies = {"north": north.bodies, "south": south.bodies}
    columns = "of m@1: column 39, column 38, column 37 and 37 more"
    assert subjects == [f"[FIRING 40] DriftDetected {columns}", f"[RESOLVED] DriftDetected {columns}"]
    text = mail.arrived[0].get_body(("plain",)).get_content().replace("\r\n", "\n")  # type: ignore[union-attr]
    assert text.startswith("columns, worst first: column 39 0.539, column 38 0.538, column 37 0.537 and 37 more\n")
    assert "model: m@1\n" in text
    assert "\nnext: facemon drift-check --by source --no-record\n" in text
    assert "\nquery: https://metrics.example.com/prom/graph?" in text
    silence = "silences/new?filter=%7Bincident%3D%22Drift%22%2Cmodel%3D%22m%401%22%7D\n"
    assert f"\nsilence: https://alerts.example.com/am/#/{silence}" in text
    for team, name, camera in (("north", "SourceDrift", "camera-3"), ("south", "SourceSilent", "camera-7")):
        told = [[(alert["status"], alert["labels"]["alertname"], alert["labels"]["source"], alert["labels"]["check"])
                 for alert in body["alerts"]] for body in bodies[team]]  # fmt: skip
        assert told == [
            [(status, name, camera, check) for check in ("data", "model")] for status in ("firing", "resolved")
        ]
