"""A healthy folder with real servers beside it, as `render-config` configures them; a test breaks one of them."""

import json
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import RunFacemon
from tests.doctor.healthy import BATCHES, diagnosis
from tests.patience import wait_until
from tests.server.exporters import exporter
from tests.servers import Server, WebhookReceiver, free_port, query, run_alertmanager, run_prometheus

CONFIGURATION = """\
stack:
  for: existing
  reload:
    prometheus: {{by: pid_file, pid_file: prometheus.pid, url: "http://127.0.0.1:{prometheus}"}}
    alertmanager: {{by: endpoint, url: "http://{alertmanager}"}}
exporter: {{listen: "127.0.0.1:{exporter}"}}
prometheus:
  scrape_interval: 1s
  jobs: [exporter]
  targets: {{exporter: ["127.0.0.1:{exporter}"]}}
  alertmanagers: ["{alertmanager}"]
  target_version: "2.42"
alertmanager:
  target_version: "0.25"
  receivers: [{{name: operators, webhook: [{{url: "{webhook}"}}]}}]
  group_wait: 1s
  group_interval: 1s
"""


@dataclass
class Running:
    """The servers of a folder; each is stopped by closing its stack."""

    facemon: RunFacemon
    folder: Path
    prometheus: Server
    alertmanager: Server
    receiver: WebhookReceiver
    exporter: ExitStack
    alertmanagers: ExitStack

    @property
    def rules(self) -> Path:
        """The file of alert rules that Prometheus reads."""
        return self.folder / "monitoring" / "prometheus" / "alert_rules.yml"

    def diagnosis(self, *options: str) -> dict[str, Any]:
        """What the doctor says of all of them."""
        return diagnosis(self.facemon, self.folder, "--prometheus", self.prometheus.url, *options)

    def reload_prometheus(self) -> None:
        """Let it read its files again, whatever it makes of them."""
        before = self._reloads()
        self.prometheus.process.send_signal(1)
        wait_until(lambda: self._reloads() != before, "reading the files again")

    def _reloads(self) -> tuple[str, ...]:
        with urllib.request.urlopen(f"{self.prometheus.url}/metrics") as answer:
            lines = answer.read().decode().splitlines()
        return tuple(line for line in lines if line.startswith("prometheus_config_last_reload"))


@contextmanager
def running(
    facemon: RunFacemon,
    servers: Path,
    folder: Path,
    before: Callable[[Path], object] = lambda _: None,
    *,
    configuration: str = CONFIGURATION,
) -> Iterator[Running]:
    """Run exporter, Prometheus and Alertmanager until the block ends; all is scraped and evaluated once by then.

    `before` may change what was rendered, in the folder that it is given, before the servers read it;
    `configuration` names the servers' ports as `CONFIGURATION` does.
    """
    base = (folder / "facemon.yaml").read_text().replace(BATCHES, "")
    port = free_port()
    alertmanager_port, prometheus_port = free_port(), free_port()

    with ExitStack() as stack:
        receiver = stack.enter_context(WebhookReceiver())
        addresses = {"alertmanager": f"127.0.0.1:{alertmanager_port}", "webhook": receiver.url}
        text = configuration.format(exporter=port, prometheus=prometheus_port, **addresses)
        (folder / "facemon.yaml").write_text(base + text)
        rendered = facemon("render-config", cwd=folder)
        assert rendered.returncode == 0, rendered.stderr
        monitoring = folder / "monitoring"
        before(monitoring)
        alertmanagers, exporters = stack.enter_context(ExitStack()), stack.enter_context(ExitStack())
        alertmanager = alertmanagers.enter_context(
            run_alertmanager(
                servers, monitoring / "alertmanager" / "alertmanager.yml", folder / "am", port=alertmanager_port
            )
        )
        exporters.enter_context(exporter(folder, listen=None))
        prometheus = stack.enter_context(
            run_prometheus(
                servers, monitoring / "prometheus" / "prometheus.yml", folder / "prometheus", port=prometheus_port
            )
        )
        (folder / "prometheus.pid").write_text(f"{prometheus.process.pid}\n")
        found = Running(facemon, folder, prometheus, alertmanager, receiver, exporters, alertmanagers)
        wait_until(lambda: settled(prometheus), "the first scrape and the first notification")
        yield found


def settled(prometheus: Server) -> bool:
    """Whether it has scraped, evaluated its rules, and found its Alertmanager."""
    if not query(prometheus.url, "up == 1") or not query(prometheus.url, 'ALERTS{alertname="Watchdog"}'):
        return False
    with urllib.request.urlopen(f"{prometheus.url}/api/v1/alertmanagers") as answer:
        return bool(json.load(answer)["data"]["activeAlertmanagers"])
