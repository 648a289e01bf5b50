"""The model of an API is lost and comes back: one message, and one for its end, although every request failed.

Real servers and the rendered configuration. The requests that failed without the model are in the window of rates for
some time after it is back.
"""

import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.incident_pages import served_page
from tests.servers import Body, WebhookReceiver, run_alertmanager, run_prometheus, wait_for_query

pytestmark = [pytest.mark.servers, pytest.mark.slow, pytest.mark.long_proof]

COMMAND = Path(sys.executable).with_name("facemon")
WINDOW_S = 6
CONFIGURATION = """\
version: 1
model: {{bundle: age-gender}}
prometheus:
  scrape_interval: 500ms
  rate_window: {window}s
  jobs: [api, exporter]
  targets: {{api: ["{api}"], exporter: ["{api}"]}}
  alertmanagers: [{alertmanagers}]
alerts:
  HighErrorRate: {{for: 3s}}
  HighLatency: {{for: 3s}}
  ModelNotLoaded: {{for: 1s}}
alertmanager:
  target_version: "0.25"
  receivers: [{{name: team, webhook: [{{url: "{team}"}}]}}]
  group_wait: 1s
  group_interval: 1s
"""


class Api:
    """The metrics of an API: with each scrape ten more requests, which fail while the model is lost."""

    lost = False

    def __init__(self) -> None:
        self._counts = {"success": 0, "error": 0}

    def text(self) -> str:
        self._counts["error" if self.lost else "success"] += 10
        requests = (
            f'api_requests_total{{endpoint="/predict",method="POST",status="{status}",code="{code}"}} {count}\n'
            for (status, count), code in zip(self._counts.items(), (200, 500), strict=True)
        )
        loaded = f'model_loaded{{model="m@1"}} {int(not self.lost)}\n'
        return "".join(('images_processed_total{status="ok"} 5\n', loaded, *requests))


def rendered(folder: Path, **settings: object) -> None:
    text = CONFIGURATION.format(window=WINDOW_S, **settings)
    (folder / "facemon.yaml").write_text(text, encoding="utf-8")
    subprocess.run([COMMAND, "-q", "render-config"], cwd=folder, check=True, capture_output=True, text=True)


def told(body: Body) -> tuple[str, list[str]]:
    return body["status"], sorted({alert["labels"]["alertname"] for alert in body["alerts"]})


def is_over(body: Body) -> bool:
    return told(body) == ("resolved", ["ModelNotLoaded"])


def test_a_lost_model_is_one_message_and_one_for_its_end(each_generation: Path, tmp_path: Path) -> None:
    api = Api()
    with ExitStack() as stack:
        team = stack.enter_context(WebhookReceiver())
        places = {"api": stack.enter_context(served_page(api.text)), "team": team.url}
        rendered(tmp_path, **places, alertmanagers="")
        routes = tmp_path / "monitoring/alertmanager/alertmanager.yml"
        alertmanager = stack.enter_context(run_alertmanager(each_generation, routes, tmp_path))
        rendered(tmp_path, **places, alertmanagers=f'"{alertmanager.url.removeprefix("http://")}"')
        file = tmp_path / "monitoring/prometheus/prometheus.yml"
        prometheus = stack.enter_context(run_prometheus(each_generation, file, tmp_path))
        wait_for_query(prometheus.url, "rate(api_requests_total[2s]) > 0")
        api.lost = True
        wait_for_query(prometheus.url, 'ALERTS{alertname="HighErrorRate",alertstate="firing"}')
        time.sleep(2)  # by when Alertmanager would have told of it
        api.lost = False
        team.wait_for(is_over)
        time.sleep(WINDOW_S)
        messages = [told(body) for body in team.bodies if "Watchdog" not in told(body)[1]]
    assert messages == [("firing", ["ModelNotLoaded"]), ("resolved", ["ModelNotLoaded"])]
