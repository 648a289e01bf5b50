"""A whole set-up that runs: store, exporter, API, Prometheus and Alertmanager, beside the jobs of other people."""

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from tests.incident_pages import served_page
from tests.life.foreign_pages import ForeignJob
from tests.life.own_api import ApiInUse
from tests.life.setting import DEAD_MAN, OPERATIONS, TEAM, Setting, configuration
from tests.life.switch import Switch
from tests.life.watched_store import WatchedStore
from tests.read_yaml import read_yaml
from tests.server.exporters import Exporter, exporter
from tests.servers import (
    Server,
    WebhookReceiver,
    firing_at,
    run_alertmanager,
    run_node_exporter,
    run_prometheus,
    run_pushgateway,
    wait_for_query,
)
from tests.started import COMMAND, changes_of, may_be_forked, neutral_environment, shared_ready

_SERVERS = ("api", "exporter", "node", "pushgateway", "prometheus", "alertmanager", "nothing")
_FIRST_PORT, _PORTS_EACH, _SHARES = 12_000, 90, 200
_CONFIGURATION = Path("monitoring/prometheus/prometheus.yml")
_EXPORT_EACH_SCRAPES = 3


class World:
    """Everything of a set-up, on this machine; events change it through its parts."""

    def __init__(self, setting: Setting, tools: Path, folder: Path, stack: ExitStack) -> None:
        self.setting, self.tools, self.folder = setting, tools, folder
        self.ports = _free_ports()
        # Every user may look into it, as node-exporter's own must.
        self._textfiles = Path(stack.enter_context(TemporaryDirectory(prefix="facemon-life-")))
        self._textfiles.chmod(0o755)
        self.receivers = {name: stack.enter_context(WebhookReceiver()) for name in (TEAM, OPERATIONS, DEAD_MAN)}
        self.store = WatchedStore(folder, setting.attribute_names, setting.camera_names)
        self.api = ApiInUse(self.ports["api"], setting.interval_s)
        self.foreign = ForeignJob()
        listen = f"127.0.0.1:{self.ports['exporter']}"
        self.exporter: Switch[Exporter] = Switch(lambda: exporter(folder, listen=listen))
        self.carrier: Switch[Exporter] | Switch[Server] = self._carrier()
        self.exports: Switch[None] = Switch(self._exporting)
        self.alertmanager: Switch[Server] = Switch(self._run_alertmanager)
        self.prometheus: Switch[Server] = Switch(self._run_prometheus)

    @property
    def export_period_s(self) -> float:
        """Seconds from one export to the next; 0 where Prometheus asks the exporter itself."""
        return 0.0 if self.setting.path == "exporter" else _EXPORT_EACH_SCRAPES * self.setting.interval_s

    @contextmanager
    def running(self) -> Iterator[None]:
        """Render, start everything in an order in which no alert is due, and wait until all targets are up."""
        with ExitStack() as stack:
            foreign = stack.enter_context(served_page(self.foreign.page))
            self._render(foreign)
            for part in (self.exporter, self.carrier, self.exports, self.alertmanager):
                part.on()
                stack.callback(part.off)
            stack.enter_context(self.api)
            self.prometheus.on()
            stack.callback(self.prometheus.off)
            targets = len(read_yaml(self._shared_configuration.read_text(encoding="utf-8"))["scrape_configs"])
            up = targets - self.setting.is_shared
            wait_for_query(self.prometheus.server.url, "up == 1", lambda found: len(found) == up)
            # Not those of others; what was pushed keeps the job that it was pushed with.
            wait_for_query(self.prometheus.server.url, 'images_processed_total{job!="shop"}')
            yield

    def pause_carrier(self, on: bool) -> None:
        """Let what carries the store's metrics hang, or go on: scrapes of it take longer than they may."""
        self.carrier.server.process.send_signal(signal.SIGSTOP if on else signal.SIGCONT)

    def rules(self) -> Mapping[str, Mapping[str, Any]]:
        """The rendered alerts by name."""
        content = read_yaml((self.folder / "monitoring/prometheus/alert_rules.yml").read_text(encoding="utf-8"))
        return {rule["alert"]: rule for group in content["groups"] for rule in group["rules"] if "alert" in rule}

    def seen_by_prometheus(self) -> set[str]:
        """The alerts that fire in Prometheus now, whether or not they are told."""
        # Not by the series ALERTS, which is there for five minutes more where an alert did not outlive a restart.
        return {alert["labels"]["alertname"] for alert in firing_at(self.prometheus.server.url)}

    def facemon(self, *arguments: str | Path) -> None:
        """Run the installed command, which may fail."""
        command = [str(COMMAND), *map(str, arguments)]
        environment = neutral_environment() | {"no_proxy": "127.0.0.1"}
        if may_be_forked(environment):
            shared_ready().run(command, cwd=self.folder, changes=changes_of(environment), stdin="", timeout_s=60)
        else:
            subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, check=False)

    def _render(self, foreign: str) -> None:
        hooks = {name: hook.url for name, hook in self.receivers.items()}
        text = configuration(self.setting, self.ports, hooks, self.folder)
        (self.folder / "facemon.yaml").write_text(text, encoding="utf-8")
        self.facemon("-q", "render-config")
        file = self.folder / _CONFIGURATION
        content = read_yaml(file.read_text(encoding="utf-8"))
        if self.setting.is_shared:
            # What it scrapes for other people has metrics of the same names; and some of it is down.
            others = {"shop": foreign, "billing-db": f"127.0.0.1:{self.ports['nothing']}"}
            content["scrape_configs"] += [
                {"job_name": job, "static_configs": [{"targets": [target]}]} for job, target in others.items()
            ]
        self._shared_configuration.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")

    @property
    def _shared_configuration(self) -> Path:
        return (self.folder / _CONFIGURATION).with_name("shared.yml")

    def _run_prometheus(self) -> AbstractContextManager[Server]:
        return run_prometheus(
            self.tools,
            self._shared_configuration,
            self.folder,
            extra_args=self.setting.flags,
            port=self.ports["prometheus"],
        )

    def _run_alertmanager(self) -> AbstractContextManager[Server]:
        file = self.folder / "monitoring/alertmanager/alertmanager.yml"
        return run_alertmanager(self.tools, file, self.folder, port=self.ports["alertmanager"])

    def _carrier(self) -> "Switch[Exporter] | Switch[Server]":
        if self.setting.path == "exporter":
            return self.exporter
        if self.setting.path == "textfile":
            # What it tells of the machine takes long where that is busy, and no alert is about it.
            only = ("--collector.disable-defaults", "--collector.textfile")
            port = self.ports["node"]
            return Switch(
                lambda: run_node_exporter(self.tools, self._textfiles, self.folder, extra_args=only, port=port)
            )
        kept = f"--persistence.file={self.folder / 'pushed'}"
        return Switch(
            lambda: run_pushgateway(self.tools, self.folder, extra_args=(kept,), port=self.ports["pushgateway"])
        )

    @contextmanager
    def _exporting(self) -> Iterator[None]:
        """Export again and again, as a schedule does, where the store's metrics travel so."""
        if self.setting.path == "exporter":
            yield
            return
        to: tuple[str | Path, str | Path] = ("--textfile", self._textfiles / "facemon.prom")
        if self.setting.path == "pushgateway":
            to = ("--pushgateway", f"http://127.0.0.1:{self.ports['pushgateway']}")
        stop = threading.Event()

        def export() -> None:
            while True:
                self.facemon("-q", "export-metrics", *to)
                if stop.wait(self.export_period_s):
                    return

        thread = threading.Thread(target=export)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


@contextmanager
def world(setting: Setting, tools: Path, folder: Path) -> Iterator[World]:
    """A set-up that runs while the block does."""
    with ExitStack() as stack:
        made = World(setting, tools, folder, stack)
        with made.running():
            yield made


def _free_ports() -> dict[str, int]:
    """Ports that stay free while a server is away: below those that the system gives to clients."""
    first = _FIRST_PORT + os.getpid() % _SHARES * _PORTS_EACH
    candidates = (port for port in range(first, first + _PORTS_EACH) if _is_free(port))
    return {name: next(candidates) for name in _SERVERS}


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
