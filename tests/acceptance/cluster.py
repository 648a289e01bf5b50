"""Two Prometheus and two clustered Alertmanagers on this machine, run from the files that were rendered for them."""

import json
import time
import urllib.request
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facemon.config.document import Config
from facemon.config.loader import parse_config
from facemon.render.stack import COMPOSE_FILE, render_stack
from tests.patience import HANG_S
from tests.read_yaml import read_yaml
from tests.servers import (
    Server,
    WebhookReceiver,
    free_port,
    promtool,
    run_alertmanager,
    run_node_exporter,
    run_prometheus,
    wait_for_query,
)

_ALERTMANAGERS = ("alertmanager", "alertmanager-2")
_PROMETHEUSES = ("prometheus", "prometheus-2")
_PEER_TIMEOUT_S = 15.0
"""What an Alertmanager leaves to the one before it, by default."""
_CONFIGURATION = """\
prometheus:
  scrape_interval: 1s
  store_metrics_from: textfile
  jobs: [node]
  targets: {{node: ["{node}"]}}
  alertmanagers: [{alertmanagers}]
  replicas: 2
alerts:
  custom: [{{name: Incident, expr: incident > 0, severity: critical, summary: An incident}}]
alertmanager:
  receivers: [{{name: operators, webhook: [{{url: "{webhook}"}}]}}]
  group_wait: 1s
  group_interval: 5s
  replicas: 2
grafana: {{admin_password_file: secrets/grafana}}
stack: {{images: {{prometheus: "prom/prometheus:v{version}"}}}}
"""
_ANSWERS_WITHIN_S = HANG_S
_MEET_WITHIN_S = HANG_S
_TOLD_WITHIN_S = HANG_S
_GRACE_S = 5.0


@dataclass(frozen=True, slots=True)
class Cluster:
    """The running servers, by the names of their compose services; the first Alertmanager is the one that notifies."""

    alertmanagers: tuple[Server, ...]
    prometheuses: tuple[Server, ...]
    receiver: WebhookReceiver
    textfile: Path

    def tell(self, incidents: Mapping[str, int]) -> None:
        """Let each incident begin (1) or end (0), by what node-exporter reads."""
        lines = [f'incident{{attribute="{name}"}} {value}\n' for name, value in incidents.items()]
        draft = self.textfile.with_suffix(".draft")
        draft.write_text("".join(lines))
        draft.replace(self.textfile)

    def notifications(self, status: str) -> Counter[str]:
        """How often each incident was told so far as firing or as resolved."""
        return Counter(
            alert["labels"]["attribute"]
            for body in self.receiver.bodies
            for alert in body["alerts"]
            if alert["labels"]["alertname"] == "Incident" and alert["status"] == status
        )

    def wait_until_told(self, status: str, names: Collection[str]) -> None:
        """Wait until each incident was told once at least; TimeoutError says which were not."""
        deadline = time.monotonic() + _TOLD_WITHIN_S
        while missing := set(names) - set(self.notifications(status)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"nobody was told that {sorted(missing)} is {status}")
            time.sleep(0.1)


@dataclass(frozen=True, slots=True)
class Told:
    """How often each incident was told."""

    firing: Mapping[str, int]
    resolved: Mapping[str, int]


def killed_before(cluster: Cluster, names: Collection[str]) -> Told:
    """The Alertmanager that notifies first is killed; then the incidents begin and, later, end."""
    cluster.alertmanagers[0].process.kill()
    cluster.tell(dict.fromkeys(names, 1))
    cluster.wait_until_told("firing", names)
    return _ended(cluster, names)


def killed_after_notifying(cluster: Cluster, names: Collection[str], *, seconds: float = 5.0) -> Told:
    """The incidents begin; the Alertmanager that told them is killed some seconds later; then they end."""
    cluster.tell(dict.fromkeys(names, 1))
    cluster.wait_until_told("firing", names)
    time.sleep(seconds)
    cluster.alertmanagers[0].process.kill()
    return _ended(cluster, names)


def _ended(cluster: Cluster, names: Collection[str]) -> Told:
    # Time enough for a second notification, of an Alertmanager that waited for the other, or lost sight of it.
    time.sleep(_PEER_TIMEOUT_S + _GRACE_S)
    cluster.tell(dict.fromkeys(names, 0))
    cluster.wait_until_told("resolved", names)
    time.sleep(_GRACE_S)
    return Told(cluster.notifications("firing"), cluster.notifications("resolved"))


@contextmanager
def running_cluster(tools: Path, folder: Path) -> Iterator[Cluster]:
    """Start everything and wait until the servers know each other and see that there is no incident yet."""
    textfiles = folder / "textfiles"
    textfiles.mkdir()
    with ExitStack() as stack:
        receiver = stack.enter_context(WebhookReceiver())
        node = stack.enter_context(run_node_exporter(tools, textfiles, folder))
        alertmanagers = _alertmanagers(tools, folder, receiver, stack)
        places = ", ".join(f'"{server.url.removeprefix("http://")}"' for server in alertmanagers)
        services = _written(_config(tools, node.url.removeprefix("http://"), receiver, places), folder)
        prometheuses = tuple(
            stack.enter_context(
                run_prometheus(
                    tools,
                    folder / "monitoring/prometheus/prometheus.yml",
                    folder / name,
                    extra_args=[option for option in services[name]["command"] if "--enable-feature" in option],
                    env=services[name]["environment"],
                )
            )
            for name in _PROMETHEUSES
        )
        cluster = Cluster(alertmanagers, prometheuses, receiver, textfiles / "incidents.prom")
        cluster.tell({"none": 0})
        for server in prometheuses:
            wait_for_query(server.url, "incident == 0")
        yield cluster


def _alertmanagers(tools: Path, folder: Path, receiver: WebhookReceiver, stack: ExitStack) -> tuple[Server, ...]:
    """Both, the one that notifies first; the other leaves it the time of a peer before it does so itself."""
    services = _written(_config(tools, "127.0.0.1:1", receiver, ""), folder)
    places = {f"{name}:9094": f"127.0.0.1:{free_port()}" for name in _ALERTMANAGERS}
    servers = []
    for name in _ALERTMANAGERS:
        own = {"0.0.0.0:9094": places[f"{name}:9094"], **places}
        options = [option for option in services[name]["command"] if option.startswith("--cluster.")]
        translated = [f"{flag}={own[place]}" for flag, place in (option.split("=", 1) for option in options)]
        file = folder / "monitoring/alertmanager/alertmanager.yml"
        servers.append(stack.enter_context(run_alertmanager(tools, file, folder / name, extra_args=translated)))
    deadline = time.monotonic() + _MEET_WITHIN_S
    while any(len(_status(server)["peers"]) != 2 or _status(server)["status"] != "ready" for server in servers):
        if time.monotonic() > deadline:
            raise TimeoutError(f"the Alertmanagers did not meet: {[_status(server) for server in servers]}")
        time.sleep(0.2)
    return tuple(sorted(servers, key=lambda server: str(_status(server)["name"])))


def _status(alertmanager: Server) -> Any:
    with urllib.request.urlopen(f"{alertmanager.url}/api/v2/status", timeout=_ANSWERS_WITHIN_S) as answer:
        return json.load(answer)["cluster"]


def _config(tools: Path, node: str, receiver: WebhookReceiver, alertmanagers: str) -> Config:
    version = promtool(tools, "--version").stdout.split("version ", 1)[1].split("+", 1)[0]
    text = _CONFIGURATION.format(node=node, webhook=receiver.url, alertmanagers=alertmanagers, version=version)
    return parse_config(text, name="facemon.yaml", directory=Path("/srv/faces"))


def _written(config: Config, folder: Path) -> Any:
    """Write what is rendered, and return the services of its compose file."""
    files = render_stack(config).files
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return read_yaml(files[COMPOSE_FILE])["services"]
